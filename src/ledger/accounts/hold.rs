//! What is held: the most that calls can have taken of which nobody knows what
//! they took, because their instance died or the platform cut them off. It
//! counts against its limits until their time is over or an operator releases
//! it, and is never said to be spent.

use super::account::{Account, Hold, LostHolder, Released, Standing};
use super::{AccountLedger, Kind};
use crate::config::limits::Measure;
use crate::ledger::message::{Held, Part, Settled};
use crate::units::Millis;
use std::collections::BTreeMap;

impl AccountLedger {
    /// A call was cut off, or goes on in the background: what was reserved for it is
    /// held under its own name, once.
    pub(super) fn hold(&mut self, now: Millis, settled: &Settled) {
        if self.holds.contains_key(&settled.id) {
            return;
        }
        let mut hold = Hold::since(now);
        hold.calls = 1;
        for Part { account, amount } in &settled.parts {
            let amount = (*amount).max(0);
            let charged_before = self.draw(&settled.holder, account, amount);
            let Some(known) = self.accounts.get_mut(account) else {
                continue;
            };
            let amount = amount.saturating_sub(charged_before);
            known.held = known.held.saturating_add(amount);
            if known.applied.measure == Measure::Money {
                hold.money = hold.money.max(amount);
            }
            hold.left.insert(account.clone(), amount);
            self.mark(Kind::Account, account);
        }
        if !hold.left.is_empty() {
            self.mark(Kind::Hold, &settled.id);
            self.holds.insert(settled.id.clone(), hold);
        }
    }

    /// A holder is given up: what it had is held.
    pub(super) fn expire_holder(&mut self, now: Millis, holder: String) -> Option<LostHolder> {
        let loan = self.loans.remove(&holder)?;
        self.mark(Kind::Loan, &holder);
        let (limited, unbudgeted) = self.most_of(&loan);
        let mut hold = Hold::since(now);
        hold.money = limited.saturating_add(unbudgeted);
        hold.calls = loan.open;
        let had_some = loan.has_some();
        for (name, left) in loan.left {
            self.mark_left(&holder, &name);
            let Some(account) = self.accounts.get_mut(&name) else {
                continue;
            };
            account.lent -= left;
            let taken = match account.applied.measure {
                // Nobody is under way any more.
                Measure::Concurrent => 0,
                Measure::Money if account.applied.is_unbudgeted() => left,
                Measure::Money => left.min(limited),
                Measure::Requests | Measure::Tokens => left,
            };
            if taken > 0 {
                account.held = account.held.saturating_add(taken);
                hold.left.insert(name, taken);
            }
        }
        // Whoever had something must hear that it is gone.
        if !had_some {
            return None;
        }
        let lost = LostHolder {
            money: hold.money,
            calls: hold.calls,
            holder,
        };
        let is_held = !hold.left.is_empty();
        self.mark(Kind::Hold, &lost.holder);
        self.holds.insert(lost.holder.clone(), hold);
        is_held.then_some(lost)
    }

    /// How much of what is held for a lost holder a call of it turns out to be;
    /// its row takes that much back.
    pub fn credit(&mut self, holder: &str, parts: &[Part]) -> Option<Released> {
        let hold = self.holds.get_mut(holder)?;
        let of_money = |part: &&Part| {
            let account = self.accounts.get(&part.account);
            account.is_some_and(|account| account.applied.measure == Measure::Money)
        };
        let took = parts.iter().filter(of_money).map(|part| part.amount).max();
        let money = took.unwrap_or_default().clamp(0, hold.money.max(0));
        let calls = hold.calls.min(1);
        hold.money -= money;
        hold.calls -= calls;
        let at = hold.at;
        self.mark(Kind::Hold, holder);
        let is_some = money > 0 || calls > 0;
        is_some.then_some(Released { at, money, calls })
    }

    /// An operator releases what is held: all of it, or all that is held for calls
    /// under one limit. What its rows take back.
    pub fn release(&mut self, limit: Option<&str>) -> Vec<Released> {
        let is_under = |name: &String| {
            let account = self.accounts.get(name);
            account.is_some_and(|account| Some(account.applied.limit.as_str()) == limit)
        };
        let held = self.holds.iter().filter(|(_, hold)| !hold.is_spent);
        let chosen = held.filter(|(_, hold)| limit.is_none() || hold.left.keys().any(is_under));
        let chosen: Vec<String> = chosen.map(|(name, _)| name.clone()).collect();
        let released = chosen.iter().filter_map(|name| self.release_hold(name));
        released.collect()
    }

    /// Of one that is held nothing is held any more. What its row takes back.
    pub fn release_hold(&mut self, name: &str) -> Option<Released> {
        let hold = self.holds.get_mut(name).filter(|hold| !hold.is_spent)?;
        let left = std::mem::take(&mut hold.left);
        let (at, money, calls) = (hold.at, hold.money, hold.calls);
        (hold.money, hold.calls) = (0, 0);
        for (account, amount) in left {
            if let Some(account) = self.accounts.get_mut(&account) {
                account.held -= amount;
            }
        }
        // It stays known for as long as a lost holder may still speak up.
        self.mark(Kind::Hold, name);
        (money > 0 || calls > 0).then_some(Released { at, money, calls })
    }

    /// What is held of an account, here and by ledgers that have borrowed of it.
    pub fn held(&self, name: &str) -> Held {
        let own = self.holds.values().filter(|hold| !hold.is_spent);
        let own = own.filter_map(|hold| {
            let amount = *hold.left.get(name)?;
            let calls = hold.calls;
            (amount > 0).then_some(Held { amount, calls })
        });
        let theirs = self.loans.values();
        let theirs = theirs.filter_map(|loan| loan.held.get(name).copied());
        own.chain(theirs).fold(Held::default(), Held::and)
    }

    /// The holders, themselves ledgers, that hold something.
    pub fn holding(&self) -> Vec<String> {
        let loans = self.loans.iter();
        let holding = loans.filter(|(_, loan)| !loan.held.is_empty());
        holding.map(|(holder, _)| holder.clone()).collect()
    }

    pub(super) fn standing(&self, account: &Account) -> Standing {
        let held = self.held(&account.applied.account);
        let elsewhere = held.amount.saturating_sub(account.held);
        Standing {
            applied: account.applied.clone(),
            spent: account.spent,
            reserved: account.lent.saturating_sub(elsewhere).max(0),
            held,
            percent: account.level(),
        }
    }

    /// The most that a holder's calls can have cost: each went from an account of
    /// every limit that takes all, and else from some of its accounts; and what
    /// those can have cost that no budget was about.
    fn most_of(&self, loan: &super::Loan) -> (i64, i64) {
        let mut unbudgeted = 0_i64;
        let mut all = 0_i64;
        let mut by_limit: BTreeMap<&str, i64> = BTreeMap::new();
        for (name, left) in &loan.left {
            let Some(Account { applied, .. }) = self.accounts.get(name) else {
                continue;
            };
            if applied.is_unbudgeted() {
                unbudgeted = unbudgeted.saturating_add(*left);
            } else if applied.measure == Measure::Money {
                all = all.saturating_add(*left);
                let of_it = by_limit.entry(&applied.limit).or_default();
                *of_it = of_it.saturating_add(*left);
            }
        }
        let takes_all = |limit: &str| {
            let mut accounts = self.accounts.values().map(|account| &account.applied);
            accounts.any(|applied| applied.limit == limit && applied.takes_all)
        };
        let bounds = by_limit.into_iter().filter(|(limit, _)| takes_all(limit));
        let limited = bounds.map(|(_, left)| left).min().unwrap_or(all);
        (limited, unbudgeted)
    }
}
