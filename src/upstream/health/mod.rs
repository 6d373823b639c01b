//! How endpoints fare, per endpoint and model: what failed lately, who wants to
//! be left alone, how fast they begin. From this follows the order in which a
//! plan's endpoints are tried. No I/O and no clock; what one instance learns,
//! others take from its notices.

mod notice;
mod speed;

pub use notice::Notice;

use crate::units::Millis;
use crate::upstream::judge::Why;
use speed::Speed;
use std::collections::BTreeMap;

/// Only what happened in this time counts, in milliseconds.
const RECENT_MS: u64 = 30_000;
/// As many outcomes are kept.
const MOST_RECENT: usize = 20;
/// A circuit opens at so many recent failures, if they are half or more.
const FAILURES_TO_OPEN: usize = 5;
/// How long it stays open at first; each time in a row doubles it.
const FIRST_OPEN_MS: u64 = 5_000;
const LONGEST_OPEN_MS: u64 = 120_000;
/// How long a probe may take before the next is let through.
const PROBE_MS: u64 = 30_000;
/// How long an endpoint rests that says that there is too much, but not for
/// how long; each time in a row doubles it.
const FIRST_REST_MS: u64 = 1_000;
const LONGEST_REST_MS: u64 = 30_000;
/// How long an account is left alone that has nothing left.
const QUOTA_REST_MS: u64 = 60_000;

/// Whether an endpoint is to be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Yes.
    Ready,
    /// Once, to see whether it is well again.
    Probe,
    /// Not before that time, unless there is nobody else: it wants to be left
    /// alone.
    Resting(Millis),
    /// Not before that time, unless there is nobody else: it failed too often.
    Open(Millis),
}

/// One endpoint with one model.
#[derive(Debug, Clone, Default)]
struct Entry {
    /// Recent outcomes, oldest first: when, and whether it failed.
    recent: Vec<(Millis, bool)>,
    open_until: Option<Millis>,
    /// How often in a row it opened.
    opened: u32,
    probing_until: Option<Millis>,
    rest_until: Option<Millis>,
    /// How often in a row it wanted to be left alone without saying how long.
    rested: u32,
    last: Option<(Millis, Why)>,
    /// When its circuit or rest last changed: the newest notice wins.
    changed: Option<Millis>,
    speed: Speed,
}

/// What is known of all endpoints.
#[derive(Debug, Clone, Default)]
pub struct Health {
    entries: BTreeMap<(String, String), Entry>,
    /// Endpoints whose notice has not been told to others yet.
    unsent: Vec<(String, String)>,
}

/// What is known of one endpoint with one model, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<'h> {
    /// The endpoint.
    pub endpoint: &'h str,
    /// The model.
    pub model: &'h str,
    /// Whether it would be asked now.
    pub standing: Standing,
    /// Why it last failed, and when.
    pub last: Option<(Millis, Why)>,
    /// Recent calls, and how many of them failed.
    pub recent: (usize, usize),
    /// How fast it begins: median and 95th percentile, in milliseconds.
    pub begins_ms: Option<(u64, u64)>,
}

impl Entry {
    fn standing(&self, now: Millis) -> Standing {
        if let Some(until) = self.rest_until.filter(|until| *until > now) {
            return Standing::Resting(until);
        }
        let Some(until) = self.open_until else {
            return Standing::Ready;
        };
        if until > now {
            return Standing::Open(until);
        }
        match self.probing_until.filter(|until| *until > now) {
            Some(until) => Standing::Open(until),
            None => Standing::Probe,
        }
    }

    fn failures(&self, now: Millis) -> (usize, usize) {
        let recent = self
            .recent
            .iter()
            .filter(|(at, _)| now.since(*at) < RECENT_MS);
        let (mut all, mut failed) = (0, 0);
        for (_, fails) in recent {
            all += 1;
            failed += usize::from(*fails);
        }
        (all, failed)
    }

    fn note(&mut self, now: Millis, failed: bool) {
        if self.recent.len() >= MOST_RECENT {
            self.recent.remove(0);
        }
        self.recent.push((now, failed));
    }

    /// Whether something changed that others should know.
    fn succeeded(&mut self, now: Millis) -> bool {
        self.note(now, false);
        self.probing_until = None;
        self.rested = 0;
        let changed = self.open_until.is_some() || self.rest_until.is_some_and(|until| until > now);
        if self.open_until.is_some() {
            self.recent.clear();
        }
        self.rest_until = None;
        self.open_until = None;
        self.opened = 0;
        if changed {
            self.changed = Some(now);
        }
        changed
    }

