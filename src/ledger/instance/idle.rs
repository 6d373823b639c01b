//! What was borrowed ahead goes back when no call uses it: it may be needed elsewhere.

use super::{Effect, Instance, Returning, Sent, Timer, PATIENCE_MS};
use crate::ledger::{Address, Lease, LedgerRequest, LedgerResponse, Message};
use crate::units::Millis;

/// A lease is looked at this long after a call.
const IDLE_MS: u64 = 1_500;
/// How often one context looks.
const MOST_ROUNDS: u32 = 10;
/// A context that was to look by now has ended.
const LINGERS_MS: u64 = 8_000;

impl Instance {
    /// Sets a timer if something is borrowed that no call has reserved.
    pub(super) fn linger(&mut self, now: Millis, round: u32) -> Vec<Effect> {
        let waits = |since: Millis| now.since(since) < LINGERS_MS;
        let is_waiting = self.lingering_since.is_some_and(waits);
        let has_idle = self.leases.values().any(Lease::has_some_idle);
        if round >= MOST_ROUNDS || is_waiting || !has_idle {
            return Vec::new();
        }
        self.lingering_since = Some(now);
        vec![Effect::Wait(IDLE_MS, Timer::ReturnIdle(round))]
    }

    pub(super) fn return_idle(&mut self, now: Millis, round: u32) -> Vec<Effect> {
        self.lingering_since = None;
        let idle = self.leases.iter_mut();
        let idle = idle.filter(|(_, lease)| lease.is_idle(now));
        let returned: Vec<(Address, Message)> = idle
            .map(|(to, lease)| (to.clone(), lease.report(now, Vec::new(), true)))
            .collect();
        if returned.is_empty() {
            return self.linger(now, round + 1);
        }
        let returned = returned.into_iter().map(|(to, message)| {
            let request = LedgerRequest::new(to.clone(), message.clone());
            let returning = Returning {
                to,
                message,
                at: now,
                round,
            };
            self.send(request, PATIENCE_MS, Sent::Return(Box::new(returning)))
        });
        returned.collect()
    }

    pub(super) fn return_replied(
        &mut self,
        now: Millis,
        returning: Returning,
        result: Result<Box<LedgerResponse>, String>,
    ) -> Vec<Effect> {
        let Returning {
            to,
            message,
            at,
            round,
        } = returning;
        let mut effects = Vec::new();
        match result {
            Ok(response) => {
                self.report_received(&to, at, &message, &response.reply);
                // A lease is made anew when it is needed.
                self.leases.retain(|_, lease| !lease.is_done());
                effects.extend(self.report_kept(now, &to));
            }
            Err(_) => self.lease(&to).report_lost(&message),
        }
        effects.extend(self.linger(now, round + 1));
        effects
    }
}
