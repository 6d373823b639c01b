//! One object's accounts and who has borrowed from them. Of each account
//! `spent` plus all that is lent never exceeds the cap, so whatever holders do
//! with what they have, the limit is kept; only a call that takes more than its
//! bound can go over it.

mod above;
mod account;
mod time;

pub use account::{Account, Crossed, Forfeit, Standing};

use super::message::{Grant, Message, Part, Reply, Settled, Want};
use super::refused::Refused;
use crate::limits::{Applied, Authority, Measure};
use crate::refusal::Exceeded;
use crate::units::Millis;
use account::{Charged, Lease};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Of what is free, a holder is lent at most this part ahead, so that loans
/// shrink as a limit comes near; more of what was borrowed for it.
const SHARE: i64 = 8;
const BORROWED_SHARE: i64 = 2;
/// The longest time something is lent for.
const LONGEST_LEASE_MS: u64 = 3 * 3_600_000;

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

/// The state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    is: BTreeSet<Authority>,
    accounts: BTreeMap<String, Account>,
    leases: BTreeMap<String, Lease>,
    charged: BTreeMap<String, Charged>,
    dirty: BTreeSet<(Kind, String)>,
    /// What authorities have refused.
    refused: Refused,
    /// Questions to authorities that are under way.
    under_way: BTreeMap<u64, (Authority, Millis)>,
    /// Those that may think that more is here, or less was spent, than is so.
    unsure: BTreeSet<Authority>,
    /// The number of the last message to one, and up to where numbers are taken,
    /// as far as storage knows: they rise whatever becomes of memory and clock.
    number: u64,
    numbered_up_to: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Account,
    Lease,
    Charged,
    Number,
}

impl Book {
    /// A book that is the authority for some accounts, with what it had stored.
    /// What cannot be read is passed over.
    pub fn new(is: impl IntoIterator<Item = Authority>, stored: Vec<Stored>) -> Book {
        let mut book = Book {
            is: is.into_iter().collect(),
            accounts: BTreeMap::new(),
            leases: BTreeMap::new(),
            charged: BTreeMap::new(),
            dirty: BTreeSet::new(),
            refused: Refused::by_an_authority(),
            under_way: BTreeMap::new(),
            unsure: BTreeSet::new(),
            number: 0,
            numbered_up_to: 0,
        };
        for (key, text) in stored {
            let Some((kind, name)) = key.split_once(' ') else {
                continue;
            };
            let name = name.to_owned();
            match kind {
                "account" => insert(&mut book.accounts, name, &text),
                "number" => book.number = text.parse().unwrap_or_default(),
                "lease" => insert(&mut book.leases, name, &text),
                _ => insert(&mut book.charged, name, &text),
            }
        }
        book.unsure = book.funded_by();
        for lease in book.leases.values() {
            for (account, left) in &lease.left {
                if let Some(account) = book.accounts.get_mut(account) {
                    account.lent = account.lent.saturating_add(*left);
                }
            }
        }
        book
    }

    /// What has changed since this was last asked.
    pub fn changes(&mut self) -> Vec<Change> {
        let dirty = std::mem::take(&mut self.dirty);
        let changes = dirty.into_iter().map(|(kind, name)| match kind {
            Kind::Account => change("account", &name, self.accounts.get(&name)),
            Kind::Lease => change("lease", &name, self.leases.get(&name)),
            Kind::Charged => change("charged", &name, self.charged.get(&name)),
            Kind::Number => change("number", &name, Some(&self.numbered_up_to)),
        });
        changes.collect()
    }

    /// All accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// How the accounts of limits stand.
    pub fn standings(&self) -> Vec<Standing> {
        let limits = self.accounts.values();
        let limits = limits.filter(|account| !account.applied.is_endless());
        limits.map(Account::standing).collect()
    }

    /// What is lent of an account in all.
    pub fn lent(&self, account: &str) -> i64 {
        self.accounts.get(account).map_or(0, |account| account.lent)
    }

