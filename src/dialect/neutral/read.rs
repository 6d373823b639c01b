//! Reads JSON into a tree, and single fields without one.

use super::json::{Json, Object};
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Up to this many fields are compared pairwise.
const FEW: usize = 8;

/// Reads a value.
struct Reader;

impl<'b> Deserialize<'b> for Json<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

impl<'b> Visitor<'b> for Reader {
    type Value = Json<'b>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(number.into())
    }

    fn visit_borrowed_str<E>(self, text: &'b str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = seq.next_element()? {
            list.push(entry);
        }
        list.shrink_to_fit();
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields: Vec<(Cow<'b, str>, Json<'b>)> = Vec::new();
        while let Some(Key(name)) = map.next_key()? {
            fields.push((name, map.next_value()?));
        }
        fields.shrink_to_fit();
        match twice(&fields) {
            Some(name) => {
                let shown: String = name.chars().take(60).collect();
                Err(A::Error::custom(format_args!("`{shown}` stands twice")))
            }
            None => Ok(Json::Object(Object(fields))),
        }
    }
}

/// A duplicate key. Keys are sorted, not compared pairwise, so that the work stays in
/// proportion to their bytes.
pub fn twice<'f>(fields: &'f [(Cow<'_, str>, Json<'_>)]) -> Option<&'f str> {
    let name = |at: usize| fields.get(at).map(|(name, _)| name.as_ref());
    if fields.len() <= FEW {
        let known = |at: usize| (0..at).any(|before| name(before) == name(at));
        return (1..fields.len()).find(|at| known(*at)).and_then(name);
    }
    let names = fields.iter().map(|(name, _)| name.as_ref());
    let mut names: Vec<(u64, &str)> = names.map(|name| (beginning(name), name)).collect();
    names.sort_unstable();
    let same = names.windows(2).find(|pair| pair.first() == pair.last())?;
    same.first().map(|(_, name)| *name)
}

/// The first bytes of a name as a number, which is compared sooner than a text.
fn beginning(name: &str) -> u64 {
    let bytes = name.bytes().chain(std::iter::repeat(0)).take(8);
    bytes.fold(0, |number, byte| number << 8 | u64::from(byte))
}

/// An object's text with one field more, without a tree of it; nothing if the
/// field is there, or if it is no object.
pub fn with_field(object: &RawValue, name: &str, value: &str) -> Option<Box<RawValue>> {
    let text = object.get();
    let mut json = serde_json::Deserializer::from_str(text);
    let counted = json.deserialize_map(Named { name }).ok()?;
    let comma = match counted {
        Counted { has_it: true, .. } => return None,
        Counted { is_empty: true, .. } => "",
        Counted { .. } => ",",
    };
    let open = text.strip_suffix('}')?;
    let (name, value) = (Json::from(name).to_text(), Json::from(value).to_text());
    // Reserved at once: a string that grows takes more memory than its length.
    RawValue::from_string([open, comma, &name, ":", &value, "}"].concat()).ok()
}

/// Looks for a field among an object's own.
struct Named<'n> {
    name: &'n str,
}

struct Counted {
    has_it: bool,
    is_empty: bool,
}

impl<'b> Visitor<'b> for Named<'_> {
    type Value = Counted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<Counted, A::Error> {
        let (mut has_it, mut is_empty) = (false, true);
        while let Some(Key(key)) = map.next_key()? {
            has_it |= key == self.name;
            is_empty = false;
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Counted { has_it, is_empty })
    }
}

/// A key that borrows where it can; a plain `Cow` always copies.
pub struct Key<'b>(pub Cow<'b, str>);

impl<'b> Deserialize<'b> for Key<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyReader)
    }
}

struct KeyReader;

impl<'b> Visitor<'b> for KeyReader {
    type Value = Key<'b>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'b str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Owned(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let text = r#"{"b":[1,-2,0.1,1e30,true,null],"a":{"z":"\u00e9\n","y":""}}"#;
        let json = Json::parse(text).unwrap();
        assert_eq!(
            json.to_text(),
            text.replace("\\u00e9", "é").replace("1e30", "1e+30")
        );
        assert_eq!(json.get("a").and_then(|a| a.text("z")), Some("é\n"));
        assert!(Json::parse(r#"{"a":1,"\u0061":2}"#).is_err());
    }

    #[test]
    fn long_texts_are_not_copied() {
        let text = format!(r#"{{"data":"{}"}}"#, "A".repeat(100));
        let json = Json::parse(&text).unwrap();
        assert!(matches!(
            json.get("data"),
            Some(Json::Text(Cow::Borrowed(_)))
        ));
    }

    #[test]
    fn a_key_that_stands_twice_is_found_among_many() {
        let keys = |twice: usize| {
            let names = (0..100).map(|at| format!(r#""k{}":{at}"#, at.min(twice)));
            format!("{{{}}}", names.collect::<Vec<_>>().join(","))
        };
        assert!(Json::parse(&keys(99)).is_ok());
        for twice in [0, 50, 98] {
            let error = Json::parse(&keys(twice)).unwrap_err().to_string();
            assert!(
                error.contains(&format!("`k{twice}` stands twice")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_field_is_added_to_an_objects_text() {
        let with = |text: &str| {
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            with_field(raw, "description", "a \"b\"").map(|raw| raw.get().to_owned())
        };
        let added = r#""description":"a \"b\""}"#;
        assert_eq!(with("{}"), Some(format!("{{{added}")));
        assert_eq!(with("{ }"), Some(format!("{{ {added}")));
        let inside = r#"{"a":{"description":1},"b":[0]"#;
        assert_eq!(
            with(&format!("{inside}}}")),
            Some(format!("{inside},{added}"))
        );
        assert_eq!(
            with(r#"{"a":0,"\u0064escription":"x"}"#),
            None,
            "it is there"
        );
        assert_eq!(with("[]"), None);
    }
}
