//! Calls that go on at their provider after they were answered. What one may cost is
//! held until somebody asks for its answer; what it took is settled then, once,
//! whoever asks and however often.

use crate::answer::record::{Row, Served};
use crate::config::limits::Measure;
use crate::config::prices::PriceBook;
use crate::dialect::Reading;
use crate::ledger::{Part, Settled};
use crate::units::{Millis, NanoUsd};
use serde::{Deserialize, Serialize};

/// What is kept of such a call until its answer is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Background {
    row: Row,
    held: Settled,
    measures: Vec<(String, Measure)>,
    /// What its row does not keep: whether it, or an attempt before it, may use what
    /// does not show.
    hides: (bool, bool),
}

/// A row, and what goes with it to the ledger.
pub type Told = (Row, Option<Settled>);

impl Background {
    /// From its row, how it was reported to the ledger, and what each of its accounts
    /// counts.
    pub fn new(row: &Row, held: &Settled, measures: Vec<(String, Measure)>) -> Background {
        Background {
            row: row.clone(),
            held: held.clone(),
            measures,
            hides: (row.hides, row.lost_hides),
        }
    }

    /// What to tell the ledger, given what the provider says when it is asked; nothing
    /// while the call still goes on. Its own row goes along, because that may not
    /// have come yet: each is taken once.
    pub fn ends(
        self,
        served: Served<'_>,
        reading: Reading,
        prices: &PriceBook,
        now: Millis,
    ) -> Option<[Told; 2]> {
        if reading.goes_on {
            return None;
        }
        let mut row = Row {
            id: format!("{}-answer", self.row.id),
            held_nano: NanoUsd(0),
            held_calls: 0,
            receipt: None,
            hides: self.hides.0,
            lost_hides: self.hides.1,
            ..self.row.clone()
        };
        row.answered(served, reading, false, prices, now);
        row.note_bound();
        let of = |account: &str| {
            let mut parts = self.held.parts.iter();
            let part = parts.find(|part| part.account == account);
            part.map_or(0, |part| part.amount)
        };
        let parts = self.measures.iter().map(|(account, measure)| Part {
            account: account.clone(),
            amount: row.takes(*measure, of(account)),
        });
        let settled = Settled {
            id: row.id.clone(),
            holder: self.row.id.clone(),
            parts: parts.filter(|part| part.amount > 0).collect(),
            about: self.held.about.clone(),
            held: false,
            closes: Some(Box::new(self.held)),
        };
        // The endpoint was contacted for the call, whose row says so.
        row.attempts = 0;
        Some([(self.row, None), (row, Some(settled))])
    }
}
