//! What one instance has borrowed from one book, and what of it is reserved for
//! calls under way. Most calls are admitted from it without a word to the book.

use super::message::{Exceeded, Grant, Message, Part, Reply, Settled, Want};
use crate::limits::{Applied, Measure};
use crate::units::Millis;
use std::collections::BTreeMap;

/// For how many calls like the one at hand is borrowed ahead: the least, and the
/// most for those that keep coming back for more.
const FEWEST_AHEAD: i64 = 16;
const MOST_AHEAD: i64 = 1_024;
/// Who asks again so soon asks for more.
const SOON_MS: u64 = 5_000;
/// So long past a call's own deadline what it reserved is lent: calls that come
/// within this time need not ask for longer.
const ROOM_MS: u64 = 5 * 60_000;

/// What a call may take of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The account, and what is known of it.
    pub applied: Applied,
    /// How much at most.
    pub amount: i64,
}

/// What is reserved for a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reservation {
    holder: String,
    parts: Vec<(Part, Measure)>,
    /// The budgets it goes from, and how much of each is spent, in percent.
    pub levels: Vec<(String, u8)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Slice {
    applied: Applied,
    left: i64,
    reserved: i64,
    /// What calls took that the book may not have heard of.
    untold: i64,
    level: u8,
    /// What one call needed, and how many are borrowed for.
    need: i64,
    ahead: i64,
    /// When something came, if nothing was asked for since.
    filled_at: Option<Millis>,
}

/// The state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purse {
    holder: String,
    number: u64,
    /// Messages under way that may bring something.
    asking: u32,
    /// What was borrowed before then must be settled by then.
    until: Millis,
    slices: BTreeMap<String, Slice>,
}

impl Purse {
    /// An empty one, under a name that nobody else has.
    pub fn new(holder: String) -> Purse {
        Purse {
            holder,
            number: 0,
            asking: 0,
            until: Millis(0),
            slices: BTreeMap::new(),
        }
    }

    /// The name it goes by at its book.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Whether there is anything in it.
    pub fn is_empty(&self) -> bool {
        self.slices.values().all(Slice::is_empty)
    }

    /// Whether calls have something reserved.
    pub fn is_used(&self) -> bool {
        self.slices.values().any(|slice| slice.reserved > 0)
    }

    /// Reserves what a call needs until its deadline, if it is here.
    pub fn reserve(
        &mut self,
        now: Millis,
        deadline: Millis,
        needs: &[Need],
    ) -> Option<Reservation> {
        let fits = |need: &Need| {
            let slice = self.slices.get(&need.applied.account);
            slice.is_some_and(|slice| {
                slice.left >= need.amount && !slice.applied.window.is_over(now)
            })
        };
        let here = deadline <= self.until && needs.iter().all(fits);
        here.then(|| self.take(needs))
    }

    fn take(&mut self, needs: &[Need]) -> Reservation {
        let mut reservation = Reservation {
            holder: self.holder.clone(),
            ..Reservation::default()
        };
        for Need { applied, amount } in needs {
            let Some(slice) = self.slices.get_mut(&applied.account) else {
                continue;
            };
            slice.left -= amount;
            slice.reserved += amount;
            slice.need = *amount;
            let part = Part {
                account: applied.account.clone(),
                amount: *amount,
            };
            reservation.parts.push((part, applied.measure));
            if applied.measure == Measure::Money {
                reservation
                    .levels
                    .push((applied.limit.clone(), slice.level));
            }
        }
        reservation
    }

    /// Asks for what a call needs, and for those that come after it. What comes
    /// of it must be told to [`Purse::answered`] or [`Purse::failed`].
    pub fn ask(&mut self, now: Millis, deadline: Millis, needs: &[Need]) -> Message {
        let wants = needs.iter().map(|need| self.want(now, need)).collect();
        self.asking += 1;
        let mut message = self.message();
        message.wants = wants;
        message.for_ms = deadline.since(now).saturating_add(ROOM_MS);
        message
    }

    fn want(&mut self, now: Millis, need: &Need) -> Want {
        let slice = self.slices.entry(need.applied.account.clone());
        let slice = slice.or_insert_with(|| Slice {
            applied: need.applied.clone(),
            left: 0,
            reserved: 0,
            untold: 0,
            level: 0,
            need: need.amount,
            ahead: FEWEST_AHEAD,
            filled_at: None,
        });
        slice.applied.clone_from(&need.applied);
        slice.need = need.amount;
        Want {
            applied: need.applied.clone(),
            need: need.amount,
            want: slice.more(now),
        }
    }

    fn message(&mut self) -> Message {
        self.number += 1;
        Message {
            holder: self.holder.clone(),
            number: self.number,
            ..Message::default()
        }
    }

