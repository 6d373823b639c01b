//! How many values have an account of their own. A caller chooses the values of
//! its tags; without an end to their number it could make accounts without end,
//! each with a whole limit in it.

use super::{AccountLedger, Want};
use crate::config::limits::{Applied, Authority};
use std::borrow::Cow;

/// So many accounts are remembered that an authority counts among others.
const MOST_REMEMBERED: usize = 4_096;

impl AccountLedger {
    /// The account that something goes from: its own, if it has one or may get
    /// one, and else that of all others. A value that has an account keeps it for
    /// as long as something is in it, so nobody gets a second limit by waiting.
    pub(super) fn placed(&self, applied: &Applied) -> Applied {
        let others = match self.is_one_too_many(applied) {
            true => applied.among_others(),
            false => None,
        };
        others.unwrap_or_else(|| applied.clone())
    }

    fn is_one_too_many(&self, applied: &Applied) -> bool {
        let Some(others) = &applied.others else {
            return false;
        };
        if self.folded.contains(&applied.account) {
            return true;
        }
        // The values of one team must not crowd out those of another: each team's
        // own objects count them.
        let is_shared = applied.authority == Some(Authority::Company) && self.keeps(applied);
        let values = self.values.get(&others.account).copied();
        let is_full = values.unwrap_or_default() >= others.most;
        is_full && !is_shared && !self.accounts.contains_key(&applied.account)
    }

    /// The same for all that is wanted.
    pub(super) fn all_placed<'w>(&self, wants: &'w [Want]) -> Cow<'w, [Want]> {
        if wants.iter().all(|want| want.applied.others.is_none()) {
            return Cow::Borrowed(wants);
        }
        let placed = wants.iter().map(|want| Want {
            applied: self.placed(&want.applied),
            ..want.clone()
        });
        Cow::Owned(placed.collect())
    }

    /// An authority counts an account among others.
    pub(super) fn fold(&mut self, account: &str) {
        if self.folded.len() >= MOST_REMEMBERED {
            self.folded.clear();
        }
        self.folded.insert(account.to_owned());
    }

    /// A new account has a value.
    pub(super) fn count_value(&mut self, applied: &Applied) {
        if let Some(others) = &applied.others {
            let values = self.values.entry(others.account.clone()).or_default();
            *values = values.saturating_add(1);
        }
    }

    /// An account with a value is forgotten.
    pub(super) fn uncount_value(&mut self, applied: &Applied) {
        let Some(others) = &applied.others else {
            return;
        };
        if let Some(values) = self.values.get_mut(&others.account) {
            *values = values.saturating_sub(1);
            if *values == 0 {
                self.values.remove(&others.account);
            }
        }
    }
}
