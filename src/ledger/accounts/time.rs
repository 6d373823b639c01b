//! What time brings: holders that are lost, accounts that are past, budgets that
//! are worth a word.

use super::account::{Crossed, LostHolder};
use super::{AccountLedger, Kind};
use crate::config::limits::Measure;
use crate::units::Millis;

/// So long what was once charged for a lost holder may still turn out otherwise.
const REMEMBER_MS: u64 = 24 * 3_600_000;
/// So long what is held may be released although it counts against nothing any
/// more.
const KEEP_HOLDS_MS: u64 = 62 * 24 * 3_600_000;
/// How often is looked for what can be forgotten.
const TIDY_MS: u64 = 1_000;
/// The parts of a budget that are told of, in percent.
const STEPS: [u8; 3] = [100, 80, 50];

impl AccountLedger {
    /// Gives up holders whose time is over: what they had is held.
    pub fn expire(&mut self, now: Millis) -> Vec<LostHolder> {
        // A ledger that has borrowed keeps it in storage and comes back.
        let borrowed = self.loans.iter().filter(|(_, loan)| !loan.durable);
        let over = borrowed.filter(|(_, loan)| loan.end() <= now);
        let over: Vec<String> = over.map(|(holder, _)| holder.clone()).collect();
        let over = over
            .into_iter()
            .filter_map(|holder| self.expire_holder(now, holder));
        over.collect()
    }

    /// Forgets what no call can be about any more, and what is empty.
    pub fn tidy(&mut self, now: Millis) {
        if now.0.abs_diff(self.tidied_at.0) < TIDY_MS {
            return;
        }
        self.tidied_at = now;
        self.stop_holding(now);
        let over = self.accounts.iter().filter(|(_, one)| one.is_over(now));
        // An authority must know that nothing of it is here.
        let over = over.filter(|(_, one)| self.keeps(&one.applied) || one.is_returned());
        let over: Vec<String> = over.map(|(name, _)| name.clone()).collect();
        for name in over {
            if let Some(account) = self.accounts.remove(&name) {
                self.uncount_value(&account.applied);
            }
            self.mark(Kind::Account, &name);
        }
        let old = self.holds.iter().filter(|(_, hold)| {
            let counts = hold.left.iter().any(|(name, left)| {
                let account = self.accounts.get(name);
                *left > 0 && account.is_some_and(|one| !one.applied.is_unbudgeted())
            });
            let keep = match (hold.is_spent, counts) {
                (true, _) => REMEMBER_MS,
                (false, true) => u64::MAX,
                (false, false) => KEEP_HOLDS_MS,
            };
            now.since(hold.at) > keep
        });
        for name in old.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.holds.remove(&name);
            self.mark(Kind::Hold, &name);
        }
    }

    /// What is held of an account whose time is over counts against nothing.
    fn stop_holding(&mut self, now: Millis) {
        for (name, account) in &mut self.accounts {
            if account.held == 0 || !account.is_past(now) {
                continue;
            }
            account.held = 0;
            for (holder, hold) in self.holds.iter_mut().filter(|(_, hold)| !hold.is_spent) {
                if hold.left.remove(name).is_some() {
                    self.dirty.insert((Kind::Hold, holder.clone()));
                }
            }
        }
    }

    /// The next moment at which a holder is given up.
    pub fn next_expiry(&self) -> Option<Millis> {
        let loans = self.loans.values();
        let loans = loans.filter(|loan| !loan.durable && loan.has_some());
        loans.map(|loan| loan.until).min()
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
