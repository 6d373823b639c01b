//! Reads a client's JSON strictly: every value has its path, so that errors name it,
//! and fields that were not read are known.

use super::chat_request::Extra;
use super::json::{Json, Object};
use super::place::Place;
use crate::refusal::Invalid;
use serde_json::Number;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// Hints: leaving these fields out does not change the response.
const HINTS: [&str; 20] = [
    // The user and the purpose.
    "client_metadata",
    "metadata",
    "name",
    "safety_identifier",
    "user",
    // Caching, storage, compaction and transport.
    "context_management",
    "eager_input_streaming",
    "include_obfuscation",
    "prediction",
    "prompt_cache_breakpoint",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "store",
    "truncation",
    // Parts of earlier responses.
    "annotations",
    "citations",
    "phase",
    "provider_specific_fields",
    // Tool search.
    "defer_loading",
];

/// A value of a request and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Node<'p, 'b> {
    json: &'p Json<'b>,
    body: &'p Json<'b>,
}

/// The entries of a list.
#[derive(Debug, Clone)]
pub struct Entries<'p, 'b> {
    entries: std::slice::Iter<'p, Json<'b>>,
    body: &'p Json<'b>,
}

impl<'p, 'b> Node<'p, 'b> {
    /// The whole body.
    pub fn root(json: &'p Json<'b>) -> Node<'p, 'b> {
        Node { json, body: json }
    }

    /// Where it stands.
    pub fn place(&self) -> Place<'p> {
        Place::of(self.json, self.body)
    }

    /// Its JSON.
    pub fn json(&self) -> &'p Json<'b> {
        self.json
    }

    /// The error that it has the wrong type.
    pub fn wrong(&self, expected: &'static str) -> Invalid {
        Invalid::Type {
            field: self.place().to_string(),
            expected,
        }
    }

    /// The error that it has an unknown value.
    pub fn unknown(&self, value: &str) -> Invalid {
        Invalid::Value {
            field: self.place().to_string(),
            value: value.chars().take(60).collect(),
        }
    }

    /// Its text.
    pub fn text(&self) -> Result<&'p str, Invalid> {
        self.json.as_text().ok_or_else(|| self.wrong("a string"))
    }

    /// Its boolean.
    pub fn flag(&self) -> Result<bool, Invalid> {
        match self.json {
            Json::Flag(flag) => Ok(*flag),
            _ => Err(self.wrong("true or false")),
        }
    }

    /// Its number, not below zero.
    pub fn count(&self) -> Result<u64, Invalid> {
        match self.json {
            Json::Number(number) => number.as_u64(),
            _ => None,
        }
        .ok_or_else(|| self.wrong("a whole number, not negative"))
    }

    /// Its whole number.
    pub fn whole(&self) -> Result<i64, Invalid> {
        match self.json {
            Json::Number(number) => number.as_i64(),
            _ => None,
        }
        .ok_or_else(|| self.wrong("a whole number"))
    }

    /// Its number.
    pub fn number(&self) -> Result<f64, Invalid> {
        match self.json {
            Json::Number(number) => number.as_f64(),
            _ => None,
        }
        .ok_or_else(|| self.wrong("a number"))
    }

    /// Its entries.
    pub fn list(&self) -> Result<Entries<'p, 'b>, Invalid> {
        match self.json {
            Json::List(entries) => Ok(Entries {
                entries: entries.iter(),
                body: self.body,
            }),
            _ => Err(self.wrong("a list")),
        }
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.json, Json::List(_))
    }

    /// Whether it is text.
    pub fn is_text(&self) -> bool {
        matches!(self.json, Json::Text(_))
    }

    /// Checks that it is an object, with any content.
    pub fn object(&self) -> Result<(), Invalid> {
        match self.json.is_object() {
            true => Ok(()),
            false => Err(self.wrong("an object")),
        }
    }

    /// Its fields.
    pub fn fields(&self) -> Result<Fields<'p, 'b>, Invalid> {
        match self.json {
            Json::Object(object) => Ok(Fields {
                object,
                node: *self,
                read: Read::default(),
            }),
            _ => Err(self.wrong("an object")),
        }
    }
}

impl Entries<'_, '_> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ExactSizeIterator for Entries<'_, '_> {}

impl<'p, 'b> Iterator for Entries<'p, 'b> {
    type Item = Node<'p, 'b>;

