//! One object of the ledger: the accounts of a team or of the company, and rows on their
//! way to the database.
//!
//! [`Object::handle`] takes what happened and the time, and returns what must be done.
//! The caller performs the effects in their order, and passes each result to `handle`
//! again, in the same context. What its [`Host`] stores is stored before a request is
//! replied to. The object may be evicted, and a context may end, at any point: an alarm
//! is set whenever something is left to do.

mod flush;
mod holds;
mod host;
mod lend;
mod notices;
mod report;
mod serve;
mod webhooks;

pub use flush::{
    AfterSpilled, Exchange, Exchanged, SpilledCall, DATABASE_PATIENCE_MS, SPILLED_AT_ONCE,
};
pub use host::{Hook, Host, Waiting};

use super::{AccountLedger, Address, LedgerRequest, LedgerResponse, Load};
use crate::units::Millis;
use lend::Borrowing;
use notices::Notices;
use report::Reporting;
use std::collections::BTreeMap;

/// How soon new rows go to the database.
const SOON_MS: u64 = 250;
/// A context that waits for a reply for so long has ended.
const CUT_OFF_MS: u64 = 60_000;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A request came.
    Request(Box<LedgerRequest>),
    /// The alarm's time has come.
    Alarm,
    /// Another object has replied, or did not.
    Replied(u64, Result<Box<LedgerResponse>, String>),
    /// Rows were written to the database, or were not.
    Exchanged(Box<Exchange>, Result<Exchanged, String>),
    /// What the database has of calls that were spilled for this object.
    SpilledRead(Result<Vec<SpilledCall>, String>),
    /// Spilled calls were deleted from the database, or were not.
    SpilledDeleted(AfterSpilled, Result<(), String>),
    /// A webhook has taken a message, or has not.
    WebhookSent(Hook, bool),
}

/// What must be done.
#[derive(Debug)]
pub enum Effect {
    /// The request of this context gets its reply.
    Respond(Result<Box<LedgerResponse>, String>),
    /// Another object is asked.
    Send(u64, Box<LedgerRequest>),
    /// The alarm is set, in so many milliseconds.
    SetAlarm(u64),
    /// Rows are written to the database, and what is there for this object is read.
    Exchange(Box<Exchange>),
    /// Calls that were spilled for this object are read.
    ReadSpilled {
        /// The store.
        store: String,
        /// The object's name there.
        mark: String,
    },
    /// Spilled calls were taken and are deleted.
    DeleteSpilled {
        /// The store.
        store: String,
        /// The calls.
        ids: Vec<String>,
        /// To be passed on with the result.
        then: AfterSpilled,
    },
    /// A message is sent to a webhook.
    SendWebhook(Hook),
    /// Something that operators are told of.
    Warn(String),
}

/// A request to another object that has no reply yet.
#[derive(Debug)]
enum Sent {
    Borrow(Box<Borrowing>),
    Report(Box<Reporting>),
}

/// The state machine.
#[derive(Debug)]
pub struct Object<H> {
    host: H,
    address: Address,
    /// The store of accounts that are about callers of any zone.
    home: String,
    /// The accounts. A change that fails leaves nothing half done: they are taken out
    /// meanwhile, and are read from storage again.
    ledger: Option<AccountLedger>,
    /// The time of the alarm, as far as is known.
    alarm_at: Option<Millis>,
    load: Load,
    notices: Notices,
    sent: BTreeMap<u64, (Millis, Sent)>,
    requests: u64,
    /// Writes to the database that failed in a row, and the time before which it is not
    /// asked.
    failures: u32,
    database_at: Millis,
    /// What was spilled meanwhile is not read yet.
    was_away: bool,
    /// The time of the next try of a webhook.
    webhooks_at: Option<Millis>,
    reported_at: Millis,
}

impl<H: Host> Object<H> {
    /// An object with what its host has stored.
    pub fn new(host: H, address: Address, home: String) -> Object<H> {
        Object {
            host,
            address,
            home,
            ledger: None,
            alarm_at: None,
            load: Load::default(),
            notices: Notices::default(),
            sent: BTreeMap::new(),
            requests: 0,
            failures: 0,
            database_at: Millis(0),
            was_away: true,
            webhooks_at: None,
            reported_at: Millis(0),
        }
    }

    /// Returns what must be done about something that happened, in order.
    pub fn handle(&mut self, input: Input, now: Millis) -> Result<Vec<Effect>, H::Error> {
        match input {
            Input::Request(request) => self.serve(now, *request),
            Input::Alarm => self.alarm(now),
            Input::Replied(id, result) => match self.sent.remove(&id) {
                Some((_, Sent::Borrow(borrowing))) => self.borrowed(now, *borrowing, result),
                Some((_, Sent::Report(reporting))) => self.reported(now, *reporting, result),
                None => Ok(Vec::new()),
            },
            Input::Exchanged(exchange, result) => self.exchanged(now, *exchange, result),
            Input::SpilledRead(result) => self.spilled_read(now, result),
            Input::SpilledDeleted(then, result) => self.spilled_deleted(now, then, result),
            Input::WebhookSent(hook, taken) => self.webhook_sent(now, &hook, taken),
        }
    }

    /// The host, and the accounts that were read from it, if any.
    pub fn parts(&self) -> (&H, Option<&AccountLedger>) {
        (&self.host, self.ledger.as_ref())
    }

    /// Changes the accounts, and stores what has changed in one piece.
    fn with_ledger<T>(
        &mut self,
        change: impl FnOnce(&mut AccountLedger) -> T,
    ) -> Result<T, H::Error> {
        let mut ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => AccountLedger::new(self.address.authorities(&self.home), self.host.stored()?),
        };
        let changed = change(&mut ledger);
        for crossed in ledger.crossed() {
            self.keep_webhook(&crossed)?;
        }
        self.host.write(&ledger.changes())?;
        self.ledger = Some(ledger);
        Ok(changed)
    }

    fn send(&mut self, now: Millis, request: LedgerRequest, sent: Sent) -> Effect {
        self.sent.retain(|_, (at, _)| now.since(*at) < CUT_OFF_MS);
        self.requests = self.requests.saturating_add(1);
        self.sent.insert(self.requests, (now, sent));
        Effect::Send(self.requests, Box::new(request))
    }

    /// Sets the alarm, unless it comes sooner.
    fn alarm_within(&mut self, now: Millis, ms: u64) -> Option<Effect> {
        let at = Millis(now.0.saturating_add(ms));
        if self.alarm_at.is_some_and(|before| before <= at) {
            return None;
        }
        self.alarm_at = Some(at);
        Some(Effect::SetAlarm(ms))
    }
}
