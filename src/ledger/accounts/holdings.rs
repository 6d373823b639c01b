//! What a ledger notes of what holders say they have.

use super::{AccountLedger, Message};
use crate::units::Millis;

/// The longest time something is lent for.
const LONGEST_LEASE_MS: u64 = 3 * 3_600_000;

/// What became of what a message says.
pub(super) struct Taken {
    /// The message is so old that its sender does not wait for it any more.
    pub(super) is_stale: bool,
    /// What it says of holdings was taken.
    pub(super) is_noted: bool,
}

impl AccountLedger {
    /// Notes what a holder says it holds, if nothing newer was heard.
    pub(super) fn note_holdings(&mut self, now: Millis, message: &Message) -> Taken {
        let loan = self.loans.entry(message.holder.clone()).or_default();
        let newest = message.number > loan.heard;
        loan.heard = loan.heard.max(message.number);
        if newest {
            loan.open = message.open;
        }
        loan.durable = message.durable;
        if message.team.is_some() {
            loan.team.clone_from(&message.team);
        }
        let until = now.0.saturating_add(message.for_ms.min(LONGEST_LEASE_MS));
        loan.until = loan.until.max(Millis(until));
        let Some(holds) = message.holds.as_ref().filter(|_| newest) else {
            return Taken {
                is_stale: message.number < loan.settled_up_to,
                is_noted: false,
            };
        };
        loan.settled_up_to = message.number;
        let named: Vec<String> = match message.partial {
            true => holds.keys().cloned().collect(),
            // What is not named is not there any more.
            false => loan.left.keys().chain(loan.held.keys()).cloned().collect(),
        };
        for name in named {
            let said = holds.get(&name).copied().unwrap_or_default();
            self.note(&message.holder, &name, said);
            let held = message.held.get(&name).copied();
            if let Some(loan) = self.loans.get_mut(&message.holder) {
                match held {
                    Some(held) => loan.held.insert(name, held),
                    None => loan.held.remove(&name),
                };
            }
        }
        if let Some(loan) = self.loans.get_mut(&message.holder) {
            if loan.left.is_empty() && message.wants.is_empty() {
                loan.until = now;
            }
        }
        Taken {
            is_stale: false,
            is_noted: true,
        }
    }

    /// A holder has so much of an account, but never more than it was lent.
    fn note(&mut self, holder: &str, name: &str, said: i64) {
        let Some(loan) = self.loans.get_mut(holder) else {
            return;
        };
        let Some(left) = loan.left.get_mut(name) else {
            return;
        };
        let held = said.clamp(0, (*left).max(0));
        if let Some(account) = self.accounts.get_mut(name) {
            account.lent -= *left - held;
        }
        *left = held;
        if held == 0 {
            loan.left.remove(name);
        }
        self.mark_left(holder, name);
    }
}
