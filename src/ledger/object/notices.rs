//! Notices of the health of endpoints, on their way between instances: at once to those
//! that use the same object, through the database to the others.

use crate::units::Millis;
use crate::upstream::health::Notice;
use std::collections::BTreeMap;

/// How long a notice is passed on.
const PASSED_ON_FOR_MS: u64 = 10 * 60_000;

#[derive(Debug, Default)]
pub(super) struct Notices {
    /// For the database.
    unwritten: Vec<Notice>,
    /// The newest of each endpoint and model, with the time when it was written.
    newest: BTreeMap<(String, String), (u64, Notice)>,
    read_until: u64,
}

impl Notices {
    /// Notices of an instance.
    pub(super) fn add(&mut self, now: Millis, notices: Vec<Notice>) {
        for notice in &notices {
            self.pass_on(now.0, notice.clone());
        }
        self.unwritten.extend(notices);
    }

    /// Notices that were written after a time.
    pub(super) fn since(&self, time: u64) -> Vec<(u64, Notice)> {
        let newer = self.newest.values().filter(|(at, _)| *at > time);
        newer.cloned().collect()
    }

    pub(super) fn take_unwritten(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.unwritten)
    }

    /// Notices could not be written.
    pub(super) fn requeue(&mut self, notices: Vec<Notice>) {
        self.unwritten.extend(notices);
    }

    /// The newest time that was read from the database.
    pub(super) fn read_until(&self) -> u64 {
        self.read_until
    }

    /// Notices from the database.
    pub(super) fn read(&mut self, notices: Vec<(u64, Notice)>) {
        for (at, notice) in notices {
            self.read_until = self.read_until.max(at);
            self.pass_on(at, notice);
        }
        let old = self.read_until.saturating_sub(PASSED_ON_FOR_MS);
        self.newest.retain(|_, (at, _)| *at > old);
    }

    fn pass_on(&mut self, at: u64, notice: Notice) {
        let name = (notice.endpoint.clone(), notice.model.clone());
        self.newest.insert(name, (at, notice));
    }
}
