//! Usage, summed over all usage databases. A sum without one of them would be
//! wrong, so each of them must answer.

use super::{built_in, unavailable, AdminCall, AdminReply};
use crate::admin::Denied;
use crate::report::usage::{self, Found, Question};
use futures::future::try_join_all;
use wasm_bindgen::JsValue;
use worker::Env;

pub async fn page(call: &AdminCall) -> Result<AdminReply, Denied> {
    let question = Question::read(&call.query, call.at).map_err(Denied::Invalid)?;
    let stores = built_in()?.regions.policy.stores.keys();
    let found = try_join_all(stores.map(|store| found(&call.env, store, &question))).await?;
    let page = question.page(&found).map_err(Denied::Conflict)?;
    if !question.csv {
        return Ok(AdminReply::json(&page.json()));
    }
    let next = page.next.map(|next| format!("\nmeridian-next: {next}"));
    Ok(AdminReply {
        status: 200,
        headers: format!(
            "content-type: text/csv; charset=utf-8\ncontent-disposition: attachment; filename=\"usage.csv\"{}",
            next.unwrap_or_default()
        ),
        body: usage::csv(&page.by, &page.groups),
    })
}

async fn found(env: &Env, store: &str, question: &Question) -> Result<Found, Denied> {
    let failed = unavailable("A usage database");
    let db = env.d1(store).map_err(&failed)?;
    let mut statements = Vec::new();
    for statement in [question.groups(), question.total(), question.unknown()] {
        let values = statement
            .values
            .iter()
            .map(|value| JsValue::from_str(value));
        let values: Vec<JsValue> = values.collect();
        let bound = db.prepare(statement.sql).bind(&values);
        statements.push(bound.map_err(&failed)?);
    }
    let results = db.batch(statements).await.map_err(&failed)?;
    let [groups, total, unknown] = results.as_slice() else {
        return Err(Denied::Unavailable("A usage database".to_owned()));
    };
    Ok(Found {
        groups: groups.results().map_err(&failed)?,
        total: total.results().map_err(&failed)?,
        unknown: unknown.results().map_err(&failed)?,
    })
}
