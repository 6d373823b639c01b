//! What one instance has borrowed from one ledger, and what of it is reserved for
//! calls under way. Most calls are admitted from it without a word to the ledger.

mod holdings;
mod parts;
mod values;
mod waiting;

pub use parts::{LeaseRequest, Need, Reservation};

use super::message::{Grant, Message, Part, Reply, Settled, Want};
use super::refused::Refused;
use crate::config::limits::Measure;
use crate::refusal::Exceeded;
use crate::units::Millis;
use parts::{Asked, Slice};
use std::collections::{BTreeMap, BTreeSet};

/// What no call has taken from for so long is given back.
const IDLE_MS: u64 = 1_000;
/// So long past a call's own deadline what it reserved is lent at most: calls
/// that come within this time need not ask for longer.
const MOST_ROOM_MS: u64 = 5 * 60_000;

/// The state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    holder: String,
    number: u64,
    /// Messages under way that may bring something, by number.
    under_way: BTreeMap<u64, Asked>,
    used_at: Millis,
    /// What was borrowed before then must be settled by then.
    until: Millis,
    slices: BTreeMap<String, Slice>,
    /// Accounts that the ledger counts among others.
    folded: BTreeSet<String>,
    refused: Refused,
    /// Calls under way.
    open: u64,
}

impl Lease {
    /// An empty one, under a name that nobody else has.
    pub fn new(holder: String) -> Lease {
        Lease {
            holder,
            number: 0,
            under_way: BTreeMap::new(),
            used_at: Millis(0),
            until: Millis(0),
            slices: BTreeMap::new(),
            folded: BTreeSet::new(),
            refused: Refused::by_a_ledger(),
            open: 0,
        }
    }

    /// The name it goes by at its ledger.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Whether nothing is in it or under way.
    pub fn is_done(&self) -> bool {
        let is_empty = self.slices.values().all(Slice::is_empty);
        is_empty && self.under_way.is_empty() && self.is_noted()
    }

    /// Whether there is something in it that no call has reserved, as far as the
    /// ledger knows.
    pub fn has_some_idle(&self) -> bool {
        !self.is_noted() || self.slices.values().any(|slice| slice.left > 0)
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
        let needs = self.placed(needs);
        // What costs nothing goes from nothing.
        let mut needs_some = needs.iter().filter(|need| need.amount > 0).peekable();
        let fits = |need: &Need| {
            let slice = self.slices.get(&need.applied.account);
            slice.is_some_and(|slice| {
                slice.left >= need.amount && !slice.applied.window.is_over(now)
            })
        };
        let here = needs_some.peek().is_none() || deadline <= self.until && needs_some.all(fits);
        here.then(|| self.take(now, &needs))
    }

