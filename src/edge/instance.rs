//! The ledger's side of this instance: performs what [`Instance`] decides. Effects are
//! performed in the context of the request whose input they follow from.

use super::ledger::{self, send};
use super::{health, host, rows, settings};
use crate::answer::record::Row;
use crate::config::limits::Measure;
use crate::ledger::instance::{
    Admission, Counts, Effect, Finished, Input, Instance, Spill, SPILL_PATIENCE_MS,
};
use crate::ledger::{Address, LedgerRequest, LedgerResponse, Reservation, Spread};
use crate::refusal::Refusal;
use crate::units::Millis;
use crate::upstream::health::Notice;
use futures::future::{select, Either};
use futures::stream::FuturesUnordered;
use futures::StreamExt;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;
use worker::{Context, Delay, Env};

thread_local! {
    static INSTANCE: RefCell<Option<Instance>> = const { RefCell::new(None) };
    // The time of the newest notice of each object.
    static NOTICES_UNTIL: RefCell<BTreeMap<Address, u64>> = RefCell::default();
}

/// How often this instance asked the ledger, since it started.
#[derive(Debug, Serialize)]
pub struct Asked {
    #[serde(flatten)]
    counts: Counts,
    /// All requests to objects, and their bytes, rows included.
    messages: u64,
    bytes: u64,
}

/// How often this instance asked the ledger.
pub fn asked() -> Asked {
    let (messages, bytes) = ledger::sent();
    Asked {
        counts: with(|instance| instance.counts()),
        messages,
        bytes,
    }
}

fn with<T>(act: impl FnOnce(&mut Instance) -> T) -> T {
    INSTANCE.with_borrow_mut(|instance| {
        let new = || Instance::new(host::request_id(host::now()).to_string(), hot());
        act(instance.get_or_insert_with(new))
    })
}

/// The number of requests a second to an object above which its team is spread.
fn hot() -> u32 {
    let config = settings::config().ok();
    let hot = config.and_then(|config| config.gateway.limits.requests_per_object);
    hot.unwrap_or(Spread::HOT)
}

/// The object that a team's calls of a store go to.
pub fn object_for(team: &str, store: &str) -> Address {
    with(|instance| instance.object_for(team, store))
}

/// Reserves what a call needs until its deadline.
pub async fn admit(env: &Env, admission: Admission) -> Result<Reservation, Refusal> {
    match drive(env, Input::Admit(admission)).await {
        Some(decided) => decided.map_err(|refusal| *refusal),
        None => Err(Refusal::LedgerUnavailable),
    }
}

/// Sees to it that what was borrowed ahead goes back when nobody uses it.
pub fn linger(env: &Env, ctx: &Context) {
    follow(env, ctx, Input::Linger);
}

/// A call begins: should the platform end it, what was reserved for it is held.
pub fn begin(row: &Row, at: Address, reservation: Reservation, deadline: Millis) {
    with(|instance| instance.begin(row, at, reservation, deadline));
}

/// The accounts of a call under way, and what each counts.
pub fn measures(id: &str) -> Vec<(String, Measure)> {
    with(|instance| instance.measures(id))
}

/// Settles a call that is over.
pub fn settle(store: &str, row: Row) -> Finished {
    with(|instance| instance.settle(store, row))
}

/// Takes the row of a call that is over. It is reported with others of its moment, by
/// this context or by one that gathers already.
pub fn write(env: &Env, ctx: &Context, store: &str, row: Row) {
    let finished = settle(store, row);
    write_all(env, ctx, vec![finished]);
}

/// Takes calls that were settled.
pub fn write_all(env: &Env, ctx: &Context, finished: Vec<Finished>) {
    follow(env, ctx, Input::Finished(finished));
}

/// Performs what follows from an input after the response to the client.
fn follow(env: &Env, ctx: &Context, input: Input) {
    let effects = with(|instance| instance.handle(input, host::now()));
    if effects.is_empty() {
        return;
    }
    let env = env.clone();
    ctx.wait_until(async move {
        perform_all(&env, effects).await;
    });
}

type Decided = Result<Reservation, Box<Refusal>>;

async fn drive(env: &Env, input: Input) -> Option<Decided> {
    let effects = with(|instance| instance.handle(input, host::now()));
    perform_all(env, effects).await
}

/// Performs effects and what follows from them, until nothing is left to do. What was
/// decided about a call, if one asks to begin.
async fn perform_all(env: &Env, effects: Vec<Effect>) -> Option<Decided> {
    let mut decided = None;
    let mut under_way = FuturesUnordered::new();
    let mut effects = effects;
    loop {
        for effect in effects {
            match effect {
                Effect::Decide(result) => decided = Some(result),
                effect => under_way.push(perform(env, effect)),
            }
        }
        let Some(input) = under_way.next().await.flatten() else {
            return decided;
        };
        effects = with(|instance| instance.handle(input, host::now()));
    }
}

async fn perform(env: &Env, effect: Effect) -> Option<Input> {
    Some(match effect {
        Effect::Send {
            id,
            request,
            patience_ms,
        } => {
            let replied = report(env, *request, patience_ms).await;
            Input::Replied(id, replied.map(Box::new).map_err(|error| error.to_string()))
        }
        Effect::Wait(ms, timer) => {
            Delay::from(Duration::from_millis(ms)).await;
            Input::Due(timer)
        }
        Effect::Spill(spill) => Input::Spilled(spill.id, spilled(env, &spill).await),
        Effect::Decide(_) => return None,
    })
}

/// Sends a request. Notices of the health of endpoints go along with rows, both ways.
async fn report(
    env: &Env,
    mut request: LedgerRequest,
    patience_ms: u64,
) -> worker::Result<LedgerResponse> {
    if request.rows.is_none() {
        return send(env, &request, patience_ms).await;
    }
    request.notices = health::news();
    let until = NOTICES_UNTIL.with_borrow(|all| all.get(&request.to).copied());
    request.notices_until = until.unwrap_or_default();
    match send(env, &request, patience_ms).await {
        Ok(mut response) => {
            let notices = std::mem::take(&mut response.notices);
            if let Some(newest) = notices.iter().map(|(at, _)| *at).max() {
                NOTICES_UNTIL.with_borrow_mut(|all| all.insert(request.to, newest));
            }
            let notices: Vec<Notice> = notices.into_iter().map(|(_, notice)| notice).collect();
            health::heard(&notices);
            Ok(response)
        }
        Err(error) => {
            health::untold(request.notices);
            Err(error)
        }
    }
}

/// Writes calls to the database. If even that fails, their rows go to the log: they hold
/// nothing that may not stand there.
async fn spilled(env: &Env, spill: &Spill) -> bool {
    let Spill {
        store, rows, why, ..
    } = spill;
    let late = Delay::from(Duration::from_millis(SPILL_PATIENCE_MS));
    let written = match select(pin!(rows::spill(env, spill)), pin!(late)).await {
        Either::Left((written, _)) => written,
        Either::Right(_) => Err("it does not answer".into()),
    };
    match written {
        Ok(()) => {
            worker::console_warn!("the ledger did not reply ({why}); rows were left in {store}");
            true
        }
        Err(error) => {
            worker::console_error!("usage rows not stored ({why}; {error}), store {store}: {rows}");
            false
        }
    }
}
