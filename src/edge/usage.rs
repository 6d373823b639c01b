//! What becomes of calls that are over: their rows go to their team's object,
//! with those of the same moment, and what they took of limits along with them.
//! An object that cannot be reached leaves them to the database, and hears of
//! them later.

use super::ledger::{self, send, Address, Letter};
use super::{admission, health, host};
use crate::answer::record::{self, Row};
use crate::ledger::{Message, Settled};
use crate::units::Millis;
use crate::upstream::health::Notice;
use futures::future::{join_all, select, Either};
use serde_json::value::RawValue;
use serde_json::{json, Value};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::thread::LocalKey;
use std::time::Duration;
use worker::{Context, Delay, Env};

/// How long the first row of a batch waits for others.
const GATHER: Duration = Duration::from_millis(100);
const ROWS_AT_ONCE: usize = 50;
/// A batch that is still told after so long belonged to a call that was cut off.
const CUT_OFF_MS: u64 = 60_000;
/// How long a database may take for what is left there.
const PATIENCE: Duration = Duration::from_secs(15);
/// So long calls are kept for an object: it remembers their ids for twice as long.
const KEPT_FOR_MS: u64 = 30 * 60_000;
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
const LINGERS_MS: u64 = 8_000;

/// A call that is over.
struct Event {
    row: Row,
    settled: Option<Settled>,
    /// When it was over.
    over: Millis,
    /// Its object did not answer, so it was left in the database.
    spilled: bool,
}

/// Calls that an object is told of just now.
struct Batch {
    address: Address,
    since: Millis,
    events: Vec<Event>,
}

/// Calls by the object that is to hear of them.
type List = LocalKey<RefCell<BTreeMap<Address, Vec<Event>>>>;

thread_local! {
    static WAITING: RefCell<BTreeMap<Address, Vec<Event>>> = RefCell::default();
    // What is told just now, by the number of its batch.
    static UNDER_WAY: RefCell<BTreeMap<u64, Batch>> = RefCell::default();
    static BATCHES: Cell<u64> = const { Cell::new(0) };
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
    write_all(env, ctx, vec![over(&store, row)]);
}

/// A row, what goes with it, and the object that is to hear of it.
pub struct Over {
    /// The object.
    pub to: Address,
    /// The row.
    pub row: Row,
    /// What the call took, if anything was reserved for it.
    pub settled: Option<Settled>,
}

/// Settles a call that is over.
pub fn over(store: &str, mut row: Row) -> Over {
    let (to, settled) = match admission::settle(&mut row) {
        Some((address, settled)) => (address, settled),
        None => (ledger::for_calls(&row.team, store), None),
    };
    Over { to, row, settled }
}

/// Takes rows with what goes with them, as they are.
pub fn write_all(env: &Env, ctx: &Context, all: Vec<Over>) {
    for Over { to, row, settled } in all {
        take(to, row, settled);
    }
    soon(env, ctx);
}

fn soon(env: &Env, ctx: &Context) {
    let now = host::now();
    let gathering = GATHERING_SINCE.get();
    if gathering.is_none_or(|since| now.since(since) >= OVERDUE_MS) {
        GATHERING_SINCE.set(Some(now));
        ctx.wait_until(gather(env.clone()));
    }
}

fn take(address: Address, row: Row, settled: Option<Settled>) {
    let event = Event {
        row,
        settled,
        over: host::now(),
        spilled: false,
    };
    WAITING.with_borrow_mut(|waiting| waiting.entry(address).or_default().push(event));
}

async fn gather(env: Env) {
    Delay::from(GATHER).await;
    GATHERING_SINCE.set(None);
    for (store, row) in admission::cut_off(host::now()) {
        let Over { to, row, settled } = over(&store, row);
        take(to, row, settled);
    }
    take_over(host::now());
    let waiting = WAITING.with_borrow(|waiting| waiting.keys().cloned().collect::<Vec<_>>());
    let reports = waiting
        .iter()
        .map(|address| report_all(&env, address, &WAITING));
    join_all(reports).await;
    give_back(env).await;
}

/// Batches whose call was cut off while it was telling of them wait again.
fn take_over(now: Millis) {
    let overdue: Vec<Batch> = UNDER_WAY.with_borrow_mut(|under_way| {
        let overdue = under_way.extract_if(.., |_, batch| now.since(batch.since) >= CUT_OFF_MS);
        overdue.map(|(_, batch)| batch).collect()
    });
    WAITING.with_borrow_mut(|waiting| {
        for batch in overdue {
            let waiting = waiting.entry(batch.address).or_default();
            waiting.extend(batch.events);
        }
    });
}

/// Tells an object of those calls in a list that are there now. A batch leaves
/// the list when it is told: should this call be cut off, others tell the rest.
async fn report_all(env: &Env, address: &Address, list: &'static List) {
    let mut left = list.with_borrow(|all| all.get(address).map_or(0, Vec::len));
    let mut heard = true;
    while let Some(events) = next_of(list, address, left) {
        left -= events.len();
        heard &= report(env, address, events).await;
    }
    if heard {
        report_kept(env, address).await;
    }
}

/// Tells an object that answers of calls that it did not hear of before.
async fn report_kept(env: &Env, address: &Address) {
    while let Some(events) = next_of(&KEPT, address, ROWS_AT_ONCE) {
        if !report(env, address, events).await {
            return;
        }
    }
}

