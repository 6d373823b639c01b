//! Deletes the records that their zone no longer keeps, hourly by Cloudflare's
//! cron and when an operator asks for it. What is due is decided in the core.
//!
//! What holds, also if it breaks off anywhere or runs twice at once:
//!
//! - Nothing is deleted without an entry in the audit log. The log and the records
//!   are in different databases, so the entry is written first; it says how many
//!   rows and sums of which zone before which time are deleted, and never more
//!   than that are. A run that breaks off has deleted less than its entry says,
//!   and the next one writes another for what is left; so have two that ran at
//!   once. An entry says the most that went, never too little.
//! - Nothing is deleted by a map of which there is doubt: what this instance goes
//!   by must be the one in force in the map database. Where a store of maps does not
//!   answer, or a published map cannot be used, all records are kept until that is
//!   mended.
//! - A run is bounded, and so is each statement: the next run goes on.

use super::admin::built_in;
use super::admin::map_store::{present, MapStore};
use super::{host, map};
use crate::admin::audit::{Action, Event};
use crate::admin::retention::{Deletion, Due, Found, Standing};
use crate::admin::Denied;
use crate::config::Config;
use crate::units::Millis;
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use std::panic::AssertUnwindSafe;
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env};

/// A statement deletes no more: D1 takes none that are long.
const PIECE: u64 = 5_000;
/// A run deletes no more of each table: a statement counts towards what a Worker
/// may ask of D1 in one go, and that is a thousand.
const A_RUN: u64 = 100 * PIECE;

/// The zones that a database has records of, and the oldest of each. It jumps
/// from zone to zone and reads a few lines, however many records there are.
const LOOK: &str = "WITH RECURSIVE \
    of_rows (zone) AS (SELECT min(zone) FROM usage UNION ALL \
      SELECT (SELECT min(usage.zone) FROM usage WHERE usage.zone > of_rows.zone) \
      FROM of_rows WHERE of_rows.zone IS NOT NULL), \
    of_sums (zone) AS (SELECT min(zone) FROM usage_by_hour UNION ALL \
      SELECT (SELECT min(usage_by_hour.zone) FROM usage_by_hour \
        WHERE usage_by_hour.zone > of_sums.zone) \
      FROM of_sums WHERE of_sums.zone IS NOT NULL), \
    named AS (SELECT zone FROM of_rows UNION SELECT zone FROM of_sums) \
    SELECT zone, (SELECT min(at) FROM usage WHERE usage.zone = named.zone) AS oldest_row, \
      (SELECT min(hour) FROM usage_by_hour WHERE usage_by_hour.zone = named.zone) AS oldest_sum \
    FROM named WHERE zone IS NOT NULL ORDER BY zone";

/// One of the two tables of records.
struct Table {
    /// How many of a zone (`?1`) are older (`?2`), as far as one wants to count.
    count: &'static str,
    /// Deletes what hangs on the oldest of them.
    delete_more: &'static [&'static str],
    /// Deletes the oldest of them.
    delete: &'static str,
}

const ROWS: Table = Table {
    count: "SELECT count(*) AS count FROM \
        (SELECT 1 FROM usage WHERE zone = ?1 AND at < ?2 LIMIT ?3)",
    // Notes for objects that never read them have the row in them, and so have calls
    // whose answer nobody asked for.
    delete_more: &[
        "DELETE FROM spilled WHERE id IN \
        (SELECT id FROM usage WHERE zone = ?1 AND at < ?2 ORDER BY at LIMIT ?3)",
        "DELETE FROM background WHERE id IN \
        (SELECT id FROM usage WHERE zone = ?1 AND at < ?2 ORDER BY at LIMIT ?3)",
    ],
    delete: "DELETE FROM usage WHERE id IN \
        (SELECT id FROM usage WHERE zone = ?1 AND at < ?2 ORDER BY at LIMIT ?3)",
};

const SUMS: Table = Table {
    count: "SELECT count(*) AS count FROM \
        (SELECT 1 FROM usage_by_hour WHERE zone = ?1 AND hour < ?2 LIMIT ?3)",
    delete_more: &[],
    delete: "DELETE FROM usage_by_hour \
        WHERE (hour, zone, team, feature, environment, model, endpoint) IN \
        (SELECT hour, zone, team, feature, environment, model, endpoint FROM usage_by_hour \
          WHERE zone = ?1 AND hour < ?2 ORDER BY hour LIMIT ?3)",
};

