//! Calls under way. What was reserved for one is settled when its row is complete, or
//! held if the platform ends it before that.

use super::{Finished, Instance};
use crate::answer::record::Row;
use crate::config::limits::Measure;
use crate::ledger::{Address, Reservation};
use crate::units::Millis;

/// How long after its deadline a call counts as ended by the platform.
const CUT_OFF_MS: u64 = 60_000;

/// How many calls that the platform has ended are remembered.
const MOST_CUT_OFF: usize = 1_000;

/// A call under way.
#[derive(Debug)]
pub(super) struct Open {
    row: Row,
    address: Address,
    reservation: Reservation,
    deadline: Millis,
}

impl Instance {
    /// A call begins. Should the platform end it, what was reserved for it is held.
    pub fn begin(
        &mut self,
        row: &Row,
        address: Address,
        reservation: Reservation,
        deadline: Millis,
    ) {
        let open = Open {
            row: row.clone(),
            address,
            reservation,
            deadline,
        };
        self.calls.insert(row.id.clone(), open);
    }

    /// The accounts of a call under way, and what each counts.
    pub fn measures(&self, id: &str) -> Vec<(String, Measure)> {
        let open = self.calls.get(id);
        open.map(|open| open.reservation.measures())
            .unwrap_or_default()
    }

    /// Settles a call whose row is complete: what it took is in its row, or what was
    /// reserved where that is unknown. A call that never began goes to its team's object
    /// as a row alone.
    pub fn settle(&mut self, store: &str, mut row: Row) -> Finished {
        let Some(open) = self.calls.remove(&row.id) else {
            // A call that ends after all stays held: whichever report comes first counts.
            if let Some(held) = self.cut_off.get(&row.id) {
                return held.clone();
            }
            let to = self.object_for(&row.team, store);
            return Finished {
                to,
                row,
                settled: None,
            };
        };
        if open.reservation.is_empty() {
            return Finished {
                to: open.address,
                row,
                settled: None,
            };
        }
        row.reserved_nano = open.row.reserved_nano;
        row.note_bound();
        let took = |measure, most| row.takes(measure, most);
        let lease = self.lease(&open.address);
        let mut settled = lease.settle(&row.id, open.reservation, took);
        settled.held = row.is_held();
        Finished {
            to: open.address,
            row,
            settled: Some(settled),
        }
    }

    /// Calls that the platform has ended before their rows were complete.
    pub(super) fn take_cut_off(&mut self, now: Millis) -> Vec<Finished> {
        let over = self.calls.values();
        let over = over.filter(|open| now.since(open.deadline) > CUT_OFF_MS);
        let over: Vec<(String, Row)> = over
            .map(|open| {
                let store = open.address.store().unwrap_or_default().to_owned();
                let mut row = open.row.clone();
                row.cut_off(now);
                (store, row)
            })
            .collect();
        let over = over.into_iter();
        let over = over.map(|(store, row)| self.settle(&store, row));
        let over: Vec<Finished> = over.collect();
        for held in &over {
            // Ids rise with time.
            if self.cut_off.len() >= MOST_CUT_OFF {
                self.cut_off.pop_first();
            }
            self.cut_off.insert(held.row.id.clone(), held.clone());
        }
        over
    }
}
