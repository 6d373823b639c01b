//! What time brings: holders that are lost, accounts that are past, budgets that
//! are worth a word.

use super::account::{Charged, Crossed, Forfeit};
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
        let over = borrowed.filter(|(_, lease)| lease.until <= now);
        let over: Vec<String> = over.map(|(holder, _)| holder.clone()).collect();
        let mut forfeits = Vec::new();
        for holder in over {
            let Some(lease) = self.leases.remove(&holder) else {
                continue;
            };
            self.mark(Kind::Lease, &holder);
            let mut charged = Charged {
                at: now,
                row: String::new(),
                left: BTreeMap::new(),
            };
            let mut money = 0;
            for (name, left) in lease.left {
                let Some(account) = self.accounts.get_mut(&name) else {
                    continue;
                };
                account.lent -= left;
                if left == 0 {
                    continue;
                }
                match account.applied.measure {
                    // Nobody is under way any more.
                    Measure::Concurrent => continue,
                    Measure::Money if left > money => {
                        money = left;
                        charged.row.clone_from(&name);
                    }
                    Measure::Money | Measure::Requests | Measure::Tokens => {}
                }
                account.spent = account.spent.saturating_add(left);
                self.dirty.insert((Kind::Account, name.clone()));
                charged.left.insert(name, left);
            }
            if charged.left.is_empty() {
                continue;
            }
            self.mark(Kind::Charged, &holder);
            self.charged.insert(holder.clone(), charged);
            forfeits.push(Forfeit { holder, money });
        }
        forfeits
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
        let leases = self.leases.values().filter(|lease| !lease.durable);
        leases.map(|lease| lease.until).min()
    }

    /// Budgets that have reached another step since this was last asked.
    pub fn crossed(&mut self) -> Vec<Crossed> {
        let mut crossed = Vec::new();
        let dirty = self.dirty.iter().filter(|(kind, _)| *kind == Kind::Account);
        for name in dirty.map(|(_, name)| name.clone()).collect::<Vec<_>>() {
            let Some(account) = self.accounts.get_mut(&name) else {
                continue;
            };
            let applied = &account.applied;
            if applied.measure != Measure::Money || !self.is.contains(&applied.authority) {
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