/// Whoever has it done: they stand in the log.
pub struct By {
    /// Who.
    pub who: String,
    /// How they were known.
    pub via: String,
}

/// What a run came to.
#[derive(Default, Serialize)]
pub struct Done {
    /// What was deleted.
    pub deleted: Vec<Deletion>,
    /// More is due than one run deletes.
    pub left: bool,
    /// Databases that did not answer, or not to the end.
    pub stores_not_done: Vec<String>,
}

/// What there is.
pub struct Looked {
    /// By zone and database.
    pub records: Vec<Standing>,
    /// Databases that did not answer.
    pub stores_not_read: Vec<String>,
}

/// What Cloudflare's cron calls. A panic ends this run and nothing else.
pub async fn hourly(env: &Env) {
    let by = By {
        who: "meridian".to_owned(),
        via: "schedule".to_owned(),
    };
    let running = run(env, &by, host::now());
    match AssertUnwindSafe(running).catch_unwind().await {
        Ok(Ok(done)) if done.stores_not_done.is_empty() => {}
        Ok(Ok(done)) => worker::console_error!(
            "retention: expired records are left in {}; the next run continues",
            done.stores_not_done.join(", ")
        ),
        Ok(Err(denied)) => worker::console_error!(
            "retention: expired records were not deleted; the next run tries again: {denied}"
        ),
        Err(_) => worker::console_error!(
            "retention: expired records were not deleted, because the job panicked; the next run tries again"
        ),
    }
}

/// How the records of each zone stand in each database.
pub async fn look(env: &Env, config: &Config, at: Millis) -> Looked {
    let mut looked = Looked {
        records: Vec::new(),
        stores_not_read: Vec::new(),
    };
    for store in config.regions.policy.stores.keys() {
        match found(env, store).await {
            Ok(found) => looked.records.extend(
                found
                    .iter()
                    .map(|one| one.standing(store, &config.regions, at)),
            ),
            Err(error) => {
                worker::console_error!("{store}: {error}");
                looked.stores_not_read.push(store.clone());
            }
        }
    }
    looked
}

/// Deletes what is due, as far as one run goes.
pub async fn run(env: &Env, by: &By, at: Millis) -> Result<Done, Denied> {
    let maps = MapStore::open(env)?;
    let config = beyond_doubt(env, &maps).await?;
    let mut done = Done::default();
    let mut room = Counted {
        rows: A_RUN,
        sums: A_RUN,
    };
    // A zone's records may lie in any of them: it may have had another one.
    for store in config.regions.policy.stores.keys() {
        let of_store = Store {
            env,
            name: store,
            config,
            maps: &maps,
        };
        match of_store.clear(by, at, &mut room, &mut done).await {
            Ok(()) => {}
            Err(Failed::Log(denied)) => return Err(denied),
            Err(Failed::Store(error)) => {
                worker::console_error!("{store}: {error}");
                done.stores_not_done.push(store.clone());
            }
        }
    }
    Ok(done)
}

/// The map in force, if this instance and the map database agree on it.
async fn beyond_doubt(env: &Env, maps: &MapStore) -> Result<&'static Config, Denied> {
    let config = map::look(env)
        .await
        .map_err(|_| Denied::Unavailable("The store of region maps".to_owned()))?;
    let (here, published) = (
        &config.regions.version,
        present(&maps.past().await?, built_in()?),
    );
    match *here == published {
        true => Ok(config),
        false => Err(Denied::Conflict(format!(
            "Map {published} is in force, and this instance still goes by {here}, so nothing is deleted. Try again in a minute; if it stays so, publish a map that this release can use."
        ))),
    }
}

async fn found(env: &Env, store: &str) -> worker::Result<Vec<Found>> {
    env.d1(store)?.prepare(LOOK).all().await?.results()
}

#[derive(Clone, Copy)]
struct Counted {
    rows: u64,
    sums: u64,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

/// Why a run, or a part of it, ended early.
enum Failed {
    /// The log: without it nothing is deleted anywhere.
    Log(Denied),
    /// One database: others may still answer.
    Store(worker::Error),
}

impl From<worker::Error> for Failed {
    fn from(error: worker::Error) -> Failed {
        Failed::Store(error)
    }
}

/// One database, and what decides about it.
struct Store<'a> {
    env: &'a Env,
    name: &'a str,
    config: &'a Config,
    maps: &'a MapStore,
}

