//! Rows go to the database with the sums of their hours, in one transaction. Notices of
//! the health of endpoints go along, and what was spilled for this object comes back.

use super::{Effect, Host, Object, SOON_MS};
use crate::ledger::Message;
use crate::units::Millis;
use crate::upstream::health::Notice;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The most rows in one transaction. A database takes two megabytes in one piece; a row
/// with its receipt has two kilobytes or less, but for long tags.
const ROWS_AT_ONCE: usize = 200;
/// How long a database may take to answer.
pub const DATABASE_PATIENCE_MS: u64 = 20_000;
/// The most transactions in one alarm.
const ROUNDS: u32 = 10;
/// The pause after a first failure; each in a row doubles it.
const FIRST_PAUSE_MS: u64 = 1_000;
/// Notices that are written while others are read are read with the next rows.
const OVERLAP_MS: u64 = 2_000;
/// The most spilled calls that are read at once.
pub const SPILLED_AT_ONCE: usize = 100;

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The store.
    pub store: String,
    /// The rows, as a JSON list.
    pub rows: String,
    /// Their ids, as a JSON list.
    pub ids: String,
    /// Notices to be written.
    pub notices: Vec<Notice>,
    /// Notices are read that were written after this, by the database's clock.
    pub since: u64,
    /// The object's name in the list of spilled calls.
    pub mark: String,
    is_full: bool,
    round: u32,
}

/// What was found in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// Notices, each with the time when it was written.
    pub notices: Vec<(u64, Notice)>,
    /// Calls that were spilled for this object.
    pub spilled: Vec<SpilledCall>,
}

/// A call that was written to the database because its object did not reply.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SpilledCall {
    /// Its id.
    pub id: String,
    /// Its row and what it took, as JSON.
    pub event: String,
}

/// What comes after spilled calls were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterSpilled {
    /// The work of the alarm.
    Work,
    /// The next transaction, if there are more rows.
    Flush {
        /// The transactions before it.
        round: u32,
        /// Whether there are more rows or calls.
        more: bool,
    },
}

#[derive(Deserialize)]
struct Event {
    message: Message,
    row: Box<RawValue>,
}

impl<H: Host> Object<H> {
    /// The next transaction, if there is something to write or read.
    pub(super) fn flush(&mut self, now: Millis, round: u32) -> Result<Vec<Effect>, H::Error> {
        let Some(store) = self.address.store().map(str::to_owned) else {
            return Ok(Vec::new());
        };
        if now < self.database_at || round >= ROUNDS {
            let pause = self.database_at.since(now).max(SOON_MS);
            return Ok(Vec::from_iter(self.alarm_within(now, pause)));
        }
        // Should it be one row that is too much, the others do not wait for it.
        let most = ROWS_AT_ONCE >> self.failures.min(7);
        let waiting = self.host.waiting(most)?;
        let was_away = std::mem::take(&mut self.was_away);
        let notices = self.notices.take_unwritten();
        if waiting.count == 0 && notices.is_empty() && !was_away {
            self.failures = 0;
            self.host.forget_rows(now)?;
            return Ok(Vec::new());
        }
        Ok(vec![Effect::Exchange(Box::new(Exchange {
            store,
            is_full: waiting.count == most,
            rows: waiting.rows,
            ids: waiting.ids,
            notices,
            since: self.notices.read_until().saturating_sub(OVERLAP_MS),
            mark: self.address.mark(),
            round,
        }))])
    }

    pub(super) fn exchanged(
        &mut self,
        now: Millis,
        exchange: Exchange,
        result: Result<Exchanged, String>,
    ) -> Result<Vec<Effect>, H::Error> {
        let found = match result {
            Ok(found) => found,
            Err(why) => {
                self.notices.requeue(exchange.notices);
                self.was_away = true;
                return Ok(self.flush_failed(now, &why));
            }
        };
        self.failures = 0;
        self.host.written(&exchange.ids)?;
        self.notices.read(found.notices);
        let more = exchange.is_full || found.spilled.len() >= SPILLED_AT_ONCE;
        let round = exchange.round;
        match found.spilled.is_empty() {
            true => self.flush_more(now, round, more),
            false => {
                let then = AfterSpilled::Flush { round, more };
                self.take_spilled(now, exchange.store, found.spilled, then)
            }
        }
    }

    pub(super) fn flush_more(
        &mut self,
        now: Millis,
        round: u32,
        more: bool,
    ) -> Result<Vec<Effect>, H::Error> {
        if more {
            return self.flush(now, round + 1);
        }
        self.host.forget_rows(now)?;
        Ok(Vec::new())
    }

    /// The database is left alone for a while.
    pub(super) fn flush_failed(&mut self, now: Millis, why: &str) -> Vec<Effect> {
        let pause = FIRST_PAUSE_MS << self.failures.min(4);
        self.failures = self.failures.saturating_add(1);
        self.database_at = Millis(now.0.saturating_add(pause));
        let store = self.address.store().unwrap_or_default();
        let warning = format!("usage rows wait for the database {store}: {why}");
        let mut effects = vec![Effect::Warn(warning)];
        effects.extend(self.alarm_within(now, pause));
        effects
    }

    pub(super) fn spilled_read(
        &mut self,
        now: Millis,
        result: Result<Vec<SpilledCall>, String>,
    ) -> Result<Vec<Effect>, H::Error> {
        let store = self.address.store().unwrap_or_default().to_owned();
        match result {
            Ok(spilled) if !spilled.is_empty() => {
                self.take_spilled(now, store, spilled, AfterSpilled::Work)
            }
            Ok(_) => self.work(now),
            Err(why) => {
                let warning = format!("spilled calls could not be read from {store}: {why}");
                let mut effects = vec![Effect::Warn(warning)];
                effects.extend(self.work(now)?);
                Ok(effects)
            }
        }
    }

    fn take_spilled(
        &mut self,
        now: Millis,
        store: String,
        spilled: Vec<SpilledCall>,
        then: AfterSpilled,
    ) -> Result<Vec<Effect>, H::Error> {
        for one in &spilled {
            if let Ok(Event { message, row }) = serde_json::from_str(&one.event) {
                self.settle_spilled(now, message, row.get())?;
            }
        }
        let ids = spilled.into_iter().map(|one| one.id).collect();
        Ok(vec![Effect::DeleteSpilled { store, ids, then }])
    }
}
