//! What a ledger stores, piece by piece: a message changes a few pieces, however
//! many accounts and holders there are.

use super::account::Loan;
use super::{AccountLedger, Kind, Refused};
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

impl AccountLedger {
    /// A ledger that is the authority for some accounts, with what it had stored.
    /// What cannot be read is passed over.
    pub fn new(is: impl IntoIterator<Item = Authority>, stored: Vec<Stored>) -> AccountLedger {
        let mut ledger = AccountLedger {
            is: is.into_iter().collect(),
            accounts: BTreeMap::new(),
            loans: BTreeMap::new(),
            holds: BTreeMap::new(),
            dirty: BTreeSet::new(),
            values: BTreeMap::new(),
            folded: BTreeSet::new(),
            refused: Refused::by_an_authority(),
            under_way: BTreeMap::new(),
            unreported: BTreeSet::new(),
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
                "account" => insert(&mut ledger.accounts, name, &text),
                "number" => ledger.number = text.parse().unwrap_or_default(),
                "lease" => insert(&mut ledger.loans, name, &text),
                "left" => left.extend(serde_json::from_str(&name).ok().zip(text.parse().ok())),
                _ => insert(&mut ledger.holds, name, &text),
            }
        }
        ledger.migrate_leases();
        for ((holder, account), amount) in left {
            if let Some(loan) = ledger.loans.get_mut(&holder) {
                loan.left.insert(account, amount);
            }
        }
        ledger.add_up();
        ledger.unreported = ledger.lenders();
        ledger
    }

    /// Loans once had all their accounts in one piece.
    fn migrate_leases(&mut self) {
        let loans = self.loans.iter();
        let whole = loans.flat_map(|(holder, loan)| {
            let accounts = loan.left.keys();
            accounts.map(move |account| (holder.clone(), account.clone()))
        });
        for (holder, account) in whole.collect::<Vec<_>>() {
            self.mark_left(&holder, &account);
            self.mark(Kind::Loan, &holder);
        }
    }

    /// What follows from loans, holds and accounts.
    fn add_up(&mut self) {
        for loan in self.loans.values() {
            for (account, left) in &loan.left {
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
            Kind::Loan => change("lease", &name, self.loans.get(&name)),
            Kind::Left => change("left", &name, self.left_of(&name).as_ref()),
            Kind::Hold => change("charged", &name, self.holds.get(&name)),
            Kind::Number => change("number", &name, Some(&self.numbered_up_to)),
        });
        changes.collect()
    }

    fn left_of(&self, name: &str) -> Option<i64> {
        let (holder, account): (String, String) = serde_json::from_str(name).ok()?;
        let loan: &Loan = self.loans.get(&holder)?;
        loan.left.get(&account).copied().filter(|left| *left > 0)
    }
}

/// The name of what a loan has of an account.
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
