//! Where a value is in a request. Only errors and unsupported fields need it, so no
//! paths are stored: a path is searched for when it is reported.

use super::json::{Json, Object};
use std::collections::BTreeMap;
use std::fmt;
use std::ptr;

/// The place of a value in a body.
#[derive(Clone, Copy)]
pub struct Place<'p> {
    body: &'p Json<'p>,
    value: &'p Json<'p>,
    /// A field of the value, there or not, if it is the place of that.
    field: Option<&'p str>,
}

impl<'p> Place<'p> {
    /// The place of a value that is somewhere in a body.
    pub fn of(value: &'p Json<'p>, body: &'p Json<'p>) -> Place<'p> {
        Place {
            body,
            value,
            field: None,
        }
    }

    /// The place of a field, whether it is there or not.
    pub fn field(self, name: &'p str) -> Place<'p> {
        Place {
            field: Some(name),
            ..self
        }
    }

    /// Whether it is the whole body.
    pub fn is_body(&self) -> bool {
        self.field.is_none() && ptr::eq(self.body, self.value)
    }
}

/// The paths of places in one body, which is gone through once for all of them.
pub fn paths(places: &[Place<'_>]) -> Vec<String> {
    let mut search = Search {
        steps: Vec::new(),
        found: vec![String::new(); places.len()],
        wanted: BTreeMap::new(),
    };
    for (at, place) in places.iter().enumerate() {
        let here = search.wanted.entry(ptr::from_ref(place.value));
        here.or_default().push((at, place.field));
    }
    if let Some(first) = places.first() {
        search.look_at(first.body);
    }
    search.found
}

struct Search<'s> {
    /// Which places are still to be found, by their values.
    wanted: BTreeMap<*const Json<'s>, Vec<(usize, Option<&'s str>)>>,
    found: Vec<String>,
    /// The way to the value that is looked at.
    steps: Vec<Step<'s>>,
}

/// One step from a value to one inside it.
#[derive(Clone, Copy)]
enum Step<'s> {
    Field(&'s str),
    Entry(usize),
}

impl<'s> Search<'s> {
    fn look_at(&mut self, value: &'s Json<'s>) {
        for (at, field) in self
            .wanted
            .remove(&ptr::from_ref(value))
            .into_iter()
            .flatten()
        {
            if let Some(found) = self.found.get_mut(at) {
                *found = path(self.steps.iter().copied(), field);
            }
        }
        if self.wanted.is_empty() {
            return;
        }
        match value {
            Json::List(entries) => {
                for (at, entry) in entries.iter().enumerate() {
                    self.step(Step::Entry(at), entry);
                }
            }
            Json::Object(Object(fields)) => {
                for (name, value) in fields {
                    self.step(Step::Field(name), value);
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, step: Step<'s>, to: &'s Json<'s>) {
        self.steps.push(step);
        self.look_at(to);
        self.steps.pop();
    }
}

/// As `messages[2].content`.
fn path<'s>(steps: impl Iterator<Item = Step<'s>>, field: Option<&'s str>) -> String {
    let mut path = String::new();
    for step in steps.chain(field.map(Step::Field)) {
        match step {
            Step::Field(name) => {
                let dot = if path.is_empty() { "" } else { "." };
                path.extend([dot, name]);
            }
            Step::Entry(at) => path.push_str(&format!("[{at}]")),
        }
    }
    path
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&paths(&[*self]).concat())
    }
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.value, other.value) && self.field == other.field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_step_by_step() {
        let body = Json::parse(r#"{"a":[],"messages":[{},{},{"content":["x"]}]}"#).unwrap();
        let place = |value| Place::of(value, &body);
        assert_eq!(place(&body).to_string(), "");
        assert_eq!(place(&body).field("missing").to_string(), "missing");
        let message = body.list("messages").get(2).unwrap();
        assert_eq!(place(message).to_string(), "messages[2]");
        assert_eq!(place(message).field("role").to_string(), "messages[2].role");
        let content = message.list("content").first().unwrap();
        assert_eq!(place(content).to_string(), "messages[2].content[0]");
        assert!(place(&body).is_body());
        assert!(!place(content).is_body() && !place(&body).field("a").is_body());
        assert_ne!(place(content), place(message));
        let both = [place(content), place(message).field("name")];
        assert_eq!(paths(&both), ["messages[2].content[0]", "messages[2].name"]);
        assert_eq!(paths(&[]), [""; 0]);
    }
}
