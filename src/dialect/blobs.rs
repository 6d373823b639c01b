//! Finding the blobs of a request in one pass, without a tree of it.

use super::blob_owner::Fingerprint;
use super::neutral::{Key, BLOB_MARK};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::Deserializer;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

/// The most blobs that are collected of a request; the newest are kept.
const MOST: usize = 64;

/// The bare blobs, the newest last, and whether there are some with a name.
pub fn find(body: &str) -> (Vec<Fingerprint>, bool) {
    let mut found = Found::default();
    let mut json = serde_json::Deserializer::from_str(body);
    let walk = Walk {
        place: Place::Body,
        found: &mut found,
    };
    // Invalid JSON has been refused before.
    let _ = walk.deserialize(&mut json);
    let bare = found.bare.iter().map(Bare::fingerprint).collect();
    (bare, found.named)
}

#[derive(Default)]
struct Found<'b> {
    bare: VecDeque<Bare<'b>>,
    named: bool,
}

/// A blob without a name, as it stands, and the id that belongs to it.
struct Bare<'b> {
    id: Option<&'b RawValue>,
    blob: &'b RawValue,
}

impl Bare<'_> {
    fn fingerprint(&self) -> Fingerprint {
        let blob = text(Some(self.blob));
        match self.id {
            Some(id) => Fingerprint::of(&format!("{}~{blob}", text(Some(id)))),
            None => Fingerprint::of(&blob),
        }
    }
}

impl<'b> Found<'b> {
    fn add(&mut self, blob: Option<&'b RawValue>, id: Option<&'b RawValue>) {
        let Some(blob) = blob else { return };
        let said = text(Some(blob));
        if said.starts_with(BLOB_MARK) {
            self.named = true;
        } else if !said.is_empty() {
            if self.bare.len() >= MOST {
                self.bare.pop_front();
            }
            self.bare.push_back(Bare { id, blob });
        }
    }
}

/// What a string says; nothing where it is none.
fn text(raw: Option<&RawValue>) -> Cow<'_, str> {
    let raw = raw.map_or("\"\"", RawValue::get);
    serde_json::from_str(raw).map_or(Cow::Borrowed(""), |Key(text)| text)
}

/// Only fields at the places of blobs count: a tool's arguments may have fields of any
/// name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Body,
    Turn,
    Block,
    Detail,
}

struct Walk<'f, 'b> {
    place: Place,
    found: &'f mut Found<'b>,
}

impl<'b> Walk<'_, 'b> {
    fn at(&mut self, place: Place) -> Walk<'_, 'b> {
        Walk {
            place,
            found: self.found,
        }
    }

    /// Notes what an object turned out to be.
    fn item(&mut self, item: &Item<'b>) {
        if self.place == Place::Detail {
            let signature = item.signature.filter(|raw| raw.get().starts_with('"'));
            return self.found.add(signature.or(item.data), None);
        }
        match text(item.kind).as_ref() {
            "thinking" => self.found.add(item.signature, None),
            "redacted_thinking" => self.found.add(item.data, None),
            "reasoning" | "compaction" => {
                let id = item.id.or(Some(RawValue::NULL));
                self.found.add(item.encrypted, id);
            }
            _ => {}
        }
    }
}

/// The fields of an object that count.
#[derive(Default)]
struct Item<'b> {
    kind: Option<&'b RawValue>,
    id: Option<&'b RawValue>,
    signature: Option<&'b RawValue>,
    data: Option<&'b RawValue>,
    encrypted: Option<&'b RawValue>,
}

impl<'b> DeserializeSeed<'b> for Walk<'_, 'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'b> Visitor<'b> for Walk<'_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'b>>(mut self, mut list: A) -> Result<(), A::Error> {
        let place = self.place;
        while list.next_element_seed(self.at(place))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'b>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut item = Item::default();
        while let Some(Key(name)) = map.next_key()? {
            let inside = match (self.place, name.as_ref()) {
                (Place::Body, "messages" | "input") => Some(Place::Turn),
                (Place::Turn, "content") => Some(Place::Block),
                (Place::Turn | Place::Block, "reasoning_details") => Some(Place::Detail),
                _ => None,
            };
            if let Some(place) = inside {
                map.next_value_seed(self.at(place))?;
                continue;
            }
            let field = match name.as_ref() {
                "type" => &mut item.kind,
                "id" => &mut item.id,
                "signature" => &mut item.signature,
                "data" => &mut item.data,
                "encrypted_content" => &mut item.encrypted,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = Some(map.next_value()?);
        }
        self.item(&item);
        Ok(())
    }
}
