//! A book that is itself a holder: what it borrows from the authorities of its
//! accounts, and what it tells them.

use super::super::message::{Message, Reply, Want, WAITED_FOR_MS};
use super::{Account, Book, Kind, SHARE};
use crate::limits::Authority;
use crate::refusal::Exceeded;
use crate::units::Millis;
use std::collections::{BTreeMap, BTreeSet};

/// So long nobody asks an authority for more than is needed that had not as much.
const SCARCE_FOR_MS: u64 = 1_000;
/// So many numbers are taken with one word to storage.
const NUMBERS_AT_ONCE: u64 = 1_000;

impl Book {
    /// What this book must borrow itself before it can lend what is wanted, by
    /// authority, with room for those who come next; and what it would better
    /// borrow, where an authority is not short of it.
    pub fn short_of(&self, now: Millis, wants: &[Want]) -> BTreeMap<Authority, Vec<Want>> {
        let mut short: BTreeMap<Authority, Vec<Want>> = BTreeMap::new();
        for want in wants {
            let Some(authority) = &want.applied.authority else {
                continue;
            };
            let account = self.accounts.get(&want.applied.account);
            let free = account.map_or(0, Account::free);
            let scarce = account.is_some_and(|account| now < account.scarce_until);
            let missing = (want.need - free).max(0);
            let enough = missing == 0 && (free >= want.want || scarce);
            if self.is.contains(authority) || enough {
                continue;
            }
            short.entry(authority.clone()).or_default().push(Want {
                applied: want.applied.clone(),
                need: missing,
                want: want.want.max(missing).saturating_mul(SHARE),
            });
        }
        short
    }

    /// Whether something of what is needed is not here.
    pub fn lacks(&self, wants: &[Want]) -> bool {
        let mut wants = wants.iter();
        wants.any(|want| !self.keeps(&want.applied) && want.need > self.free(&want.applied.account))
    }

    /// What an authority said a moment ago to one who wanted no more of this.
    pub fn refused_lately(&self, now: Millis, wants: &[Want]) -> Option<Box<Exceeded>> {
        let missing = self.short_of(now, wants).into_values().flatten();
        let mut needed = missing.filter(|want| want.need > 0);
        needed.find_map(|want| {
            let said = self.refused.lately(now, &want.applied.account, want.need)?;
            Some(Box::new(said.to_one_who_needs(want.need)))
        })
    }

    /// Asks an authority for what is missing. What comes of it must be told to
    /// [`Book::answered`] or [`Book::not_answered`].
    pub fn ask(&mut self, now: Millis, authority: &Authority, missing: &[Want]) -> Message {
        let mut message = self.tell(now, authority, false);
        message.wants = missing.to_vec();
        for want in missing {
            // Whatever becomes of it, the authority will be told what is here.
            self.know(&want.applied);
        }
        self.unsure.insert(authority.clone());
        let asked = (authority.clone(), now);
        self.under_way.insert(message.number, asked);
        message
    }

    /// An authority has answered a question: what it has lent is here to be lent.
    pub fn answered(
        &mut self,
        now: Millis,
        question: &Message,
        reply: &Reply,
    ) -> Result<(), Box<Exceeded>> {
        let awaited = self.under_way.remove(&question.number).is_some();
        let grants = match &reply.granted {
            Ok(grants) if awaited => grants,
            // What was not waited for any more was told not to be here.
            Ok(_) => return Ok(()),
            Err(exceeded) => {
                let wanted = question.wants.iter().map(|want| &want.applied);
                self.refused.note(now, wanted, exceeded);
                return Err(exceeded.clone());
            }
        };
        for grant in grants {
            if let Some(account) = self.accounts.get_mut(&grant.account) {
                account.cap = account.cap.saturating_add(grant.amount);
                account.level_above = grant.level;
                let asked = question.wants.iter();
                let asked = asked.filter(|want| want.applied.account == grant.account);
                if asked.map(|want| want.want).max() > Some(grant.amount) {
                    account.scarce_until = Millis(now.0.saturating_add(SCARCE_FOR_MS));
                }
                // It came for somebody who will take it in a moment.
                account.asked_at = now;
                account.weighed_at = Some(now);
            }
        }
        Ok(())
    }

    /// Nobody knows what became of a question.
    pub fn not_answered(&mut self, question: &Message) {
        self.under_way.remove(&question.number);
    }

    /// What to tell an authority that has lent this book something, after giving
    /// back what nobody seems to need; `None` if there is nothing.
    pub fn report(&mut self, now: Millis, authority: &Authority) -> Option<Message> {
        let message = self.tell(now, authority, true);
        let is_news = !message.totals.is_empty() || self.unsure.contains(authority);
        is_news.then_some(message)
    }

    /// Whether an authority has heard a report.
    pub fn reported(&mut self, authority: &Authority, report: &Message, heard: bool) {
        if !heard {
            self.unsure.insert(authority.clone());
        } else if report.holds.is_some() && report.number == self.number {
            self.unsure.remove(authority);
        }
    }

    fn count(&mut self) {
        self.number = self.number.saturating_add(1);
        if self.number >= self.numbered_up_to {
            self.numbered_up_to = self.number.saturating_add(NUMBERS_AT_ONCE);
            self.dirty.insert((Kind::Number, "next".to_owned()));
        }
    }

    fn tell(&mut self, now: Millis, authority: &Authority, gives_back: bool) -> Message {
        self.count();
        let mut message = Message {
            number: self.number,
            durable: true,
            ..Message::default()
        };
        // What a question under way may bring is told by a later message.
        self.under_way
            .retain(|_, (_, asked)| now.0.abs_diff(asked.0) < WAITED_FOR_MS);
        let mut asked = self.under_way.values();
        let says_what_it_holds = !asked.any(|(whom, _)| whom == authority);
        let mut holds = BTreeMap::new();
        for (name, account) in &mut self.accounts {
            if account.applied.authority.as_ref() != Some(authority) || self.is.contains(authority)
            {
                continue;
            }
            message.totals.insert(name.clone(), account.spent);
            if account.cap == 0 && account.spent > 0 {
                message.about.push(account.applied.clone());
            }
            if !says_what_it_holds {
                continue;
            }
            let surplus = if gives_back { account.surplus(now) } else { 0 };
            if surplus > 0 {
                account.cap = account.cap.saturating_sub(surplus);
                self.dirty.insert((Kind::Account, name.clone()));
            }
            holds.insert(name.clone(), account.cap.saturating_sub(account.spent));
        }
        message.holds = says_what_it_holds.then_some(holds);
        message
    }

    /// Whether it has something that an authority wants to hear of or get back.
    pub fn has_borrowed(&self) -> bool {
        let mut accounts = self.accounts.values();
        !self.unsure.is_empty()
            || accounts.any(|account| {
                !self.keeps(&account.applied) && account.cap.saturating_sub(account.spent) > 0
            })
    }

    /// The authorities that have lent this book something.
    pub fn funded_by(&self) -> BTreeSet<Authority> {
        let accounts = self.accounts.values();
        let all = accounts.filter_map(|account| account.applied.authority.as_ref());
        all.chain(&self.unsure)
            .filter(|authority| !self.is.contains(authority))
            .cloned()
            .collect()
    }
}
