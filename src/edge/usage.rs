//! What becomes of calls that are over: their rows go to their team's object,
//! with those of the same moment, and what they took of limits along with them.
//! An object that cannot be reached leaves them to the database, and hears of
//! them later.

use super::ledger::{self, send, Address, Letter};
use super::{admission, health, host};
use crate::health::Notice;
use crate::ledger::{Message, Settled};
use crate::record::{self, Row};
use crate::units::Millis;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::{Context, D1Database, D1PreparedStatement, Delay, Env};

/// How long the first row of a batch waits for others.
const GATHER: Duration = Duration::from_millis(100);
const ROWS_AT_ONCE: usize = 50;
/// So many calls at most are kept for an object that does not answer.
const MOST_KEPT: usize = 1_000;
/// When a batch that was to be sent by now is taken over: the call that was
/// gathering it may have been cut off.
const OVERDUE_MS: u64 = 1_000;
/// After so long without a call an instance gives back what it had borrowed.
const IDLE: Duration = Duration::from_millis(1_500);
/// So often at most the same call looks whether it is so.
const MOST_ROUNDS: usize = 10;
/// A call that was to look by now was cut off.
const LINGERS_MS: u64 = 4_000;

/// A call that is over.
struct Event {
    row: Row,
    settled: Option<Settled>,
    /// Its object did not answer, so it was left in the database.
    spilled: bool,
}

thread_local! {
    static WAITING: RefCell<BTreeMap<Address, Vec<Event>>> = RefCell::default();
    // What objects did not hear.
    static KEPT: RefCell<BTreeMap<Address, Vec<Event>>> = RefCell::default();
    // Up to when each object's notices were heard.
    static HEARD: RefCell<BTreeMap<Address, u64>> = RefCell::default();
    static GATHERING_SINCE: Cell<Option<Millis>> = const { Cell::new(None) };
    static LINGERING_AT: Cell<Millis> = const { Cell::new(Millis(0)) };
}

/// Takes the row of a call that is over. It is sent with others of its moment,
/// by this call or by one that gathers already.
pub fn write(env: &Env, ctx: &Context, store: String, row: Row) {
    take(&store, row);
    let now = host::now();
    let gathering = GATHERING_SINCE.get();
    if gathering.is_none_or(|since| now.since(since) >= OVERDUE_MS) {
        GATHERING_SINCE.set(Some(now));
        ctx.wait_until(gather(env.clone()));
    }
}

fn take(store: &str, mut row: Row) {
    let (address, settled) = match admission::settle(&mut row) {
        Some((address, settled)) => (address, settled),
        None => (ledger::for_calls(&row.team, store), None),
    };
    let event = Event {
        row,
        settled,
        spilled: false,
    };
    WAITING.with_borrow_mut(|waiting| waiting.entry(address).or_default().push(event));
}

async fn gather(env: Env) {
    Delay::from(GATHER).await;
    GATHERING_SINCE.set(None);
    for (store, row) in admission::cut_off(host::now()) {
        take(&store, row);
    }
    let waiting = WAITING.take();
    let reports = waiting
        .into_iter()
        .map(|(address, events)| report_all(&env, address, events));
    join_all(reports).await;
    give_back(&env).await;
}

/// Tells an object of calls, and once it has heard that, of those that it did not
/// hear of before.
async fn report_all(env: &Env, address: Address, mut events: Vec<Event>) {
    let mut heard = true;
    while !events.is_empty() {
        let rest = events.split_off(events.len().min(ROWS_AT_ONCE));
        heard = report(env, &address, events).await;
        events = rest;
    }
    let mut kept = match heard {
        true => KEPT.with_borrow_mut(|kept| kept.remove(&address)),
        false => None,
    };
    while let Some(mut events) = kept.take().filter(|events| !events.is_empty()) {
        let rest = events.split_off(events.len().min(ROWS_AT_ONCE));
        match report(env, &address, events).await {
            true => kept = Some(rest),
            false => keep(&address, rest),
        }
    }
}

/// Keeps calls for when their object answers again. Should it not, as far as it
/// is concerned they are in the database.
fn keep(address: &Address, events: Vec<Event>) {
    KEPT.with_borrow_mut(|kept| {
        let kept = kept.entry(address.clone()).or_default();
        let limited = events.into_iter().filter(|event| event.settled.is_some());
        kept.extend(limited.take(MOST_KEPT.saturating_sub(kept.len())));
    });
}

