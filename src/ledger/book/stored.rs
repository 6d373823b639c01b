//! What a book stores, piece by piece: a message changes a few pieces, however
//! many accounts and holders there are.

use super::account::Lease;
use super::{Book, Kind, Refused};
use crate::config::limits::Authority;
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Something that must be stored, as text under a name; `None` is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its kind and name.
    pub key: String,
    /// What it is now.
    pub value: Option<String>,
}

/// What was stored, name and text.
pub type Stored = (String, String);

impl Book {
    /// A book that is the authority for some accounts, with what it had stored.
    /// What cannot be read is passed over.
    pub fn new(is: impl IntoIterator<Item = Authority>, stored: Vec<Stored>) -> Book {
        let mut book = Book {
            is: is.into_iter().collect(),
            accounts: BTreeMap::new(),
            leases: BTreeMap::new(),
            holds: BTreeMap::new(),
            dirty: BTreeSet::new(),
            values: BTreeMap::new(),
            folded: BTreeSet::new(),
            refused: Refused::by_an_authority(),
            under_way: BTreeMap::new(),
            untold: BTreeSet::new(),
            number: 0,
            numbered_up_to: 0,
            tidied_at: Millis(0),
        };
        let mut left: Vec<((String, String), i64)> = Vec::new();
        for (key, text) in stored {
            let Some((kind, name)) = key.split_once(' ') else {
                continue;
            };
            let name = name.to_owned();
            match kind {
                "account" => insert(&mut book.accounts, name, &text),
                "number" => book.number = text.parse().unwrap_or_default(),
                "lease" => insert(&mut book.leases, name, &text),
                "left" => left.extend(serde_json::from_str(&name).ok().zip(text.parse().ok())),
                _ => insert(&mut book.holds, name, &text),
            }
        }
        book.migrate_leases();
        for ((holder, account), amount) in left {
            if let Some(lease) = book.leases.get_mut(&holder) {
                lease.left.insert(account, amount);
            }
        }
        book.add_up();
        book.untold = book.funded_by();
        book
    }

    /// Leases once had all their accounts in one piece.
    fn migrate_leases(&mut self) {
        let leases = self.leases.iter();
        let whole = leases.flat_map(|(holder, lease)| {
            let accounts = lease.left.keys();
            accounts.map(move |account| (holder.clone(), account.clone()))
        });
        for (holder, account) in whole.collect::<Vec<_>>() {
            self.mark_left(&holder, &account);
            self.mark(Kind::Lease, &holder);
        }
    }

    /// What follows from leases, holds and accounts.
    fn add_up(&mut self) {
        for lease in self.leases.values() {
            for (account, left) in &lease.left {
                if let Some(account) = self.accounts.get_mut(account) {
                    account.lent = account.lent.saturating_add(*left);
                }
            }
        }
        for hold in self.holds.values().filter(|hold| !hold.is_spent) {
            for (account, left) in &hold.left {
                if let Some(account) = self.accounts.get_mut(account) {
                    account.held = account.held.saturating_add(*left);
                }
            }
        }
        let all: Vec<_> = self
            .accounts
            .values()
            .map(|account| account.applied.clone())
            .collect();
        for applied in all {
            self.count_value(&applied);
        }
    }

    /// What has changed since this was last asked.
    pub fn changes(&mut self) -> Vec<Change> {
        let dirty = std::mem::take(&mut self.dirty);
        let changes = dirty.into_iter().map(|(kind, name)| match kind {
            Kind::Account => change("account", &name, self.accounts.get(&name)),
            Kind::Lease => change("lease", &name, self.leases.get(&name)),
            Kind::Left => change("left", &name, self.left_of(&name).as_ref()),
            Kind::Hold => change("charged", &name, self.holds.get(&name)),
            Kind::Number => change("number", &name, Some(&self.numbered_up_to)),
        });
        changes.collect()
    }

    fn left_of(&self, name: &str) -> Option<i64> {
        let (holder, account): (String, String) = serde_json::from_str(name).ok()?;
        let lease: &Lease = self.leases.get(&holder)?;
        lease.left.get(&account).copied().filter(|left| *left > 0)
    }
}

/// The name of what a lease has of an account.
pub(super) fn left_name(holder: &str, account: &str) -> String {
    serde_json::to_string(&(holder, account)).unwrap_or_default()
}

fn insert<T: for<'a> Deserialize<'a>>(map: &mut BTreeMap<String, T>, name: String, text: &str) {
    if let Ok(value) = serde_json::from_str(text) {
        map.insert(name, value);
    }
}

fn change<T: Serialize>(kind: &str, name: &str, value: Option<&T>) -> Change {
    Change {
        key: format!("{kind} {name}"),
        value: value.and_then(|value| serde_json::to_string(value).ok()),
    }
}
