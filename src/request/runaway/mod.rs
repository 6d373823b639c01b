//! The runaway guard detects an agent that calls repeatedly within seconds, each time
//! with the whole earlier conversation and more. It keeps hashes and numbers of calls
//! in memory, for as long as the rules look back. No text and no clock; an instance
//! sees only its own calls.

mod fingerprint;
mod verdict;

pub use crate::config::runaway::{Action, Rules};
pub use verdict::{Kind, Runaway, Verdict};

use crate::units::Millis;
use fingerprint::Fingerprint;
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

/// The number of calls that are remembered.
const MOST_CALLS: usize = 8_192;
/// This many identical calls within this many milliseconds are a runaway too.
const REPEATS: u32 = 30;
const REPEATS_WITHIN_MS: u64 = 10_000;
/// Counting ends here.
const MOST_COUNTED: u32 = *Rules::CALLS.end();
/// No call of a loop adds more messages than this.
const MOST_ADDED: usize = 1_000;
/// The longest wait; the first is a second, and each doubles the one before.
const LONGEST_WAIT_S: u64 = 60;

/// The number of a call, counted from the first that a guard saw.
type Number = u64;

/// What is kept of a call.
#[derive(Debug, Clone)]
struct Call {
    at: Millis,
    /// The hash of its messages, if it has any.
    context: Option<u64>,
    /// The hash of everything.
    whole: u64,
    /// The bytes of its messages.
    size: usize,
    /// The latest call whose messages its own begin with.
    grown: Option<Number>,
    /// The latest call that was the same.
    again: Option<Number>,
    /// The verdict about the chain it belongs to.
    pause: Option<Pause>,
}

/// That a chain was flagged, and how it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pause {
    /// No call is let through before this time.
    until: Millis,
    /// The waits before.
    waits: u32,
    /// A call was let through after it.
    is_over: bool,
}

/// The calls that one instance has seen lately.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// In the order in which they came.
    calls: VecDeque<Call>,
    /// How many were forgotten: the number of the first in `calls`.
    forgotten: Number,
    /// The latest call of each context and of each whole body, by its hash.
    latest: BTreeMap<u64, Number>,
}

/// Calls that led to one: how many, and the first of them.
struct Run {
    calls: u32,
    since: Millis,
    from: usize,
}

/// A runaway, and the call of it before this one.
struct Found {
    kind: Kind,
    run: Run,
    before: Option<Number>,
}

impl Guard {
    /// Records a call and returns the verdict about it. Calls are throttled only while
    /// they continue at that rate.
    pub fn seen(
        &mut self,
        now: Millis,
        team: &str,
        feature: Option<&str>,
        body: &str,
        rules: &Rules,
    ) -> Verdict {
        if rules.action == Action::Off {
            return Verdict::Calm;
        }
        let looks_back = rules.within.0.max(REPEATS_WITHIN_MS);
        // If the clock was set back, calls far in the future count as old.
        self.forget(|call| now.0.abs_diff(call.at.0) > looks_back);
        let print = Fingerprint::of(team, feature, body);
        let mut call = Call {
            at: now,
            context: print.contexts.last().copied(),
            whole: print.whole,
            size: print.size,
            grown: self.within(&print),
            again: self.latest.get(&print.whole).copied(),
            pause: None,
        };
        let found = self.found(&call, rules);
        let before = match &found {
            Some(found) => found.before,
            None => call.grown.max(call.again),
        };
        let known = before.and_then(|number| self.call(number)?.pause);
        // A chain that was quiet for so long starts again.
        call.pause = known.filter(|pause| now.since(pause.until) <= looks_back);
        let verdict = found.map_or(Verdict::Calm, |found| {
            let is_news = call.pause.is_none();
            let (pause, wait_ms) = Pause::next(call.pause, now, rules.action);
            call.pause = Some(pause);
            let (grown_from, grown_to) = match found.kind {
                Kind::Growth => (found.run.from, call.size),
                Kind::Repeats => (body.len(), body.len()),
            };
            let runaway = Runaway {
                kind: found.kind,
                team: team.to_owned(),
                feature: feature.map(str::to_owned),
                calls: found.run.calls,
                over_ms: now.since(found.run.since),
                grown_from,
                grown_to,
                is_news,
            };
            Verdict::of(runaway, wait_ms)
        });
        // A call that rephrases the last message also continues from there.
        if let Some(before) = before.and_then(|number| self.call_mut(number)) {
            before.pause = call.pause;
        }
        self.push(call);
        verdict
    }

