//! Reports of calls that are over: their rows go to their team's object, with those of
//! the same moment, and with what they took of limits. What an object does not reply to
//! goes to the database, where the object reads it later.

use super::outbox::{self, Event};
use super::{Effect, Finished, Instance, Sent, Spill, Timer, PATIENCE_MS};
use crate::ledger::{Address, LedgerRequest, LedgerResponse};
use crate::units::Millis;
use serde_json::json;
use serde_json::value::RawValue;

/// How long the first call of a batch waits for others.
const GATHER_MS: u64 = 100;
/// A context that was to report by now has ended.
const OVERDUE_MS: u64 = 1_000;
/// A context that waits for a reply for so long has ended.
const CUT_OFF_MS: u64 = 60_000;

/// How long a database may take for what is spilled.
pub const SPILL_PATIENCE_MS: u64 = 15_000;

/// A report that has no reply yet.
#[derive(Debug)]
pub(super) struct Reporting {
    request: LedgerRequest,
    events: Vec<Event>,
    at: Millis,
    /// It is sent twice: what was received and not replied to counts once all the same.
    is_second: bool,
    then: Then,
}

/// What the context reports next.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// Calls that waited when it began: how many are left.
    Waiting(usize),
    /// Calls that the database has.
    Kept,
}

impl Instance {
    /// Calls are over. They are reported with others of their moment, by this context or
    /// by one that gathers already.
    pub(super) fn gather(&mut self, now: Millis, calls: Vec<Finished>) -> Vec<Effect> {
        self.add(now, calls);
        let gathers = |since: Millis| now.since(since) < OVERDUE_MS;
        if self.gathering_since.is_some_and(gathers) {
            return Vec::new();
        }
        self.gathering_since = Some(now);
        vec![Effect::Wait(GATHER_MS, Timer::Report)]
    }

    fn add(&mut self, now: Millis, calls: Vec<Finished>) {
        for Finished { to, row, settled } in calls {
            self.outbox.add(to, Event::new(now, row, settled));
        }
    }

    pub(super) fn report_due(&mut self, now: Millis) -> Vec<Effect> {
        self.gathering_since = None;
        let cut_off = self.take_cut_off(now);
        self.add(now, cut_off);
        self.take_over(now);
        let waiting = self.outbox.waiting().into_iter();
        let reports =
            waiting.flat_map(|(to, left)| self.report_next(now, &to, Then::Waiting(left)));
        let mut effects: Vec<Effect> = reports.collect();
        if effects.is_empty() {
            effects = self.linger(now, 0);
        }
        effects
    }

    /// Reports whose context has ended wait again.
    fn take_over(&mut self, now: Millis) {
        let is_over = |_: &u64, sent: &mut Sent| match sent {
            Sent::Report(report) => now.since(report.at) >= CUT_OFF_MS,
            Sent::Admission(asking) => asking.is_abandoned(now),
            Sent::Return(returning) => now.since(returning.at) >= CUT_OFF_MS,
        };
        let over: Vec<(u64, Sent)> = self.sent.extract_if(.., is_over).collect();
        for (_, sent) in over {
            if let Sent::Report(report) = sent {
                self.outbox.requeue(report.request.to, report.events);
            }
        }
    }

    /// The next report to an object; once there is none, idle leases are looked at.
    fn report_next(&mut self, now: Millis, to: &Address, then: Then) -> Vec<Effect> {
        let (events, then) = match then {
            Then::Waiting(left) => match self.outbox.next_waiting(to, left) {
                Some(events) => {
                    let left = left.saturating_sub(events.len());
                    (Some(events), Then::Waiting(left))
                }
                None => (self.outbox.next_kept(to), Then::Kept),
            },
            Then::Kept => (self.outbox.next_kept(to), Then::Kept),
        };
        match events {
            Some(events) => vec![self.report(now, to, events, then)],
            None => self.linger(now, 0),
        }
    }

    /// Reports calls to an object that replies again.
    pub(super) fn report_kept(&mut self, now: Millis, to: &Address) -> Vec<Effect> {
        let events = self.outbox.next_kept(to).into_iter();
        events
            .map(|events| self.report(now, to, events, Then::Kept))
            .collect()
    }

    fn report(&mut self, now: Millis, to: &Address, events: Vec<Event>, then: Then) -> Effect {
        self.counts.reports += 1;
        let settled = events.iter().filter_map(|event| event.settled.clone());
        let settled = settled.collect();
        let message = self.lease(to).report(now, settled, false);
        let request = LedgerRequest {
            rows: RawValue::from_string(outbox::rows(&events)).ok(),
            ..LedgerRequest::new(to.clone(), message)
        };
        let reporting = Reporting {
            request: request.clone(),
            events,
            at: now,
            is_second: false,
            then,
        };
        self.send(request, PATIENCE_MS, Sent::Report(Box::new(reporting)))
    }

    pub(super) fn report_replied(
        &mut self,
        now: Millis,
        mut reporting: Reporting,
        result: Result<Box<LedgerResponse>, String>,
    ) -> Vec<Effect> {
        let to = reporting.request.to.clone();
        match result {
            Ok(response) => {
                let (at, message) = (reporting.at, &reporting.request.message);
                self.report_received(&to, at, message, &response.reply);
                self.shards.load_reported(now, &to, response.load);
                self.report_next(now, &to, reporting.then)
            }
            Err(_) if !reporting.is_second => {
                reporting.is_second = true;
                let request = reporting.request.clone();
                let sent = Sent::Report(Box::new(reporting));
                vec![self.send(request, PATIENCE_MS, sent)]
            }
            Err(why) => {
                self.lease(&to).report_lost(&reporting.request.message);
                self.spill(now, reporting, why)
            }
        }
    }

    /// Leaves calls to the database: their rows count at once, and what they took of
    /// limits when the object reads it.
    fn spill(&mut self, now: Millis, reporting: Reporting, why: String) -> Vec<Effect> {
        let to = reporting.request.to.clone();
        let left: Vec<&Event> = reporting.events.iter().filter(|one| !one.spilled).collect();
        let (Some(store), false) = (to.store(), left.is_empty()) else {
            self.outbox.take_back(now, &to, reporting.events);
            return self.report_failed(now, &to, reporting.then);
        };
        let holder = &reporting.request.message.holder;
        let notes: Vec<_> = left.iter().map(|event| event.note(holder)).collect();
        let mut spill = Spill {
            id: 0,
            store: store.to_owned(),
            mark: to.mark(),
            rows: outbox::rows(left),
            notes: json!(notes).to_string(),
            why,
        };
        self.requests = self.requests.saturating_add(1);
        spill.id = self.requests;
        self.sent
            .insert(spill.id, Sent::Report(Box::new(reporting)));
        vec![Effect::Spill(spill)]
    }

    pub(super) fn spilled(&mut self, now: Millis, id: u64, stored: bool) -> Vec<Effect> {
        let Some(Sent::Report(mut reporting)) = self.sent.remove(&id) else {
            return Vec::new();
        };
        let events = reporting.events.iter_mut();
        events.for_each(|event| event.spilled |= stored);
        let to = reporting.request.to.clone();
        self.outbox.take_back(now, &to, reporting.events);
        self.report_failed(now, &to, reporting.then)
    }

    /// An object does not reply: of the calls that waited, the rest is still reported,
    /// so that the database gets them.
    fn report_failed(&mut self, now: Millis, to: &Address, then: Then) -> Vec<Effect> {
        match then {
            Then::Waiting(left) if left > 0 => self.report_next(now, to, then),
            Then::Waiting(_) | Then::Kept => self.linger(now, 0),
        }
    }
}
