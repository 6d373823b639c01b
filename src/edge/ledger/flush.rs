//! From an object to its database: rows and their sums in one transaction, what
//! instances tell each other of endpoints along with it, and what they had to
//! leave in the database because the object could not be reached.

use super::super::host;
use super::super::rows::{self, SpilledEvent};
use super::{Address, Ledger};
use crate::ledger::Message;
use crate::units::Millis;
use crate::upstream::health::Notice;
use futures::future::{select, Either};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;
use worker::Delay;

/// A database takes two megabytes in one piece; a row with its receipt has two
/// kilobytes or less, but for long tags.
const ROWS_AT_ONCE: usize = 200;
/// The pause after a first failure; each doubles the one before.
const FIRST_PAUSE_MS: u64 = 1_000;
/// How long a database may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
const BATCHES_AT_ONCE: usize = 10;
/// Notices that are written while others read are read with the next rows.
const OVERLAP_MS: u64 = 2_000;
/// How long what others said is told on.
const TOLD_FOR_MS: u64 = 10 * 60_000;

/// What was heard of endpoints.
#[derive(Default)]
pub struct Notices {
    /// From instances, for the database.
    news: Vec<Notice>,
    /// From the database, when each was told there.
    heard: BTreeMap<(String, String), (u64, Notice)>,
    up_to: u64,
}

impl Notices {
    /// Takes news of an instance: for the database, and at once for the others
    /// of the team.
    pub fn take(&mut self, now: Millis, news: Vec<Notice>) {
        for notice in &news {
            let name = (notice.endpoint.clone(), notice.model.clone());
            self.heard.insert(name, (now.0, notice.clone()));
        }
        self.news.extend(news);
    }

    /// What was told after a time.
    pub fn since(&self, time: u64) -> Vec<(u64, Notice)> {
        let newer = self.heard.values().filter(|(told, _)| *told > time);
        newer.cloned().collect()
    }

    fn hear(&mut self, told: Vec<rows::Told>) {
        for one in told {
            self.up_to = self.up_to.max(one.told);
            if let Ok(notice) = serde_json::from_str::<Notice>(&one.notice) {
                let name = (notice.endpoint.clone(), notice.model.clone());
                self.heard.insert(name, (one.told, notice));
            }
        }
        let old = self.up_to.saturating_sub(TOLD_FOR_MS);
        self.heard.retain(|_, (told, _)| *told > old);
    }
}

impl Ledger {
    /// Writes what waits; whether something is left that could not be written.
    pub(super) async fn flush(&self, address: &Address) -> bool {
        let Some(store) = address.store() else {
            return false;
        };
        // A database that does not answer is not asked without pause.
        if host::now().0 < self.memory.database_at.get() {
            return true;
        }
        for _ in 0..BATCHES_AT_ONCE {
            match self.flush_some(address, store).await {
                Ok(true) => self.memory.failures.set(0),
                Ok(false) => {
                    self.memory.failures.set(0);
                    let _ = self.storage().forget(host::now().0);
                    return false;
                }
                Err(error) => {
                    let failures = self.memory.failures.get();
                    self.memory.failures.set(failures + 1);
                    let pause = FIRST_PAUSE_MS << failures.min(4);
                    let again = host::now().0.saturating_add(pause);
                    self.memory.database_at.set(again);
                    worker::console_warn!("rows wait for {store}: {error}");
                    return true;
                }
            }
        }
        true
    }

    async fn flush_some(&self, address: &Address, store: &str) -> worker::Result<bool> {
        let storage = self.storage();
        // Should it be one row that is too much, the others do not wait for it.
        let at_once = ROWS_AT_ONCE >> self.memory.failures.get().min(7);
        let waiting = storage.waiting(at_once)?;
        let news = std::mem::take(&mut self.memory.notices.borrow_mut().news);
        // After a while away there may be something left for this object.
        let first = self.memory.away.replace(false);
        if waiting.count == 0 && news.is_empty() && !first {
            return Ok(false);
        }
        let since = self
            .memory
            .notices
            .borrow()
            .up_to
            .saturating_sub(OVERLAP_MS);
        let left_for = address.mark();
        let exchanging = rows::exchange(&self.env, store, &waiting.rows, &news, since, &left_for);
        let exchanged = match select(pin!(exchanging), pin!(Delay::from(PATIENCE))).await {
            Either::Left((exchanged, _)) => exchanged,
            // What it has taken all the same counts once.
            Either::Right(_) => Err("the database does not answer".into()),
        };
        let exchanged = match exchanged {
            Ok(exchanged) => exchanged,
            Err(error) => {
                self.memory.notices.borrow_mut().news.extend(news);
                self.memory.away.set(true);
                return Err(error);
            }
        };
        storage.written(&waiting.ids)?;
        self.memory.notices.borrow_mut().hear(exchanged.told);
        self.take_spilled(store, &exchanged.spilled).await?;
        Ok(waiting.count == at_once || exchanged.spilled.len() == rows::SPILLED_AT_ONCE)
    }

    /// Looks for calls that could not be told to this object. A database that
    /// does not answer is not waited for.
    pub(super) async fn read_spilled(&self, address: &Address) {
        let Some(store) = address.store() else { return };
        let read = async {
            let spilled = rows::spilled(&self.env, store, &address.mark()).await?;
            self.take_spilled(store, &spilled).await
        };
        let (read, late) = (pin!(read), pin!(Delay::from(PATIENCE)));
        if !matches!(select(read, late).await, Either::Left((Ok(()), _))) {
            worker::console_warn!("{store} did not say what was left there");
        }
    }

    async fn take_spilled(&self, store: &str, spilled: &[SpilledEvent]) -> worker::Result<()> {
        for one in spilled {
            self.take_one(&one.event)?;
        }
        match spilled {
            [] => Ok(()),
            _ => rows::forget_spilled(&self.env, store, spilled).await,
        }
    }

    /// A call that could not be told to this object when it ended. Its row is in
    /// the database already.
    fn take_one(&self, event: &str) -> worker::Result<()> {
        let Ok(Spilled { message, row }) = serde_json::from_str(event) else {
            return Ok(());
        };
        self.settle(host::now(), message, &format!("[{row}]"))
            .map(|_| ())
    }
}

#[derive(Deserialize)]
struct Spilled {
    message: Message,
    row: Box<RawValue>,
}
