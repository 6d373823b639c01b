//! What a ledger knows of one account, one holder and one holder that was lost.

use crate::config::limits::{Applied, Measure, Window};
use crate::ledger::message::Held;
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What has not been asked for so long is given back to its authority.
const IDLE_MS: u64 = 5_000;
/// So long a holder is remembered that has nothing left: what it had asked before,
/// and does not wait for any more, is lent nobody.
const REMEMBER_MS: u64 = 10 * 60_000;
/// How long accounts are kept when their time is over.
const KEEP_MONEY_MS: u64 = 48 * 3_600_000;
const KEEP_OTHERS_MS: u64 = 2 * 60_000;
/// How long an account is kept in which nothing is.
const KEEP_EMPTY_MS: u64 = 60_000;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What is known of the limit.
    pub applied: Applied,
    /// How much there is: the limit, or what its authority has lent this ledger.
    pub cap: i64,
    /// How much calls have taken.
    pub spent: i64,
    /// The last step that was told of.
    #[serde(default)]
    pub(super) told: u8,
    /// Elsewhere so much of the limit is spent, in percent.
    #[serde(default)]
    pub(super) level_above: u8,
    /// What other ledgers have said that their callers took, in all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) totals: BTreeMap<String, i64>,
    /// When it was last borrowed from.
    #[serde(skip)]
    pub(super) asked_at: Millis,
    /// How much was borrowed from it since it was last seen how much is enough.
    #[serde(skip)]
    pub(super) lent_lately: i64,
    #[serde(skip)]
    pub(super) weighed_at: Option<Millis>,
    /// Until then its authority has no more than is needed.
    #[serde(skip)]
    pub(super) scarce_until: Millis,
    /// How much is lent; it follows from the loans.
    #[serde(skip)]
    pub(super) lent: i64,
    /// How much is held here; it follows from the holds.
    #[serde(skip)]
    pub(super) held: i64,
    /// What its authority is known to have noted; nothing while that is not known.
    #[serde(skip)]
    pub(super) noted: Option<Noted>,
    /// The last message to its authority that may have changed that.
    #[serde(skip)]
    pub(super) reported_in: u64,
}

/// What a ledger tells the authority of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) spent: i64,
    pub(super) holds: i64,
    pub(super) held: Held,
}

/// How an account stands, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What is known of the limit.
    pub applied: Applied,
    /// How much calls have taken.
    pub spent: i64,
    /// How much calls that are under way may still take.
    pub reserved: i64,
    /// How much calls can have taken at most of which nobody knows what they took.
    #[serde(default)]
    pub held: Held,
    /// How much of the limit is spent, in percent.
    pub percent: u8,
}

/// What one holder has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Loan {
    pub(super) until: Millis,
    pub(super) durable: bool,
    /// What it has of each account, each stored on its own.
    #[serde(default, skip_serializing)]
    pub(super) left: BTreeMap<String, i64>,
    /// The highest number that was heard, and the highest that said what is held.
    pub(super) heard: u64,
    pub(super) settled_up_to: u64,
    /// Of a ledger: its team, and what it holds itself for lost calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) team: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) held: BTreeMap<String, Held>,
    /// Its calls under way, as it said last.
    #[serde(default)]
    pub(super) open: u64,
}

/// What is held for a holder that was lost or a call that was cut off, as far as
/// nothing has accounted for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) at: Millis,
    /// What is left of the money that a row holds for it.
    pub(super) money: i64,
    pub(super) left: BTreeMap<String, i64>,
    /// What is left of its calls that were known.
    #[serde(default)]
    pub(super) calls: u64,
    /// Stored before there were holds: it was counted as spent.
    #[serde(default = "was_spent")]
    pub(super) is_spent: bool,
}

/// A holder that was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostHolder {
    /// Who.
    pub holder: String,
    /// The money that is held for it.
    pub money: i64,
    /// How many calls it had under way, as it said last.
    pub calls: u64,
}

