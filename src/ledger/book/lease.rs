//! What a book notes of what holders say they have.

use super::{Book, Message};
use crate::units::Millis;

/// The longest time something is lent for.
const LONGEST_LEASE_MS: u64 = 3 * 3_600_000;

/// What became of what a message says.
pub(super) struct Heard {
    /// The message is so old that its sender does not wait for it any more.
    pub(super) is_stale: bool,
    /// What it says of holdings was taken.
    pub(super) is_noted: bool,
}

impl Book {
    /// Notes what a holder says it holds, if nothing newer was heard.
    pub(super) fn hear(&mut self, now: Millis, message: &Message) -> Heard {
        let lease = self.leases.entry(message.holder.clone()).or_default();
        let newest = message.number > lease.heard;
        lease.heard = lease.heard.max(message.number);
        if newest {
            lease.open = message.open;
        }
        lease.durable = message.durable;
        if message.team.is_some() {
            lease.team.clone_from(&message.team);
        }
        let until = now.0.saturating_add(message.for_ms.min(LONGEST_LEASE_MS));
        lease.until = lease.until.max(Millis(until));
        let Some(holds) = message.holds.as_ref().filter(|_| newest) else {
            return Heard {
                is_stale: message.number < lease.settled_up_to,
                is_noted: false,
            };
        };
        lease.settled_up_to = message.number;
        let named: Vec<String> = match message.partial {
            true => holds.keys().cloned().collect(),
            // What is not named is not there any more.
            false => lease
                .left
                .keys()
                .chain(lease.held.keys())
                .cloned()
                .collect(),
        };
        for name in named {
            let said = holds.get(&name).copied().unwrap_or_default();
            self.note(&message.holder, &name, said);
            let held = message.held.get(&name).copied();
            if let Some(lease) = self.leases.get_mut(&message.holder) {
                match held {
                    Some(held) => lease.held.insert(name, held),
                    None => lease.held.remove(&name),
                };
            }
        }
        if let Some(lease) = self.leases.get_mut(&message.holder) {
            if lease.left.is_empty() && message.wants.is_empty() {
                lease.until = now;
            }
        }
        Heard {
            is_stale: false,
            is_noted: true,
        }
    }

    /// A holder has so much of an account, but never more than it was lent.
    fn note(&mut self, holder: &str, name: &str, said: i64) {
        let Some(lease) = self.leases.get_mut(holder) else {
            return;
        };
        let Some(left) = lease.left.get_mut(name) else {
            return;
        };
        let held = said.clamp(0, (*left).max(0));
        if let Some(account) = self.accounts.get_mut(name) {
            account.lent -= *left - held;
        }
        *left = held;
        if held == 0 {
            lease.left.remove(name);
        }
        self.mark_left(holder, name);
    }
}
