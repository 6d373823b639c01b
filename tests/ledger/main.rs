//! The ledger against a naive reference, and case by case.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod cases;
mod endless;
mod histories;
mod letters;
mod object;
mod op;
mod world;

use meridian::limits::{Applied, Authority, Measure, Window};

/// The last is the account without an end.
const CAPS: [(Measure, i64); 5] = [
    (Measure::Money, 1_000),
    (Measure::Money, 400),
    (Measure::Requests, 30),
    (Measure::Concurrent, 5),
    (Measure::Money, i64::MAX),
];
const ENDLESS: usize = 4;

fn applied(which: usize, authority: &Authority) -> Applied {
    if which == ENDLESS {
        return Applied::endless();
    }
    let (measure, cap) = CAPS[which];
    Applied {
        account: format!("a{which}"),
        authority: Some(authority.clone()),
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