/// The next batch of a list, of so many calls at most.
fn next_of(list: &'static List, address: &Address, most: usize) -> Option<Vec<Event>> {
    list.with_borrow_mut(|all| {
        let events = all.get_mut(address)?;
        let batch = events.len().min(ROWS_AT_ONCE).min(most);
        let batch: Vec<Event> = events.drain(..batch).collect();
        if events.is_empty() {
            all.remove(address);
        }
        (!batch.is_empty()).then_some(batch)
    })
}

/// Keeps calls that an object did not hear of: those whose rows are in the
/// database until it answers again, for as long as it remembers those it has read
/// of there; others wait as if they were over just now.
fn keep(address: &Address, events: Vec<Event>) {
    let now = host::now();
    let (spilled, others): (Vec<Event>, Vec<Event>) =
        events.into_iter().partition(|event| event.spilled);
    let noted = spilled.into_iter().filter(|event| event.settled.is_some());
    let lists: [(&List, Vec<Event>); 2] = [(&KEPT, noted.collect()), (&WAITING, others)];
    for (list, events) in lists.into_iter().filter(|(_, events)| !events.is_empty()) {
        list.with_borrow_mut(|all| {
            let kept = all.entry(address.clone()).or_default();
            kept.retain(|event| now.since(event.over) < KEPT_FOR_MS);
            let room = MOST_KEPT.saturating_sub(kept.len());
            kept.extend(events.into_iter().take(room));
        });
    }
}

/// Sees to it that what was borrowed ahead goes back, should nobody use it while
/// this call lasts.
pub fn linger(env: &Env, ctx: &Context) {
    if admission::has_some_idle() && !is_lingering() {
        ctx.wait_until(give_back(env.clone()));
    }
}

fn is_lingering() -> bool {
    host::now().since(LINGERING_AT.get()) < LINGERS_MS
}

/// Waits until nobody uses what was borrowed, and gives it back: it may be
/// missed elsewhere.
async fn give_back(env: Env) {
    for _ in 0..MOST_ROUNDS {
        if !admission::has_some_idle() || is_lingering() {
            return;
        }
        LINGERING_AT.set(host::now());
        Delay::from(IDLE).await;
        let sent = host::now();
        for (address, message) in admission::give_back(sent) {
            let letter = Letter::new(address, message);
            match send(&env, &letter).await {
                Ok(answer) => {
                    admission::heard(&letter.to, sent, &letter.message, &answer.reply);
                    admission::forget_done();
                    report_kept(&env, &letter.to).await;
                }
                Err(_) => admission::not_heard(&letter.to, &letter.message),
            }
        }
        LINGERING_AT.set(Millis(0));
    }
}

/// Tells an object of calls that are over; whether it has heard.
async fn report(env: &Env, address: &Address, events: Vec<Event>) -> bool {
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
    let batch = BATCHES.replace(BATCHES.get().wrapping_add(1));
    let under_way = Batch {
        address: address.clone(),
        since: now,
        events,
    };
    UNDER_WAY.with_borrow_mut(|all| all.insert(batch, under_way));
    let mut answer = send(env, &letter).await;
    if answer.is_err() {
        // What came and was not answered counts once all the same.
        answer = send(env, &letter).await;
    }
    let answer = match answer {
        Ok(answer) => {
            UNDER_WAY.with_borrow_mut(|all| all.remove(&batch));
            answer
        }
        Err(error) => {
            admission::not_heard(address, &letter.message);
            health::untold(letter.news);
            let holder = &letter.message.holder;
            spill(env, address, holder, batch, &error.to_string()).await;
            let told = UNDER_WAY.with_borrow_mut(|all| all.remove(&batch));
            keep(address, told.map(|batch| batch.events).unwrap_or_default());
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
async fn spill(env: &Env, address: &Address, holder: &str, batch: u64, why: &str) {
    let Some(store) = address.store() else { return };
    let left = UNDER_WAY.with_borrow(|all| {
        let events = all.get(&batch).map(|batch| batch.events.as_slice());
        let events = events.unwrap_or_default().iter();
        let left: Vec<&Event> = events.filter(|event| !event.spilled).collect();
        let rows = record::to_json(left.iter().map(|event| &event.row));
        let notes: Vec<Value> = left.iter().map(|event| note(holder, event)).collect();
        (!left.is_empty()).then(|| (rows, json!(notes).to_string()))
    });
    let Some((rows, told)) = left else { return };
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
    let spilled = match select(pin!(spilled), pin!(Delay::from(PATIENCE))).await {
        Either::Left((spilled, _)) => spilled,
        Either::Right(_) => Err("it does not answer".into()),
    };
    match spilled {
        Ok(()) => {
            worker::console_warn!("the ledger did not answer ({why}); rows were left in {store}");
            UNDER_WAY.with_borrow_mut(|all| {
                let events = all.get_mut(&batch).map(|batch| &mut batch.events);
                let events = events.into_iter().flatten();
                events.for_each(|event| event.spilled = true);
            });
        }
        Err(error) => {
            worker::console_error!("usage rows not stored ({why}; {error}), store {store}: {rows}");
        }
    }
}

/// What an object will read of a call.
fn note(holder: &str, Event { row, settled, .. }: &Event) -> Value {
    let message = Message {
        holder: holder.to_owned(),
        settled: settled.iter().cloned().collect(),
        ..Message::default()
    };
    json!({"id": row.id, "event": json!({"message": message, "row": row}).to_string()})
}
