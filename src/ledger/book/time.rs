//! What time brings: holders that are lost, accounts that are past, budgets that
//! are worth a word.

use super::account::{Account, Charged, Crossed, Forfeit, Lease};
use super::{Book, Kind};
use crate::limits::Measure;
use crate::units::Millis;
use std::collections::BTreeMap;

/// So long what was charged for a lost holder may still turn out otherwise.
const REMEMBER_MS: u64 = 24 * 3_600_000;
/// The parts of a budget that are told of, in percent.
const STEPS: [u8; 3] = [100, 80, 50];

impl Book {
    /// Gives up holders whose time is over: what they had is charged.
    pub fn expire(&mut self, now: Millis) -> Vec<Forfeit> {
        // A book that has borrowed keeps it in storage and comes back.
        let borrowed = self.leases.iter().filter(|(_, lease)| !lease.durable);
        let over = borrowed.filter(|(_, lease)| lease.end() <= now);
        let over: Vec<String> = over.map(|(holder, _)| holder.clone()).collect();
        let over = over
            .into_iter()
            .filter_map(|holder| self.give_up(now, holder));
        over.collect()
    }

    fn give_up(&mut self, now: Millis, holder: String) -> Option<Forfeit> {
        let lease = self.leases.remove(&holder)?;
        self.mark(Kind::Lease, &holder);
        let (limited, endless) = self.most_of(&lease);
        let money = limited.saturating_add(endless);
        let had_some = lease.has_some();
        let mut charged = Charged {
            at: now,
            money,
            left: BTreeMap::new(),
        };
        for (name, left) in lease.left {
            let Some(account) = self.accounts.get_mut(&name) else {
                continue;
            };
            account.lent -= left;
            let taken = match account.applied.measure {
                // Nobody is under way any more.
                Measure::Concurrent => 0,
                Measure::Money if account.applied.is_endless() => left,
                Measure::Money => left.min(limited),
                Measure::Requests | Measure::Tokens => left,
            };
            if taken == 0 {
                continue;
            }
            account.spent = account.spent.saturating_add(taken);
            self.dirty.insert((Kind::Account, name.clone()));
            charged.left.insert(name, taken);
        }
        // Whoever had something must hear that it is gone.
        if !had_some {
            return None;
        }
        let is_charged = !charged.left.is_empty();
        self.mark(Kind::Charged, &holder);
        self.charged.insert(holder.clone(), charged);
        is_charged.then_some(Forfeit { holder, money })
    }

    /// The most that a holder's calls can have cost: each went from an account of
    /// every limit that takes all, and else from some of its accounts; and what
    /// those can have cost that no budget was about.
    fn most_of(&self, lease: &Lease) -> (i64, i64) {
        let mut endless = 0_i64;
        let mut all = 0_i64;
        let mut by_limit: BTreeMap<&str, i64> = BTreeMap::new();
        for (name, left) in &lease.left {
            let Some(Account { applied, .. }) = self.accounts.get(name) else {
                continue;
            };
            if applied.is_endless() {
                endless = endless.saturating_add(*left);
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
        (limited, endless)
    }

    /// Forgets what no call can be about any more.
    pub fn tidy(&mut self, now: Millis) {
        let old: Vec<String> = self
            .charged
            .iter()
            .filter(|(_, charged)| now.since(charged.at) > REMEMBER_MS)
            .map(|(holder, _)| holder.clone())
            .collect();
        for holder in old {
            self.charged.remove(&holder);
            self.mark(Kind::Charged, &holder);
        }
        let past = self
            .accounts
            .iter()
            .filter(|(_, account)| account.is_past(now));
        let past: Vec<String> = past.map(|(name, _)| name.clone()).collect();
        for name in past {
            self.accounts.remove(&name);
            self.mark(Kind::Account, &name);
        }
    }

    /// The next moment at which a holder is given up.
    pub fn next_expiry(&self) -> Option<Millis> {
        let leases = self.leases.values();
        let leases = leases.filter(|lease| !lease.durable && lease.has_some());
        leases.map(|lease| lease.until).min()
    }

    /// Budgets that have reached another step since this was last asked.
    pub fn crossed(&mut self) -> Vec<Crossed> {
        let mut crossed = Vec::new();
        let dirty = self.dirty.iter().filter(|(kind, _)| *kind == Kind::Account);
        for name in dirty.map(|(_, name)| name.clone()).collect::<Vec<_>>() {
            let account = self.accounts.get(&name);
            let keeps = account.is_some_and(|account| self.keeps(&account.applied));
            let Some(account) = self.accounts.get_mut(&name).filter(|_| keeps) else {
                continue;
            };
            if account.applied.measure != Measure::Money {
                continue;
            }
            let level = account.level();
            let step = STEPS.into_iter().find(|step| level >= *step).unwrap_or(0);
            if step > account.told {
                account.told = step;
                crossed.push(Crossed {
                    applied: account.applied.clone(),
                    percent: step,
                    spent: account.spent,
                });
            }
        }
        crossed
    }
}
