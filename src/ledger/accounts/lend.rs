//! What a ledger lends: nothing that is not free, little ahead, and to one team
//! not all that teams share.

use super::{AccountLedger, BORROWED_SHARE, SHARE};
use crate::config::limits::{Applied, Authority};
use crate::ledger::message::{Grant, Message, Want};
use crate::refusal::Exceeded;
use crate::units::Millis;
use std::collections::BTreeMap;

/// A team that has reserved no more than this part of its share may reserve one
/// call that is larger than the share.
const SMALL_PART: i64 = 4;

/// What a team may reserve of an account that teams share.
struct Share {
    percent: u8,
    /// The most at once.
    most: i64,
    /// What it has reserved.
    has: i64,
}

impl Share {
    /// Whether one call more has room: in the share, or alone.
    fn fits(&self, need: i64) -> bool {
        let is_little = self.has <= self.most / SMALL_PART;
        is_little || self.has.saturating_add(need) <= self.most
    }

    /// How much may be lent ahead, so that room is left for a large call.
    fn ahead(&self) -> i64 {
        (self.most / SMALL_PART).saturating_sub(self.has).max(0)
    }
}

impl AccountLedger {
    pub(super) fn lend(
        &mut self,
        now: Millis,
        message: &Message,
    ) -> Result<Vec<Grant>, Box<Exceeded>> {
        let mut placed = Vec::new();
        for want in &message.wants {
            let applied = self.placed(&want.applied);
            self.define(&applied);
            placed.push(Want {
                applied,
                ..want.clone()
            });
        }
        let mut needed: BTreeMap<&str, i64> = BTreeMap::new();
        for want in placed.iter().filter(|want| want.need > 0) {
            let account = want.applied.account.as_str();
            let all = needed.entry(account).or_default();
            *all = all.saturating_add(want.need);
            if self.free(account) < *all && !want.applied.is_unbudgeted() {
                return Err(self.exceeded(want));
            }
            let share = self.share(message, &want.applied);
            if let Some(share) = share.filter(|share| !share.fits(*all)) {
                let mut exceeded = self.exceeded(want);
                exceeded.share = Some(share.percent);
                exceeded.reserved = share.has;
                // The budget is not spent: no other model answers in its place.
                exceeded.downgrade = None;
                return Err(exceeded);
            }
        }
        let lent = message.wants.iter().zip(&placed);
        let lent = lent.map(|(asked, want)| {
            let is_other = want.applied.account != asked.applied.account;
            // The holder may have enough of the account of others already: it did
            // not know that this value is one of them.
            let ahead = if is_other { 0 } else { want.want };
            let mut grant = self.lend_one(now, message, want, ahead)?;
            grant.asked = is_other.then(|| asked.applied.account.clone());
            Some(grant)
        });
        Ok(lent.collect::<Vec<_>>().into_iter().flatten().collect())
    }

    fn lend_one(
        &mut self,
        now: Millis,
        message: &Message,
        want: &Want,
        ahead: i64,
    ) -> Option<Grant> {
        let Want { applied, .. } = want;
        let share = match self.keeps(applied) {
            true => SHARE,
            false => BORROWED_SHARE,
        };
        let mut ahead = ahead.min(self.free(&applied.account) / share);
        if let Some(share) = self.share(message, applied) {
            ahead = ahead.min(share.ahead());
        }
        // Nothing is lent ahead of a time that is over.
        if applied.window.is_over(now) {
            ahead = 0;
        }
        let amount = ahead.max(want.need).max(0);
        let account = self.accounts.get_mut(&applied.account)?;
        account.lent = account.lent.saturating_add(amount);
        account.asked_at = now;
        account.lent_lately = account.lent_lately.saturating_add(amount);
        let level = account.level();
        let loan = self.loans.entry(message.holder.clone()).or_default();
        let left = loan.left.entry(applied.account.clone()).or_default();
        *left = left.saturating_add(amount);
        self.mark_left(&message.holder, &applied.account);
        Some(Grant {
            account: applied.account.clone(),
            amount,
            level,
            asked: None,
        })
    }

    /// A team's share of an account that teams share and this ledger keeps. What
    /// is held for its lost calls is not reserved.
    fn share(&self, message: &Message, applied: &Applied) -> Option<Share> {
        let percent = applied.team_share.filter(|percent| *percent < 100)?;
        let is_shared = applied.authority == Some(Authority::Company);
        if !is_shared || !self.keeps(applied) {
            return None;
        }
        let name = &applied.account;
        let (mut has, mut held) = (0_i64, 0_i64);
        for (holder, loan) in &self.loans {
            let Some(left) = loan.left.get(name) else {
                continue;
            };
            let said = loan.held.get(name).map_or(0, |held| held.amount);
            held = held.saturating_add(said);
            let is_own = match (&loan.team, &message.team) {
                (Some(team), Some(own)) => team == own,
                _ => *holder == message.holder,
            };
            if is_own {
                has = has.saturating_add(left.saturating_sub(said).max(0));
            }
        }
        let account = self.accounts.get(name)?;
        let left = account.cap.saturating_sub(account.spent);
        let left = left.saturating_sub(account.held).saturating_sub(held);
        let most = i128::from(left.max(0)) * i128::from(percent) / 100;
        Some(Share {
            percent,
            most: i64::try_from(most).unwrap_or(i64::MAX),
            has,
        })
    }
}
