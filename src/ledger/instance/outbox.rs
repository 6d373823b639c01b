//! Calls that are over and not reported yet.

use crate::answer::record::{self, Row};
use crate::ledger::{Address, Message, Settled};
use crate::units::Millis;
use serde_json::{json, Value};
use std::collections::BTreeMap;

/// The most calls in one report.
const BATCH: usize = 50;
/// How long calls are kept for an object: it remembers their ids for twice as long.
const KEPT_FOR_MS: u64 = 30 * 60_000;
/// The most calls that are kept for an object that does not reply.
const MOST_KEPT: usize = 1_000;

/// A call that is over: its row, and what it took of its accounts.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The object that it is reported to.
    pub to: Address,
    /// The row.
    pub row: Row,
    /// What the call took, if anything was reserved for it.
    pub settled: Option<Settled>,
}

/// A call in the outbox.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) row: Row,
    pub(super) settled: Option<Settled>,
    over: Millis,
    /// Its row is in the database: its object did not reply.
    pub(super) spilled: bool,
}

impl Event {
    pub(super) fn new(now: Millis, row: Row, settled: Option<Settled>) -> Event {
        Event {
            row,
            settled,
            over: now,
            spilled: false,
        }
    }

    /// What its object will read of it in the database.
    pub(super) fn note(&self, holder: &str) -> Value {
        let message = Message {
            holder: holder.to_owned(),
            settled: self.settled.iter().cloned().collect(),
            ..Message::default()
        };
        let event = json!({"message": message, "row": self.row}).to_string();
        json!({"id": self.row.id, "event": event})
    }
}

/// The rows of calls, as a JSON list.
pub(super) fn rows<'e>(events: impl IntoIterator<Item = &'e Event>) -> String {
    record::to_json(events.into_iter().map(|event| &event.row))
}

/// Calls by the object that they are reported to.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Calls that were not reported yet.
    waiting: BTreeMap<Address, Vec<Event>>,
    /// Calls that the database has and their object does not.
    kept: BTreeMap<Address, Vec<Event>>,
}

impl Outbox {
    pub(super) fn add(&mut self, to: Address, event: Event) {
        self.waiting.entry(to).or_default().push(event);
    }

    /// Calls that were sent wait again: nobody waits for the reply any more.
    pub(super) fn requeue(&mut self, to: Address, events: Vec<Event>) {
        self.waiting.entry(to).or_default().extend(events);
    }

    /// The objects with calls that wait, and how many.
    pub(super) fn waiting(&self) -> Vec<(Address, usize)> {
        let waiting = self.waiting.iter();
        waiting
            .map(|(to, events)| (to.clone(), events.len()))
            .collect()
    }

    /// The next calls that wait, `most` at most.
    pub(super) fn next_waiting(&mut self, to: &Address, most: usize) -> Option<Vec<Event>> {
        next(&mut self.waiting, to, most)
    }

    /// The next calls that the database has.
    pub(super) fn next_kept(&mut self, to: &Address) -> Option<Vec<Event>> {
        next(&mut self.kept, to, BATCH)
    }

    /// Takes back calls that an object has not replied to. Those in the database are
    /// kept until it replies again, for as long as it remembers those that it read
    /// there; the others wait.
    pub(super) fn take_back(&mut self, now: Millis, to: &Address, events: Vec<Event>) {
        let (spilled, others): (Vec<Event>, Vec<Event>) =
            events.into_iter().partition(|event| event.spilled);
        let noted = spilled.into_iter().filter(|event| event.settled.is_some());
        keep(&mut self.kept, now, to, noted.collect());
        keep(&mut self.waiting, now, to, others);
    }
}

type List = BTreeMap<Address, Vec<Event>>;

fn next(list: &mut List, to: &Address, most: usize) -> Option<Vec<Event>> {
    let events = list.get_mut(to)?;
    let batch = events.len().min(BATCH).min(most);
    let batch: Vec<Event> = events.drain(..batch).collect();
    if events.is_empty() {
        list.remove(to);
    }
    (!batch.is_empty()).then_some(batch)
}

fn keep(list: &mut List, now: Millis, to: &Address, events: Vec<Event>) {
    if events.is_empty() {
        return;
    }
    let kept = list.entry(to.clone()).or_default();
    kept.retain(|event| now.since(event.over) < KEPT_FOR_MS);
    let room = MOST_KEPT.saturating_sub(kept.len());
    kept.extend(events.into_iter().take(room));
}
