//! Messages of a lease that are under way, and those of which nothing will be heard.

use super::super::message::{Message, WAITED_FOR_MS};
use super::parts::Slice;
use super::Lease;
use crate::units::Millis;

impl Lease {
    pub(super) fn is_awaited(&self, message: &Message) -> bool {
        message.holder == self.holder && self.under_way.contains_key(&message.number)
    }

    /// The sender knows what a message has brought.
    pub(super) fn is_answered(&mut self, message: &Message) {
        if let Some(asked) = self.under_way.get_mut(&message.number) {
            asked.others.clear();
        }
    }

    pub(super) fn over(&mut self, message: &Message) {
        if message.holder == self.holder {
            self.put_back(message.number);
        }
    }

    /// A message is not under way any more: what was taken for it is free again.
    fn put_back(&mut self, number: u64) {
        let Some(asked) = self.under_way.remove(&number) else {
            return;
        };
        for (account, taken) in asked.taken {
            if let Some(slice) = self.slices.get_mut(&account) {
                slice.reserved -= taken;
                slice.left += taken;
            }
        }
        // Whatever it has lent, the ledger is told what is here.
        for others in asked.others {
            let slice = self.slices.entry(others.applied.account.clone());
            let slice = slice.or_insert_with(|| Slice::of(&others));
            slice.forget_noted(number);
        }
    }

    /// Who asked may have been cut off: nobody will say what became of it.
    pub(super) fn stop_waiting(&mut self, now: Millis) {
        let asked = self.under_way.iter();
        let old = asked.filter(|(_, asked)| now.0.abs_diff(asked.at.0) >= WAITED_FOR_MS);
        for number in old.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.put_back(number);
        }
    }
}
