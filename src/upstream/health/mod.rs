//! The health of endpoints, per endpoint and model: recent failures, rests after rate
//! limits, and time to the first content. The order of attempts follows from it. No I/O
//! and no clock; instances share their state in notices.

mod notice;
mod speed;

pub use notice::Notice;

use crate::units::Millis;
use crate::upstream::judge::Why;
use speed::Speed;
use std::collections::BTreeMap;

/// How long an outcome counts, in milliseconds.
const RECENT_MS: u64 = 30_000;
/// The most outcomes that are kept.
const MOST_RECENT: usize = 20;
/// A circuit opens at so many recent failures, if they are half or more.
const FAILURES_TO_OPEN: usize = 5;
/// How long it stays open at first; each time in a row doubles it.
const FIRST_OPEN_MS: u64 = 5_000;
const LONGEST_OPEN_MS: u64 = 120_000;
/// How long a probe may take before the next is let through.
const PROBE_MS: u64 = 30_000;
/// How long an endpoint rests after a rate limit without a `retry-after`; each time in
/// a row doubles it.
const FIRST_REST_MS: u64 = 1_000;
const LONGEST_REST_MS: u64 = 30_000;
/// How long an endpoint rests whose quota is used up.
const QUOTA_REST_MS: u64 = 60_000;

/// Whether an endpoint is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is available.
    Ready,
    /// It is available for one probe.
    Probe,
    /// It rests until that time, after a rate limit.
    Resting(Millis),
    /// Its circuit is open until that time, after too many failures.
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
    /// How often in a row it was rate limited without a `retry-after`.
    rested: u32,
    last: Option<(Millis, Why)>,
    /// When its circuit or rest last changed: the newest notice wins.
    changed: Option<Millis>,
    speed: Speed,
}

/// The health of all endpoints.
#[derive(Debug, Clone, Default)]
pub struct Health {
    entries: BTreeMap<(String, String), Entry>,
    /// Endpoints whose notice has not been sent to other instances yet.
    unsent: Vec<(String, String)>,
}

/// The health of one endpoint with one model, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<'h> {
    /// The endpoint.
    pub endpoint: &'h str,
    /// The model.
    pub model: &'h str,
    /// Whether it is available now.
    pub standing: Standing,
    /// Why it last failed, and when.
    pub last: Option<(Millis, Why)>,
    /// Recent calls, and how many of them failed.
    pub recent: (usize, usize),
    /// Milliseconds to the first content: median and 95th percentile.
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

    /// Returns whether other instances need a notice.
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

    /// Returns whether other instances need a notice.
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
    /// Whether an endpoint is available for a model now.
    pub fn standing(&self, endpoint: &str, model: &str, now: Millis) -> Standing {
        let entry = self.entries.get(&key(endpoint, model));
        entry.map_or(Standing::Ready, |entry| entry.standing(now))
    }

    /// Records an attempt. If it is a probe, other requests wait for its result.
    pub fn attempted(&mut self, endpoint: &str, model: &str, now: Millis) {
        if let Some(entry) = self.entries.get_mut(&key(endpoint, model)) {
            if entry.standing(now) == Standing::Probe {
                entry.probing_until = Some(Millis(now.0.saturating_add(PROBE_MS)));
            }
        }
    }

    /// Records that a response started, with its milliseconds to the first content if
    /// it is a stream.
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

    /// Records a failed attempt, or a response that broke.
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

    /// Records an attempt that was abandoned: a probe ends without a result.
    pub fn gave_up(&mut self, endpoint: &str, model: &str) {
        if let Some(entry) = self.entries.get_mut(&key(endpoint, model)) {
            entry.probing_until = None;
        }
    }

    /// The 95th percentile of the time to the first content, if there are enough
    /// samples.
    pub fn usually_begins_within(&self, endpoint: &str, model: &str) -> Option<u64> {
        let entry = self.entries.get(&key(endpoint, model))?;
        entry.speed.quantiles().map(|(_, p95)| p95)
    }

    /// The health of every endpoint.
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
