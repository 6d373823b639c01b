//! What one instance has borrowed from one book, and what of it is reserved for
//! calls under way. Most calls are admitted from it without a word to the book.

mod parts;
mod waiting;

pub use parts::{Need, Question, Reservation};

use super::message::{Grant, Message, Part, Reply, Settled, Want};
use super::refused::Refused;
use crate::limits::Measure;
use crate::refusal::Exceeded;
use crate::units::Millis;
use parts::{Asked, Slice};
use std::collections::BTreeMap;

/// What no call has taken from for so long is given back.
const IDLE_MS: u64 = 1_000;
/// So long past a call's own deadline what it reserved is lent at most: calls
/// that come within this time need not ask for longer.
const MOST_ROOM_MS: u64 = 5 * 60_000;

/// The state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purse {
    holder: String,
    number: u64,
    /// Messages under way that may bring something, by number.
    under_way: BTreeMap<u64, Asked>,
    used_at: Millis,
    /// What was borrowed before then must be settled by then.
    until: Millis,
    slices: BTreeMap<String, Slice>,
    refused: Refused,
    /// The book may think that there is more here than there is: something was
    /// said since it last heard what is here.
    unsure: bool,
}

impl Purse {
    /// An empty one, under a name that nobody else has.
    pub fn new(holder: String) -> Purse {
        Purse {
            holder,
            number: 0,
            under_way: BTreeMap::new(),
            used_at: Millis(0),
            until: Millis(0),
            slices: BTreeMap::new(),
            refused: Refused::by_a_book(),
            unsure: false,
        }
    }

    /// The name it goes by at its book.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Whether nothing is in it or under way.
    pub fn is_done(&self) -> bool {
        let is_empty = self.slices.values().all(Slice::is_empty);
        is_empty && self.under_way.is_empty() && !self.unsure
    }

    /// Whether there is something in it that no call has reserved, as far as the
    /// book knows.
    pub fn has_some_idle(&self) -> bool {
        self.unsure || self.slices.values().any(|slice| slice.left > 0)
    }

    /// Whether there is, and no call has taken from it for a while.
    pub fn is_idle(&self, now: Millis) -> bool {
        self.has_some_idle() && now.0.abs_diff(self.used_at.0) >= IDLE_MS
    }

