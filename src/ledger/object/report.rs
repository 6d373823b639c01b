//! The alarm: what the object does when nobody waits for it. Rows go to the database,
//! webhooks are sent, and authorities hear what was spent of what they lent.

use super::{AfterSpilled, Effect, Host, Object, Sent, SOON_MS};
use crate::config::limits::Authority;
use crate::ledger::{Address, LedgerRequest, LedgerResponse, Message};
use crate::units::Millis;

/// How often an object that has borrowed reports to its authorities.
const REPORT_MS: u64 = 1_000;

/// A report that has no reply yet.
#[derive(Debug)]
pub(super) struct Reporting {
    authority: Authority,
    message: Message,
}

impl<H: Host> Object<H> {
    pub(super) fn alarm(&mut self, now: Millis) -> Result<Vec<Effect>, H::Error> {
        self.alarm_at = None;
        // One alarm runs at a time: what one before has reported is not waited for.
        self.sent
            .retain(|_, (_, sent)| !matches!(sent, Sent::Report(_)));
        let due = self.with_ledger(|ledger| ledger.next_expiry())?;
        match self.address.store().map(str::to_owned) {
            // What was spilled for this object counts before holders are given up.
            Some(store) if due.is_some_and(|at| at <= now) => Ok(vec![Effect::ReadSpilled {
                store,
                mark: self.address.mark(),
            }]),
            _ => self.work(now),
        }
    }

    /// Everything that is due.
    pub(super) fn work(&mut self, now: Millis) -> Result<Vec<Effect>, H::Error> {
        self.pass_time(now)?;
        let mut effects = self.flush(now, 0)?;
        effects.extend(self.send_webhooks(now)?);
        effects.extend(self.report(now)?);
        effects.extend(self.rearm(now)?);
        Ok(effects)
    }

    /// Reports to authorities what was spent, and returns what nobody seems to need.
    fn report(&mut self, now: Millis) -> Result<Vec<Effect>, H::Error> {
        if now.0.abs_diff(self.reported_at.0) < REPORT_MS {
            return Ok(Vec::new());
        }
        self.reported_at = now;
        let mut effects = Vec::new();
        for authority in self.with_ledger(|ledger| ledger.lenders())? {
            let report = self.with_ledger(|ledger| ledger.report(now, &authority))?;
            let Some(mut message) = report else {
                continue;
            };
            message.holder = self.address.name();
            message.team = self.address.team().map(str::to_owned);
            let to = Address::of(&authority, &self.home);
            let request = LedgerRequest::new(to, message.clone());
            let reporting = Reporting { authority, message };
            effects.push(self.send(now, request, Sent::Report(Box::new(reporting))));
        }
        Ok(effects)
    }

    pub(super) fn reported(
        &mut self,
        now: Millis,
        reporting: Reporting,
        result: Result<Box<LedgerResponse>, String>,
    ) -> Result<Vec<Effect>, H::Error> {
        let Reporting { authority, message } = reporting;
        let response = result.ok();
        let reply = response.as_ref().map(|response| &response.reply);
        self.with_ledger(|ledger| ledger.reported(&authority, &message, reply))?;
        self.rearm(now)
    }

    /// Sets the alarm for what is due next.
    fn rearm(&mut self, now: Millis) -> Result<Vec<Effect>, H::Error> {
        let mut effects = Vec::new();
        if let Some(at) = self.webhooks_at {
            effects.extend(self.alarm_within(now, at.since(now).max(SOON_MS)));
        }
        let (expiry, has_borrowed) =
            self.with_ledger(|ledger| (ledger.next_expiry(), ledger.has_borrowed()))?;
        let reports = |(_, sent): &(Millis, Sent)| matches!(sent, Sent::Report(_));
        // Once an authority has noted a report, there may be nothing left to report.
        if has_borrowed && !self.sent.values().any(reports) {
            effects.extend(self.alarm_within(now, REPORT_MS));
        }
        if let Some(at) = expiry {
            effects.extend(self.alarm_within(now, at.since(now).saturating_add(1)));
        }
        Ok(effects)
    }

    /// Spilled calls were deleted from the database.
    pub(super) fn spilled_deleted(
        &mut self,
        now: Millis,
        then: AfterSpilled,
        result: Result<(), String>,
    ) -> Result<Vec<Effect>, H::Error> {
        match (then, result) {
            (AfterSpilled::Work, _) => self.work(now),
            (AfterSpilled::Flush { round, more }, Ok(())) => self.flush_more(now, round, more),
            (AfterSpilled::Flush { .. }, Err(why)) => Ok(self.flush_failed(now, &why)),
        }
    }
}
