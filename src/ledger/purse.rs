//! What one instance has borrowed from one book, and what of it is reserved for
//! calls under way. Most calls are admitted from it without a word to the book.

use super::message::{Grant, Message, Part, Reply, Settled, Want};
use crate::limits::{Applied, Measure};
use crate::refusal::Exceeded;
use crate::units::Millis;
use std::collections::BTreeMap;

/// For how many calls like the one at hand is borrowed ahead: the least, and the
/// most for those that keep coming back for more.
const FEWEST_AHEAD: i64 = 16;
const MOST_AHEAD: i64 = 1_024;
/// What no call has taken from for so long is given back.
const IDLE_MS: u64 = 1_000;
/// Who asks again so soon asks for more.
const SOON_MS: u64 = 5_000;
/// So long past a call's own deadline what it reserved is lent at most: calls
/// that come within this time need not ask for longer.
const MOST_ROOM_MS: u64 = 5 * 60_000;

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

impl Reservation {
    /// What a call needs, which nobody was asked for: it is settled all the same.
    pub fn unasked(needs: &[Need]) -> Reservation {
        let parts = needs.iter().map(|need| {
            let part = Part {
                account: need.applied.account.clone(),
                amount: 0,
            };
            (part, need.applied.measure)
        });
        Reservation {
            parts: parts.collect(),
            ..Reservation::default()
        }
    }

    /// Whether nothing is reserved, because no limit holds.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// What is asked for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is sent.
    pub message: Message,
    needs: Vec<Need>,
    /// What was here already and is kept for it meanwhile.
    taken: Vec<i64>,
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
    /// The limit is near: no more than was needed came.
    scarce: bool,
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
    used_at: Millis,
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
            used_at: Millis(0),
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

    /// Whether there is something in it that no call has reserved.
    pub fn has_some_idle(&self) -> bool {
        self.slices.values().any(|slice| slice.left > 0)
    }

    /// Whether there is, and no call has taken from it for a while.
    pub fn is_idle(&self, now: Millis) -> bool {
        self.has_some_idle() && now.since(self.used_at) >= IDLE_MS
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
        self.used_at = now;
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

    /// Asks for what a call needs beyond what is here, and for those that come
    /// after it. What comes of it must be told to [`Purse::answered`] or
    /// [`Purse::failed`].
    pub fn ask(&mut self, now: Millis, deadline: Millis, needs: Vec<Need>) -> Question {
        let mut message = self.message();
        self.asking += 1;
        let lasts = deadline.since(now);
        message.for_ms = lasts.saturating_add(lasts.min(MOST_ROOM_MS));
        let mut taken = Vec::new();
        for need in &needs {
            let slice = self.slice(now, need);
            let here = slice.left.clamp(0, need.amount);
            slice.left -= here;
            slice.reserved += here;
            message.wants.push(Want {
                applied: need.applied.clone(),
                need: need.amount - here,
                want: slice.more(now),
            });
            taken.push(here);
        }
        Question {
            message,
            needs,
            taken,
        }
    }

    /// The slice of an account; one whose time is over is empty.
    fn slice(&mut self, now: Millis, need: &Need) -> &mut Slice {
        let slice = self.slices.entry(need.applied.account.clone());
        let slice = slice.or_insert_with(|| Slice {
            applied: need.applied.clone(),
            left: 0,
            reserved: 0,
            untold: 0,
            level: 0,
            need: need.amount,
            ahead: FEWEST_AHEAD,
            scarce: false,
            filled_at: None,
        });
        if slice.applied.window.is_over(now) {
            slice.left = slice.left.min(0);
        }
        slice.applied.clone_from(&need.applied);
        slice.need = need.amount;
        slice
    }

    fn message(&mut self) -> Message {
        self.number += 1;
        Message {
            holder: self.holder.clone(),
            number: self.number,
            ..Message::default()
        }
    }

    /// The answer to a question that was sent at a time: the call's reservation,
    /// if it was given one.
    pub fn answered(
        &mut self,
        sent: Millis,
        question: Question,
        reply: &Reply,
    ) -> Result<Option<Reservation>, Box<Exceeded>> {
        if reply.lost || question.message.holder != self.holder {
            self.failed(question);
            return Ok(None);
        }
        let has_all = |grants: &Vec<Grant>| {
            let mut needs = question.needs.iter();
            needs.all(|need| grants.iter().any(|g| g.account == need.applied.account))
        };
        match &reply.granted {
            Ok(grants) if has_all(grants) => {
                self.fill(sent, &question.message, grants);
                self.untake(&question);
                self.asking = self.asking.saturating_sub(1);
                Ok(Some(self.take(&question.needs)))
            }
            Ok(_) => {
                self.failed(question);
                Ok(None)
            }
            Err(exceeded) => {
                self.failed(question);
                Err(exceeded.clone())
            }
        }
    }

    fn fill(&mut self, sent: Millis, message: &Message, grants: &[Grant]) {
        let until = Millis(sent.0.saturating_add(message.for_ms));
        self.until = self.until.max(until);
        for Grant {
            account,
            amount,
            level,
        } in grants
        {
            if let Some(slice) = self.slices.get_mut(account) {
                slice.left = slice.left.saturating_add(*amount);
                let wants = message.wants.iter();
                let needed = wants.filter(|want| want.applied.account == *account);
                slice.scarce = needed.map(|want| want.need).max() >= Some(*amount);
                slice.level = *level;
                slice.filled_at = Some(sent);
            }
        }
    }

    /// What was taken for a question is free again.
    fn untake(&mut self, question: &Question) {
        if question.message.holder != self.holder {
            return;
        }
        for (need, taken) in question.needs.iter().zip(&question.taken) {
            if let Some(slice) = self.slices.get_mut(&need.applied.account) {
                slice.reserved -= taken;
                slice.left += taken;
            }
        }
    }

    /// A question came to nothing.
    pub fn failed(&mut self, question: Question) {
        self.asking = self.asking.saturating_sub(1);
        self.untake(&question);
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
    /// low. `idle` gives back what no call has reserved. What comes of it must be
    /// told to [`Purse::heard`] or [`Purse::unheard`].
    pub fn report(&mut self, now: Millis, settled: Vec<Settled>, idle: bool) -> Message {
        for slice in self.slices.values_mut() {
            // Near a limit others need it now.
            if idle || slice.scarce {
                slice.left = slice.left.min(0);
            }
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

    /// The book has heard a report that was sent at a time.
    pub fn heard(&mut self, sent: Millis, report: &Message, reply: &Reply) {
        self.unheard(report);
        for part in own_parts(&self.holder, &report.settled) {
            if let Some(slice) = self.slices.get_mut(&part.account) {
                slice.untold -= part.amount;
            }
        }
        let ours = !reply.lost && report.holder == self.holder;
        if let (true, Ok(grants)) = (ours, &reply.granted) {
            self.fill(sent, report, grants);
        }
    }

    /// A report was perhaps not heard.
    pub fn unheard(&mut self, report: &Message) {
        if !report.wants.is_empty() {
            self.asking = self.asking.saturating_sub(1);
        }
    }

    fn low(&mut self, now: Millis) -> Vec<Want> {
        let runs_low = |slice: &&mut Slice| {
            let enough = slice.need.saturating_mul(slice.ahead) / 4;
            slice.left < enough
                && slice.reserved > 0
                && !slice.scarce
                && !slice.applied.window.is_over(now)
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