/// Waits until nobody uses what was borrowed, and gives it back: it may be
/// missed elsewhere.
async fn give_back(env: &Env) {
    for _ in 0..MOST_ROUNDS {
        let now = host::now();
        if !admission::has_some_idle() || now.since(LINGERING_AT.get()) < LINGERS_MS {
            return;
        }
        LINGERING_AT.set(now);
        Delay::from(IDLE).await;
        let sent = host::now();
        for (address, message) in admission::give_back(sent) {
            let letter = Letter::new(address, message);
            match send(env, &letter).await {
                Ok(answer) => {
                    admission::heard(&letter.to, sent, &letter.message, &answer.reply);
                    report_all(env, letter.to, Vec::new()).await;
                }
                Err(_) => admission::not_heard(&letter.to, &letter.message),
            }
        }
        LINGERING_AT.set(Millis(0));
    }
}

/// Tells an object of calls that are over; whether it has heard.
async fn report(env: &Env, address: &Address, mut events: Vec<Event>) -> bool {
    let settled = events.iter().filter_map(|event| event.settled.clone());
    let settled = settled.collect();
    let now = host::now();
    let heard = HEARD.with_borrow(|heard| heard.get(address).copied());
    let rows = record::to_json(events.iter().map(|event| &event.row));
    let letter = Letter {
        rows: RawValue::from_string(rows).ok(),
        news: health::news(),
        heard: heard.unwrap_or_default(),
        ..Letter::new(address.clone(), admission::report(address, now, settled))
    };
    let mut answer = send(env, &letter).await;
    if answer.is_err() {
        // What came and was not answered counts once all the same.
        answer = send(env, &letter).await;
    }
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            admission::not_heard(address, &letter.message);
            health::untold(letter.news);
            spill(
                env,
                address,
                &letter.message.holder,
                &mut events,
                &error.to_string(),
            )
            .await;
            keep(address, events);
            return false;
        }
    };
    admission::heard(address, now, &letter.message, &answer.reply);
    ledger::hear_load(env, address, answer.load);
    let newest = answer.notices.iter().map(|(told, _)| *told).max();
    if let Some(newest) = newest {
        HEARD.with_borrow_mut(|heard| heard.insert(address.clone(), newest));
    }
    let notices: Vec<Notice> = answer
        .notices
        .into_iter()
        .map(|(_, notice)| notice)
        .collect();
    health::heard(&notices);
    true
}

/// Leaves calls to the database: their rows count at once, what they took of
/// limits when the object reads it. If even that fails, they go to the log:
/// they hold nothing that may not stand there.
async fn spill(env: &Env, address: &Address, holder: &str, events: &mut [Event], why: &str) {
    let Some(store) = address.store() else { return };
    let left: Vec<&Event> = events.iter().filter(|event| !event.spilled).collect();
    if left.is_empty() {
        return;
    }
    let told = left.iter().map(|Event { row, settled, .. }| {
        let message = Message {
            holder: holder.to_owned(),
            settled: settled.iter().cloned().collect(),
            ..Message::default()
        };
        json!({"id": row.id, "event": json!({"message": message, "row": row}).to_string()})
    });
    let told = json!(told.collect::<Vec<_>>()).to_string();
    let rows = record::to_json(left.iter().map(|event| &event.row));
    let spilled = async {
        let database = env.d1(store)?;
        let sql = "INSERT INTO spilled (id, team, event) SELECT value->>'id', ?2, value->>'event' \
                   FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING";
        let statements = vec![
            database
                .prepare(record::SUM_UP)
                .bind(&[rows.as_str().into()])?,
            database
                .prepare(record::INSERT)
                .bind(&[rows.as_str().into()])?,
            database
                .prepare(sql)
                .bind(&[told.into(), address.mark().into()])?,
        ];
        database.batch(statements).await.map(|_| ())
    };
    match spilled.await {
        Ok(()) => {
            worker::console_warn!("the ledger did not answer ({why}); rows were left in {store}");
            events.iter_mut().for_each(|event| event.spilled = true);
        }
        Err(error) => {
            worker::console_error!("usage rows not stored ({why}; {error}), store {store}: {rows}");
        }
    }
}

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