    fn next(&mut self) -> Option<Node<'p, 'b>> {
        let json = self.entries.next()?;
        Some(Node {
            json,
            body: self.body,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

/// The fields of an object, with a record of which were read.
#[derive(Debug)]
pub struct Fields<'p, 'b> {
    object: &'p Object<'b>,
    node: Node<'p, 'b>,
    read: Read,
}

impl<'p, 'b> Fields<'p, 'b> {
    /// Where a field stands, or would.
    pub fn at(&self, name: &'p str) -> Place<'p> {
        self.node.place().field(name)
    }

    /// The whole object.
    pub fn object(&self) -> &'p Object<'b> {
        self.object
    }

    /// A field, unless it is missing or `null`.
    pub fn get(&self, name: &'static str) -> Option<Node<'p, 'b>> {
        let (at, json) = self.find(name)?;
        self.read.note(at);
        (*json != Json::Null).then_some(Node {
            json,
            body: self.node.body,
        })
    }

    /// Whether a field is an object of a type.
    pub fn has_type(&self, name: &'static str, kind: &str) -> bool {
        let (_, json) = self.find(name).unzip();
        json.is_some_and(|json| json.text("type") == Some(kind))
    }

    /// A field that must be there.
    pub fn need(&self, name: &'static str) -> Result<Node<'p, 'b>, Invalid> {
        self.get(name).ok_or_else(|| Invalid::Missing {
            field: self.at(name).to_string(),
        })
    }

    /// A text that may be missing.
    pub fn text(&self, name: &'static str) -> Result<Option<&'p str>, Invalid> {
        self.get(name).map(|node| node.text()).transpose()
    }

    /// A text that must be there.
    pub fn need_text(&self, name: &'static str) -> Result<&'p str, Invalid> {
        self.need(name)?.text()
    }

    /// Whether a field is true.
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>, Invalid> {
        self.get(name).map(|node| node.flag()).transpose()
    }

    /// A number that may be missing, as it was written.
    pub fn decimal(&self, name: &'static str) -> Result<Option<Number>, Invalid> {
        let Some(node) = self.get(name) else {
            return Ok(None);
        };
        match node.json() {
            Json::Number(number) => Ok(Some(number.clone())),
            _ => Err(node.wrong("a number")),
        }
    }

    /// A count that may be missing.
    pub fn count(&self, name: &'static str) -> Result<Option<u64>, Invalid> {
        self.get(name).map(|node| node.count()).transpose()
    }

    /// The entries of a list; none where it is missing.
    pub fn list(&self, name: &'static str) -> Result<Entries<'p, 'b>, Invalid> {
        let none = Entries {
            entries: [].iter(),
            body: self.node.body,
        };
        self.get(name).map_or(Ok(none), |node| node.list())
    }

    /// Marks fields as read that have no effect but are not an error.
    pub fn ignore(&self, names: &[&'static str]) {
        for (at, _) in names.iter().filter_map(|name| self.find(name)) {
            self.read.note(at);
        }
    }

    fn find(&self, name: &str) -> Option<(usize, &'p Json<'b>)> {
        let mut fields = self.object.0.iter().enumerate();
        let found = fields.find(|(_, (known, _))| known == name);
        found.map(|(at, (_, json))| (at, json))
    }

    /// What was not read, but for `null` and for what changes nothing when it
    /// holds a certain value.
    pub fn rest(&self, neutral: &[(&str, &str)]) -> Vec<Extra<'p>>
    where
        'b: 'p,
    {
        let unread = self.object.0.iter().enumerate();
        let unread = unread.filter(|(at, (name, json))| {
            let is_neutral = |(n, value): &(&str, &str)| {
                n == name && Json::parse(value).is_ok_and(|value| value == *json)
            };
            !self.read.has(*at) && *json != Json::Null && !neutral.iter().any(is_neutral)
        });
        let extra = |(_, (name, json)): (usize, &'p (Cow<'b, str>, Json<'b>))| Extra {
            path: self.at(name),
            name: self.node.place().is_body().then_some(Cow::Borrowed(name)),
            value: json.lend(),
            hint: HINTS.contains(&name.as_ref()),
        };
        unread.map(extra).collect()
    }
}

/// Which of an object's fields were read, by their number.
#[derive(Debug, Default)]
struct Read {
    /// A bit for each of the first.
    first: Cell<u64>,
    others: RefCell<BTreeSet<usize>>,
}

impl Read {
    fn note(&self, at: usize) {
        match bit(at) {
            Some(bit) => self.first.set(self.first.get() | bit),
            None => drop(self.others.borrow_mut().insert(at)),
        }
    }

    fn has(&self, at: usize) -> bool {
        match bit(at) {
            Some(bit) => self.first.get() & bit != 0,
            None => self.others.borrow().contains(&at),
        }
    }
}

fn bit(at: usize) -> Option<u64> {
    1_u64.checked_shl(u32::try_from(at).ok()?)
}
