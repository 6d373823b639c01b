//! What a book knows of one account, one holder and one holder that was lost.

use crate::limits::{Applied, Measure, Window};
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What has not been asked for so long is given back to its authority.
const IDLE_MS: u64 = 5_000;
/// So long a holder is remembered that has nothing left: what it had asked before,
/// and does not wait for any more, is lent nobody.
const REMEMBER_MS: u64 = 10 * 60_000;
/// How long accounts are kept when their time is over.
const KEEP_MONEY_MS: u64 = 62 * 24 * 3_600_000;
const KEEP_OTHERS_MS: u64 = 10 * 60_000;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What is known of the limit.
    pub applied: Applied,
    /// How much there is: the limit, or what its authority has lent this book.
    pub cap: i64,
    /// How much calls have taken.
    pub spent: i64,
    /// The last step that was told of.
    #[serde(default)]
    pub(super) told: u8,
    /// Elsewhere so much of the limit is spent, in percent.
    #[serde(default)]
    pub(super) level_above: u8,
    /// What other books have said that their callers took, in all.
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
    /// How much is lent; it follows from the leases.
    #[serde(skip)]
    pub(super) lent: i64,
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
    /// How much of the limit is spent, in percent.
    pub percent: u8,
}

/// What one holder has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) until: Millis,
    pub(super) durable: bool,
    pub(super) left: BTreeMap<String, i64>,
    /// The highest number that was heard, and the highest that said what is held.
    pub(super) heard: u64,
    pub(super) settled_up_to: u64,
}

/// What was charged for a holder that was lost, as far as no call has accounted
/// for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Charged {
    pub(super) at: Millis,
    /// What is left of the money that a row charges for it.
    pub(super) money: i64,
    pub(super) left: BTreeMap<String, i64>,
}

/// A holder that was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forfeit {
    /// Who.
    pub holder: String,
    /// The money that is charged for it.
    pub money: i64,
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

impl Lease {
    pub(super) fn has_some(&self) -> bool {
        self.left.values().any(|left| *left > 0)
    }

    /// When it is forgotten, and charged if there is something in it.
    pub(super) fn end(&self) -> Millis {
        let more = if self.has_some() { 0 } else { REMEMBER_MS };
        Millis(self.until.0.saturating_add(more))
    }
}

impl Account {
    /// What may still be lent.
    pub fn free(&self) -> i64 {
        self.cap
            .saturating_sub(self.spent)
            .saturating_sub(self.lent)
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

    /// How it stands.
    pub fn standing(&self) -> Standing {
        Standing {
            applied: self.applied.clone(),
            spent: self.spent,
            reserved: self.lent,
            percent: self.level(),
        }
    }

    /// How much of the limit is spent, in percent, rounded down.
    pub fn level(&self) -> u8 {
        let cap = i128::from(self.applied.cap.max(1));
        let level = i128::from(self.spent.max(0)) * 100 / cap;
        u8::try_from(level).unwrap_or(u8::MAX).max(self.level_above)
    }

    /// Whether no call can be about it any more, and nobody asks.
    pub(super) fn is_past(&self, now: Millis) -> bool {
        let keep = match self.applied.measure {
            Measure::Money => KEEP_MONEY_MS,
            _ => KEEP_OTHERS_MS,
        };
        let Window { end, .. } = self.applied.window;
        self.lent == 0 && end.is_some_and(|end| now.since(end) > keep)
    }
}