    /// The answer to a question that was sent at a time. What the call needs is
    /// its own before others can take it.
    pub fn answered(
        &mut self,
        sent: Millis,
        question: &Message,
        reply: &Reply,
        needs: &[Need],
    ) -> Result<Option<Reservation>, Box<Exceeded>> {
        self.asking = self.asking.saturating_sub(1);
        // Another answer may have said so before.
        if reply.lost || question.holder != self.holder {
            return Ok(None);
        }
        let grants = match &reply.granted {
            Ok(grants) => grants,
            Err(exceeded) => return Err(exceeded.clone()),
        };
        let until = Millis(sent.0.saturating_add(question.for_ms));
        self.until = self.until.max(until);
        for Grant {
            account,
            amount,
            level,
        } in grants
        {
            if let Some(slice) = self.slices.get_mut(account) {
                slice.left = slice.left.saturating_add(*amount);
                slice.level = *level;
                slice.filled_at = Some(sent);
            }
        }
        let granted = |need: &Need| {
            grants
                .iter()
                .any(|grant| grant.account == need.applied.account)
        };
        let whole = !needs.is_empty() && needs.iter().all(granted);
        Ok(whole.then(|| self.take(needs)))
    }

    /// A question was not answered.
    pub fn failed(&mut self) {
        self.asking = self.asking.saturating_sub(1);
    }

    /// The book has given this purse up: what was in it is charged. It goes on
    /// under another name.
    pub fn lose(&mut self, holder: String) {
        *self = Purse {
            asking: self.asking,
            ..Purse::new(holder)
        };
    }

    /// A call is over: what it really took, of what it had reserved.
    pub fn settle(
        &mut self,
        id: &str,
        reservation: Reservation,
        took: impl Fn(Measure) -> i64,
    ) -> Settled {
        let mut settled = Settled {
            id: id.to_owned(),
            holder: reservation.holder,
            parts: Vec::new(),
        };
        for (Part { account, amount }, measure) in reservation.parts {
            let took = match measure {
                // The place is free again.
                Measure::Concurrent => 0,
                measure => took(measure).max(0),
            };
            if settled.holder == self.holder {
                if let Some(slice) = self.slices.get_mut(&account) {
                    slice.reserved -= amount;
                    slice.untold += took;
                    slice.left = slice.left.saturating_add(amount - took);
                }
            }
            if took > 0 {
                settled.parts.push(Part {
                    account,
                    amount: took,
                });
            }
        }
        settled
    }

    /// What to tell the book: calls that are over and what is left, and what runs
    /// low. `idle` gives back what no call has reserved. If it is heard, that is to
    /// be told to [`Purse::heard`]; if it [wants](Message::wants) something, its
    /// answer like that of a question.
    pub fn report(&mut self, now: Millis, settled: Vec<Settled>, idle: bool) -> Message {
        if idle {
            let slices = self.slices.values_mut();
            slices.for_each(|slice| slice.left = slice.left.min(0));
        }
        self.slices
            .retain(|_, slice| !slice.is_empty() || !slice.applied.window.is_over(now));
        let mut message = self.message();
        if self.asking == 0 {
            let slices = self.slices.iter();
            let mut holds: BTreeMap<String, i64> = slices
                .map(|(account, slice)| (account.clone(), slice.all()))
                .collect();
            for part in own_parts(&self.holder, &settled) {
                if let Some(held) = holds.get_mut(&part.account) {
                    *held -= part.amount;
                }
            }
            message.holds = Some(holds);
        }
        message.settled = settled;
        if !idle {
            message.for_ms = self.until.since(now);
            message.wants = self.low(now);
            self.asking += u32::from(!message.wants.is_empty());
        }
        message
    }

    /// The book has heard a message.
    pub fn heard(&mut self, message: &Message) {
        for part in own_parts(&self.holder, &message.settled) {
            if let Some(slice) = self.slices.get_mut(&part.account) {
                slice.untold -= part.amount;
            }
        }
    }

    fn low(&mut self, now: Millis) -> Vec<Want> {
        let runs_low = |slice: &&mut Slice| {
            let enough = slice.need.saturating_mul(slice.ahead) / 4;
            slice.left < enough && slice.reserved > 0 && !slice.applied.window.is_over(now)
        };
        let low = self.slices.values_mut().filter(runs_low);
        let wants = low.map(|slice| Want {
            applied: slice.applied.clone(),
            need: 0,
            want: slice.more(now),
        });
        wants.collect()
    }
}

fn own_parts<'a>(holder: &'a str, settled: &'a [Settled]) -> impl Iterator<Item = &'a Part> {
    let own = settled.iter().filter(move |one| one.holder == holder);
    own.flat_map(|one| &one.parts)
}

impl Slice {
    fn is_empty(&self) -> bool {
        self.left == 0 && self.reserved == 0 && self.untold == 0
    }

    /// Everything that the book may think is here.
    fn all(&self) -> i64 {
        let here = self.left.saturating_add(self.reserved);
        here.saturating_add(self.untold)
    }

    /// How much to borrow, for more calls if it has not lasted long.
    fn more(&mut self, now: Millis) -> i64 {
        self.ahead = match self.filled_at.take().map(|at| now.since(at)) {
            None => self.ahead,
            Some(0..SOON_MS) => (self.ahead * 2).min(MOST_AHEAD),
            Some(_) => (self.ahead / 2).max(FEWEST_AHEAD),
        };
        self.need.max(1).saturating_mul(self.ahead)
    }
}
