//! A request to the object: rows are stored, calls are settled, and what is wanted is
//! lent.

use super::lend::Lending;
use super::{Effect, Host, Object, SOON_MS};
use crate::ledger::{Held, LedgerRequest, LedgerResponse, Message, Reply, Want};
use crate::units::Millis;
use std::collections::BTreeSet;

/// What the reply to a request has beside the reply to its message.
#[derive(Debug)]
pub(super) struct Asked {
    notices_until: u64,
    look: bool,
    load: u32,
    released: Held,
    /// What the message says of holdings was noted.
    noted: bool,
}

/// What became of a message, but for what it wants.
struct Taken {
    message: Message,
    reply: Reply,
    wants: Vec<Want>,
}

impl<H: Host> Object<H> {
    pub(super) fn serve(
        &mut self,
        now: Millis,
        request: LedgerRequest,
    ) -> Result<Vec<Effect>, H::Error> {
        self.pass_time(now)?;
        let load = self.load.one_more(now);
        self.notices.add(now, request.notices);
        let rows = request.rows.as_ref().map_or("[]", |rows| rows.get());
        let taken = self.settle(now, request.message, rows)?;
        let asked = Asked {
            notices_until: request.notices_until,
            look: request.look,
            load,
            released: self.release(now, request.release)?,
            noted: taken.reply.noted,
        };
        // Whatever becomes of the reply, what was stored goes on from here.
        let mut effects = Vec::from_iter(self.alarm_within(now, SOON_MS));
        match taken.wants.is_empty() {
            true => effects.push(self.respond(&asked, taken.reply)?),
            false => {
                let lending = Lending::new(asked, taken.message, taken.wants);
                effects.extend(self.lend(now, lending)?);
            }
        }
        Ok(effects)
    }

    /// Gives up holders whose time is over; what they had is held.
    pub(super) fn pass_time(&mut self, now: Millis) -> Result<(), H::Error> {
        let lost = self.with_ledger(|ledger| {
            ledger.tidy(now);
            ledger.expire(now)
        })?;
        for lost in &lost {
            self.note_held(now, now, lost.money, lost.calls)?;
        }
        Ok(())
    }

    /// Stores rows, each once, and settles the calls that are new.
    fn settle(&mut self, now: Millis, message: Message, rows: &str) -> Result<Taken, H::Error> {
        let mut message = message;
        let mut new = BTreeSet::from_iter(self.host.add_rows(now, rows)?);
        message.unfold();
        // One report may settle the same call twice.
        message.settled.retain(|one| new.remove(&one.id));
        let wants = std::mem::take(&mut message.wants);
        let (reply, credits) = self.with_ledger(|ledger| {
            let settled = message.settled.iter().filter(|one| one.closes.is_none());
            let credits = settled.map(|one| ledger.credit(&one.holder, &one.parts));
            let mut credits: Vec<_> = credits.flatten().collect();
            let reply = ledger.take(now, &message);
            let known = message.settled.iter().filter(|one| one.closes.is_some());
            credits.extend(known.filter_map(|one| ledger.release_hold(&one.holder)));
            (reply, credits)
        })?;
        for credit in &credits {
            self.note_released(now, credit)?;
        }
        message.settled.clear();
        message.totals.clear();
        message.holds = None;
        Ok(Taken {
            message,
            reply,
            wants,
        })
    }

    /// A call that was spilled: its row is in the database already.
    pub(super) fn settle_spilled(
        &mut self,
        now: Millis,
        message: Message,
        row: &str,
    ) -> Result<(), H::Error> {
        self.settle(now, message, &format!("[{row}]")).map(|_| ())
    }

    pub(super) fn respond(&mut self, asked: &Asked, mut reply: Reply) -> Result<Effect, H::Error> {
        reply.noted |= asked.noted;
        let (accounts, holding) = match asked.look {
            true => self.with_ledger(|ledger| (ledger.standings(), ledger.holding()))?,
            false => (Vec::new(), Vec::new()),
        };
        let response = LedgerResponse {
            reply,
            notices: self.notices.since(asked.notices_until),
            accounts,
            load: asked.load,
            holding,
            released: asked.released,
        };
        Ok(Effect::Respond(Ok(Box::new(response))))
    }
}
