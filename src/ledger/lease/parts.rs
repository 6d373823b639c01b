//! What a lease is made of: slices of accounts, and what calls have of them.

use super::super::message::{Message, Part};
use crate::config::limits::{Applied, Measure};
use crate::units::Millis;

/// For how many calls like the one at hand is borrowed ahead: the least, and the
/// most for those that keep coming back for more.
const AHEAD: (i64, i64) = (16, 256);
/// The same of an account without an end. What other calls gave back does for
/// most, and all that is borrowed is charged should this instance die.
const UNBUDGETED_AHEAD: (i64, i64) = (2, 4);
/// Who asks again so soon asks for more.
const SOON_MS: u64 = 5_000;

/// What a call may take of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The account, and what is known of it.
    pub applied: Applied,
    /// How much at most.
    pub amount: i64,
}

/// What is reserved for a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reservation {
    pub(super) holder: String,
    pub(super) parts: Vec<(Part, Measure)>,
    /// Their accounts, where nobody was asked.
    pub(super) unasked: Vec<Applied>,
    /// The budgets it goes from, and how much of each is spent, in percent.
    pub levels: Vec<(String, u8)>,
}

impl Reservation {
    /// What a call needs, which nobody was asked for: it is settled all the same.
    pub fn unasked(needs: &[Need]) -> Reservation {
        let parts = needs.iter().map(|need| {
            let part = Part {
                account: need.applied.account.clone(),
                amount: 0,
            };
            (part, need.applied.measure)
        });
        Reservation {
            parts: parts.collect(),
            unasked: needs.iter().map(|need| need.applied.clone()).collect(),
            ..Reservation::default()
        }
    }

    /// Whether the call began without anybody knowing of it.
    pub fn is_unasked(&self) -> bool {
        !self.unasked.is_empty()
    }

    /// Its accounts, and what each counts.
    pub fn measures(&self) -> Vec<(String, Measure)> {
        let parts = self.parts.iter();
        let parts = parts.map(|(part, measure)| (part.account.clone(), *measure));
        parts.collect()
    }

    /// Whether nothing is reserved, because the call costs nothing.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// What is asked for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// What is sent.
    pub message: Message,
    pub(super) needs: Vec<Need>,
}

/// A message under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) at: Millis,
    /// What was here already and is kept for its call meanwhile.
    pub(super) taken: Vec<(String, i64)>,
    /// Accounts that the ledger may lend of in place of those that are wanted.
    pub(super) others: Vec<Need>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) applied: Applied,
    pub(super) left: i64,
    pub(super) reserved: i64,
    /// What calls took that the ledger may not have heard of.
    pub(super) unreported: i64,
    pub(super) level: u8,
    /// What one call needed, and how many are borrowed for.
    pub(super) need: i64,
    pub(super) ahead: i64,
    /// The limit is near: no more than was needed came.
    pub(super) scarce: bool,
    /// When something came, if nothing was asked for since.
    pub(super) filled_at: Option<Millis>,
    /// Since when there is more than is used.
    pub(super) ample_since: Millis,
    /// When a call last took from it.
    pub(super) used_at: Millis,
    /// What the ledger is known to have noted; nothing while that is not known.
    pub(super) noted: Option<i64>,
    /// The last message that may have changed that.
    pub(super) reported_in: u64,
}

impl Slice {
    /// An empty one.
    pub(super) fn of(need: &Need) -> Slice {
        Slice {
            applied: need.applied.clone(),
            left: 0,
            reserved: 0,
            unreported: 0,
            level: 0,
            need: need.amount,
            ahead: ahead_of(&need.applied).0,
            scarce: false,
            filled_at: None,
            ample_since: Millis(0),
            used_at: Millis(0),
            noted: Some(0),
            reported_in: 0,
        }
    }

    /// From now on it is not known what the ledger has noted.
    pub(super) fn forget_noted(&mut self, number: u64) {
        self.noted = None;
        self.reported_in = number;
    }

    /// Whether the ledger has noted what is here.
    pub(super) fn is_noted(&self) -> bool {
        self.noted == Some(self.all())
    }

    /// Whether nobody need know of it any more.
    pub(super) fn is_over(&self, now: Millis) -> bool {
        let is_idle = now.0.abs_diff(self.used_at.0) >= SOON_MS;
        let is_done = is_idle || self.applied.window.is_over(now);
        is_done && self.is_empty() && self.is_noted()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left == 0 && self.reserved == 0 && self.unreported == 0
    }

    /// Everything that the ledger may think is here.
    pub(super) fn all(&self) -> i64 {
        let here = self.left.saturating_add(self.reserved);
        here.saturating_add(self.unreported)
    }

    /// What has lasted so long is more than is needed here: half of it is for
    /// others, and all of what no call takes from.
    pub(super) fn give_back_surplus(&mut self, now: Millis) {
        if now.0.abs_diff(self.used_at.0) >= SOON_MS {
            self.left = self.left.min(0);
        }
        let few = self.need.saturating_mul(ahead_of(&self.applied).0);
        if now.0.abs_diff(self.ample_since.0) >= SOON_MS && self.left > few {
            self.left -= (self.left - few) / 2;
            self.ample_since = now;
        }
    }

    /// Something came: all that was wanted, or as much as others leave.
    pub(super) fn lent(&mut self, sent: Millis, all: bool) {
        self.filled_at = all.then_some(sent);
        if !all {
            self.ahead = (self.ahead / 2).max(ahead_of(&self.applied).0);
        }
    }

    /// Whether it lasts for some of the calls that are borrowed for.
    pub(super) fn is_ample(&self) -> bool {
        self.left >= self.need.saturating_mul(self.ahead) / 4
    }

    /// How much to borrow, for more calls if it has not lasted long.
    pub(super) fn more(&mut self, now: Millis) -> i64 {
        let (fewest, most) = ahead_of(&self.applied);
        self.ahead = match self.filled_at.take().map(|at| now.since(at)) {
            None => self.ahead,
            Some(0..SOON_MS) => (self.ahead * 2).min(most),
            Some(_) => (self.ahead / 2).max(fewest),
        };
        self.need.max(1).saturating_mul(self.ahead)
    }
}

fn ahead_of(applied: &Applied) -> (i64, i64) {
    match applied.is_unbudgeted() {
        true => UNBUDGETED_AHEAD,
        false => AHEAD,
    }
}
