//! The ledger's side of one instance of the gateway: it admits calls from its leases,
//! settles them, and reports them to the objects of their teams.
//!
//! [`Instance::handle`] takes what happened and the time, and returns what must be
//! done. The caller performs each effect and passes its result to `handle` again, in the
//! same request's context. A context may end at any point: what it was sending is
//! reported again, and its timers are replaced.
//!
//! A call is in one place at a time: `calls` while it is under way, then the outbox
//! until its team's object or, failing that, the database has its row.

mod admission;
mod calls;
mod idle;
mod outbox;
mod report;
mod shards;

pub use admission::Admission;
pub use outbox::Finished;
pub use report::SPILL_PATIENCE_MS;

use super::address::Address;
use super::request::{LedgerRequest, LedgerResponse};
use super::{Lease, Message, Reply, Reservation};
use crate::refusal::Refusal;
use crate::units::Millis;
use admission::Asking;
use calls::Open;
use outbox::Outbox;
use report::Reporting;
use serde::Serialize;
use shards::Shards;
use std::collections::BTreeMap;

/// How long a reply is waited for.
pub const PATIENCE_MS: u64 = 5_000;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A call asks to begin.
    Admit(Admission),
    /// Calls are over.
    Finished(Vec<Finished>),
    /// A request was replied to, or got no reply.
    Replied(u64, Result<Box<LedgerResponse>, String>),
    /// A batch was written to the database, or could not be.
    Spilled(u64, bool),
    /// The time of a timer has come.
    Due(Timer),
    /// A call was admitted: something may have been borrowed that nobody uses.
    Linger,
}

/// What must be done.
#[derive(Debug)]
pub enum Effect {
    /// The call that asked may begin, or is refused.
    Decide(Result<Reservation, Box<Refusal>>),
    /// A request is sent; its reply is awaited for so many milliseconds.
    Send {
        /// The number to pass on with the reply.
        id: u64,
        /// The request.
        request: Box<LedgerRequest>,
        /// How long the reply is awaited.
        patience_ms: u64,
    },
    /// A batch is written to the database, because its object does not reply.
    Spill(Spill),
    /// A timer is set.
    Wait(u64, Timer),
}

/// Something that is done after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Calls that are over are reported.
    Report,
    /// Idle leases are returned; the number counts the rounds of this context.
    ReturnIdle(u32),
}

/// A batch of calls for the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spill {
    /// The number to pass on with the result.
    pub id: u64,
    /// The store.
    pub store: String,
    /// The name of the object that reads them there.
    pub mark: String,
    /// The rows, as a JSON list.
    pub rows: String,
    /// What the object reads of each call, as a JSON list.
    pub notes: String,
    /// Why the object did not take them.
    pub why: String,
}

/// How often this instance asked the ledger, since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Calls that were admitted with something reserved.
    pub admitted: u64,
    /// How often a call waited for the ledger.
    pub asked: u64,
    /// Reports of calls that are over, which no call waits for.
    pub reports: u64,
}

/// A request that has no reply yet.
#[derive(Debug)]
enum Sent {
    Admission(Box<Asking>),
    Report(Box<Reporting>),
    Return(Box<Returning>),
}

/// A report that returns an idle lease.
#[derive(Debug)]
struct Returning {
    to: Address,
    message: Message,
    at: Millis,
    round: u32,
}

/// The state machine.
#[derive(Debug)]
pub struct Instance {
    name: String,
    leases_made: u64,
    leases: BTreeMap<Address, Lease>,
    shards: Shards,
    /// Calls under way, by their ids.
    calls: BTreeMap<String, Open>,
    /// Calls that the platform has ended, as they were reported.
    cut_off: BTreeMap<String, Finished>,
    /// Objects that did not reply lately, to calls under limits or without.
    silent_since: BTreeMap<(Address, bool), Millis>,
    outbox: Outbox,
    sent: BTreeMap<u64, Sent>,
    requests: u64,
    /// Since when a context gathers calls that are over.
    gathering_since: Option<Millis>,
    /// Since when a context waits for leases to become idle.
    lingering_since: Option<Millis>,
    counts: Counts,
}

impl Instance {
    /// An instance under a name that no other has. `hot` is the number of requests a
    /// second above which a team is spread over several objects.
    pub fn new(name: String, hot: u32) -> Instance {
        Instance {
            shards: Shards::new(&name, hot),
            name,
            leases_made: 0,
            leases: BTreeMap::new(),
            calls: BTreeMap::new(),
            cut_off: BTreeMap::new(),
            silent_since: BTreeMap::new(),
            outbox: Outbox::default(),
            sent: BTreeMap::new(),
            requests: 0,
            gathering_since: None,
            lingering_since: None,
            counts: Counts::default(),
        }
    }

    /// Returns what must be done about something that happened.
    pub fn handle(&mut self, input: Input, now: Millis) -> Vec<Effect> {
        match input {
            Input::Admit(admission) => self.admit(now, admission),
            Input::Finished(calls) => self.gather(now, calls),
            Input::Replied(id, result) => self.replied(now, id, result),
            Input::Spilled(id, stored) => self.spilled(now, id, stored),
            Input::Due(Timer::Report) => self.report_due(now),
            Input::Due(Timer::ReturnIdle(round)) => self.return_idle(now, round),
            Input::Linger => self.linger(now, 0),
        }
    }

    /// The object that a team's calls of a store go to from here.
    pub fn object_for(&self, team: &str, store: &str) -> Address {
        self.shards.object_for(team, store)
    }

    /// How often this instance asked the ledger.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn replied(
        &mut self,
        now: Millis,
        id: u64,
        result: Result<Box<LedgerResponse>, String>,
    ) -> Vec<Effect> {
        match self.sent.remove(&id) {
            Some(Sent::Admission(asking)) => self.admission_replied(now, *asking, result),
            Some(Sent::Report(reporting)) => self.report_replied(now, *reporting, result),
            Some(Sent::Return(returning)) => self.return_replied(now, *returning, result),
            // Its context ended long ago, and what it had sent was sent again.
            None => Vec::new(),
        }
    }

    fn send(&mut self, request: LedgerRequest, patience_ms: u64, sent: Sent) -> Effect {
        self.requests = self.requests.saturating_add(1);
        self.sent.insert(self.requests, sent);
        Effect::Send {
            id: self.requests,
            request: Box::new(request),
            patience_ms,
        }
    }

    fn lease(&mut self, address: &Address) -> &mut Lease {
        let (name, made) = (&self.name, &mut self.leases_made);
        let lease = self.leases.entry(address.clone());
        lease.or_insert_with(|| new_lease(name, made))
    }

    /// A lease that its object has given up is replaced by an empty one.
    fn replace_if_lost(&mut self, address: &Address, message: &Message, reply: &Reply) {
        let is_current = |lease: &Lease| message.holder == lease.holder();
        if reply.lost && self.leases.get(address).is_some_and(is_current) {
            let lease = new_lease(&self.name, &mut self.leases_made);
            self.leases.insert(address.clone(), lease);
        }
    }

    /// An object has received a report and replied.
    fn report_received(&mut self, to: &Address, at: Millis, message: &Message, reply: &Reply) {
        self.lease(to).report_received(at, message, reply);
        self.replace_if_lost(to, message, reply);
    }
}

/// An empty lease under a name that no other has.
fn new_lease(instance: &str, made: &mut u64) -> Lease {
    *made = made.saturating_add(1);
    Lease::new(format!("{instance}.{made}"))
}
