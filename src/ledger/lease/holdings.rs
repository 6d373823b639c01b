//! What the ledger is told of what is here. A message names only accounts that
//! have changed since the ledger is known to have noted them. What it says of one
//! is all that is here, not what is to be added, so a message that is lost, late
//! or doubled does no harm: until the ledger has noted it, it is said again.

use super::parts::{Asked, Need, Slice};
use super::{own_parts, Lease};
use crate::ledger::message::{Message, Reply, Settled, Want};
use crate::units::Millis;
use std::collections::BTreeMap;

/// So many accounts are told of at most in one message, beside those of its calls.
const REPORTED_AT_ONCE: usize = 500;

impl Lease {
    /// Whether the ledger has noted what is here.
    pub(super) fn is_noted(&self) -> bool {
        self.slices.values().all(Slice::is_noted)
    }

    /// What to tell the ledger: calls that are over and what is left, and what runs
    /// low. `idle` gives back what no call has reserved. What comes of it must be
    /// told to [`Lease::report_received`] or [`Lease::report_lost`].
    pub fn report(&mut self, now: Millis, settled: Vec<Settled>, idle: bool) -> Message {
        self.stop_waiting(now);
        // What another message may still bring is told by a later one.
        let states_holdings = self.under_way.is_empty();
        for slice in self.slices.values_mut().filter(|_| states_holdings) {
            let is_over = slice.applied.window.is_over(now);
            match idle || is_over || slice.scarce {
                // Near a limit others need it now, and nobody needs another time's.
                true => slice.left = slice.left.min(0),
                false => slice.give_back_surplus(now),
            }
        }
        self.slices.retain(|_, slice| !slice.is_over(now));
        let mut message = self.message();
        if states_holdings {
            message.holds = Some(self.holdings(&settled));
        }
        message.settled = settled;
        if !idle {
            message.for_ms = self.until.since(now);
            message.wants = self.low(now);
            if !message.wants.is_empty() {
                let others = message.wants.iter().map(|want| Need {
                    applied: want.applied.clone(),
                    amount: 0,
                });
                let others = others.filter_map(|need| need.among_others());
                let asked = Asked {
                    at: now,
                    taken: Vec::new(),
                    others: others.collect(),
                };
                self.under_way.insert(message.number, asked);
            }
        }
        message
    }

    /// What is here of the accounts that the ledger has not noted, the calls that it
    /// is told of taken off.
    fn holdings(&mut self, settled: &[Settled]) -> BTreeMap<String, i64> {
        let mut took: BTreeMap<&str, i64> = BTreeMap::new();
        for part in own_parts(&self.holder, settled) {
            let all = took.entry(part.account.as_str()).or_default();
            *all = all.saturating_add(part.amount);
        }
        let mut holds = BTreeMap::new();
        let mut others = 0;
        for (account, slice) in &mut self.slices {
            let took = took.get(account.as_str());
            if took.is_none() {
                if slice.is_noted() || others >= REPORTED_AT_ONCE {
                    continue;
                }
                others += 1;
            }
            let held = slice
                .all()
                .saturating_sub(took.copied().unwrap_or_default());
            holds.insert(account.clone(), held);
            slice.forget_noted(self.number);
        }
        holds
    }

    /// The ledger has heard a report that was sent at a time.
    pub fn report_received(&mut self, sent: Millis, report: &Message, reply: &Reply) {
        let brings = self.is_awaited(report) && !reply.lost;
        if brings {
            self.is_answered(report);
        }
        self.over(report);
        for part in own_parts(&self.holder, &report.settled) {
            if let Some(slice) = self.slices.get_mut(&part.account) {
                slice.unreported -= part.amount;
            }
        }
        if report.holder == self.holder && reply.noted {
            for (account, held) in report.holds.iter().flatten() {
                let slice = self.slices.get_mut(account);
                // What a later message may have changed is told once more.
                if let Some(slice) = slice.filter(|slice| slice.reported_in == report.number) {
                    slice.noted = Some(*held);
                }
            }
        }
        for want in &report.wants {
            if let Some(slice) = self.slices.get_mut(&want.applied.account) {
                slice.noted = None;
            }
        }
        if let (true, Ok(grants)) = (brings, &reply.granted) {
            self.fill(sent, report, grants);
        }
    }

    /// A report was perhaps not heard.
    pub fn report_lost(&mut self, report: &Message) {
        self.over(report);
    }

    fn low(&mut self, now: Millis) -> Vec<Want> {
        let number = self.number;
        let runs_low = |slice: &&mut Slice| {
            !slice.is_ample()
                && slice.reserved > 0
                && !slice.scarce
                && !slice.applied.window.is_over(now)
        };
        let low = self.slices.values_mut().filter(runs_low);
        let wants = low.take(REPORTED_AT_ONCE).map(|slice| {
            slice.forget_noted(number);
            Want {
                applied: slice.applied.clone(),
                need: 0,
                want: slice.more(now),
            }
        });
        wants.collect()
    }
}
