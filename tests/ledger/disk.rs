//! Storage of an object as the platform would keep it: it outlives an eviction.

use meridian::ledger::object::{Hook, Host, Waiting};
use meridian::ledger::{Change, Stored};
use meridian::units::{Millis, RequestId};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;

#[derive(Debug, Default)]
pub struct Tables {
    pub state: BTreeMap<String, String>,
    /// Rows by id; those that are in the database have none.
    pub rows: BTreeMap<String, Option<Value>>,
    pub hooks: BTreeMap<i64, Hook>,
    /// What rows say is held for lost holders and calls, and what rows take back.
    pub charged: i64,
    pub credited: i64,
    /// Calls of which nobody knows what they took, and what is held for each.
    pub held: BTreeMap<String, i64>,
    ids: u128,
    salt: u128,
}

/// The tables, shared with whoever looks into them.
#[derive(Debug, Clone, Default)]
pub struct Disk(pub Rc<RefCell<Tables>>);

impl Tables {
    /// Whether a lease was given up: what it had is held under its name.
    pub fn has_given_up(&self) -> bool {
        self.state.keys().any(|key| key.starts_with("charged i"))
    }
}

impl Disk {
    /// An empty one, whose ids are not those of another salt.
    pub fn new(salt: u128) -> Disk {
        Disk(Rc::new(RefCell::new(Tables {
            salt,
            ..Tables::default()
        })))
    }

    pub fn has_row(&self, id: &str) -> bool {
        self.0.borrow().rows.contains_key(id)
    }
}

impl Host for Disk {
    type Error = Infallible;

    fn stored(&self) -> Result<Vec<Stored>, Infallible> {
        Ok(self.0.borrow().state.clone().into_iter().collect())
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), Infallible> {
        let state = &mut self.0.borrow_mut().state;
        for Change { key, value } in changes {
            match value {
                Some(value) => state.insert(key.clone(), value.clone()),
                None => state.remove(key),
            };
        }
        Ok(())
    }

    fn add_rows(&mut self, _: Millis, rows: &str) -> Result<Vec<String>, Infallible> {
        let rows: Vec<Value> = serde_json::from_str(rows).unwrap();
        let mut tables = self.0.borrow_mut();
        let mut new = Vec::new();
        for row in rows {
            let id = row["id"].as_str().unwrap().to_owned();
            if tables.rows.contains_key(&id) {
                continue;
            }
            let held = row["held_nano"].as_i64().unwrap_or_default();
            tables.charged += held.max(0);
            tables.credited += (-held).max(0);
            if held > 0 && row["key_id"] != "" {
                tables.held.insert(id.clone(), held);
            }
            if let Some(call) = id.strip_suffix("-answer") {
                tables.held.remove(call);
            }
            tables.rows.insert(id.clone(), Some(row));
            new.push(id);
        }
        Ok(new)
    }

    fn waiting(&self, most: usize) -> Result<Waiting, Infallible> {
        let tables = self.0.borrow();
        let rows = tables.rows.iter();
        let rows = rows.filter_map(|(id, row)| Some((id, row.as_ref()?)));
        let (ids, rows): (Vec<&String>, Vec<&Value>) = rows.take(most).unzip();
        Ok(Waiting {
            count: ids.len(),
            rows: serde_json::to_string(&rows).unwrap(),
            ids: serde_json::to_string(&ids).unwrap(),
        })
    }

    fn written(&mut self, ids: &str) -> Result<(), Infallible> {
        let ids: Vec<String> = serde_json::from_str(ids).unwrap();
        let rows = &mut self.0.borrow_mut().rows;
        ids.into_iter().for_each(|id| {
            rows.insert(id, None);
        });
        Ok(())
    }

    fn forget_rows(&mut self, _: Millis) -> Result<(), Infallible> {
        Ok(())
    }

    fn keep_hook(&mut self, url: &str, body: &str) -> Result<(), Infallible> {
        let hooks = &mut self.0.borrow_mut().hooks;
        let id = hooks.last_key_value().map_or(1, |(id, _)| id + 1);
        let (url, body) = (url.to_owned(), body.to_owned());
        let hook = Hook {
            id,
            url,
            body,
            tries: 0,
        };
        hooks.insert(id, hook);
        Ok(())
    }

    fn hooks(&self) -> Result<Vec<Hook>, Infallible> {
        Ok(self.0.borrow().hooks.values().take(10).cloned().collect())
    }

    fn tried_hook(&mut self, id: i64, taken: bool, most: u32) -> Result<(), Infallible> {
        let hooks = &mut self.0.borrow_mut().hooks;
        if let Some(hook) = hooks.get_mut(&id) {
            hook.tries += 1;
            if taken || hook.tries >= most {
                hooks.remove(&id);
            }
        }
        Ok(())
    }

    fn new_id(&mut self, now: Millis) -> RequestId {
        let mut tables = self.0.borrow_mut();
        tables.ids += 1;
        RequestId::new(now, (tables.salt << 32) + tables.ids)
    }
}
