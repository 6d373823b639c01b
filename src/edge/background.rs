//! Keeps what is held of calls in the background until their answer is asked for,
//! in KV, under the answer's fingerprint.

use super::fetch::Exchange;
use super::ledger::Address;
use super::usage::{self, Over};
use super::{admission, host, keys};
use crate::answer::record::{Row, Served};
use crate::config::Config;
use crate::dialect::{self, Fingerprint, Reading};
use crate::ledger::background::Background;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use worker::Context;

/// Providers keep answers for 30 days.
const KEPT_SECONDS: u64 = 30 * 24 * 60 * 60;

/// A call in the background, and the object that holds what it may cost.
#[derive(Serialize, Deserialize)]
struct Kept {
    to: Address,
    call: Background,
}

fn name(answer: &Fingerprint) -> String {
    format!("background:{}", answer.as_str())
}

/// Writes the row of a call that goes on in the background, and keeps what is needed
/// to settle it. What cannot be kept stays held.
pub fn begin(x: &Exchange, ctx: &Context, store: &str, row: Row, id: Option<&str>) {
    let measures = admission::measures(&row.id);
    let over = usage::over(store, row);
    if let (Some(id), Some(held)) = (id, &over.settled) {
        let kept = Kept {
            to: over.to.clone(),
            call: Background::new(&over.row, held, measures),
        };
        let name = name(&Fingerprint::of_answer(&over.row.team, id));
        let env = x.env.clone();
        ctx.wait_until(async move {
            let (Ok(store), Ok(text)) = (env.kv(keys::BINDING), serde_json::to_string(&kept))
            else {
                return;
            };
            let put = store.put(&name, text);
            let put = put.map(|put| put.expiration_ttl(KEPT_SECONDS).execute());
            if let Ok(put) = put {
                if let Err(error) = put.await {
                    worker::console_error!(
                        "what a call in the background may cost stays held: {error}"
                    );
                }
            }
        });
    }
    usage::write_all(&x.env, ctx, vec![over]);
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
    let name = name(&Fingerprint::of_answer(team, &id));
    let then = Rc::clone(x);
    x.ctx.wait_until(async move {
        let Ok(store) = then.env.kv(keys::BINDING) else {
            return;
        };
        let Ok(Some(Kept { to, call })) = store.get(&name).json::<Kept>().await else {
            return;
        };
        let Some(told) = call.ends(served, reading, &config.prices, host::now()) else {
            return;
        };
        let all = told.map(|(row, settled)| Over {
            to: to.clone(),
            row,
            settled,
        });
        usage::write_all(&then.env, &then.ctx, all.into());
        // Should this fail, it is told again with the next request, and counts once.
        let _ = store.delete(&name).await;
    });
}
