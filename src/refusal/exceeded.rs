//! A limit that has no room for a call: which, how much, and until when.

use crate::config::limits::{Applied, Measure};
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Calls in progress end within seconds, and release their reservations.
const SHARE_RETRY_S: u64 = 5;

/// A limit that a call does not fit into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exceeded {
    /// The limit's name.
    pub limit: String,
    /// Whom it is for, in words.
    pub whom: String,
    /// What is measured.
    pub measure: Measure,
    /// How much there is in all.
    pub cap: i64,
    /// How much of it is spent.
    pub spent: i64,
    /// How much is reserved for calls in progress.
    pub reserved: i64,
    /// How much is held for calls whose cost is unknown.
    #[serde(default)]
    pub held: i64,
    /// How much this call may take.
    pub needed: i64,
    /// When it resets.
    pub resets: Option<Millis>,
    /// The model that answers instead.
    pub downgrade: Option<String>,
    /// There is room, but the team has reserved its share of it: this many percent.
    /// What is `reserved` is the team's own.
    #[serde(default)]
    pub share: Option<u8>,
    /// The seconds after which there may be room.
    #[serde(default)]
    pub retry_after: Option<u64>,
}

impl Exceeded {
    /// Whether it is about this limit.
    pub fn is_of(&self, applied: &Applied) -> bool {
        self.limit == applied.limit && self.measure == applied.measure
    }

    /// The same refusal for another call.
    pub fn to_one_who_needs(mut self, needed: i64) -> Exceeded {
        self.needed = needed;
        self
    }

    /// Sets when a retry may succeed.
    pub fn as_of(mut self, now: Millis) -> Exceeded {
        self.retry_after = match (self.measure, self.resets) {
            _ if self.share.is_some() => Some(SHARE_RETRY_S),
            (Measure::Concurrent, _) => Some(1),
            (_, Some(end)) => Some(end.since(now).div_ceil(1_000).max(1)),
            (_, None) => None,
        };
        self
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(share) = self.share {
            return self.fmt_share(share, f);
        }
        let shown = |amount| self.measure.show(amount);
        let (limit, what) = (&self.limit, shown(self.cap));
        match self.whom.as_str() {
            "" => write!(
                f,
                "The limit `{limit}` of {what} has no room for this call: "
            )?,
            whom => write!(
                f,
                "The limit `{limit}` of {what} for {whom} has no room for this call: "
            )?,
        }
        let (spent, reserved) = (shown(self.spent), shown(self.reserved));
        if self.held > 0 {
            write!(f, "up to {} are held for calls whose cost is unknown, until an operator releases them (`meridian budget release`), ", shown(self.held))?;
        }
        match self.measure {
            Measure::Concurrent => write!(f, "all are in use by calls in progress.")?,
            _ => write!(f, "{spent} are used, {reserved} are reserved for calls in progress, and this call may use up to {}.", shown(self.needed))?,
        }
        match self.resets {
            Some(end) => write!(f, " The limit resets at {}.", end.rfc3339())?,
            None if self.measure == Measure::Concurrent => {
                f.write_str(" Try again in a moment.")?
            }
            None => f.write_str(" The limit does not reset.")?,
        }
        match self.measure {
            Measure::Money | Measure::Tokens => f.write_str(
                " Nothing was sent to a provider. A smaller `max_tokens` reserves less.",
            ),
            Measure::Requests | Measure::Concurrent => {
                f.write_str(" Nothing was sent to a provider.")
            }
        }
    }
}

impl Exceeded {
    fn fmt_share(&self, share: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |amount| self.measure.show(amount);
        write!(
            f,
            "The limit `{}` of {} is shared by all teams. At any time a team may reserve at most {share} % of what is left of it, or one larger call: {} are reserved for your team's calls in progress, and this call may use up to {}. Nothing was sent to a provider. Try again when those calls are over; a smaller `max_tokens` reserves less.",
            self.limit,
            shown(self.cap),
            shown(self.reserved),
            shown(self.needed)
        )
    }
}
