//! Lending what a request wants. What is kept by another object is borrowed there
//! first, while the request waits.

use super::serve::Asked;
use super::{Effect, Host, Object, Sent};
use crate::config::limits::Authority;
use crate::ledger::{Address, LedgerRequest, LedgerResponse, Message, Reply, Want};
use crate::refusal::Exceeded;
use crate::units::Millis;
use std::collections::VecDeque;

/// How often an object borrows for one request.
const MOST_ROUNDS: u32 = 3;

/// A request that waits for what it wants.
#[derive(Debug)]
pub(super) struct Lending {
    asked: Asked,
    /// The message, with what it wants alone.
    message: Message,
    rounds: u32,
    /// What this round borrows yet, and from whom.
    missing: VecDeque<(Authority, Vec<Want>)>,
}

/// A request that waits for a reply of an authority.
#[derive(Debug)]
pub(super) struct Borrowing {
    lending: Lending,
    message: Message,
}

impl Lending {
    pub(super) fn new(asked: Asked, mut message: Message, wants: Vec<Want>) -> Lending {
        message.wants = wants;
        Lending {
            asked,
            message,
            rounds: 0,
            missing: VecDeque::new(),
        }
    }
}

impl<H: Host> Object<H> {
    pub(super) fn lend(
        &mut self,
        now: Millis,
        mut lending: Lending,
    ) -> Result<Vec<Effect>, H::Error> {
        loop {
            if let Some((authority, missing)) = lending.missing.pop_front() {
                return self.borrow(now, lending, &authority, &missing);
            }
            let wants = &lending.message.wants;
            // Others may have taken what was borrowed.
            let is_done = lending.rounds > 0 && !self.with_ledger(|ledger| ledger.lacks(wants))?;
            if is_done || lending.rounds >= MOST_ROUNDS {
                break;
            }
            lending.rounds += 1;
            if let Some(exceeded) = self.with_ledger(|ledger| ledger.refused_lately(now, wants))? {
                return self.refuse(&lending, &exceeded);
            }
            let missing = self.with_ledger(|ledger| ledger.shortfall(now, wants))?;
            lending.missing = missing.into_iter().collect();
        }
        let reply = self.with_ledger(|ledger| ledger.take(now, &lending.message))?;
        Ok(vec![self.respond(&lending.asked, reply)?])
    }

    fn borrow(
        &mut self,
        now: Millis,
        lending: Lending,
        authority: &Authority,
        missing: &[Want],
    ) -> Result<Vec<Effect>, H::Error> {
        let mut message = self.with_ledger(|ledger| ledger.borrow(now, authority, missing))?;
        message.holder = self.address.name();
        message.team = self.address.team().map(str::to_owned);
        let to = Address::of(authority, &self.home);
        let request = LedgerRequest::new(to, message.clone());
        let borrowing = Borrowing { lending, message };
        Ok(vec![self.send(
            now,
            request,
            Sent::Borrow(Box::new(borrowing)),
        )])
    }

    /// An authority has replied, or did not: it may refuse.
    pub(super) fn borrowed(
        &mut self,
        now: Millis,
        borrowing: Borrowing,
        result: Result<Box<LedgerResponse>, String>,
    ) -> Result<Vec<Effect>, H::Error> {
        let Borrowing { lending, message } = borrowing;
        let response = match result {
            Ok(response) => response,
            Err(why) => {
                self.with_ledger(|ledger| ledger.borrow_failed(&message))?;
                return Ok(vec![Effect::Respond(Err(why))]);
            }
        };
        let reply = &response.reply;
        match self.with_ledger(|ledger| ledger.borrow_answered(now, &message, reply))? {
            Ok(()) => self.lend(now, lending),
            Err(exceeded) => self.refuse(&lending, &exceeded),
        }
    }

    fn refuse(&mut self, lending: &Lending, exceeded: &Exceeded) -> Result<Vec<Effect>, H::Error> {
        let mut wants = lending.message.wants.iter();
        let want = wants.find(|want| exceeded.is_of(&want.applied));
        let needed = want.map_or(exceeded.needed, |want| want.need);
        let exceeded = exceeded.clone().to_one_who_needs(needed);
        let reply = Reply::refuses(Box::new(exceeded));
        Ok(vec![self.respond(&lending.asked, reply)?])
    }
}