impl Store<'_> {
    /// Deletes what is due here, as far as there is room.
    async fn clear(
        &self,
        by: &By,
        at: Millis,
        room: &mut Counted,
        done: &mut Done,
    ) -> Result<(), Failed> {
        let db = self.env.d1(self.name)?;
        for found in found(self.env, self.name).await? {
            let Some(due) = found.due(&self.config.regions, at) else {
                continue;
            };
            let (counted, more) = count(&db, &found.zone, &due, *room).await?;
            done.left |= more;
            if counted.rows + counted.sums == 0 {
                continue;
            }
            let mut deletion = Deletion {
                store: self.name.to_owned(),
                zone: found.zone,
                days: due.days,
                before: due.before.rfc3339(),
                rows: counted.rows,
                sums: counted.sums,
            };
            self.note(by, at, &deletion).await.map_err(Failed::Log)?;
            room.rows -= counted.rows;
            room.sums -= counted.sums;
            // Sums first: a row that comes once more counts in none, as long as the
            // first is there.
            let zone = &deletion.zone;
            deletion.sums = delete(&db, &SUMS, zone, &due, counted.sums).await?;
            deletion.rows = delete(&db, &ROWS, zone, &due, counted.rows).await?;
            done.deleted.push(deletion);
        }
        Ok(())
    }

    /// Writes into the log what is deleted next.
    async fn note(&self, by: &By, at: Millis, deletion: &Deletion) -> Result<(), Denied> {
        let facts = serde_json::to_string(deletion).unwrap_or_default();
        self.maps
            .note(Event {
                at,
                who: by.who.clone(),
                via: by.via.clone(),
                action: Action::UsageDeleted,
                subject: deletion.zone.clone(),
                version: self.config.regions.version.clone(),
                why: facts,
            })
            .await
    }
}

fn bound(
    db: &D1Database,
    sql: &str,
    zone: &str,
    due: &Due,
    most: u64,
) -> worker::Result<D1PreparedStatement> {
    let (before, most) = (due.before.0 as f64, most as f64);
    db.prepare(sql)
        .bind(&[JsValue::from_str(zone), before.into(), most.into()])
}

/// How many rows and sums of a zone are due, and whether that is more than there
/// is room for.
async fn count(
    db: &D1Database,
    zone: &str,
    due: &Due,
    room: Counted,
) -> worker::Result<(Counted, bool)> {
    let statements = vec![
        bound(db, ROWS.count, zone, due, room.rows + 1)?,
        bound(db, SUMS.count, zone, due, room.sums + 1)?,
    ];
    let mut counts = Vec::new();
    for result in db.batch(statements).await? {
        counts.extend(result.results::<Count>()?);
    }
    let [rows, sums] = counts.as_slice() else {
        return Err("a count is missing".into());
    };
    let counted = Counted {
        rows: rows.count.min(room.rows),
        sums: sums.count.min(room.sums),
    };
    Ok((counted, rows.count > room.rows || sums.count > room.sums))
}

/// Deletes the oldest, piece by piece, and `most` in all; how many they were.
/// Somebody else may do the same: then there are fewer.
async fn delete(
    db: &D1Database,
    table: &Table,
    zone: &str,
    due: &Due,
    most: u64,
) -> worker::Result<u64> {
    let mut deleted = 0;
    while deleted < most {
        let piece = PIECE.min(most - deleted);
        // Counted in the transaction that deletes.
        let first = std::iter::once(&table.count);
        let statements = first.chain(table.delete_more).chain(Some(&table.delete));
        let statements = statements.map(|sql| bound(db, sql, zone, due, piece));
        let statements = statements.collect::<worker::Result<Vec<_>>>()?;
        let results = db.batch(statements).await?;
        let counted = results.first().map(|result| result.results::<Count>());
        let counted = counted.transpose()?.unwrap_or_default();
        let count = counted.first().map_or(0, |counted| counted.count);
        deleted += count;
        if count < piece {
            break;
        }
    }
    Ok(deleted)
}
