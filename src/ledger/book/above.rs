//! A book that is itself a holder: what it borrows from the authorities of its
//! accounts, and what it tells them.

use super::super::message::{Grant, Message, Want};
use super::{Book, Kind, SHARE};
use crate::limits::Authority;
use crate::refusal::Exceeded;
use crate::units::Millis;
use std::collections::{BTreeMap, BTreeSet};

impl Book {
    /// How long an authority lends to a book, which tells it every now and then.
    pub const FUNDED_FOR_MS: u64 = 10 * 60_000;

    /// What this book must borrow itself before it can lend what is wanted:
    /// by authority, with room for those who come next.
    pub fn short_of(&self, wants: &[Want]) -> BTreeMap<Authority, Vec<Want>> {
        let mut short: BTreeMap<Authority, Vec<Want>> = BTreeMap::new();
        for want in wants {
            let authority = &want.applied.authority;
            let missing = want.need - self.free(&want.applied.account);
            if self.is.contains(authority) || missing <= 0 {
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

    /// An authority has refused this book something.
    pub fn refused(&mut self, now: Millis, wants: &[Want], exceeded: &Exceeded) {
        let wanted = wants.iter().map(|want| &want.applied);
        self.refused.note(now, wanted, exceeded);
    }

    /// What an authority said a moment ago to one who wanted no more of this.
    pub fn refused_lately(&self, now: Millis, wants: &[Want]) -> Option<Box<Exceeded>> {
        let mut missing = self.short_of(wants).into_values().flatten();
        missing.find_map(|want| {
            let said = self.refused.lately(now, &want.applied.account, want.need)?;
            Some(Box::new(said.to_one_who_needs(want.need)))
        })
    }

    /// Adds what an authority has lent this book.
    pub fn fund(&mut self, wants: &[Want], grants: &[Grant]) {
        for grant in grants {
            if let Some(want) = wants
                .iter()
                .find(|want| want.applied.account == grant.account)
            {
                self.open(want);
            }
            if let Some(account) = self.accounts.get_mut(&grant.account) {
                account.cap = account.cap.saturating_add(grant.amount);
                account.level_above = grant.level;
            }
        }
    }

    /// What to tell an authority that has lent this book something, after giving
    /// back what nobody seems to need; `None` if there is nothing.
    pub fn report(&mut self, now: Millis, authority: &Authority) -> Option<Message> {
        let mut message = Message {
            number: now.0,
            durable: true,
            for_ms: Book::FUNDED_FOR_MS,
            ..Message::default()
        };
        let mut holds = BTreeMap::new();
        for (name, account) in &mut self.accounts {
            if account.applied.authority != *authority || self.is.contains(authority) {
                continue;
            }
            let surplus = account.surplus(now);
            if surplus > 0 {
                account.cap = account.cap.saturating_sub(surplus);
                self.dirty.insert((Kind::Account, name.clone()));
            }
            message.totals.insert(name.clone(), account.spent);
            holds.insert(name.clone(), account.cap.saturating_sub(account.spent));
        }
        message.holds = Some(holds);
        (!message.totals.is_empty()).then_some(message)
    }

    /// Whether it has something that an authority wants to hear of or get back.
    pub fn has_borrowed(&self) -> bool {
        let elsewhere = |authority| !self.is.contains(authority);
        let mut accounts = self.accounts.values();
        accounts.any(|account| {
            elsewhere(&account.applied.authority) && account.cap.saturating_sub(account.spent) > 0
        })
    }

    /// The authorities that have lent this book something.
    pub fn funded_by(&self) -> BTreeSet<Authority> {
        let authorities = self
            .accounts
            .values()
            .map(|account| &account.applied.authority);
        authorities
            .filter(|authority| !self.is.contains(authority))
            .cloned()
            .collect()
    }

    /// An authority has given this book up: nothing is left to lend of what it
    /// had lent.
    pub fn disowned(&mut self, authority: &Authority) {
        for (name, account) in &mut self.accounts {
            if account.applied.authority == *authority {
                account.cap = account.spent.saturating_add(account.lent);
                self.dirty.insert((Kind::Account, name.clone()));
            }
        }
    }
}
