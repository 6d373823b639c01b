//! Writing usage rows after the answer, in batches. A database write is the
//! dearest thing a gateway does, so the first call of a moment writes for all
//! that end in that moment. What the database does not take goes to the
//! ledger, which keeps it until it does.

use super::{host, ledger};
use crate::record::{self, Row};
use crate::units::Millis;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::{Context, Delay, Env};

/// How long the first row of a batch waits for others.
const GATHER: Duration = Duration::from_millis(50);
/// A database takes two megabytes in one piece; a row with its receipt has two
/// kilobytes or less, but for long tags.
const ROWS_AT_ONCE: usize = 200;
/// When a batch that was to be written by now is taken over: the call that
/// was gathering it may have been cut off.
const OVERDUE_MS: u64 = 1_000;

thread_local! {
    static WAITING: RefCell<BTreeMap<String, Vec<Row>>> = RefCell::default();
    static GATHERING_SINCE: Cell<Option<Millis>> = const { Cell::new(None) };
}

/// Takes a row for a database. It is written with others of its moment, by
/// this call or by one that gathers already.
pub fn write(env: &Env, ctx: &Context, store: String, row: Row) {
    WAITING.with_borrow_mut(|waiting| waiting.entry(store).or_default().push(row));
    let now = host::now();
    let gathering = GATHERING_SINCE.get();
    if gathering.is_none_or(|since| now.since(since) >= OVERDUE_MS) {
        GATHERING_SINCE.set(Some(now));
        ctx.wait_until(gather(env.clone()));
    }
}

async fn gather(env: Env) {
    Delay::from(GATHER).await;
    GATHERING_SINCE.set(None);
    for (store, rows) in WAITING.take() {
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let rows = record::to_json(rows);
            if insert(&env, &store, &rows).await.is_err() {
                ledger::keep(&env, &store, &rows).await;
            }
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
