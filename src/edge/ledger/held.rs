//! Rows of what is held: for an instance that was lost, and below zero for what
//! turned out otherwise or was released.

use super::super::host;
use super::{Address, Known, Ledger, Release};
use crate::answer::record::{self, Row};
use crate::ledger::{Held, Released};
use crate::units::{Millis, NanoUsd};
use worker::Result;

impl Ledger {
    /// Stores the row of something that is held since a time.
    pub(super) fn holds(&self, now: Millis, since: Millis, money: i64, calls: u64) -> Result<()> {
        let calls = i64::try_from(calls).unwrap_or(i64::MAX);
        self.row(now, since, money, calls)
    }

    /// Stores the row of something that is not held any more: in the hour in which
    /// it was held, so that its sums add up to what still is.
    pub(super) fn holds_no_more(&self, now: Millis, released: &Released) -> Result<()> {
        let calls = i64::try_from(released.calls).unwrap_or(i64::MAX);
        self.row(now, released.at, -released.money, -calls)
    }

    fn row(&self, now: Millis, since: Millis, money: i64, calls: i64) -> Result<()> {
        let known = self.memory.known.borrow();
        let Some(Known {
            address: Address::Team { team, .. },
            ..
        }) = &*known
        else {
            // Only books borrow from the company, and they remember.
            return Ok(());
        };
        if money == 0 && calls == 0 {
            return Ok(());
        }
        let row = Row::held(&host::request_id(now), since, team, NanoUsd(money), calls);
        let rows = record::to_json(&[row]);
        self.storage().add(now.0, &rows).map(|_| ())
    }

    /// An operator releases what is held.
    pub(super) fn release(&self, now: Millis, release: Option<Release>) -> Result<Held> {
        let Some(Release { limit }) = release else {
            return Ok(Held::default());
        };
        let all = self.with_book(|book| book.release(limit.as_deref()))?;
        let mut sum = Held::default();
        for released in &all {
            self.holds_no_more(now, released)?;
            sum.amount = sum.amount.saturating_add(released.money);
            sum.calls = sum.calls.saturating_add(released.calls);
        }
        Ok(sum)
    }
}
