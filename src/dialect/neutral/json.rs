//! JSON that borrows from its text, keeps the order of keys, and refuses duplicate
//! keys. Images and long prompts are not copied in a translation.

use crate::refusal::Invalid;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::Number;
use std::borrow::Cow;

/// A JSON value.
#[derive(Debug, Clone)]
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
    /// JSON that is never inspected: it is written as it was read, and takes no more
    /// memory than its text.
    Raw(Cow<'b, RawValue>),
    /// A value of another tree, written in its place without a copy.
    Lent(&'b Json<'b>),
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.plain(), other.plain()) {
            (Json::Null, Json::Null) => true,
            (Json::Flag(one), Json::Flag(two)) => one == two,
            (Json::Number(one), Json::Number(two)) => one == two,
            (Json::Text(one), Json::Text(two)) => one == two,
            (Json::List(one), Json::List(two)) => one == two,
            (Json::Object(one), Json::Object(two)) => one == two,
            (Json::Raw(one), Json::Raw(two)) => one.get() == two.get(),
            _ => false,
        }
    }
}

/// A JSON object, its keys in the order they stand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object<'b>(pub Vec<(Cow<'b, str>, Json<'b>)>);

impl<'b> Object<'b> {
    /// An object without fields.
    pub fn new() -> Object<'b> {
        Object(Vec::new())
    }

    /// An object of these fields, which differ.
    pub fn of<const COUNT: usize>(fields: [(&'b str, Json<'b>); COUNT]) -> Object<'b> {
        Object(Vec::from(
            fields.map(|(name, value)| (Cow::Borrowed(name), value)),
        ))
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

    /// Adds a field that is not there.
    pub fn push(&mut self, name: impl Into<Cow<'b, str>>, value: impl Into<Json<'b>>) {
        self.0.push((name.into(), value.into()));
    }

    /// The names of its fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
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

    /// Reads a client's request, of which no more is kept as a tree than is in
    /// proportion to its length.
    pub fn parse_request(text: &'b str) -> Result<Json<'b>, Invalid> {
        super::request_tree::read(text)
    }

    /// Reads one of a request's values to its end, tools' own objects too.
    pub fn parse_part(text: &'b str) -> Result<Json<'b>, Invalid> {
        super::request_tree::read_all(text)
    }

    /// Reads JSON that is passed on as it stands.
    pub fn raw(text: &'b str) -> Result<Json<'b>, serde_json::Error> {
        let raw: &'b RawValue = serde_json::from_str(text)?;
        Ok(Json::Raw(Cow::Borrowed(raw)))
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

    /// The value itself, where it is lent.
    pub fn plain(&self) -> &Json<'b> {
        match self {
            Json::Lent(json) => json.plain(),
            json => json,
        }
    }

    /// The same value in another tree.
    pub fn lend<'a>(&'a self) -> Json<'a>
    where
        'b: 'a,
    {
        match self {
            Json::Lent(json) => Json::Lent(json),
            json => Json::Lent(json),
        }
    }

    /// Whether it is an object, parsed or not.
    pub fn is_object(&self) -> bool {
        match self.plain() {
            Json::Object(_) => true,
            Json::Raw(raw) => raw.get().starts_with('{'),
            _ => false,
        }
    }

    /// A field of an object; `None` also where it is `null`.
    pub fn get(&self, name: &str) -> Option<&Json<'b>> {
        match self.plain() {
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
        match self.plain() {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As JSON text. A value in memory can always be written.
    pub fn to_text(&self) -> String {
        self.to_text_of(128)
    }

    /// The same, with an estimate of its length: a string that grows takes up to three
    /// times its length.
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
            Json::Raw(raw) => Json::Raw(Cow::Owned(raw.into_owned())),
            Json::Lent(json) => json.clone().into_owned(),
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
    fn from(mut list: Vec<Json<'b>>) -> Json<'b> {
        // A vector that grew has up to four times the capacity it needs.
        list.shrink_to_fit();
        Json::List(list)
    }
}

impl<'b> From<Object<'b>> for Json<'b> {
    fn from(mut object: Object<'b>) -> Json<'b> {
        object.0.shrink_to_fit();
        Json::Object(object)
    }
}

impl<'b> From<&'b Json<'b>> for Json<'b> {
    fn from(json: &'b Json<'b>) -> Json<'b> {
        json.lend()
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
            Json::Raw(raw) => raw.serialize(serializer),
            Json::Lent(json) => json.serialize(serializer),
        }
    }
}
