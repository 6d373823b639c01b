//! Hands calls to the runaway guard, which looks whether they are a loop, and
//! reports one to people. Its memory is this instance's.

use super::fetch::Exchange;
use super::host;
use super::ledger::webhook;
use crate::answer::record::Row;
use crate::config::runaway::Rules;
use crate::dialect::Api;
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use crate::request::runaway::{Guard, Runaway, Verdict};
use serde_json::json;
use std::cell::RefCell;

thread_local! {
    static GUARD: RefCell<Guard> = RefCell::default();
}

/// Looks at a call; refuses it if it is part of a loop and has to wait.
pub fn look(
    x: &Exchange,
    caller: &Caller,
    api: Api,
    body: &str,
    rules: &Rules,
    row: &mut Row,
) -> Result<(), Refusal> {
    if api == Api::Embeddings || api.is_free() {
        // Many at once, with much in common, are what these are for.
        return Ok(());
    }
    let (team, feature) = (caller.key.team.as_str(), caller.tags.get("feature"));
    let now = host::now();
    let verdict = GUARD.with_borrow_mut(|guard| guard.seen(now, team, feature, body, rules));
    let (Verdict::Flagged(runaway) | Verdict::Throttled { runaway, .. }) = &verdict else {
        return Ok(());
    };
    row.runaway = Some(runaway.kind.as_str().to_owned());
    if runaway.is_news {
        report(x, runaway, rules);
    }
    match &verdict {
        Verdict::Throttled { retry_after_s, .. } => Err(Refusal::Runaway {
            what: verdict.to_string(),
            retry_after: *retry_after_s,
        }),
        _ => Ok(()),
    }
}

/// Reports a loop, once: in the log, and to the webhook if one is set.
fn report(x: &Exchange, runaway: &Runaway, rules: &Rules) {
    worker::console_warn!("runaway: {runaway}");
    let Some(url) = rules.webhook.clone() else {
        return;
    };
    let body = json!({
        "text": runaway.to_string(),
        "kind": runaway.kind.as_str(),
        "team": runaway.team,
        "feature": runaway.feature,
        "calls": runaway.calls,
        "over_ms": runaway.over_ms,
        "grown_from_bytes": runaway.grown_from,
        "grown_to_bytes": runaway.grown_to,
        "request": x.id.to_string(),
    });
    x.ctx.wait_until(async move {
        if !webhook::post(&url, &body.to_string()).await {
            worker::console_warn!("the webhook for runaway notices did not accept one; check `webhook` under [runaway]");
        }
    });
}
