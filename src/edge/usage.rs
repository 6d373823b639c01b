//! Writing usage rows after the answer, in batches. A database write is the
//! dearest thing a gateway does, so the first call of a moment writes for all
//! that end in that moment. What the database does not take goes to the
//! ledger, which keeps it until it does.

use super::{health, host, ledger};
use crate::health::Notice;
use crate::record::{self, Row};
use crate::units::Millis;
use serde::Deserialize;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::{Context, D1Database, D1PreparedStatement, Delay, Env};

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
    // Up to when the notices of each database were read.
    static HEARD: RefCell<BTreeMap<String, u64>> = RefCell::default();
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
    let news = health::news();
    for (store, rows) in WAITING.take() {
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let rows = record::to_json(rows);
            match exchange(&env, &store, &rows, &news).await {
                Ok(notices) => health::heard(&notices),
                Err(_) => ledger::keep(&env, &store, &rows).await,
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

/// A database's time, in milliseconds.
const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
/// Notices that are written while others read are read with the next rows.
const OVERLAP_MS: u64 = 2_000;

/// Inserts rows, tells other instances how endpoints fare, and hears what they
/// say: all in the one call that is made for the rows.
async fn exchange(
    env: &Env,
    store: &str,
    rows: &str,
    news: &[Notice],
) -> worker::Result<Vec<Notice>> {
    let database = env.d1(store)?;
    let mut all = vec![database.prepare(record::INSERT).bind(&[rows.into()])?];
    if !news.is_empty() {
        all.push(telling(&database, news)?);
    }
    let since = HEARD
        .with_borrow(|heard| heard.get(store).copied())
        .unwrap_or_default();
    let sql = "SELECT notice, told FROM health WHERE told > ?1";
    all.push(database.prepare(sql).bind(&[(since as f64).into()])?);
    let results = database.batch(all).await?;
    let told: Vec<Told> = match results.last() {
        Some(last) => last.results().unwrap_or_default(),
        None => Vec::new(),
    };
    if let Some(newest) = told.iter().map(|one| one.told).max() {
        let since = newest.saturating_sub(OVERLAP_MS);
        HEARD.with_borrow_mut(|heard| heard.insert(store.to_owned(), since));
    }
    let notices = told.iter().map(|one| serde_json::from_str(&one.notice));
    Ok(notices.filter_map(Result::ok).collect())
}

fn telling(database: &D1Database, news: &[Notice]) -> worker::Result<D1PreparedStatement> {
    let sql = format!(
        "INSERT INTO health (endpoint, model, at, told, notice) \
         SELECT value->>'endpoint', value->>'model', value->>'at', {NOW}, value \
         FROM json_each(?1) WHERE true ON CONFLICT (endpoint, model) DO UPDATE \
         SET at = excluded.at, told = excluded.told, notice = excluded.notice \
         WHERE excluded.at > health.at"
    );
    database
        .prepare(sql)
        .bind(&[serde_json::to_string(news)?.into()])
}

/// Tells other instances how endpoints fare.
pub async fn tell(env: &Env, store: &str, news: &[Notice]) -> worker::Result<()> {
    let database = env.d1(store)?;
    telling(&database, news)?.run().await.map(|_| ())
}

#[derive(Deserialize)]
struct Told {
    notice: String,
    told: u64,
}
