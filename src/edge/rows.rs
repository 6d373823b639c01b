//! Rows into a usage database, and what else goes along with them: how endpoints
//! fare, and what was left there for an object.

use crate::answer::record;
use crate::upstream::health::Notice;
use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement, Env};

/// A database's time, in milliseconds.
const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// What is found in a database when rows are written.
pub struct Exchanged {
    /// What instances say of endpoints.
    pub told: Vec<Told>,
    /// What was left there for a team's object.
    pub spilled: Vec<SpilledEvent>,
}

/// Writes rows and adds them to their hours' sums, tells other instances how
/// endpoints fare, and reads what they say and what was left for the team: all
/// in the one call that is made for the rows.
pub async fn exchange(
    env: &Env,
    store: &str,
    rows: &str,
    news: &[Notice],
    since: u64,
    left_for: &str,
) -> worker::Result<Exchanged> {
    let database = env.d1(store)?;
    let mut all = vec![
        database.prepare(record::SUM_UP).bind(&[rows.into()])?,
        database.prepare(record::INSERT).bind(&[rows.into()])?,
    ];
    if !news.is_empty() {
        all.push(telling(&database, news)?);
    }
    let sql = "SELECT notice, told FROM health WHERE told > ?1";
    all.push(database.prepare(sql).bind(&[(since as f64).into()])?);
    all.push(database.prepare(SPILLED).bind(&[left_for.into()])?);
    let mut results = database.batch(all).await?;
    let spilled = results.pop().map(|found| found.results()).transpose()?;
    let told = results.pop().map(|found| found.results()).transpose()?;
    Ok(Exchanged {
        told: told.unwrap_or_default(),
        spilled: spilled.unwrap_or_default(),
    })
}

/// So much of what was left is read at once.
pub const SPILLED_AT_ONCE: usize = 100;
const SPILLED: &str = "SELECT id, event FROM spilled WHERE team = ?1 LIMIT 100";

/// What was left for a team's object.
pub async fn spilled(env: &Env, store: &str, left_for: &str) -> worker::Result<Vec<SpilledEvent>> {
    let statement = env.d1(store)?.prepare(SPILLED).bind(&[left_for.into()])?;
    statement.all().await?.results()
}

/// What was left for a team's object was taken.
pub async fn forget_spilled(
    env: &Env,
    store: &str,
    spilled: &[SpilledEvent],
) -> worker::Result<()> {
    let ids: Vec<&str> = spilled.iter().map(|one| one.id.as_str()).collect();
    let ids = serde_json::to_string(&ids)?;
    let sql = "DELETE FROM spilled WHERE id IN (SELECT value FROM json_each(?1))";
    let statement = env.d1(store)?.prepare(sql).bind(&[ids.into()])?;
    statement.run().await.map(|_| ())
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

/// What an instance says of an endpoint.
#[derive(Deserialize)]
pub struct Told {
    /// The notice as JSON.
    pub notice: String,
    /// When, by the database's clock.
    pub told: u64,
}

/// A call that was left for a team's object.
#[derive(Deserialize)]
pub struct SpilledEvent {
    /// Its id.
    pub id: String,
    /// Its row and what it took, as JSON.
    pub event: String,
}