    fn take(&mut self, now: Millis, needs: &[Need]) -> Reservation {
        self.used_at = now;
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
            slice.used_at = now;
            let part = Part {
                account: applied.account.clone(),
                amount: *amount,
            };
            reservation.parts.push((part, applied.measure));
            if applied.measure == Measure::Money && !applied.is_unbudgeted() {
                reservation
                    .levels
                    .push((applied.limit.clone(), slice.level));
            }
        }
        self.open = self.open.saturating_add(u64::from(!reservation.is_empty()));
        reservation
    }

    /// What the ledger said a moment ago to a call that needed no more than this
    /// one beyond what is here.
    pub fn refused_lately(&self, now: Millis, needs: &[Need]) -> Option<Box<Exceeded>> {
        let needs = self.placed(needs);
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
    /// after it. What comes of it must be told to [`Lease::answered`] or
    /// [`Lease::request_failed`].
    pub fn request(&mut self, now: Millis, deadline: Millis, needs: Vec<Need>) -> LeaseRequest {
        self.stop_waiting(now);
        let needs = self.place(needs);
        let mut message = self.message();
        message.open = self.open.saturating_add(1);
        let lasts = deadline.since(now);
        message.for_ms = lasts.saturating_add(lasts.min(MOST_ROOM_MS));
        let (mut taken, mut others) = (Vec::new(), Vec::new());
        for need in &needs {
            let slice = self.slice(now, need);
            let here = slice.left.clamp(0, need.amount);
            slice.left -= here;
            slice.reserved += here;
            if here < need.amount || !slice.is_ample() {
                slice.forget_noted(message.number);
                others.extend(need.among_others());
                message.wants.push(Want {
                    applied: need.applied.clone(),
                    need: need.amount - here,
                    want: slice.more(now),
                });
            }
            taken.push((need.applied.account.clone(), here));
        }
        let asked = Asked {
            at: now,
            taken,
            others,
        };
        self.under_way.insert(message.number, asked);
        LeaseRequest { message, needs }
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
        Message {
            holder: self.holder.clone(),
            number: self.number,
            partial: true,
            open: self.open,
            ..Message::default()
        }
    }

    /// The answer to a request that was sent at a time: the call's reservation,
    /// if it was given one.
    pub fn answered(
        &mut self,
        sent: Millis,
        request: LeaseRequest,
        reply: &Reply,
    ) -> Result<Option<Reservation>, Box<Exceeded>> {
        if !self.is_awaited(&request.message) || reply.lost {
            self.request_failed(request);
            return Ok(None);
        }
        let has_all = |grants: &Vec<Grant>| {
            let mut wants = request.message.wants.iter();
            wants.all(|want| grants.iter().any(|grant| grant.is_for(want)))
        };
        match &reply.granted {
            Ok(grants) if has_all(grants) => {
                self.fill(sent, &request.message, grants);
                self.is_answered(&request.message);
                self.over(&request.message);
                let needs = self.place(request.needs);
                Ok(Some(self.take(sent, &needs)))
            }
            Ok(_) => {
                self.request_failed(request);
                Ok(None)
            }
            Err(exceeded) => {
                let wanted = request.needs.iter().map(|need| &need.applied);
                self.refused.note(sent, wanted, exceeded);
                let mut needs = request.needs.iter();
                let all = needs.find(|need| exceeded.is_of(&need.applied));
                let said = exceeded.as_ref().clone();
                let said = said.to_one_who_needs(all.map_or(exceeded.needed, |need| need.amount));
                self.request_failed(request);
                Err(Box::new(said))
            }
        }
    }

    fn fill(&mut self, sent: Millis, message: &Message, grants: &[Grant]) {
        let until = Millis(sent.0.saturating_add(message.for_ms));
        self.until = self.until.max(until);
        for grant in grants {
            let Grant {
                account,
                amount,
                level,
                ..
            } = grant;
            let mut wants = message.wants.iter();
            let asked = wants.find(|want| grant.is_for(want));
            if let (Some(_), Some(asked)) = (&grant.asked, asked) {
                self.fold(sent, asked, message.number);
            }
            if let Some(slice) = self.slices.get_mut(account) {
                slice.left = slice.left.saturating_add(*amount);
                if let Some(asked) = asked {
                    slice.scarce = asked.need >= *amount;
                    slice.lent(sent, *amount >= asked.want / 2);
                }
                slice.level = *level;
                slice.ample_since = sent;
            }
        }
    }

    /// A request came to nothing.
    pub fn request_failed(&mut self, request: LeaseRequest) {
        self.over(&request.message);
    }

    /// The ledger has given this lease up: what was in it is charged. It goes on
    /// under another name.
    pub fn replace(&mut self, holder: String) {
        *self = Lease::new(holder);
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
            held: false,
            closes: None,
        };
        if settled.holder == self.holder && !reservation.parts.is_empty() {
            self.open = self.open.saturating_sub(1);
        }
        for (Part { account, amount }, measure) in reservation.parts {
            let took = match measure {
                // The place is free again.
                Measure::Concurrent => 0,
                measure => took(measure, amount).max(0),
            };
            if settled.holder == self.holder {
                if let Some(slice) = self.slices.get_mut(&account) {
                    slice.reserved -= amount;
                    slice.unreported += took;
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
}

fn own_parts<'a>(holder: &'a str, settled: &'a [Settled]) -> impl Iterator<Item = &'a Part> {
    let own = settled.iter().filter(move |one| one.holder == holder);
    own.flat_map(|one| &one.parts)
}
