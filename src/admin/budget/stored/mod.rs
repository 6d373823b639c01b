//! The limits that were set while the gateway runs, as they are stored. Each
//! entry is read alone: one that cannot be read refuses the calls it could be
//! about, and takes no other limit with it.

use crate::admin::Denied;
use crate::config::limits::{covers, Dimension, Limit, Subject, Who};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const MOST: usize = 500;

/// What the set as a whole is called where it cannot be read. No limit can have
/// this name.
pub const WHOLE: &str = "*";

/// What is stored: an entry for each limit, whatever the entry holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    entries: Map<String, Value>,
    /// Why the set as a whole cannot be read.
    broken: Option<String>,
}

/// The limits that were set, as calls are held to them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InForce {
    /// Those that can be read, by name. One that `gateway.toml` has too counts
    /// in that one's place.
    pub limits: BTreeMap<String, Limit>,
    /// Those that cannot be read.
    pub unread: Vec<Unread>,
}

/// A limit that was set and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Its name; [`WHOLE`] where the whole set cannot be read.
    pub name: String,
    /// As much of its scope as can be read; empty: it could be about any call.
    pub scope: BTreeMap<Dimension, Who>,
    /// Why it cannot be read.
    pub why: String,
}

impl Published {
    /// What the store holds; nothing if no limit was ever set.
    pub fn of(text: Option<&str>) -> Published {
        let Some(text) = text else {
            return Published::default();
        };
        match serde_json::from_str(text) {
            Ok(entries) => Published {
                entries,
                broken: None,
            },
            Err(error) => Published {
                entries: Map::new(),
                broken: Some(error.to_string()),
            },
        }
    }

    /// As it is stored.
    pub fn text(&self) -> String {
        Value::Object(self.entries.clone()).to_string()
    }

    /// What calls are held to by it.
    pub fn in_force(&self) -> InForce {
        let mut in_force = InForce::default();
        if let Some(why) = &self.broken {
            in_force.unread.push(Unread {
                name: WHOLE.to_owned(),
                scope: BTreeMap::new(),
                why: why.clone(),
            });
        }
        for (name, entry) in &self.entries {
            let limit = Limit::deserialized(entry);
            match limit {
                Ok(limit) => {
                    in_force.limits.insert(name.clone(), limit);
                }
                Err(why) => in_force.unread.push(Unread {
                    name: name.clone(),
                    scope: scope_of(entry),
                    why,
                }),
            }
        }
        in_force
    }

    /// Sets one, in place of one of that name.
    pub fn set(&mut self, name: &str, limit: &Limit) -> Result<(), Denied> {
        if self.broken.is_some() {
            return Err(Denied::Conflict(format!(
                "The limits that were set cannot be read, so none can be added: `meridian budget remove '{WHOLE}'` removes them all; then set them anew."
            )));
        }
        if self.entries.len() >= MOST && !self.entries.contains_key(name) {
            return Err(Denied::Conflict(format!(
                "There are {MOST} limits already; remove some, or say `*` for an account each."
            )));
        }
        let entry = serde_json::to_value(limit).map_err(|e| Denied::Invalid(e.to_string()))?;
        self.entries.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Removes one, or the whole set where that cannot be read; whether there
    /// was one.
    pub fn remove(&mut self, name: &str) -> bool {
        match name {
            WHOLE => self.broken.take().is_some(),
            _ => self.entries.remove(name).is_some(),
        }
    }
}

impl Unread {
    /// What is refused because of it, and what an operator has to do.
    pub fn problem(&self) -> String {
        let scope: Vec<String> = self
            .scope
            .iter()
            .map(|(dimension, who)| format!("{} {}", dimension.as_str(), String::from(who.clone())))
            .collect();
        let whom = match scope.is_empty() {
            true => "all calls".to_owned(),
            false => format!("calls of {}", scope.join(", ")),
        };
        let (name, why) = (&self.name, &self.why);
        match name.as_str() {
            WHOLE => format!("the limits that were set cannot be read ({why}): {whom} are refused until `meridian budget remove '{WHOLE}'` has removed them and they are set anew"),
            _ => format!("the limit {name} cannot be read ({why}): {whom} are refused until it is set anew or removed"),
        }
    }
}

impl InForce {
    /// The limit that could be about a call and cannot be read: the call is
    /// refused, because nobody knows how much it may take.
    pub fn unread_for(&self, call: &Subject<'_>) -> Option<&Unread> {
        let mut unread = self.unread.iter();
        unread.find(|unread| covers(&unread.scope, call))
    }
}

/// As much of an entry's scope as can be read. What cannot be read is left out,
/// and so is about more calls rather than fewer.
fn scope_of(entry: &Value) -> BTreeMap<Dimension, Who> {
    let scope = entry.get("scope").and_then(Value::as_object);
    let named = scope.into_iter().flatten().filter_map(|(name, who)| {
        let dimension = Dimension::ALL.into_iter().find(|d| d.as_str() == name)?;
        Some((dimension, Who::from(who.as_str()?.to_owned())))
    });
    named.collect()
}

#[cfg(test)]
mod tests;
