//! The ledger against a naive reference, and case by case.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod cases;
mod database;
mod delivery;
mod disk;
mod guards;
mod histories;
mod network;
mod op;
mod reference;
mod unbudgeted;
mod world;

use meridian::config::limits::{Applied, Authority, Measure, Others, Window};

/// After the account without an end, an account for each value of a tag.
const CAPS: [(Measure, i64); 6] = [
    (Measure::Money, 1_000),
    (Measure::Money, 400),
    (Measure::Requests, 30),
    (Measure::Concurrent, 5),
    (Measure::Money, i64::MAX),
    (Measure::Money, 150),
];
const UNBUDGETED: usize = 4;
const VALUES: usize = 5;
/// So many values have an account of their own.
const MOST_VALUES: u32 = 2;

fn applied(which: usize, authority: &Authority) -> Applied {
    if which == UNBUDGETED {
        return Applied::unbudgeted();
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
        others: None,
        team_share: None,
    }
}

/// The account of a value.
fn valued(value: usize, authority: &Authority) -> Applied {
    Applied {
        account: format!("v{value}"),
        others: Some(Others {
            account: "other".to_owned(),
            whom: "others".to_owned(),
            most: MOST_VALUES,
        }),
        ..applied(VALUES, authority)
    }
}
