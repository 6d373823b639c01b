//! What the usage databases know, page by page: a page looks at so many rows of
//! one database and groups them there, however many there are in all.

use super::{built_in, unavailable, AdminCall};
use crate::admin::Denied;
use crate::report::replay;
use crate::report::transfers;
use crate::units::{Millis, RequestId};
use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::{json, Value};
use wasm_bindgen::JsValue;
use worker::Env;

/// How many rows a page looks at.
const ROWS_A_PAGE: u32 = 20_000;
/// How many pages one request of the admin API may look at itself.
pub const MOST_PAGES: usize = 20;

/// Rows of a page, newest id last; `?1` and `?2` bound the ids.
const PAGE: &str = "(SELECT * FROM usage WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3)";

/// Where a page begins: in which database, after which id.
struct Cursor {
    store: String,
    after: String,
}

/// Reads `STORE:ID`; without a cursor the first database from its beginning.
fn begin(stores: &[String], cursor: Option<&str>, from: &str) -> Result<Cursor, Denied> {
    let Some(cursor) = cursor else {
        let store = stores.first().cloned();
        let store = store
            .ok_or_else(|| Denied::NotFound("No zone that fits has a database.".to_owned()))?;
        return Ok(Cursor {
            store,
            after: from.to_owned(),
        });
    };
    let parts = cursor
        .split_once(':')
        .filter(|(store, _)| stores.iter().any(|known| known == store));
    let (store, after) =
        parts.ok_or_else(|| Denied::Invalid("`cursor` is none that was given out.".to_owned()))?;
    let after = if after.is_empty() { from } else { after };
    Ok(Cursor {
        store: store.to_owned(),
        after: after.to_owned(),
    })
}

#[derive(Deserialize)]
struct Seen {
    rows: u64,
    last: Option<String>,
}

/// Groups of one page and the cursor of the next.
async fn page<T: DeserializeOwned>(
    env: &Env,
    stores: &[String],
    range: (u64, u64),
    cursor: Option<&str>,
    columns: &str,
    zone: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Denied> {
    let from = RequestId::new(Millis(range.0), 0).to_string();
    let until = RequestId::new(Millis(range.1), 0).to_string();
    let Cursor { store, after } = begin(stores, cursor, &from)?;
    let failed = unavailable("A usage database");
    let db = env.d1(&store).map_err(&failed)?;
    let values = [
        JsValue::from_str(&after),
        JsValue::from_str(&until),
        ROWS_A_PAGE.into(),
    ];
    let (selected, grouped) = columns.split_once(" GROUP BY ").unwrap_or((columns, "1"));
    let mut sql = format!("SELECT {selected} FROM {PAGE}");
    let mut bound = values.to_vec();
    if let Some(zone) = zone {
        // A zone may be several joined by `+`.
        sql.push_str(" WHERE instr('+' || zone || '+', '+' || ?4 || '+') > 0");
        bound.push(JsValue::from_str(zone));
    }
    sql.push_str(&format!(" GROUP BY {grouped}"));
    let groups = db.prepare(sql).bind(&bound).map_err(&failed)?;
    let seen = format!("SELECT count(*) AS rows, max(id) AS last FROM {PAGE}");
    let seen = db.prepare(seen).bind(&values).map_err(&failed)?;
    let found = db.batch(vec![groups, seen]).await.map_err(&failed)?;
    let [groups, seen] = found.as_slice() else {
        return Err(Denied::Unavailable("A usage database".to_owned()));
    };
    let groups = groups.results().map_err(&failed)?;
    let seen: Vec<Seen> = seen.results().map_err(&failed)?;
    let next = match seen.into_iter().next() {
        Some(Seen {
            rows,
            last: Some(last),
        }) if rows >= u64::from(ROWS_A_PAGE) => Some(format!("{store}:{last}")),
        _ => {
            let following = stores.iter().skip_while(|known| **known != store).nth(1);
            following.map(|store| format!("{store}:"))
        }
    };
    Ok((groups, next))
}

/// What an answer that was made in the background took is no request.
const REQUESTS: &str =
    "country, colo, key_zone, zone_asked, dialect, model_asked, egress, sum(id NOT LIKE '%-answer') AS requests, \
    sum(input) AS input, sum(cache_read) AS cache_read, sum(cache_write_5m) AS cache_write_5m, \
    sum(cache_write_1h) AS cache_write_1h, sum(audio_input) AS audio_input, sum(output) AS output, \
    sum(reasoning) AS reasoning, sum(audio_output) AS audio_output \
    GROUP BY country, colo, key_zone, zone_asked, dialect, model_asked, egress";

/// Recorded requests of a range, grouped by what a map decides by.
pub async fn request_page(
    env: &Env,
    from: u64,
    until: u64,
    cursor: Option<&str>,
) -> Result<replay::Page, Denied> {
    let stores: Vec<String> = built_in()?.regions.policy.stores.keys().cloned().collect();
    let (groups, next) = page(env, &stores, (from, until), cursor, REQUESTS, None).await?;
    Ok(replay::Page { groups, next })
}

/// `from` and `until`, milliseconds since 1970.
fn range(call: &AdminCall) -> Result<(u64, u64), Denied> {
    let from = call.number("from")?.unwrap_or(0);
    let until = call.number("until")?.unwrap_or(call.at.0 + 1);
    match from < until {
        true => Ok((from, until)),
        false => Err(Denied::Invalid("`from` must be before `until`.".to_owned())),
    }
}

pub async fn requests(call: &AdminCall) -> Result<Value, Denied> {
    let (from, until) = range(call)?;
    let page = request_page(&call.env, from, until, call.parameter("cursor")).await?;
    Ok(json!(page))
}

const TRANSFERS: &str =
    "country, zone, hosting, endpoint, team, egress, map, sum(id NOT LIKE '%-answer') AS requests, \
    sum(outcome = 'refused') AS refused, \
    sum(outcome IN ('provider_error', 'failed')) AS failed, min(at) AS first, max(at) AS last \
    GROUP BY country, zone, hosting, endpoint, team, egress, map";

pub async fn transfers(call: &AdminCall) -> Result<Value, Denied> {
    let stores: Vec<String> = built_in()?.regions.policy.stores.keys().cloned().collect();
    let range = range(call)?;
    let (cursor, zone) = (call.parameter("cursor"), call.parameter("zone"));
    let (groups, next) = page(&call.env, &stores, range, cursor, TRANSFERS, zone).await?;
    Ok(json!(transfers::Page { groups, next }))
}
