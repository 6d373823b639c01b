//! May a call begin? What this instance has borrowed from the ledger says so;
//! where that is not enough, the ledger is asked. What was reserved for a call
//! is settled when its row is written, whatever became of it.

use super::host;
use super::ledger::{hear_load, send_within, Address, Letter, PATIENCE};
use crate::answer::record::Row;
use crate::config::limits::{Measure, Unreachable};
use crate::ledger::{Message, Need, Purse, Reply, Reservation, Settled};
use crate::refusal::Refusal;
use crate::units::Millis;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::Env;

/// How often a call asks again that was answered without being lent anything.
const MOST_TRIES: usize = 3;
/// How long a call may be kept waiting that goes on whatever is answered.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);
/// So long an object that did not answer is not asked for those who can go on
/// without it.
const SILENT_MS: u64 = 5_000;
/// So long after its deadline a call was cut off by the platform.
const CUT_OFF_MS: u64 = 60_000;

/// A call under way.
struct Open {
    row: Row,
    address: Address,
    reservation: Reservation,
    deadline: Millis,
}

/// How often this instance had to ask, since it began.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counts {
    /// Calls that were let in with something reserved.
    pub admitted: u64,
    /// How often a call waited for the ledger.
    pub asked: u64,
    /// Messages about calls that were over, which no call waits for.
    pub reports: u64,
    /// All messages to objects of the ledger, and their bytes, rows included.
    pub messages: u64,
    /// How many bytes they had.
    pub bytes: u64,
}

thread_local! {
    static COUNTS: Cell<Counts> = Cell::default();
    static PURSES: RefCell<BTreeMap<Address, Purse>> = RefCell::default();
    static OPEN: RefCell<BTreeMap<String, Open>> = RefCell::default();
    // Objects that did not answer lately, to calls of limits or without.
    static SILENT_SINCE: RefCell<BTreeMap<(Address, bool), Millis>> = RefCell::default();
}

/// How often this instance had to ask.
pub fn counts() -> Counts {
    let (messages, bytes) = super::ledger::sent();
    Counts {
        messages,
        bytes,
        ..COUNTS.get()
    }
}

fn count(change: impl FnOnce(&mut Counts)) {
    let mut counts = COUNTS.get();
    change(&mut counts);
    COUNTS.set(counts);
}

fn with_purse<T>(address: &Address, act: impl FnOnce(&mut Purse) -> T) -> T {
    PURSES.with_borrow_mut(|purses| {
        let purse = purses
            .entry(address.clone())
            .or_insert_with(|| Purse::new(name()));
        act(purse)
    })
}

/// A name that no other purse has.
fn name() -> String {
    host::request_id(host::now()).to_string()
}

/// Reserves what a call needs until its deadline.
pub async fn admit(
    env: &Env,
    address: &Address,
    deadline: Millis,
    needs: Vec<Need>,
    unreachable: Unreachable,
) -> Result<Reservation, Refusal> {
    if needs.is_empty() {
        return Ok(Reservation::default());
    }
    let is_endless = needs.iter().all(|need| need.applied.is_endless());
    let goes_on = is_endless || unreachable == Unreachable::Allow;
    let asks = (address.clone(), is_endless);
    let patience = if is_endless { SHORT_PATIENCE } else { PATIENCE };
    for _ in 0..MOST_TRIES {
        let now = host::now();
        let here = with_purse(address, |purse| purse.reserve(now, deadline, &needs));
        if let Some(reservation) = here {
            count(|counts| counts.admitted += 1);
            return Ok(reservation);
        }
        if goes_on && is_silent(&asks, now) {
            return Ok(Reservation::unasked(&needs));
        }
        let said = with_purse(address, |purse| purse.refused_lately(now, &needs));
        if let Some(exceeded) = said {
            return Err(Refusal::Exceeded(Box::new(exceeded.as_of(now))));
        }
        let question = with_purse(address, |purse| purse.ask(now, deadline, needs.clone()));
        count(|counts| counts.asked += 1);
        let letter = Letter::new(address.clone(), question.message.clone());
        let Ok(answer) = send_within(env, &letter, patience).await else {
            with_purse(address, |purse| purse.failed(question));
            SILENT_SINCE.with_borrow_mut(|all| all.insert(asks, host::now()));
            return match goes_on {
                true => Ok(Reservation::unasked(&needs)),
                false => Err(Refusal::LedgerUnavailable),
            };
        };
        SILENT_SINCE.with_borrow_mut(|all| all.remove(&asks));
        hear_load(env, address, answer.load);
        let admitted = with_purse(address, |purse| {
            let admitted = purse.answered(now, question, &answer.reply);
            lose(purse, &letter.message, &answer.reply);
            admitted
        });
        match admitted {
            Ok(Some(reservation)) => {
                count(|counts| counts.admitted += 1);
                return Ok(reservation);
            }
            Ok(None) => {}
            Err(exceeded) => {
                let exceeded = Box::new(exceeded.as_of(host::now()));
                return Err(Refusal::Exceeded(exceeded));
            }
        }
    }
    match goes_on {
        true => Ok(Reservation::unasked(&needs)),
        false => Err(Refusal::LedgerUnavailable),
    }
}

