//! Keeps what is held of calls in the background until their answer is asked for, in
//! the database of their rows: it is in the jurisdiction of the zone.

use super::fetch::Exchange;
use super::{blob_owners, host, instance};
use crate::answer::record::{Row, Served};
use crate::config::Config;
use crate::dialect::{self, Fingerprint, Reading};
use crate::ledger::background::Background;
use crate::ledger::instance::Finished;
use crate::ledger::Address;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use worker::Env;

/// A call in the background, and the object that holds what it may cost.
#[derive(Serialize, Deserialize)]
struct Kept {
    to: Address,
    call: Background,
}

#[derive(Deserialize)]
struct Found {
    id: String,
    call: String,
}

/// Writes the row of a call that goes on in the background, and keeps what is needed
/// to settle it. What cannot be kept stays held.
pub fn begin(x: &Exchange, store: &str, row: Row, answer: Option<&str>) {
    let measures = instance::measures(&row.id);
    let over = instance::settle(store, row);
    if let (Some(answer), Some(held)) = (answer, &over.settled) {
        let kept = Kept {
            to: over.to.clone(),
            call: Background::new(&over.row, held, measures),
        };
        let answer = Fingerprint::of_answer(&over.row.team, answer);
        let (env, store, id) = (x.env.clone(), store.to_owned(), over.row.id.clone());
        x.ctx.wait_until(async move {
            if let Err(error) = keep(&env, &store, &id, &answer, &kept).await {
                worker::console_error!(
                    "a background call could not be recorded; its reservation stays held: {error}"
                );
            }
        });
    }
    instance::write_all(&x.env, &x.ctx, vec![over]);
}

async fn keep(
    env: &Env,
    store: &str,
    id: &str,
    answer: &Fingerprint,
    kept: &Kept,
) -> worker::Result<()> {
    let call = serde_json::to_string(kept)?;
    let insert = "INSERT INTO background (id, answer, call) VALUES (?, ?, ?)";
    let values = [id.into(), answer.as_str().into(), call.into()];
    let insert = env.d1(store)?.prepare(insert).bind(&values)?;
    insert.run().await.map(|_| ())
}

/// Somebody has asked for an answer: if it was made in the background and is over, it
/// is settled.
pub fn asked_for(
    x: &Rc<Exchange>,
    config: &'static Config,
    served: Served<'static>,
    team: &str,
    answer: &[u8],
) {
    let is_answer = matches!(x.head.stored(), Ok(Some(stored)) if stored.reads_answer());
    let mut reading = Reading::default();
    dialect::read_reply(served.attempt.dialect(), answer, &mut reading);
    let Some(id) = reading
        .kept
        .clone()
        .filter(|_| is_answer && !reading.goes_on)
    else {
        return;
    };
    let answer = Fingerprint::of_answer(team, &id);
    let then = Rc::clone(x);
    x.ctx.wait_until(async move {
        let ended = ended(&then, config, served, reading, &answer).await;
        if let Err(error) = ended {
            worker::console_error!(
                "a background call is not settled; reading its answer again settles it: {error}"
            );
        }
    });
}

async fn ended(
    x: &Exchange,
    config: &Config,
    served: Served<'static>,
    reading: Reading,
    answer: &Fingerprint,
) -> worker::Result<()> {
    let kept = blob_owners::keeper(&x.env, answer.clone()).await;
    let Some(store) = kept.and_then(|kept| kept.store) else {
        return Ok(());
    };
    let database = x.env.d1(&store)?;
    let find = "SELECT id, call FROM background WHERE answer = ?";
    let find = database.prepare(find).bind(&[answer.as_str().into()])?;
    let Some(Found { id, call }) = find.first::<Found>(None).await? else {
        return Ok(());
    };
    let Kept { to, call } = serde_json::from_str(&call)?;
    let Some(told) = call.ends(served, reading, &config.prices, host::now()) else {
        return Ok(());
    };
    let all = told.map(|(row, settled)| Finished {
        to: to.clone(),
        row,
        settled,
    });
    instance::write_all(&x.env, &x.ctx, all.into());
    // Should this fail, it is reported again with the next request, and counts once.
    let delete = database.prepare("DELETE FROM background WHERE id = ?");
    delete.bind(&[id.into()])?.run().await.map(|_| ())
}