    /// Whether something changed that others should know.
    fn failed(&mut self, now: Millis, why: Why, retry_after: Option<u64>) -> bool {
        self.last = Some((now, why));
        if why == Why::Unexplained {
            self.probing_until = None;
            return false;
        }
        let mut changed = false;
        if why.is_a_limit() || retry_after.is_some() {
            let usual = match why {
                Why::QuotaUsedUp => QUOTA_REST_MS,
                _ => doubled(FIRST_REST_MS, self.rested, LONGEST_REST_MS),
            };
            self.rested = self.rested.saturating_add(1);
            let until = Millis(now.0.saturating_add(retry_after.unwrap_or(usual)));
            if self.rest_until.is_none_or(|before| before < until) {
                self.rest_until = Some(until);
                changed = true;
            }
        }
        if !why.is_a_limit() {
            self.note(now, true);
            let (all, failures) = self.failures(now);
            let probe_failed = self.probing_until.take().is_some();
            let closed = self.open_until.is_none();
            if probe_failed || closed && failures >= FAILURES_TO_OPEN && failures * 2 >= all {
                let open = doubled(FIRST_OPEN_MS, self.opened, LONGEST_OPEN_MS);
                self.opened = self.opened.saturating_add(1);
                self.open_until = Some(Millis(now.0.saturating_add(open)));
                changed = true;
            }
        }
        if changed {
            self.changed = Some(now);
        }
        changed
    }
}

fn doubled(first: u64, times: u32, most: u64) -> u64 {
    let factor = 1_u64.checked_shl(times.min(20)).unwrap_or(u64::MAX);
    first.saturating_mul(factor).min(most)
}

fn key(endpoint: &str, model: &str) -> (String, String) {
    (endpoint.to_owned(), model.to_owned())
}

impl Health {
    /// Whether an endpoint is to be asked for a model now.
    pub fn standing(&self, endpoint: &str, model: &str, now: Millis) -> Standing {
        let entry = self.entries.get(&key(endpoint, model));
        entry.map_or(Standing::Ready, |entry| entry.standing(now))
    }

    /// Notes that an endpoint is asked. Where that is a probe, others wait for
    /// how it ends.
    pub fn attempted(&mut self, endpoint: &str, model: &str, now: Millis) {
        if let Some(entry) = self.entries.get_mut(&key(endpoint, model)) {
            if entry.standing(now) == Standing::Probe {
                entry.probing_until = Some(Millis(now.0.saturating_add(PROBE_MS)));
            }
        }
    }

    /// Notes that an endpoint began to answer, after so many milliseconds if
    /// that was a stream.
    pub fn began(&mut self, endpoint: &str, model: &str, now: Millis, after_ms: Option<u64>) {
        let key = key(endpoint, model);
        let entry = self.entries.entry(key.clone()).or_default();
        if let Some(ms) = after_ms {
            entry.speed.note(ms);
        }
        if entry.succeeded(now) {
            self.enqueue(key);
        }
    }

    /// Notes that an endpoint gave no answer, or broke one off.
    pub fn failed(
        &mut self,
        endpoint: &str,
        model: &str,
        now: Millis,
        why: Why,
        retry_after: Option<u64>,
    ) {
        let key = key(endpoint, model);
        let entry = self.entries.entry(key.clone()).or_default();
        if entry.failed(now, why, retry_after) {
            self.enqueue(key);
        }
    }

    /// Notes that an endpoint was asked and not waited for: a probe is over
    /// without a result.
    pub fn gave_up(&mut self, endpoint: &str, model: &str) {
        if let Some(entry) = self.entries.get_mut(&key(endpoint, model)) {
            entry.probing_until = None;
        }
    }

    /// The time within which an endpoint begins in 95 of 100 cases, if enough
    /// were seen.
    pub fn usually_begins_within(&self, endpoint: &str, model: &str) -> Option<u64> {
        let entry = self.entries.get(&key(endpoint, model))?;
        entry.speed.quantiles().map(|(_, p95)| p95)
    }

    /// Everything that is known.
    pub fn report(&self, now: Millis) -> impl Iterator<Item = Report<'_>> {
        self.entries
            .iter()
            .map(move |((endpoint, model), entry)| Report {
                endpoint,
                model,
                standing: entry.standing(now),
                last: entry.last,
                recent: entry.failures(now),
                begins_ms: entry.speed.quantiles(),
            })
    }

    fn enqueue(&mut self, key: (String, String)) {
        if !self.unsent.contains(&key) {
            self.unsent.push(key);
        }
    }
}

#[cfg(test)]
mod tests;