    /// Whether a call is one too many of a chain or of its like.
    fn found(&self, call: &Call, rules: &Rules) -> Option<Found> {
        let growth = self.run(call, |call| call.grown, rules.within.0);
        if growth.calls >= rules.calls.max(2) {
            return Some(Found {
                kind: Kind::Growth,
                run: growth,
                before: call.grown,
            });
        }
        let repeats = self.run(call, |call| call.again, REPEATS_WITHIN_MS);
        (repeats.calls >= REPEATS).then_some(Found {
            kind: Kind::Repeats,
            run: repeats,
            before: call.again,
        })
    }

    /// The latest call that a request has in it: the one with the most of its
    /// messages.
    fn within(&self, print: &Fingerprint) -> Option<Number> {
        let (own, earlier) = print.contexts.split_last()?;
        let same = self.latest.get(own).copied();
        if let (true, Some(number)) = (print.is_cut, same) {
            // What was looked at is the same, and the rest is told by its
            // length: only calls that are longer each time are a chain.
            let last = self.call(number)?;
            return match last.size.cmp(&print.size) {
                Ordering::Less => same,
                Ordering::Equal => last.grown,
                Ordering::Greater => None,
            };
        }
        let known = |context| self.latest.get(context).copied();
        earlier.iter().rev().take(MOST_ADDED).find_map(known)
    }

    /// Follows a call's links as far back as so many milliseconds.
    fn run(&self, call: &Call, link: fn(&Call) -> Option<Number>, within: u64) -> Run {
        let mut run = Run {
            calls: 1,
            since: call.at,
            from: call.size,
        };
        let mut next = link(call);
        while let Some(before) = next.and_then(|number| self.call(number)) {
            if call.at.since(before.at) > within || run.calls >= MOST_COUNTED {
                break;
            }
            run.calls = run.calls.saturating_add(1);
            run.since = before.at;
            run.from = before.size;
            next = link(before);
        }
        run
    }

    fn place(&self, number: Number) -> Option<usize> {
        usize::try_from(number.checked_sub(self.forgotten)?).ok()
    }

    fn call(&self, number: Number) -> Option<&Call> {
        self.calls.get(self.place(number)?)
    }

    fn call_mut(&mut self, number: Number) -> Option<&mut Call> {
        let place = self.place(number)?;
        self.calls.get_mut(place)
    }

    fn push(&mut self, call: Call) {
        let number = self.forgotten.saturating_add(self.calls.len() as u64);
        self.latest.insert(call.whole, number);
        if let Some(context) = call.context {
            self.latest.insert(context, number);
        }
        self.calls.push_back(call);
        if self.calls.len() > MOST_CALLS {
            self.forget_first();
        }
    }

    fn forget(&mut self, is_old: impl Fn(&Call) -> bool) {
        while self.calls.front().is_some_and(&is_old) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some(call) = self.calls.pop_front() else {
            return;
        };
        for hash in call.context.into_iter().chain([call.whole]) {
            if self.latest.get(&hash) == Some(&self.forgotten) {
                self.latest.remove(&hash);
            }
        }
        self.forgotten = self.forgotten.saturating_add(1);
    }
}

impl Pause {
    /// The verdict about the next call of a flagged chain, and how many milliseconds it
    /// has to wait. After each wait one call is let through, and the one after it waits
    /// for twice as long.
    fn next(before: Option<Pause>, now: Millis, action: Action) -> (Pause, u64) {
        if action != Action::Throttle {
            let flagged = Pause {
                until: now,
                waits: 0,
                is_over: true,
            };
            return (flagged, 0);
        }
        let waits = match before {
            Some(pause) if now < pause.until => return (pause, pause.until.since(now)),
            Some(pause) if !pause.is_over => {
                let is_over = true;
                return (Pause { is_over, ..pause }, 0);
            }
            Some(pause) => pause.waits,
            None => 0,
        };
        let seconds = 1_u64.checked_shl(waits.min(20)).unwrap_or(u64::MAX);
        let wait_ms = seconds.min(LONGEST_WAIT_S) * 1_000;
        let pause = Pause {
            until: Millis(now.0.saturating_add(wait_ms)),
            waits: waits.saturating_add(1),
            is_over: false,
        };
        (pause, wait_ms)
    }
}

#[cfg(test)]
mod tests;
