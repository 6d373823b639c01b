//! How endpoints fare, and drills.

use super::map_store::MapStore;
use super::{built_in, unavailable, AdminCall};
use crate::admin::audit::{Action, Event};
use crate::admin::drill::{Wish, ENVIRONMENT};
use crate::admin::publish;
use crate::admin::Denied;
use crate::edge::{drills, health, keys, map};
use crate::units::Millis;
use crate::upstream::health::{Notice, Report, Standing};
use serde::Deserialize;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use worker::{Context, Env};

const STORE: &str = "The store that the edges read";
/// A page of wasm's memory.
const PAGE: usize = 65_536;

/// How endpoints fare, as all instances have told it, and as the one that
/// answers has seen it.
pub async fn health(call: &AdminCall, ctx: &Context) -> Result<Value, Denied> {
    let config = map::in_force(&call.env, ctx).await;
    let config = config.map_err(|_| Denied::Unavailable("The store of region maps".to_owned()))?;
    let stores = config.regions.policy.stores.keys();
    let mut unread = Vec::new();
    for store in stores {
        match notices(&call.env, store).await {
            Ok(notices) => health::heard(&notices),
            Err(_) => unread.push(store.clone()),
        }
    }
    let now = call.at;
    let seen: BTreeMap<(String, String), Value> = health::look(|health| {
        let known = health.report(now);
        known
            .map(|one| ((one.endpoint.to_owned(), one.model.to_owned()), shown(&one)))
            .collect()
    });
    // Of whom nothing is known is well.
    let mut endpoints = Vec::new();
    for endpoint in config
        .regions
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.off.is_none())
    {
        for claim in &endpoint.models {
            let known = seen.get(&(endpoint.name.clone(), claim.model.clone()));
            let usual = json!({"endpoint": endpoint.name, "model": claim.model, "state": "ready"});
            endpoints.push(known.cloned().unwrap_or(usual));
        }
    }
    let drills = going_on(call).await?;
    Ok(json!({
        "at": now.rfc3339(),
        "banner": banner(&drills),
        "drills": drills.0,
        "endpoints": endpoints,
        "stores_not_read": unread,
        // Of the instance that answers; it never gets less.
        "ledger": crate::edge::instance::asked(),
        "wasm_memory_bytes": core::arch::wasm32::memory_size(0) * PAGE,
    }))
}

fn banner(drills: &crate::admin::drill::Drills) -> Option<String> {
    let banners: Vec<String> = drills
        .0
        .iter()
        .map(crate::admin::drill::Drill::banner)
        .collect();
    (!banners.is_empty()).then(|| banners.join(" "))
}

fn shown(one: &Report<'_>) -> Value {
    let (state, until) = match one.standing {
        Standing::Ready => ("ready", None),
        Standing::Probe => ("half-open", None),
        Standing::Resting(until) => ("resting", Some(until)),
        Standing::Open(until) => ("open", Some(until)),
    };
    json!({
        "endpoint": one.endpoint,
        "model": one.model,
        "state": state,
        "until": until.map(Millis::rfc3339),
        "last_failure": one.last.map(|(at, why)| json!({"at": at.rfc3339(), "why": why.as_str()})),
        "recent_calls": one.recent.0,
        "recent_failures": one.recent.1,
        "begins_ms": one.begins_ms.map(|(p50, p95)| json!({"p50": p50, "p95": p95})),
    })
}

#[derive(Deserialize)]
struct AdminReply {
    notice: String,
}

