//! One object's accounts and who has borrowed from them. Of each account
//! `spent`, what is held and all that is lent together never exceed the cap, so
//! whatever holders do with what they have, the limit is kept; only a call that
//! takes more than its bound can go over it.

mod borrow;
mod account;
mod hold;
mod holdings;
mod lend;
mod stored;
mod time;
mod values;

pub use account::{Account, Crossed, LostHolder, Released, Standing};
pub use stored::{Change, Stored};

use super::message::{Message, Part, Reply, Settled, Want};
use super::refused::Refused;
use crate::config::limits::{Applied, Authority};
use crate::refusal::Exceeded;
use crate::units::Millis;
use account::{Hold, Loan};
use borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

/// Of what is free, a holder is lent at most this part ahead, so that loans
/// shrink as a limit comes near; more of what was borrowed for it.
const SHARE: i64 = 8;
const BORROWED_SHARE: i64 = 2;

/// The state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLedger {
    is: BTreeSet<Authority>,
    accounts: BTreeMap<String, Account>,
    loans: BTreeMap<String, Loan>,
    /// What is held, by the holder that was lost or the call that was cut off.
    holds: BTreeMap<String, Hold>,
    dirty: BTreeSet<(Kind, String)>,
    /// How many accounts there are beside each that takes in what is too many.
    values: BTreeMap<String, u32>,
    /// Accounts that authorities count among others.
    folded: BTreeSet<String>,
    /// What authorities have refused.
    refused: Refused,
    /// Requests to authorities that are under way.
    under_way: BTreeMap<u64, Borrow>,
    /// Authorities that were told nothing since this ledger was read from storage.
    unreported: BTreeSet<Authority>,
    /// The number of the last message to one, and up to where numbers are taken,
    /// as far as storage knows: they rise whatever becomes of memory and clock.
    number: u64,
    numbered_up_to: u64,
    tidied_at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Account,
    Loan,
    /// What a loan has of an account.
    Left,
    Hold,
    Number,
}

impl AccountLedger {
    /// All accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// How the accounts of limits stand.
    pub fn standings(&self) -> Vec<Standing> {
        let limits = self.accounts.values();
        let limits = limits.filter(|account| !account.applied.is_unbudgeted());
        limits.map(|account| self.standing(account)).collect()
    }

    /// What is lent of an account in all.
    pub fn lent(&self, account: &str) -> i64 {
        self.accounts.get(account).map_or(0, |account| account.lent)
    }

    /// Takes a message; its calls that were settled before must have been taken
    /// out. What it wants of accounts that are kept elsewhere has to be
    /// borrowed first, see [`AccountLedger::shortfall`].
    pub fn take(&mut self, now: Millis, message: &Message) -> Reply {
        let about = message.settled.iter().flat_map(|one| &one.about);
        for applied in about.chain(&message.about) {
            // Of one that is known, only who wants something of it says how it is.
            if !self.accounts.contains_key(&applied.account) {
                self.define(applied);
            }
        }
        for settled in &message.settled {
            match settled.held {
                true => self.hold(now, settled),
                false => self.settle_all(settled),
            }
        }
        for (account, total) in &message.totals {
            let Some(known) = self.accounts.get_mut(account) else {
                continue;
            };
            let before = known.totals.get(&message.holder).copied();
            let more = total.saturating_sub(before.unwrap_or_default());
            // What comes late says less than what came before it.
            if more > 0 {
                known.totals.insert(message.holder.clone(), *total);
                self.settle(&message.holder, account, more);
            }
        }
        let known = self.loans.contains_key(&message.holder);
        if !known && self.holds.contains_key(&message.holder) {
            return Reply {
                lost: true,
                ..Reply::nothing()
            };
        }
        if !known && message.is_empty() && message.number <= 1 {
            // Nothing was asked before that may still come.
            return Reply {
                noted: message.holds.is_some(),
                ..Reply::nothing()
            };
        }
        let heard = self.note_holdings(now, message);
        self.mark(Kind::Loan, &message.holder);
        let granted = match heard.is_stale {
            true => Ok(Vec::new()),
            false => self.lend(now, message),
        };
        Reply {
            granted,
            lost: false,
            noted: heard.is_noted,
        }
    }

    fn settle_all(&mut self, settled: &Settled) {
        for Part { account, amount } in &settled.parts {
            self.settle(&settled.holder, account, *amount);
        }
    }

    /// What a call really took. It is taken from what its holder has; more than
    /// that is taken from what is free, or goes over the cap.
    fn settle(&mut self, holder: &str, name: &str, amount: i64) {
        let amount = amount.max(0);
        if !self.accounts.contains_key(name) {
            return;
        }
        let charged_before = self.draw(holder, name, amount);
        if let Some(account) = self.accounts.get_mut(name) {
            account.spent = account.spent.saturating_add(amount - charged_before);
        }
        self.mark(Kind::Account, name);
    }

    /// Takes an amount out of what its holder has, or out of what is held for it
    /// if it was lost. How much of it counts as spent already.
    fn draw(&mut self, holder: &str, name: &str, amount: i64) -> i64 {
        let Some(account) = self.accounts.get_mut(name) else {
            return 0;
        };
        if let Some(loan) = self.loans.get_mut(holder) {
            let left = loan.left.entry(name.to_owned()).or_default();
            let taken = amount.min(*left);
            *left -= taken;
            account.lent -= taken;
            self.mark_left(holder, name);
        } else if let Some(hold) = self.holds.get_mut(holder) {
            let left = hold.left.entry(name.to_owned()).or_default();
            let covered = amount.min(*left);
            *left -= covered;
            let is_spent = hold.is_spent;
            if !is_spent {
                account.held -= covered;
            }
            self.mark(Kind::Hold, holder);
            return if is_spent { covered } else { 0 };
        }
        0
    }

    /// An account, as it is said to be now.
    fn define(&mut self, applied: &Applied) {
        let own = self.keeps(applied);
        if !self.accounts.contains_key(&applied.account) {
            self.count_value(applied);
        }
        let account = self.accounts.entry(applied.account.clone());
        let account = account.or_insert_with(|| Account::of(applied));
        if account.applied != *applied {
            account.applied = applied.clone();
        }
        if own {
            account.cap = applied.cap;
        }
        self.mark(Kind::Account, &applied.account);
    }

    /// Whether an account is this ledger's own.
    fn keeps(&self, applied: &Applied) -> bool {
        let authority = applied.authority.as_ref();
        authority.is_none_or(|authority| self.is.contains(authority))
    }

    fn free(&self, account: &str) -> i64 {
        self.accounts.get(account).map_or(0, Account::free)
    }

    fn exceeded(&self, want: &Want) -> Box<Exceeded> {
        let applied = want.applied.clone();
        let account = self.accounts.get(&applied.account);
        let standing = account.map(|account| self.standing(account));
        let (spent, reserved, held) = standing.map_or((0, 0, 0), |standing| {
            (standing.spent, standing.reserved, standing.held.amount)
        });
        Box::new(Exceeded {
            limit: applied.limit,
            whom: applied.whom,
            measure: applied.measure,
            cap: applied.cap,
            spent,
            reserved,
            held,
            needed: want.need,
            resets: applied.window.end,
            downgrade: applied.downgrade,
            share: None,
            retry_after: None,
        })
    }

    fn mark(&mut self, kind: Kind, name: &str) {
        self.dirty.insert((kind, name.to_owned()));
    }

    fn mark_left(&mut self, holder: &str, account: &str) {
        let name = stored::left_name(holder, account);
        self.dirty.insert((Kind::Left, name));
    }
}
