//! Accounts that the ledger counts among others: their limit has as many values
//! already as may have an account of their own.

use super::parts::Need;
use super::Lease;
use crate::ledger::message::Want;
use crate::units::Millis;
use std::borrow::Cow;

/// So many are remembered; the ledger says it again of others.
const MOST_REMEMBERED: usize = 1_000;

impl Lease {
    /// What a call needs, of the accounts that it goes from.
    pub(super) fn placed<'n>(&self, needs: &'n [Need]) -> Cow<'n, [Need]> {
        let is_folded = |need: &Need| self.folded.contains(&need.applied.account);
        if self.folded.is_empty() || !needs.iter().any(is_folded) {
            return Cow::Borrowed(needs);
        }
        let placed = needs.iter().map(|need| {
            let others = need.among_others().filter(|_| is_folded(need));
            others.unwrap_or_else(|| need.clone())
        });
        Cow::Owned(placed.collect())
    }

    /// The same of needs that nobody else needs.
    pub(super) fn place(&self, mut needs: Vec<Need>) -> Vec<Need> {
        for need in &mut needs {
            if self.folded.contains(&need.applied.account) {
                *need = need.among_others().unwrap_or_else(|| need.clone());
            }
        }
        needs
    }

    /// The ledger has lent of the account of others in place of what was wanted.
    pub(super) fn fold(&mut self, now: Millis, want: &Want, number: u64) {
        let need = Need {
            applied: want.applied.clone(),
            amount: want.need,
        };
        let Some(others) = need.among_others() else {
            return;
        };
        if self.folded.len() >= MOST_REMEMBERED {
            self.folded.clear();
        }
        self.folded.insert(want.applied.account.clone());
        self.slice(now, &others).forget_noted(number);
    }
}

impl Need {
    /// The same of the account of others.
    pub(super) fn among_others(&self) -> Option<Need> {
        Some(Need {
            applied: self.applied.among_others()?,
            amount: self.amount,
        })
    }
}
