//! Rows into a usage database, and what goes along with them: notices of the health of
//! endpoints, and calls that were spilled for an object.

use crate::answer::record;
use crate::ledger::instance::Spill;
use crate::ledger::object::{Exchange, Exchanged, SpilledCall, SPILLED_AT_ONCE};
use crate::upstream::health::Notice;
use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, Env};

/// A database's time, in milliseconds.
const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// Writes rows and adds them to the sums of their hours, writes notices, and reads the
/// newer notices and what was spilled for the object: all in one transaction.
pub async fn exchange(env: &Env, exchange: &Exchange) -> worker::Result<Exchanged> {
    let database = env.d1(&exchange.store)?;
    let rows = exchange.rows.as_str();
    let mut all = vec![
        database.prepare(record::SUM_UP).bind(&[rows.into()])?,
        database.prepare(record::INSERT).bind(&[rows.into()])?,
    ];
    if !exchange.notices.is_empty() {
        all.push(writing(&database, &exchange.notices)?);
    }
    let sql = "SELECT notice, told FROM health WHERE told > ?1";
    let since = exchange.since as f64;
    all.push(database.prepare(sql).bind(&[since.into()])?);
    all.push(reading_spilled(&database, &exchange.mark)?);
    let mut results = database.batch(all).await?;
    let spilled = results.pop().map(|found| found.results()).transpose()?;
    let written = results.pop().map(|found| found.results()).transpose()?;
    let written: Vec<Written> = written.unwrap_or_default();
    let notices = written.into_iter().filter_map(|one| {
        let notice = serde_json::from_str(&one.notice).ok()?;
        Some((one.told, notice))
    });
    Ok(Exchanged {
        notices: notices.collect(),
        spilled: spilled.unwrap_or_default(),
    })
}

fn reading_spilled(database: &D1Database, mark: &str) -> worker::Result<D1PreparedStatement> {
    let sql = format!("SELECT id, event FROM spilled WHERE team = ?1 LIMIT {SPILLED_AT_ONCE}");
    database.prepare(sql).bind(&[mark.into()])
}

/// Calls that were spilled for an object.
pub async fn spilled(env: &Env, store: &str, mark: &str) -> worker::Result<Vec<SpilledCall>> {
    let statement = reading_spilled(&env.d1(store)?, mark)?;
    statement.all().await?.results()
}

/// Deletes spilled calls that an object has taken.
pub async fn delete_spilled(env: &Env, store: &str, ids: &[String]) -> worker::Result<()> {
    let ids = serde_json::to_string(ids)?;
    let sql = "DELETE FROM spilled WHERE id IN (SELECT value FROM json_each(?1))";
    let statement = env.d1(store)?.prepare(sql).bind(&[ids.into()])?;
    statement.run().await.map(|_| ())
}

/// Writes calls whose object does not reply: their rows count at once, and the object
/// reads their notes when it replies again.
pub async fn spill(env: &Env, spill: &Spill) -> worker::Result<()> {
    let database = env.d1(&spill.store)?;
    let sql = "INSERT INTO spilled (id, team, event) SELECT value->>'id', ?2, value->>'event' \
               FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING";
    let (rows, notes) = (spill.rows.as_str(), spill.notes.as_str());
    let statements = vec![
        database.prepare(record::SUM_UP).bind(&[rows.into()])?,
        database.prepare(record::INSERT).bind(&[rows.into()])?,
        database
            .prepare(sql)
            .bind(&[notes.into(), spill.mark.as_str().into()])?,
    ];
    database.batch(statements).await.map(|_| ())
}

fn writing(database: &D1Database, notices: &[Notice]) -> worker::Result<D1PreparedStatement> {
    let sql = format!(
        "INSERT INTO health (endpoint, model, at, told, notice) \
         SELECT value->>'endpoint', value->>'model', value->>'at', {NOW}, value \
         FROM json_each(?1) WHERE true ON CONFLICT (endpoint, model) DO UPDATE \
         SET at = excluded.at, told = excluded.told, notice = excluded.notice \
         WHERE excluded.at > health.at"
    );
    database
        .prepare(sql)
        .bind(&[serde_json::to_string(notices)?.into()])
}

/// Writes notices for other instances.
pub async fn write_notices(env: &Env, store: &str, notices: &[Notice]) -> worker::Result<()> {
    let database = env.d1(store)?;
    writing(&database, notices)?.run().await.map(|_| ())
}

/// A notice as it was written.
#[derive(Deserialize)]
struct Written {
    /// The notice as JSON.
    notice: String,
    /// When, by the database's clock.
    told: u64,
}
