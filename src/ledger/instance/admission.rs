//! Whether a call may begin. Most calls are admitted from the lease of this instance;
//! the others ask the object for more.

use super::{Effect, Instance, Sent, PATIENCE_MS};
use crate::config::limits::Unreachable;
use crate::ledger::{Address, LeaseRequest, LedgerRequest, LedgerResponse, Need, Reservation};
use crate::refusal::Refusal;
use crate::units::Millis;

/// How often a call asks.
const MOST_REQUESTS: u32 = 3;
/// How long a call waits for a reply that begins whatever the reply is.
const SHORT_PATIENCE_MS: u64 = 1_000;
/// How long an object that did not reply is not asked by calls that can begin without
/// its reply.
const SILENT_MS: u64 = 5_000;

/// A context that waits for a reply for so long has ended.
const ABANDONED_MS: u64 = 60_000;

/// A call that asks to begin.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The object of its accounts.
    pub address: Address,
    /// When it is over at the latest.
    pub deadline: Millis,
    /// What it may take of each account.
    pub needs: Vec<Need>,
    /// What its team wishes for when the ledger cannot be reached.
    pub unreachable: Unreachable,
}

/// A call that waits for a reply.
#[derive(Debug)]
pub(super) struct Asking {
    admission: Admission,
    request: LeaseRequest,
    at: Millis,
    requests: u32,
}

impl Admission {
    /// Whether no budget is about the call: it is noted, and never refused.
    fn is_unbudgeted(&self) -> bool {
        self.needs.iter().all(|need| need.applied.is_unbudgeted())
    }

    /// Whether the call begins even if the object does not reply.
    fn begins_anyway(&self) -> bool {
        self.is_unbudgeted() || self.unreachable == Unreachable::Allow
    }

    /// What becomes of the call without a reply.
    fn without_reply(&self) -> Effect {
        Effect::Decide(match self.begins_anyway() {
            true => Ok(Reservation::unasked(&self.needs)),
            false => Err(Box::new(Refusal::LedgerUnavailable)),
        })
    }
}

impl Asking {
    /// Whether the context that waits for the reply has ended.
    pub(super) fn is_abandoned(&self, now: Millis) -> bool {
        now.0.abs_diff(self.at.0) >= ABANDONED_MS
    }
}

impl Instance {
    pub(super) fn admit(&mut self, now: Millis, admission: Admission) -> Vec<Effect> {
        match admission.needs.is_empty() {
            true => vec![Effect::Decide(Ok(Reservation::default()))],
            false => vec![self.reserve_or_ask(now, admission, 0)],
        }
    }

    fn reserve_or_ask(&mut self, now: Millis, admission: Admission, requests: u32) -> Effect {
        let Admission {
            address,
            deadline,
            needs,
            ..
        } = &admission;
        let lease = self.lease(address);
        if let Some(reservation) = lease.reserve(now, *deadline, needs) {
            return self.admitted(reservation);
        }
        let refused = lease.refused_lately(now, needs);
        if admission.begins_anyway() && self.is_silent(now, &admission) {
            return admission.without_reply();
        }
        if let Some(exceeded) = refused {
            let refusal = Refusal::Exceeded(Box::new(exceeded.as_of(now)));
            return Effect::Decide(Err(Box::new(refusal)));
        }
        if requests >= MOST_REQUESTS {
            return admission.without_reply();
        }
        let request = self.lease(address).request(now, *deadline, needs.clone());
        self.counts.asked += 1;
        let patience_ms = match admission.is_unbudgeted() {
            true => SHORT_PATIENCE_MS,
            false => PATIENCE_MS,
        };
        let to_object = LedgerRequest::new(address.clone(), request.message.clone());
        let asking = Asking {
            admission,
            request,
            at: now,
            requests: requests + 1,
        };
        self.send(to_object, patience_ms, Sent::Admission(Box::new(asking)))
    }

    pub(super) fn admission_replied(
        &mut self,
        now: Millis,
        asking: Asking,
        result: Result<Box<LedgerResponse>, String>,
    ) -> Vec<Effect> {
        let Asking {
            admission,
            request,
            at,
            requests,
        } = asking;
        let address = admission.address.clone();
        let silent = (address.clone(), admission.is_unbudgeted());
        let Ok(response) = result else {
            self.lease(&address).request_failed(request);
            self.silent_since.insert(silent, now);
            return vec![admission.without_reply()];
        };
        self.silent_since.remove(&silent);
        self.shards.load_reported(now, &address, response.load);
        let message = request.message.clone();
        let decided = self.lease(&address).answered(at, request, &response.reply);
        self.replace_if_lost(&address, &message, &response.reply);
        vec![match decided {
            Ok(Some(reservation)) => self.admitted(reservation),
            Ok(None) => self.reserve_or_ask(now, admission, requests),
            Err(exceeded) => {
                let refusal = Refusal::Exceeded(Box::new(exceeded.as_of(now)));
                Effect::Decide(Err(Box::new(refusal)))
            }
        }]
    }

    fn admitted(&mut self, reservation: Reservation) -> Effect {
        self.counts.admitted += 1;
        Effect::Decide(Ok(reservation))
    }

    fn is_silent(&self, now: Millis, admission: &Admission) -> bool {
        let silent = (admission.address.clone(), admission.is_unbudgeted());
        let since = self.silent_since.get(&silent);
        since.is_some_and(|since| now.0.abs_diff(since.0) < SILENT_MS)
    }
}