async fn notices(env: &Env, store: &str) -> worker::Result<Vec<Notice>> {
    let statement = env.d1(store)?.prepare("SELECT notice FROM health");
    let rows: Vec<AdminReply> = statement.all().await?.results()?;
    let notices = rows.iter().map(|row| serde_json::from_str(&row.notice));
    Ok(notices.filter_map(Result::ok).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    endpoint: Option<String>,
}

/// Forgets what is known of one endpoint, or of all.
pub async fn forget(call: &AdminCall) -> Result<Value, Denied> {
    let which: Which = call.body().await?;
    let forgotten = health::forget(which.endpoint.as_deref(), call.at);
    for store in built_in()?.regions.policy.stores.keys() {
        // Instances take it up with their next rows.
        let _ = crate::edge::rows::write_notices(&call.env, store, &forgotten).await;
    }
    Ok(json!({"forgotten": forgotten.len()}))
}

async fn going_on(call: &AdminCall) -> Result<crate::admin::drill::Drills, Denied> {
    let store = call.env.kv(keys::BINDING).map_err(unavailable(STORE))?;
    let mut all = drills::stored(&store).await.map_err(unavailable(STORE))?;
    all.0.retain(|drill| drill.is_on(call.at));
    Ok(all)
}

/// The drills that go on.
pub async fn drills(call: &AdminCall) -> Result<Value, Denied> {
    let drills = going_on(call).await?;
    Ok(json!({"banner": banner(&drills), "drills": drills.0}))
}

/// Begins one.
pub async fn begin_drill(call: &AdminCall, ctx: &Context) -> Result<Value, Denied> {
    let wish: Wish = call.body().await?;
    let config = map::in_force(&call.env, ctx).await;
    let config = config.map_err(|_| Denied::Unavailable("The store of region maps".to_owned()))?;
    let names: Vec<&str> = config
        .regions
        .endpoints
        .iter()
        .map(|e| e.name.as_str())
        .collect();
    let environment = call
        .env
        .var(ENVIRONMENT)
        .ok()
        .map(|value| value.to_string());
    let drill = wish.drill(&names, environment.as_deref(), &call.admin.who, call.at)?;
    let why = match wish.why.trim() {
        "" => drill.banner(),
        why => format!("{} {}", drill.banner(), publish::reason(why)?),
    };
    note(
        call,
        Action::DrillBegun,
        &drill.endpoint,
        &config.regions.version,
        why,
    )
    .await?;
    let mut all = going_on(call).await?;
    all.begin(drill.clone());
    put(call, all).await?;
    Ok(json!({"drill": drill, "banner": drill.banner(), "everywhere_within_seconds": 60}))
}

/// Ends one.
pub async fn end_drill(call: &AdminCall, ctx: &Context) -> Result<Value, Denied> {
    let which: Which = call.body().await?;
    let config = map::in_force(&call.env, ctx).await;
    let config = config.map_err(|_| Denied::Unavailable("The store of region maps".to_owned()))?;
    let endpoint = which.endpoint.unwrap_or_default();
    let mut all = going_on(call).await?;
    if !all.end(&endpoint, call.at) {
        let name: String = endpoint.chars().take(100).collect();
        return Err(Denied::NotFound(format!("There is no drill at {name}.")));
    }
    let why = format!("The drill at {endpoint} is over.");
    note(
        call,
        Action::DrillEnded,
        &endpoint,
        &config.regions.version,
        why,
    )
    .await?;
    put(call, all).await?;
    Ok(json!({"ended": endpoint, "everywhere_within_seconds": 60}))
}

async fn put(call: &AdminCall, all: crate::admin::drill::Drills) -> Result<(), Denied> {
    let store = call.env.kv(keys::BINDING).map_err(unavailable(STORE))?;
    drills::keep(&store, all).await.map_err(unavailable(STORE))
}

/// Writes it into the audit log before it is done.
pub(super) async fn note(
    call: &AdminCall,
    action: Action,
    subject: &str,
    version: &str,
    why: String,
) -> Result<(), Denied> {
    MapStore::open(&call.env)?
        .note(Event {
            at: call.at,
            who: call.admin.who.clone(),
            via: call.admin.via.clone(),
            action,
            subject: subject.to_owned(),
            version: version.to_owned(),
            why,
        })
        .await
}
