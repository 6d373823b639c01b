//! The top-level fields of a request body that the gateway reads, in any dialect, and
//! their byte positions, so that the rest can be passed on unchanged.

use super::amounts::Amounts;
use super::neutral::Key;
use crate::refusal::Invalid;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::Deserializer;
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// A top-level value and where it stands in the body.
#[derive(Debug, Clone)]
pub struct Value<'a> {
    /// Its JSON.
    pub json: &'a str,
    /// Its bytes' place in the body.
    pub at: Range<usize>,
}

/// A client's request, as far as it is read before planning.
#[derive(Debug)]
pub struct Call<'a> {
    /// The body it was read from.
    pub body: &'a str,
    /// The model the client asked for.
    pub wanted: Wanted,
    /// The known top-level fields of the body.
    pub fields: Vec<(&'static str, Value<'a>)>,
    /// The limits that it sets for the output.
    pub amounts: Amounts,
    /// The stream has a usage event that the client did not ask for: it is not passed
    /// on.
    pub hide_usage: bool,
    /// Tags in the body.
    pub tags: Vec<(String, String)>,
}

/// The model and the mode that the client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The model's name or alias.
    pub model: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether the model is to think first, if the request says so.
    pub thinks: Option<bool>,
}

impl<'a> Call<'a> {
    /// A field of the body, if it is there.
    pub fn field(&self, name: &str) -> Option<&Value<'a>> {
        find(&self.fields, name)
    }
}

/// A field among those that were read.
pub fn find<'v, 'a>(fields: &'v [(&'static str, Value<'a>)], name: &str) -> Option<&'v Value<'a>> {
    fields
        .iter()
        .find_map(|(known, value)| (*known == name).then_some(value))
}

/// Reads the named fields at the top of a JSON object. The whole body is
/// checked to be JSON; a field that stands twice is refused, because the
/// provider might take the other one.
pub fn read_fields<'a>(
    body: &'a str,
    names: &'static [&'static str],
) -> Result<Vec<(&'static str, Value<'a>)>, Invalid> {
    let invalid = |e: serde_json::Error| Invalid::Json {
        detail: e.to_string(),
    };
    let mut json = serde_json::Deserializer::from_str(body);
    let fields = Fields { body, names }
        .deserialize(&mut json)
        .map_err(invalid)?;
    json.end().map_err(invalid)?;
    Ok(fields)
}

struct Fields<'a> {
    body: &'a str,
    names: &'static [&'static str],
}

impl<'a> DeserializeSeed<'a> for Fields<'a> {
    type Value = Vec<(&'static str, Value<'a>)>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Fields<'a> {
    type Value = Vec<(&'static str, Value<'a>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields: Self::Value = Vec::with_capacity(self.names.len());
        while let Some(Key(key)) = map.next_key()? {
            let Some(name) = self.names.iter().copied().find(|name| *name == key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: &'a RawValue = map.next_value()?;
            if find(&fields, name).is_some() {
                return Err(M::Error::custom(format_args!("`{name}` stands twice")));
            }
            let json = value.get();
            // A raw value is a slice of the body it was read from.
            let start = (json.as_ptr() as usize).saturating_sub(self.body.as_ptr() as usize);
            let at = start..start + json.len();
            fields.push((name, Value { json, at }));
        }
        Ok(fields)
    }
}

/// A required string.
pub fn string(fields: &[(&'static str, Value<'_>)], name: &'static str) -> Result<String, Invalid> {
    let value = find(fields, name).ok_or_else(|| Invalid::Missing {
        field: name.to_owned(),
    })?;
    serde_json::from_str(value.json).map_err(|_| Invalid::Type {
        field: name.to_owned(),
        expected: "a string",
    })
}

/// A boolean that may be missing or null.
pub fn flag(fields: &[(&'static str, Value<'_>)], name: &'static str) -> Result<bool, Invalid> {
    match find(fields, name).map(|value| value.json) {
        None | Some("null" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Invalid::Type {
            field: name.to_owned(),
            expected: "true or false",
        }),
    }
}

/// Whether a field turns thinking on or off, in any dialect.
pub fn thinks(fields: &[(&'static str, Value<'_>)], name: &'static str) -> Option<bool> {
    let said = find(fields, name)?.json;
    match said {
        "null" | "{}" => None,
        said => Some(!said.contains("\"none\"") && !said.contains("\"disabled\"")),
    }
}

/// A required list with at least one entry.
pub fn filled_list(
    fields: &[(&'static str, Value<'_>)],
    name: &'static str,
) -> Result<(), Invalid> {
    let value = find(fields, name).ok_or_else(|| Invalid::Missing {
        field: name.to_owned(),
    })?;
    let entries = value.json.strip_prefix('[').map(str::trim_start);
    match entries {
        Some(rest) if !rest.starts_with(']') => Ok(()),
        _ => Err(Invalid::Type {
            field: name.to_owned(),
            expected: "a list with at least one entry",
        }),
    }
}