    /// Reserves what a call needs until its deadline, if it is here.
    pub fn reserve(
        &mut self,
        now: Millis,
        deadline: Millis,
        needs: &[Need],
    ) -> Option<Reservation> {
        // What costs nothing goes from nothing.
        let mut needs_some = needs.iter().filter(|need| need.amount > 0).peekable();
        let fits = |need: &Need| {
            let slice = self.slices.get(&need.applied.account);
            slice.is_some_and(|slice| {
                slice.left >= need.amount && !slice.applied.window.is_over(now)
            })
        };
        let here = needs_some.peek().is_none() || deadline <= self.until && needs_some.all(fits);
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
            slice.used_at = self.used_at;
            let part = Part {
                account: applied.account.clone(),
                amount: *amount,
            };
            reservation.parts.push((part, applied.measure));
            if applied.measure == Measure::Money && !applied.is_endless() {
                reservation
                    .levels
                    .push((applied.limit.clone(), slice.level));
            }
        }
        reservation
    }

    /// What the book said a moment ago to a call that needed no more than this
    /// one beyond what is here.
    pub fn refused_lately(&self, now: Millis, needs: &[Need]) -> Option<Box<Exceeded>> {
        let mut needs = needs.iter();
        needs.find_map(|need| {
            let account = &need.applied.account;
            let here = self.slices.get(account).map_or(0, |slice| slice.left);
            let more = need.amount - here.clamp(0, need.amount);
            let said = self.refused.lately(now, account, more)?;
            Some(Box::new(said.to_one_who_needs(need.amount)))
        })
    }

    /// Asks for what a call needs beyond what is here, and for those that come
    /// after it. What comes of it must be told to [`Purse::answered`] or
    /// [`Purse::failed`].
    pub fn ask(&mut self, now: Millis, deadline: Millis, needs: Vec<Need>) -> Question {
        self.stop_waiting(now);
        let mut message = self.message();
        let lasts = deadline.since(now);
        message.for_ms = lasts.saturating_add(lasts.min(MOST_ROOM_MS));
        let mut taken = Vec::new();
        for need in &needs {
            let slice = self.slice(now, need);
            let here = slice.left.clamp(0, need.amount);
            slice.left -= here;
            slice.reserved += here;
            if here < need.amount || !slice.is_ample() {
                message.wants.push(Want {
                    applied: need.applied.clone(),
                    need: need.amount - here,
                    want: slice.more(now),
                });
            }
            taken.push((need.applied.account.clone(), here));
        }
        let asked = Asked { at: now, taken };
        self.under_way.insert(message.number, asked);
        Question { message, needs }
    }

    /// The slice of an account; one whose time is over is empty.
    fn slice(&mut self, now: Millis, need: &Need) -> &mut Slice {
        let slice = self.slices.entry(need.applied.account.clone());
        let slice = slice.or_insert_with(|| Slice::of(need));
        if slice.applied.window.is_over(now) {
            slice.left = slice.left.min(0);
        }
        slice.applied.clone_from(&need.applied);
        slice.need = need.amount;
        slice
    }

    fn message(&mut self) -> Message {
        self.number += 1;
        self.unsure = true;
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
        if !self.is_awaited(&question.message) || reply.lost {
            self.failed(question);
            return Ok(None);
        }
        let has_all = |grants: &Vec<Grant>| {
            let mut wants = question.message.wants.iter();
            wants.all(|want| grants.iter().any(|g| g.account == want.applied.account))
        };
        match &reply.granted {
            Ok(grants) if has_all(grants) => {
                self.fill(sent, &question.message, grants);
                self.over(&question.message);
                Ok(Some(self.take(&question.needs)))
            }
            Ok(_) => {
                self.failed(question);
                Ok(None)
            }
            Err(exceeded) => {
                let wanted = question.needs.iter().map(|need| &need.applied);
                self.refused.note(sent, wanted, exceeded);
                let mut needs = question.needs.iter();
                let all = needs.find(|need| exceeded.is_of(&need.applied));
                let said = exceeded.as_ref().clone();
                let said = said.to_one_who_needs(all.map_or(exceeded.needed, |need| need.amount));
                self.failed(question);
                Err(Box::new(said))
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
                let mut wants = message.wants.iter();
                if let Some(asked) = wants.find(|want| want.applied.account == *account) {
                    slice.scarce = asked.need >= *amount;
                    slice.lent(sent, *amount >= asked.want / 2);
                }
                slice.level = *level;
                slice.ample_since = sent;
            }
        }
    }

    /// A question came to nothing.
    pub fn failed(&mut self, question: Question) {
        self.over(&question.message);
    }

    /// The book has given this purse up: what was in it is charged. It goes on
    /// under another name.
    pub fn lose(&mut self, holder: String) {
        *self = Purse::new(holder);
    }

    /// A call is over: what it really took of a measure, given what it had reserved.
    pub fn settle(
        &mut self,
        id: &str,
        reservation: Reservation,
        took: impl Fn(Measure, i64) -> i64,
    ) -> Settled {
        let mut settled = Settled {
            id: id.to_owned(),
            holder: reservation.holder,
            parts: Vec::new(),
            about: reservation.unasked,
        };
        for (Part { account, amount }, measure) in reservation.parts {
            let took = match measure {
                // The place is free again.
                Measure::Concurrent => 0,
                measure => took(measure, amount).max(0),
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
        self.stop_waiting(now);
        // What another message may still bring is told by a later one.
        let says_what_it_holds = self.under_way.is_empty();
        for slice in self.slices.values_mut().filter(|_| says_what_it_holds) {
            let is_over = slice.applied.window.is_over(now);
            match idle || is_over || slice.scarce {
                // Near a limit others need it now, and nobody needs another time's.
                true => slice.left = slice.left.min(0),
                false => slice.give_back_surplus(now),
            }
        }
        self.slices
            .retain(|_, slice| !slice.is_empty() || !slice.applied.window.is_over(now));
        let mut message = self.message();
        if says_what_it_holds {
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
            if !message.wants.is_empty() {
                let taken = Vec::new();
                let asked = Asked { at: now, taken };
                self.under_way.insert(message.number, asked);
            }
        }
        message
    }

    /// The book has heard a report that was sent at a time.
    pub fn heard(&mut self, sent: Millis, report: &Message, reply: &Reply) {
        let brings = self.is_awaited(report) && !reply.lost;
        self.over(report);
        for part in own_parts(&self.holder, &report.settled) {
            if let Some(slice) = self.slices.get_mut(&part.account) {
                slice.untold -= part.amount;
            }
        }
        if report.holder == self.holder && report.number == self.number {
            self.unsure = !self.is_what_is_here(report);
        }
        if let (true, Ok(grants)) = (brings, &reply.granted) {
            self.fill(sent, report, grants);
        }
    }

    /// A report was perhaps not heard.
    pub fn unheard(&mut self, report: &Message) {
        self.over(report);
    }

    /// Whether no more was told than is here. What calls took does not count: the
    /// book may have heard of them from another report.
    fn is_what_is_here(&self, report: &Message) -> bool {
        let here = |slice: &Slice| slice.left.saturating_add(slice.reserved);
        let all = |account: &String| self.slices.get(account).map_or(0, here);
        let holds = report.holds.as_ref();
        holds.is_some_and(|holds| holds.iter().all(|(account, held)| *held <= all(account)))
    }

    fn low(&mut self, now: Millis) -> Vec<Want> {
        let runs_low = |slice: &&mut Slice| {
            !slice.is_ample()
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