/// What is no longer held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Since when it was held.
    pub at: Millis,
    /// The money.
    pub money: i64,
    /// How many calls it was held for.
    pub calls: u64,
}

/// A budget of which a step was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossed {
    /// What is known of it.
    pub applied: Applied,
    /// 50, 80 or 100 percent.
    pub percent: u8,
    /// How much is spent.
    pub spent: i64,
}

impl Loan {
    pub(super) fn has_some(&self) -> bool {
        self.left.values().any(|left| *left > 0)
    }

    /// When it is forgotten, and charged if there is something in it.
    pub(super) fn end(&self) -> Millis {
        let more = if self.has_some() { 0 } else { REMEMBER_MS };
        Millis(self.until.0.saturating_add(more))
    }
}

impl Hold {
    pub(super) fn since(at: Millis) -> Hold {
        Hold {
            at,
            money: 0,
            left: BTreeMap::new(),
            calls: 0,
            is_spent: false,
        }
    }
}

impl Account {
    /// An account of which nothing is known but what it is.
    pub(super) fn of(applied: &Applied) -> Account {
        Account {
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
            held: 0,
            noted: None,
            reported_in: 0,
        }
    }

    /// What may still be lent.
    pub fn free(&self) -> i64 {
        let free = self.cap.saturating_sub(self.spent);
        free.saturating_sub(self.lent).saturating_sub(self.held)
    }

    /// How much is held here.
    pub fn held(&self) -> i64 {
        self.held
    }

    /// Of what may still be lent, what is more than was borrowed lately.
    pub(super) fn surplus(&mut self, now: Millis) -> i64 {
        if now.0.abs_diff(self.asked_at.0) > IDLE_MS {
            return self.free();
        }
        let weighed_at = self.weighed_at.get_or_insert(now);
        if now.0.abs_diff(weighed_at.0) < IDLE_MS {
            return 0;
        }
        *weighed_at = now;
        let enough = std::mem::take(&mut self.lent_lately);
        self.free().saturating_sub(enough)
    }

    /// How much calls that are under way may still take.
    pub fn lent(&self) -> i64 {
        self.lent
    }

    /// How much of the limit is spent, in percent, rounded down.
    pub fn level(&self) -> u8 {
        let cap = i128::from(self.applied.cap.max(1));
        let level = i128::from(self.spent.max(0)) * 100 / cap;
        u8::try_from(level).unwrap_or(u8::MAX).max(self.level_above)
    }

    /// What its authority is told of it.
    pub(super) fn to_note(&self, held: Held) -> Noted {
        Noted {
            spent: self.spent,
            holds: self.cap.saturating_sub(self.spent),
            held,
        }
    }

    /// Whether its authority has noted that nothing of it is here.
    pub(super) fn is_returned(&self) -> bool {
        let all = Noted {
            spent: self.spent,
            holds: 0,
            held: Held::default(),
        };
        self.cap.saturating_sub(self.spent) == 0 && self.noted == Some(all)
    }

    /// Whether no call can be about it any more.
    pub(super) fn is_past(&self, now: Millis) -> bool {
        let keep = match self.applied.measure {
            Measure::Money => KEEP_MONEY_MS,
            _ => KEEP_OTHERS_MS,
        };
        let Window { end, .. } = self.applied.window;
        end.is_some_and(|end| now.since(end) > keep)
    }

    /// Whether nothing is in it and nobody asks.
    pub(super) fn is_empty(&self, now: Millis) -> bool {
        let is_idle = now.0.abs_diff(self.asked_at.0) > KEEP_EMPTY_MS;
        self.spent == 0 && is_idle && !self.applied.is_unbudgeted()
    }

    /// Whether it can be forgotten, as far as it itself knows.
    pub(super) fn is_over(&self, now: Millis) -> bool {
        let is_free = self.lent == 0 && self.held == 0;
        is_free && (self.is_past(now) || self.is_empty(now))
    }
}

fn was_spent() -> bool {
    true
}