fn is_silent(asks: &(Address, bool), now: Millis) -> bool {
    let since = SILENT_SINCE.with_borrow(|all| all.get(asks).copied());
    since.is_some_and(|since| now.0.abs_diff(since.0) < SILENT_MS)
}

fn lose(purse: &mut Purse, message: &Message, reply: &Reply) {
    if reply.lost && message.holder == purse.holder() {
        purse.lose(name());
    }
}

/// Remembers a call that begins: should the platform cut it off, what was
/// reserved for it is held.
pub fn begin(row: &Row, address: Address, reservation: Reservation, deadline: Millis) {
    let open = Open {
        row: row.clone(),
        address,
        reservation,
        deadline,
    };
    OPEN.with_borrow_mut(|all| all.insert(row.id.clone(), open));
}

/// The accounts that a call under way was reserved from, and what each counts.
pub fn measures(id: &str) -> Vec<(String, Measure)> {
    OPEN.with_borrow(|all| all.get(id).map(|open| open.reservation.measures()))
        .unwrap_or_default()
}

/// Settles a call whose row is complete. What it took is in its row, and where
/// nobody knows that, what was reserved. The object that it goes to, if the call
/// ever began.
pub fn settle(row: &mut Row) -> Option<(Address, Option<Settled>)> {
    let open = OPEN.with_borrow_mut(|all| all.remove(&row.id))?;
    if open.reservation.is_empty() {
        return Some((open.address, None));
    }
    row.reserved_nano = open.row.reserved_nano;
    row.note_bound();
    let took = |measure, most| row.takes(measure, most);
    let settle = |purse: &mut Purse| purse.settle(&row.id, open.reservation, took);
    let mut settled = with_purse(&open.address, settle);
    settled.held = row.is_held();
    Some((open.address, Some(settled)))
}

/// Calls that the platform has cut off: their stores and rows.
pub fn cut_off(now: Millis) -> Vec<(String, Row)> {
    let over: Vec<(String, Row)> = OPEN.with_borrow(|all| {
        let over = all.values();
        let over = over.filter(|open| now.since(open.deadline) > CUT_OFF_MS);
        let store = |open: &Open| open.address.store().unwrap_or_default().to_owned();
        let over = over.map(|open| (store(open), open.row.clone()));
        over.collect()
    });
    let cut = over.into_iter().map(|(store, mut row)| {
        row.cut_off(now);
        (store, row)
    });
    cut.collect()
}

/// What to tell an object of calls that are over. What comes of it is to be
/// told to [`heard`] or [`not_heard`].
pub fn report(address: &Address, now: Millis, settled: Vec<Settled>) -> Message {
    count(|counts| counts.reports += 1);
    with_purse(address, |purse| purse.report(now, settled, false))
}

/// An object has heard a report that was sent at a time, and has answered.
pub fn heard(address: &Address, sent: Millis, message: &Message, reply: &Reply) {
    with_purse(address, |purse| {
        purse.heard(sent, message, reply);
        lose(purse, message, reply);
    });
}

/// Forgets purses without anything in them after a pause: they are made anew when
/// they are needed.
pub fn forget_done() {
    PURSES.with_borrow_mut(|purses| purses.retain(|_, purse| !purse.is_done()));
}

/// An object may not have heard a report.
pub fn not_heard(address: &Address, message: &Message) {
    with_purse(address, |purse| purse.unheard(message));
}

/// Whether something is borrowed that no call has reserved.
pub fn has_some_idle() -> bool {
    PURSES.with_borrow(|purses| purses.values().any(Purse::has_some_idle))
}

/// What to tell objects from which something is borrowed that nobody has used
/// for a while.
pub fn give_back(now: Millis) -> Vec<(Address, Message)> {
    PURSES.with_borrow_mut(|purses| {
        let idle = purses.iter_mut().filter(|(_, purse)| purse.is_idle(now));
        let told =
            idle.map(|(address, purse)| (address.clone(), purse.report(now, Vec::new(), true)));
        told.collect()
    })
}
