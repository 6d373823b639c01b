//! The order in which a plan's endpoints are attempted, given their health and the
//! failures so far: healthy endpoints come first, none is attempted twice while another
//! is left, and a retry budget limits the load on an outage.

use crate::request::plan::{Attempt, Plan};
use crate::units::Millis;
use crate::upstream::health::{Health, Standing};
use crate::upstream::judge::Failure;
use std::collections::BTreeMap;

/// The pause before the only endpoint is retried, unless its response says how long:
/// between the first and the sum of both.
const PAUSE_MS: u64 = 200;
const JITTER_MS: u64 = 300;
/// The longest pause for which a request waits.
const LONGEST_PAUSE_MS: u64 = 2_000;

/// What to do next.
#[derive(Debug, Clone, Copy)]
pub enum Step<'c> {
    /// Attempt this endpoint, after this many milliseconds.
    Try(Attempt<'c>, u64),
    /// Give up.
    Stop,
}

/// The attempts of one request.
#[derive(Debug)]
pub struct AttemptOrder<'c> {
    model: &'c str,
    /// Endpoints that have not been attempted, in the plan's order.
    left: Vec<Attempt<'c>>,
    /// The endpoint, if the plan has only one: it may be retried.
    only: Option<Attempt<'c>>,
    /// The request has been counted for the retry budget.
    counted: bool,
    /// An endpoint has been attempted.
    attempted: bool,
    deadline: Millis,
}

impl<'c> AttemptOrder<'c> {
    /// The order for a plan that must be over by `deadline`.
    pub fn new(plan: &Plan<'c>, deadline: Millis) -> AttemptOrder<'c> {
        let left: Vec<Attempt<'c>> = plan.attempts().collect();
        let only = match left.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        AttemptOrder {
            model: plan.model,
            left,
            only,
            counted: false,
            attempted: false,
            deadline,
        }
    }

    /// When it must be over.
    pub fn deadline(&self) -> Millis {
        self.deadline
    }

    /// What to do next, after the last attempt failed. `random` is any number.
    pub fn next(
        &mut self,
        last: Option<&Failure>,
        health: &Health,
        retries: &mut Retries,
        now: Millis,
        random: u64,
    ) -> Step<'c> {
        if !std::mem::replace(&mut self.counted, true) {
            retries.request(self.model, now);
        }
        let first = !self.attempted;
        if !first && now >= self.deadline {
            return Step::Stop;
        }
        let found = self.best(health, now, first);
        let Some(at) = found else {
            return self.again(last, retries, now, random);
        };
        if !first && !retries.take(self.model, now) {
            return Step::Stop;
        }
        Step::Try(self.left.remove(at), 0)
    }

    /// A healthy endpoint to attempt in parallel with one that is slow.
    pub fn hedge(
        &mut self,
        health: &Health,
        retries: &mut Retries,
        now: Millis,
    ) -> Option<Attempt<'c>> {
        let at = self.best(health, now, false)?;
        let one = self.left.get(at)?;
        let ready = standing(one, self.model, health, now) == Standing::Ready;
        (ready && retries.take(self.model, now)).then(|| self.left.remove(at))
    }

    /// Records an attempt: any further one is a retry.
    pub fn note_attempt(&mut self) {
        self.attempted = true;
    }

    /// The best endpoint that is left: healthy ones in the plan's order, then the one
    /// that is available soonest. A resting endpoint is attempted only as the first,
    /// where no other is available.
    fn best(&self, health: &Health, now: Millis, first: bool) -> Option<usize> {
        let rank = |attempt: &Attempt<'_>| match standing(attempt, self.model, health, now) {
            Standing::Ready | Standing::Probe => Some(Millis(0)),
            Standing::Resting(_) if !first => None,
            Standing::Open(until) | Standing::Resting(until) => Some(until),
        };
        let ranked = self.left.iter().enumerate();
        let ranked = ranked.filter_map(|(at, attempt)| Some((rank(attempt)?, at)));
        ranked.min().map(|(_, at)| at)
    }

    fn again(
        &mut self,
        last: Option<&Failure>,
        retries: &mut Retries,
        now: Millis,
        random: u64,
    ) -> Step<'c> {
        let (Some(only), Some(last)) = (self.only.take(), last) else {
            return Step::Stop;
        };
        let pause = last.retry_after.unwrap_or(PAUSE_MS + random % JITTER_MS);
        let in_time = now.0.saturating_add(pause) < self.deadline.0;
        let worth_it = last.why.may_pass() && !last.drill && pause <= LONGEST_PAUSE_MS && in_time;
        // A limit that does not say when it ends is not over in a moment.
        let known = !last.why.is_a_limit() || last.retry_after.is_some();
        match worth_it && known && retries.take(self.model, now) {
            true => Step::Try(only, pause),
            false => Step::Stop,
        }
    }
}

fn standing(attempt: &Attempt<'_>, model: &str, health: &Health, now: Millis) -> Standing {
    health.standing(&attempt.endpoint().name, model, now)
}

/// Every request earns half a retry, and every second a whole one.
const FOR_A_REQUEST: u64 = 500;
const FOR_A_MILLISECOND: u64 = 1;
const OF_A_RETRY: u64 = 1_000;
/// The most that can be saved.
const MOST: u64 = 20 * OF_A_RETRY;

/// The retry budget per model: it keeps an outage of all endpoints from doubling their
/// load.
#[derive(Debug, Clone, Default)]
pub struct Retries {
    saved: BTreeMap<String, (u64, Millis)>,
}

impl Retries {
    /// Counts a request.
    pub fn request(&mut self, model: &str, now: Millis) {
        let saved = self.saved(model, now);
        saved.0 = saved.0.saturating_add(FOR_A_REQUEST).min(MOST);
    }

    /// Takes a retry from the budget, if there is one.
    pub fn take(&mut self, model: &str, now: Millis) -> bool {
        let saved = self.saved(model, now);
        match saved.0.checked_sub(OF_A_RETRY) {
            Some(rest) => {
                saved.0 = rest;
                true
            }
            None => false,
        }
    }

    fn saved(&mut self, model: &str, now: Millis) -> &mut (u64, Millis) {
        let saved = self.saved.entry(model.to_owned()).or_insert((MOST, now));
        let earned = now.since(saved.1).saturating_mul(FOR_A_MILLISECOND);
        saved.0 = saved.0.saturating_add(earned).min(MOST);
        saved.1 = saved.1.max(now);
        saved
    }
}