    /// Takes a message; its calls that were settled before must have been taken
    /// out. What it wants of accounts that are kept elsewhere has to be
    /// [funded](Book::fund) first, see [`Book::short_of`].
    pub fn take(&mut self, now: Millis, message: &Message) -> Reply {
        let about = message.settled.iter().flat_map(|one| &one.about);
        for applied in about.chain(&message.about) {
            // Of one that is known, only who wants something of it says how it is.
            if !self.accounts.contains_key(&applied.account) {
                self.know(applied);
            }
        }
        for Settled { holder, parts, .. } in &message.settled {
            for Part { account, amount } in parts {
                self.settle(holder, account, *amount);
            }
        }
        for (account, total) in &message.totals {
            let Some(known) = self.accounts.get_mut(account) else {
                continue;
            };
            let before = known.totals.get(&message.holder).copied();
            let more = total.saturating_sub(before.unwrap_or_default());
            // What comes late says less than what came before it.
            if more > 0 {
                known.totals.insert(message.holder.clone(), *total);
                self.settle(&message.holder, account, more);
            }
        }
        let known = self.leases.contains_key(&message.holder);
        if !known && self.charged.contains_key(&message.holder) {
            return Reply {
                granted: Ok(Vec::new()),
                lost: true,
            };
        }
        if !known && message.is_empty() && message.number <= 1 {
            // Nothing was asked before that may still come.
            return Reply {
                granted: Ok(Vec::new()),
                lost: false,
            };
        }
        let stale = self.hear(now, message);
        self.mark(Kind::Lease, &message.holder);
        let granted = match stale {
            true => Ok(Vec::new()),
            false => self.lend(now, message),
        };
        Reply {
            granted,
            lost: false,
        }
    }

    /// What a call really took. It is taken from what its holder has; more than
    /// that is taken from what is free, or goes over the cap.
    fn settle(&mut self, holder: &str, name: &str, amount: i64) {
        let amount = amount.max(0);
        let Some(account) = self.accounts.get_mut(name) else {
            return;
        };
        let mut charged_before = 0;
        if let Some(lease) = self.leases.get_mut(holder) {
            let left = lease.left.entry(name.to_owned()).or_default();
            let taken = amount.min(*left);
            *left -= taken;
            account.lent -= taken;
            self.dirty.insert((Kind::Lease, holder.to_owned()));
        } else if let Some(charged) = self.charged.get_mut(holder) {
            let left = charged.left.entry(name.to_owned()).or_default();
            charged_before = amount.min(*left);
            *left -= charged_before;
            self.dirty.insert((Kind::Charged, holder.to_owned()));
        }
        account.spent = account.spent.saturating_add(amount - charged_before);
        self.dirty.insert((Kind::Account, name.to_owned()));
    }

    /// How much of what a lost holder's row charges a call of it turns out to be;
    /// that much of it is taken back.
    pub fn credit(&mut self, holder: &str, parts: &[Part]) -> i64 {
        let Some(charged) = self.charged.get_mut(holder) else {
            return 0;
        };
        let of_money = |part: &&Part| {
            let account = self.accounts.get(&part.account);
            account.is_some_and(|account| account.applied.measure == Measure::Money)
        };
        let took = parts.iter().filter(of_money).map(|part| part.amount).max();
        let credit = took.unwrap_or_default().clamp(0, charged.money.max(0));
        charged.money -= credit;
        self.mark(Kind::Charged, holder);
        credit
    }

