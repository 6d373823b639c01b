//! Rows of what is held: positive when an instance is lost, and negative when its calls
//! turn up or an operator releases the sum.

use super::{Host, Object};
use crate::answer::record::{self, Row};
use crate::ledger::{Address, Held, Release, Released};
use crate::units::{Millis, NanoUsd};

impl<H: Host> Object<H> {
    /// Stores the row of something that is held since a time.
    pub(super) fn note_held(
        &mut self,
        now: Millis,
        since: Millis,
        money: i64,
        calls: u64,
    ) -> Result<(), H::Error> {
        let calls = i64::try_from(calls).unwrap_or(i64::MAX);
        self.add_row(now, since, money, calls)
    }

    /// Stores the row of something that is not held any more: in the hour in which it
    /// was held, so that the sums of that hour show what still is.
    pub(super) fn note_released(
        &mut self,
        now: Millis,
        released: &Released,
    ) -> Result<(), H::Error> {
        let calls = i64::try_from(released.calls).unwrap_or(i64::MAX);
        self.add_row(now, released.at, -released.money, -calls)
    }

    fn add_row(
        &mut self,
        now: Millis,
        since: Millis,
        money: i64,
        calls: i64,
    ) -> Result<(), H::Error> {
        // Only objects borrow from the company, and they keep what they have.
        let Address::Team { team, .. } = &self.address else {
            return Ok(());
        };
        if money == 0 && calls == 0 {
            return Ok(());
        }
        let id = self.host.new_id(now);
        let row = Row::held(&id, since, team, NanoUsd(money), calls);
        let rows = record::to_json(&[row]);
        self.host.add_rows(now, &rows).map(|_| ())
    }

    /// An operator releases what is held.
    pub(super) fn release(
        &mut self,
        now: Millis,
        release: Option<Release>,
    ) -> Result<Held, H::Error> {
        let Some(Release { limit }) = release else {
            return Ok(Held::default());
        };
        let released = self.with_ledger(|ledger| ledger.release(limit.as_deref()))?;
        let mut sum = Held::default();
        for one in &released {
            self.note_released(now, one)?;
            sum.amount = sum.amount.saturating_add(one.money);
            sum.calls = sum.calls.saturating_add(one.calls);
        }
        Ok(sum)
    }
}
