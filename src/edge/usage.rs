//! Writing usage rows after the answer, in batches. A database write is the
//! dearest thing a gateway does, so the first call of a moment writes for all
//! that end in that moment. What the database does not take goes to the
//! ledger, which keeps it until it does.

use super::ledger;
use crate::record::{self, Row};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::{Delay, Env};

/// How long the first row of a batch waits for others.
const GATHER: Duration = Duration::from_millis(50);
/// How long a row trusts that another call's batch takes it along. That call
/// may have been cut off; then this one writes for both.
const TRUST: Duration = Duration::from_millis(1_000);

thread_local! {
    static WAITING: RefCell<BTreeMap<String, Vec<Row>>> = RefCell::default();
    static GATHERING: Cell<bool> = const { Cell::new(false) };
}

/// Writes a row to a database; done when it is written or kept.
pub async fn write(env: Env, store: String, row: Row) {
    WAITING.with_borrow_mut(|waiting| waiting.entry(store).or_default().push(row));
    if GATHERING.replace(true) {
        Delay::from(TRUST).await;
    } else {
        Delay::from(GATHER).await;
        GATHERING.set(false);
    }
    for (store, rows) in WAITING.take() {
        let rows = record::to_json(&rows);
        if insert(&env, &store, &rows).await.is_err() {
            ledger::keep(&env, &store, &rows).await;
        }
    }
}

/// Inserts rows; those that are there already stay as they are.
pub async fn insert(env: &Env, store: &str, rows: &str) -> worker::Result<()> {
    let statement = env
        .d1(store)?
        .prepare(record::INSERT)
        .bind(&[rows.into()])?;
    statement.run().await.map(|_| ())
}