    /// Notes what a holder says it holds, if nothing newer was heard. Whether
    /// the message is so old that its sender does not wait for it any more.
    fn hear(&mut self, now: Millis, message: &Message) -> bool {
        let lease = self.leases.entry(message.holder.clone()).or_default();
        let newest = message.number > lease.heard;
        lease.heard = lease.heard.max(message.number);
        lease.durable = message.durable;
        let until = now.0.saturating_add(message.for_ms.min(LONGEST_LEASE_MS));
        lease.until = lease.until.max(Millis(until));
        let Some(holds) = message.holds.as_ref().filter(|_| newest) else {
            return message.number < lease.settled_up_to;
        };
        lease.settled_up_to = message.number;
        for (account, left) in &mut lease.left {
            // Never more than it was lent.
            let held = holds
                .get(account)
                .copied()
                .unwrap_or_default()
                .clamp(0, *left);
            if let Some(account) = self.accounts.get_mut(account) {
                account.lent -= *left - held;
            }
            *left = held;
        }
        lease.left.retain(|_, left| *left > 0);
        if lease.left.is_empty() && message.wants.is_empty() {
            lease.until = now;
        }
        false
    }

    fn lend(&mut self, now: Millis, message: &Message) -> Result<Vec<Grant>, Box<Exceeded>> {
        for want in &message.wants {
            self.know(&want.applied);
        }
        let is_short = |want: &&Want| {
            let free = self.free(&want.applied.account);
            want.need > 0 && free < want.need && !want.applied.is_endless()
        };
        if let Some(want) = message.wants.iter().find(is_short) {
            return Err(self.exceeded(want));
        }
        let mut grants = Vec::new();
        for Want {
            applied,
            need,
            want,
        } in &message.wants
        {
            let share = match self.keeps(applied) {
                true => SHARE,
                false => BORROWED_SHARE,
            };
            let ahead = (*want).min(self.free(&applied.account) / share);
            // Nothing is lent ahead of a time that is over.
            let ahead = if applied.window.is_over(now) {
                0
            } else {
                ahead
            };
            let amount = ahead.max(*need).max(0);
            let Some(account) = self.accounts.get_mut(&applied.account) else {
                continue;
            };
            account.lent = account.lent.saturating_add(amount);
            account.asked_at = now;
            account.lent_lately = account.lent_lately.saturating_add(amount);
            grants.push(Grant {
                account: applied.account.clone(),
                amount,
                level: account.level(),
            });
            let lease = self.leases.entry(message.holder.clone()).or_default();
            let left = lease.left.entry(applied.account.clone()).or_default();
            *left = left.saturating_add(amount);
        }
        Ok(grants)
    }

    /// An account, as it is said to be now.
    fn know(&mut self, applied: &Applied) {
        let own = self.keeps(applied);
        let account = self.accounts.entry(applied.account.clone());
        let account = account.or_insert_with(|| Account {
            applied: applied.clone(),
            cap: 0,
            spent: 0,
            told: 0,
            level_above: 0,
            totals: BTreeMap::new(),
            asked_at: Millis(0),
            lent_lately: 0,
            weighed_at: None,
            scarce_until: Millis(0),
            lent: 0,
        });
        if account.applied != *applied {
            account.applied = applied.clone();
        }
        if own {
            account.cap = applied.cap;
        }
        self.dirty.insert((Kind::Account, applied.account.clone()));
    }

    /// Whether an account is this book's own.
    fn keeps(&self, applied: &Applied) -> bool {
        let authority = applied.authority.as_ref();
        authority.is_none_or(|authority| self.is.contains(authority))
    }

    fn free(&self, account: &str) -> i64 {
        self.accounts.get(account).map_or(0, Account::free)
    }

    fn exceeded(&self, want: &Want) -> Box<Exceeded> {
        let applied = want.applied.clone();
        let (spent, reserved) = self
            .accounts
            .get(&applied.account)
            .map_or((0, 0), |account| (account.spent, account.lent));
        Box::new(Exceeded {
            limit: applied.limit,
            whom: applied.whom,
            measure: applied.measure,
            cap: applied.cap,
            spent,
            reserved,
            needed: want.need,
            resets: applied.window.end,
            downgrade: applied.downgrade,
            retry_after: None,
        })
    }

    fn mark(&mut self, kind: Kind, name: &str) {
        self.dirty.insert((kind, name.to_owned()));
    }
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
