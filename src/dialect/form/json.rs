//! JSON that borrows from the text it was read from, keeps the order of its
//! keys, and refuses a key that stands twice. Images and long prompts are not
//! copied on their way from one dialect into another.

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;
use std::borrow::Cow;
use std::fmt;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'b> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'b, str>),
    /// A list.
    List(Vec<Json<'b>>),
    /// An object.
    Object(Object<'b>),
}

/// A JSON object, its keys in the order they stand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object<'b>(pub Vec<(Cow<'b, str>, Json<'b>)>);

impl<'b> Object<'b> {
    /// An object without fields.
    pub fn new() -> Object<'b> {
        Object(Vec::new())
    }

    /// With one field more.
    pub fn with(mut self, name: &'b str, value: impl Into<Json<'b>>) -> Object<'b> {
        self.set(name, value);
        self
    }

    /// With one field more, if there is a value for it.
    pub fn with_some<V: Into<Json<'b>>>(self, name: &'b str, value: Option<V>) -> Object<'b> {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a field, or replaces it.
    pub fn set(&mut self, name: impl Into<Cow<'b, str>>, value: impl Into<Json<'b>>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// A field.
    pub fn get(&self, name: &str) -> Option<&Json<'b>> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'b> Json<'b> {
    /// Reads a text.
    pub fn parse(text: &'b str) -> Result<Json<'b>, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Reads bytes.
    pub fn parse_bytes(bytes: &'b [u8]) -> Result<Json<'b>, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// A value of the configuration.
    pub fn of(value: &serde_json::Value) -> Json<'b> {
        match value {
            serde_json::Value::Null => Json::Null,
            serde_json::Value::Bool(flag) => Json::Flag(*flag),
            serde_json::Value::Number(number) => Json::Number(number.clone()),
            serde_json::Value::String(text) => Json::Text(Cow::Owned(text.clone())),
            serde_json::Value::Array(list) => Json::List(list.iter().map(Json::of).collect()),
            serde_json::Value::Object(map) => {
                let fields = map
                    .iter()
                    .map(|(k, v)| (Cow::Owned(k.clone()), Json::of(v)));
                Json::Object(Object(fields.collect()))
            }
        }
    }

    /// A field of an object; `None` also where it is `null`.
    pub fn get(&self, name: &str) -> Option<&Json<'b>> {
        match self {
            Json::Object(object) => object.get(name).filter(|value| **value != Json::Null),
            _ => None,
        }
    }

    /// A field that holds text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// A field that holds text which is not empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A field that counts something.
    pub fn count(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Json::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// A field that is true.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some(&Json::Flag(true))
    }

    /// The entries of a field that is a list; none where there is none.
    pub fn list(&self, name: &str) -> &[Json<'b>] {
        match self.get(name) {
            Some(Json::List(entries)) => entries,
            _ => &[],
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As JSON text. A value in memory can always be written.
    pub fn to_text(&self) -> String {
        self.to_text_of(128)
    }

    /// The same, where its length is known more or less: a text that grows as
    /// it is written takes up to three times its room.
    pub fn to_text_of(&self, length: usize) -> String {
        let mut text = Vec::with_capacity(length);
        match serde_json::to_writer(&mut text, self) {
            Ok(()) => String::from_utf8(text).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// The same, without borrowing.
    pub fn into_owned(self) -> Json<'static> {
        let owned = |text: Cow<'b, str>| Cow::Owned(text.into_owned());
        match self {
            Json::Null => Json::Null,
            Json::Flag(flag) => Json::Flag(flag),
            Json::Number(number) => Json::Number(number),
            Json::Text(text) => Json::Text(owned(text)),
            Json::List(list) => Json::List(list.into_iter().map(Json::into_owned).collect()),
            Json::Object(Object(fields)) => {
                let fields = fields.into_iter();
                Json::Object(Object(
                    fields.map(|(k, v)| (owned(k), v.into_owned())).collect(),
                ))
            }
        }
    }
}

impl<'b> From<&'b str> for Json<'b> {
    fn from(text: &'b str) -> Json<'b> {
        Json::Text(Cow::Borrowed(text))
    }
}

impl<'b> From<&'b String> for Json<'b> {
    fn from(text: &'b String) -> Json<'b> {
        Json::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Json::Text(Cow::Owned(text))
    }
}

impl<'b> From<Cow<'b, str>> for Json<'b> {
    fn from(text: Cow<'b, str>) -> Json<'b> {
        Json::Text(text)
    }
}

impl From<bool> for Json<'_> {
    fn from(flag: bool) -> Self {
        Json::Flag(flag)
    }
}

impl From<u64> for Json<'_> {
    fn from(number: u64) -> Self {
        Json::Number(number.into())
    }
}

impl From<i64> for Json<'_> {
    fn from(number: i64) -> Self {
        Json::Number(number.into())
    }
}

impl From<&Number> for Json<'_> {
    fn from(number: &Number) -> Self {
        Json::Number(number.clone())
    }
}

impl From<f64> for Json<'_> {
    fn from(number: f64) -> Self {
        Number::from_f64(number).map_or(Json::Null, Json::Number)
    }
}

impl<'b> From<Vec<Json<'b>>> for Json<'b> {
    fn from(list: Vec<Json<'b>>) -> Json<'b> {
        Json::List(list)
    }
}

impl<'b> From<Object<'b>> for Json<'b> {
    fn from(object: Object<'b>) -> Json<'b> {
        Json::Object(object)
    }
}

impl<'b> From<&Json<'b>> for Json<'b> {
    fn from(json: &Json<'b>) -> Json<'b> {
        json.clone()
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Flag(flag) => serializer.serialize_bool(*flag),
            Json::Number(number) => number.serialize(serializer),
            Json::Text(text) => serializer.serialize_str(text),
            Json::List(list) => {
                let mut entries = serializer.serialize_seq(Some(list.len()))?;
                for entry in list {
                    entries.serialize_element(entry)?;
                }
                entries.end()
            }
            Json::Object(Object(fields)) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'b> Deserialize<'b> for Json<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

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
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields: Vec<(Cow<'b, str>, Json<'b>)> = Vec::new();
        while let Some(Key(name)) = map.next_key()? {
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format_args!("`{name}` stands twice")));
            }
            fields.push((name, map.next_value()?));
        }
        Ok(Json::Object(Object(fields)))
    }
}

/// A key that borrows where it can; a plain `Cow` always copies.
struct Key<'b>(Cow<'b, str>);

impl<'b> Deserialize<'b> for Key<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Text(text) => Ok(Key(text)),
            _ => Err(D::Error::custom("a key is a string")),
        }
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
}
