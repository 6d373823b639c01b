//! Telling people's addresses that a part of a budget is spent.

use super::storage::{Hook, Storage};
use crate::ledger::Crossed;
use serde_json::json;
use wasm_bindgen::prelude::*;
use worker::Result;

/// How often an address is tried, over some ten minutes: each pause doubles the
/// one before.
const MOST_TRIES: i32 = 8;
const FIRST_PAUSE_MS: u64 = 5_000;

#[wasm_bindgen(module = "/src/edge/ledger/hooks.js")]
extern "C" {
    #[wasm_bindgen(js_name = tell)]
    async fn post(url: &str, body: &str) -> JsValue;
}

/// Tells an address something, once. Whether it has taken it.
pub async fn tell(url: &str, body: &str) -> bool {
    post(url, body).await.is_truthy()
}

/// Keeps what a step means for a budget's address, if it has one.
pub fn keep(storage: &Storage, crossed: &Crossed) -> Result<()> {
    let applied = &crossed.applied;
    let Some(url) = &applied.webhook else {
        return Ok(());
    };
    let told = |nano| applied.measure.show(nano);
    let text = format!(
        "{} % of the budget `{}` are spent: {} of {}.",
        crossed.percent,
        applied.limit,
        told(crossed.spent),
        told(applied.cap)
    );
    let body = json!({
        "text": text,
        "limit": applied.limit,
        "whom": applied.whom,
        "percent": crossed.percent,
        "spent_nano": crossed.spent,
        "budget_nano": applied.cap,
        "began": applied.window.start.rfc3339(),
        "resets": applied.window.end.map(|end| end.rfc3339()),
    });
    storage.keep_hook(url, &body.to_string())
}

/// Tells what is to be told. The pause until what was not taken is tried again.
pub async fn send(storage: &Storage) -> Option<u64> {
    let hooks = storage.hooks().ok()?;
    let mut pause = None;
    for Hook {
        id,
        url,
        body,
        tries,
    } in hooks
    {
        let told = tell(&url, &body).await;
        if !told {
            let next = FIRST_PAUSE_MS << tries.min(MOST_TRIES.unsigned_abs());
            pause = Some(pause.map_or(next, |pause: u64| pause.min(next)));
            worker::console_warn!("a budget's webhook did not take it, try {}", tries + 1);
        }
        storage.tried_hook(id, told, MOST_TRIES).ok()?;
    }
    pause
}
