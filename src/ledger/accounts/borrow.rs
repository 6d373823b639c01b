//! A ledger that is itself a holder: what it borrows from the authorities of its
//! accounts, and what it tells them.

use super::account::Noted;
use super::{Account, AccountLedger, Kind, SHARE};
use crate::config::limits::Authority;
use crate::ledger::message::{Held, Message, Reply, Want, WAITED_FOR_MS};
use crate::refusal::Exceeded;
use crate::units::Millis;
use std::collections::{BTreeMap, BTreeSet};

/// So long nobody asks an authority for more than is needed that had not as much.
const SCARCE_FOR_MS: u64 = 1_000;
/// So many accounts are told of at most in one message, but for the first.
const REPORTED_AT_ONCE: usize = 500;
/// So many numbers are taken with one word to storage.
const NUMBERS_AT_ONCE: u64 = 1_000;

/// A request to an authority that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Borrow {
    authority: Authority,
    at: Millis,
    wants: Vec<Want>,
}

impl AccountLedger {
    /// What this ledger must borrow itself before it can lend what is wanted, by
    /// authority, with room for those who come next; and what it would better
    /// borrow, where an authority is not short of it.
    pub fn shortfall(&self, now: Millis, wants: &[Want]) -> BTreeMap<Authority, Vec<Want>> {
        let mut short: BTreeMap<Authority, Vec<Want>> = BTreeMap::new();
        for want in self.all_placed(wants).iter() {
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
        let wants = self.all_placed(wants);
        let mut wants = wants.iter();
        wants.any(|want| !self.keeps(&want.applied) && want.need > self.free(&want.applied.account))
    }

    /// What an authority said a moment ago to one who wanted no more of this.
    pub fn refused_lately(&self, now: Millis, wants: &[Want]) -> Option<Box<Exceeded>> {
        let missing = self.shortfall(now, wants).into_values().flatten();
        let mut needed = missing.filter(|want| want.need > 0);
        needed.find_map(|want| {
            let said = self.refused.lately(now, &want.applied.account, want.need)?;
            Some(Box::new(said.to_one_who_needs(want.need)))
        })
    }

    /// Asks an authority for what is missing. What comes of it must be told to
    /// [`AccountLedger::borrow_answered`] or [`AccountLedger::borrow_failed`].
    pub fn borrow(&mut self, now: Millis, authority: &Authority, missing: &[Want]) -> Message {
        for want in missing {
            // Whatever becomes of it, the authority will be told what is here.
            self.define(&want.applied);
        }
        let names = missing.iter().map(|want| want.applied.account.clone());
        let mut message = self.tell(now, authority, names.collect());
        message.partial = true;
        message.wants = missing.to_vec();
        for want in missing {
            self.forget_noted(&want.applied.account, message.number);
        }
        let borrow = Borrow {
            authority: authority.clone(),
            at: now,
            wants: missing.to_vec(),
        };
        self.under_way.insert(message.number, borrow);
        message
    }

    /// An authority has answered a request: what it has lent is here to be lent.
    pub fn borrow_answered(
        &mut self,
        now: Millis,
        request: &Message,
        reply: &Reply,
    ) -> Result<(), Box<Exceeded>> {
        let awaited = self.under_way.remove(&request.number).is_some();
        if !awaited {
            self.may_have_got_others(request.number, &request.wants);
        }
        let grants = match &reply.granted {
            Ok(grants) if awaited => grants,
            // What was not waited for any more was told not to be here.
            Ok(_) => return Ok(()),
            Err(exceeded) => {
                let wanted = request.wants.iter().map(|want| &want.applied);
                self.refused.note(now, wanted, exceeded);
                return Err(exceeded.clone());
            }
        };
        for grant in grants {
            let mut wants = request.wants.iter();
            if let Some(asked) = &grant.asked {
                self.fold(asked);
                let want = wants.find(|want| grant.is_for(want));
                if let Some(others) = want.and_then(|want| want.applied.among_others()) {
                    self.define(&others);
                    self.forget_noted(&others.account, request.number);
                }
            }
            if let Some(account) = self.accounts.get_mut(&grant.account) {
                account.cap = account.cap.saturating_add(grant.amount);
                account.level_above = grant.level;
                let asked = request.wants.iter();
                let asked = asked.filter(|want| grant.is_for(want));
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

    /// Nobody knows what became of a request.
    pub fn borrow_failed(&mut self, request: &Message) {
        self.under_way.remove(&request.number);
        self.may_have_got_others(request.number, &request.wants);
    }

    /// An authority may have lent something of accounts that were not asked for.
    fn may_have_got_others(&mut self, number: u64, wants: &[Want]) {
        for want in wants {
            if let Some(others) = want.applied.among_others() {
                self.define(&others);
                self.forget_noted(&others.account, number);
            }
        }
    }

    /// A request whose sender has ended is not waited for any more.
    fn stop_waiting(&mut self, now: Millis) {
        let is_old = |_: &u64, borrow: &mut Borrow| now.0.abs_diff(borrow.at.0) >= WAITED_FOR_MS;
        let old: Vec<(u64, Borrow)> = self.under_way.extract_if(.., is_old).collect();
        for (number, borrow) in old {
            self.may_have_got_others(number, &borrow.wants);
        }
    }

    /// What to tell an authority that has lent this ledger something, after giving
    /// back what nobody seems to need; `None` if it has noted all of it.
    pub fn report(&mut self, now: Millis, authority: &Authority) -> Option<Message> {
        for (name, account) in &mut self.accounts {
            let is_of_it = account.applied.authority.as_ref() == Some(authority);
            let surplus = match is_of_it && !self.is.contains(authority) {
                true => account.surplus(now),
                false => 0,
            };
            if surplus > 0 {
                account.cap = account.cap.saturating_sub(surplus);
                self.dirty.insert((Kind::Account, name.clone()));
            }
        }
        let is_first = self.unreported.contains(authority);
        let all = self.borrowed_from(authority);
        let changed = all.filter(|account| is_first || !self.is_noted(account));
        let most = if is_first {
            usize::MAX
        } else {
            REPORTED_AT_ONCE
        };
        let names = changed.take(most);
        let names: Vec<String> = names
            .map(|account| account.applied.account.clone())
            .collect();
        if names.is_empty() && !is_first {
            return None;
        }
        let mut message = self.tell(now, authority, names);
        message.partial = !is_first;
        for name in message.totals.keys().cloned().collect::<Vec<_>>() {
            self.forget_noted(&name, message.number);
        }
        Some(message)
    }

    /// An authority has answered a report, or perhaps did not hear it.
    pub fn reported(&mut self, authority: &Authority, report: &Message, reply: Option<&Reply>) {
        let Some(holds) = report.holds.as_ref() else {
            return;
        };
        if !reply.is_some_and(|reply| reply.noted) {
            return;
        }
        if !report.partial {
            self.unreported.remove(authority);
        }
        for (name, holds) in holds {
            let said = (report.totals.get(name), self.accounts.get_mut(name));
            let (Some(spent), Some(account)) = said else {
                continue;
            };
            // What a later message may have changed is told once more.
            if account.reported_in == report.number {
                account.noted = Some(Noted {
                    spent: *spent,
                    holds: *holds,
                    held: report.held.get(name).copied().unwrap_or_default(),
                });
            }
        }
    }

    /// From now on it is not known what an authority has noted of an account.
    fn forget_noted(&mut self, name: &str, number: u64) {
        if let Some(account) = self.accounts.get_mut(name) {
            account.noted = None;
            account.reported_in = number;
        }
    }

    fn is_noted(&self, account: &Account) -> bool {
        let held = self.held_here(account);
        account.noted == Some(account.to_note(held))
    }

    /// What is held here of an account; most have nothing.
    fn held_here(&self, account: &Account) -> Held {
        match account.held {
            0 => Held::default(),
            _ => self.held(&account.applied.account),
        }
    }

    /// The accounts that an authority has lent something of.
    fn borrowed_from<'b>(&'b self, authority: &'b Authority) -> impl Iterator<Item = &'b Account> {
        let is_own = self.is.contains(authority);
        let all = self.accounts.values().filter(move |_| !is_own);
        all.filter(|account| account.applied.authority.as_ref() == Some(authority))
    }

    fn count(&mut self) {
        self.number = self.number.saturating_add(1);
        if self.number >= self.numbered_up_to {
            self.numbered_up_to = self.number.saturating_add(NUMBERS_AT_ONCE);
            self.dirty.insert((Kind::Number, "next".to_owned()));
        }
    }

    /// A message that tells of accounts.
    fn tell(&mut self, now: Millis, authority: &Authority, names: Vec<String>) -> Message {
        self.count();
        let mut message = Message {
            number: self.number,
            durable: true,
            ..Message::default()
        };
        // What a request under way may bring is told by a later message.
        self.stop_waiting(now);
        let mut borrows = self.under_way.values();
        let states_holdings = !borrows.any(|borrow| borrow.authority == *authority);
        let mut holds = BTreeMap::new();
        for name in names {
            let Some(account) = self.accounts.get(&name) else {
                continue;
            };
            let Noted {
                spent,
                holds: has,
                held,
            } = account.to_note(self.held_here(account));
            if account.cap == 0 && spent > 0 {
                message.about.push(account.applied.clone());
            }
            if states_holdings && held != Held::default() {
                message.held.insert(name.clone(), held);
            }
            message.totals.insert(name.clone(), spent);
            holds.insert(name, has);
        }
        message.holds = states_holdings.then_some(holds);
        message
    }

    /// Whether it has something that an authority wants to hear of or get back.
    pub fn has_borrowed(&self) -> bool {
        let mut accounts = self.accounts.values();
        !self.unreported.is_empty()
            || accounts.any(|account| {
                let has = account.cap.saturating_sub(account.spent);
                let is_lent = has.saturating_sub(account.held) > 0;
                !self.keeps(&account.applied) && (is_lent || !self.is_noted(account))
            })
    }

    /// The authorities that have lent this ledger something.
    pub fn lenders(&self) -> BTreeSet<Authority> {
        let accounts = self.accounts.values();
        let all = accounts.filter_map(|account| account.applied.authority.as_ref());
        all.chain(&self.unreported)
            .filter(|authority| !self.is.contains(authority))
            .cloned()
            .collect()
    }
}
