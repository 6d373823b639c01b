//! The ledger against a naive reference, and case by case.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod cases;
mod histories;
mod letters;
mod object;
mod op;
mod world;

use meridian::limits::{Applied, Authority, Measure, Window};

const CAPS: [(Measure, i64); 4] = [
    (Measure::Money, 1_000),
    (Measure::Money, 400),
    (Measure::Requests, 30),
    (Measure::Concurrent, 5),
];

fn applied(which: usize, authority: &Authority) -> Applied {
    let (measure, cap) = CAPS[which];
    Applied {
        account: format!("a{which}"),
        authority: authority.clone(),
        limit: format!("l{which}"),
        whom: String::new(),
        measure,
        cap,
        window: Window::EVER,
        takes_all: which == 0,
        downgrade: None,
        webhook: None,
    }
}
