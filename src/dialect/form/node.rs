//! Reading a client's JSON strictly: every step knows its path, so that what
//! is wrong is told where it stands, and what was not read is known.

use super::ask::Extra;
use super::json::{Json, Object};
use crate::refusal::Invalid;
use serde_json::Number;
use std::borrow::Cow;
use std::cell::RefCell;

/// A value of a request and where it stands.
#[derive(Debug, Clone)]
pub struct Node<'p, 'b> {
    json: &'p Json<'b>,
    path: String,
}

impl<'p, 'b> Node<'p, 'b> {
    /// The whole body.
    pub fn root(json: &'p Json<'b>) -> Node<'p, 'b> {
        Node {
            json,
            path: String::new(),
        }
    }

    /// Where it stands, as `messages[2].content`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its JSON.
    pub fn json(&self) -> &'p Json<'b> {
        self.json
    }

    /// It is not what it should be.
    pub fn wrong(&self, expected: &'static str) -> Invalid {
        Invalid::Type {
            field: self.path.clone(),
            expected,
        }
    }

    /// It is none of the values there are.
    pub fn unknown(&self, value: &str) -> Invalid {
        Invalid::Value {
            field: self.path.clone(),
            value: value.chars().take(60).collect(),
        }
    }

    /// Its text.
    pub fn text(&self) -> Result<&'p str, Invalid> {
        self.json.as_text().ok_or_else(|| self.wrong("a string"))
    }

    /// Its truth.
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
    pub fn list(&self) -> Result<Vec<Node<'p, 'b>>, Invalid> {
        let Json::List(entries) = self.json else {
            return Err(self.wrong("a list"));
        };
        let entry = |(at, json)| Node {
            json,
            path: format!("{}[{at}]", self.path),
        };
        Ok(entries.iter().enumerate().map(entry).collect())
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.json, Json::List(_))
    }

    /// Whether it is text.
    pub fn is_text(&self) -> bool {
        matches!(self.json, Json::Text(_))
    }

    /// Its fields.
    pub fn fields(&self) -> Result<Fields<'p, 'b>, Invalid> {
        match self.json {
            Json::Object(object) => Ok(Fields {
                object,
                path: self.path.clone(),
                read: RefCell::default(),
            }),
            _ => Err(self.wrong("an object")),
        }
    }
}

/// The fields of an object, of which it is known which were read.
#[derive(Debug)]
pub struct Fields<'p, 'b> {
    object: &'p Object<'b>,
    path: String,
    read: RefCell<Vec<&'static str>>,
}

impl<'p, 'b> Fields<'p, 'b> {
    /// Where the object stands.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole object.
    pub fn object(&self) -> &'p Object<'b> {
        self.object
    }

    fn at(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    /// A field, unless it is missing or `null`.
    pub fn get(&self, name: &'static str) -> Option<Node<'p, 'b>> {
        self.read.borrow_mut().push(name);
        let json = self.object.get(name).filter(|json| **json != Json::Null)?;
        Some(Node {
            json,
            path: self.at(name),
        })
    }

    /// A field that must be there.
    pub fn need(&self, name: &'static str) -> Result<Node<'p, 'b>, Invalid> {
        self.get(name).ok_or_else(|| Invalid::Missing {
            field: self.at(name),
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
    pub fn list(&self, name: &'static str) -> Result<Vec<Node<'p, 'b>>, Invalid> {
        self.get(name).map_or(Ok(Vec::new()), |node| node.list())
    }

    /// Fields that mean nothing to anybody but are no mistake.
    pub fn ignore(&self, names: &[&'static str]) {
        self.read.borrow_mut().extend_from_slice(names);
    }

    /// What was not read, but for `null` and for what changes nothing when it
    /// holds a certain value.
    pub fn rest(&self, neutral: &[(&str, &str)]) -> Vec<Extra<'p>>
    where
        'b: 'p,
    {
        let read = self.read.borrow();
        let unread = self.object.0.iter();
        let unread = unread.filter(|(name, json)| {
            let said = || json.to_text();
            let means_nothing = neutral
                .iter()
                .any(|(n, value)| n == name && *value == said());
            *json != Json::Null && !read.contains(&name.as_ref()) && !means_nothing
        });
        let extra = |(name, json): &'p (Cow<'b, str>, Json<'b>)| Extra {
            path: self.at(name),
            name: self.path.is_empty().then_some(Cow::Borrowed(name.as_ref())),
            value: json.clone(),
        };
        unread.map(extra).collect()
    }
}
