//! Limits: how they stand, and those that are set while the gateway runs.

use super::failover::note;
use super::{built_in, unavailable, AdminCall};
use crate::admin::audit::Action;
use crate::admin::budget::{standing, Published, Wish};
use crate::admin::Denied;
use crate::config::limits::Authority;
use crate::edge::ledger::{home, send};
use crate::edge::{budgets, keys, map};
use crate::ledger::instance::PATIENCE_MS;
use crate::ledger::{Address, LedgerRequest, Message, Standing};
use futures::future::join_all;
use serde::Deserialize;
use serde_json::{json, Value};
use std::collections::BTreeSet;
use worker::Context;

const STORE: &str = "The key store";
pub(super) const LEDGER: &str = "The ledger";
const DATABASE: &str = "A usage database";
/// More teams than this have to be asked for by name.
const MOST_TEAMS: usize = 200;

#[derive(Deserialize)]
struct Team {
    team: String,
}

/// All limits and how their accounts stand.
pub async fn list(call: &AdminCall) -> Result<Value, Denied> {
    let set = kept(call).await?;
    let config = built_in()?;
    let teams = match call.parameter("team") {
        Some(team) => BTreeSet::from([team.to_owned()]),
        None => teams(call).await?,
    };
    let authorities = teams.iter().cloned().map(Authority::Team);
    let authorities = authorities.chain([Authority::Company]);
    let looks = authorities.map(|authority| look(call, Address::of(&authority, home())));
    let mut accounts = Vec::new();
    for found in join_all(looks).await {
        accounts.extend(found?);
    }
    accounts.retain(|account| !account.applied.window.is_over(call.at));
    let accounts: Vec<Value> = accounts.iter().map(standing).collect();
    let set = set.in_force();
    let unread = set.unread.iter().map(|unread| {
        json!({"name": unread.name, "scope": unread.scope, "why": unread.why, "told": unread.problem()})
    });
    Ok(json!({
        "limits": {"gateway.toml": config.gateway.limits.all, "set": set.limits},
        "unread": unread.collect::<Vec<_>>(),
        "accounts": accounts,
    }))
}

async fn look(call: &AdminCall, address: Address) -> Result<Vec<Standing>, Denied> {
    let mut request = LedgerRequest::new(address, Message::default());
    request.look = true;
    let answer = send(&call.env, &request, PATIENCE_MS)
        .await
        .map_err(unavailable(LEDGER))?;
    Ok(answer.accounts)
}

/// The teams that have called in the last two months.
async fn teams(call: &AdminCall) -> Result<BTreeSet<String>, Denied> {
    let since = call.at.0.saturating_sub(62 * 24 * 3_600_000) as f64;
    let sql =
        format!("SELECT DISTINCT team FROM usage_by_hour WHERE hour >= ?1 LIMIT {MOST_TEAMS}");
    let mut teams = BTreeSet::new();
    for store in built_in()?.regions.policy.stores.keys() {
        let found = async {
            let statement = call.env.d1(store)?.prepare(&sql).bind(&[since.into()])?;
            statement.all().await?.results::<Team>()
        };
        let found = found.await.map_err(unavailable(DATABASE))?;
        teams.extend(found.into_iter().map(|row| row.team));
    }
    if teams.len() >= MOST_TEAMS {
        return Err(Denied::Invalid(format!(
            "More than {MOST_TEAMS} teams have called; say which one: `team=…`."
        )));
    }
    Ok(teams)
}

async fn kept(call: &AdminCall) -> Result<Published, Denied> {
    let store = call.env.kv(keys::BINDING).map_err(unavailable(STORE))?;
    budgets::stored(&store).await.map_err(unavailable(STORE))
}

pub(super) async fn version(
    call: &AdminCall,
    ctx: &Context,
) -> Result<&'static crate::config::Config, Denied> {
    let config = map::in_force(&call.env, ctx).await;
    config.map_err(|_| Denied::Unavailable("The store of region maps".to_owned()))
}

/// Sets a limit.
pub async fn set(call: &AdminCall, ctx: &Context) -> Result<Value, Denied> {
    let wish: Wish = call.body().await?;
    let config = version(call, ctx).await?;
    let models: Vec<&str> = config.regions.models().into_iter().collect();
    let limit = wish.limit(&models)?;
    let mut all = kept(call).await?;
    all.set(&wish.name, &limit)?;
    let limit_json = serde_json::to_string(&limit).unwrap_or_default();
    let why = match wish.why.trim() {
        "" => limit_json,
        why => format!("{limit_json} {}", crate::admin::publish::reason(why)?),
    };
    note(
        call,
        Action::LimitSet,
        &wish.name,
        &config.regions.version,
        why,
    )
    .await?;
    put(call, &all).await?;
    Ok(json!({"name": wish.name, "limit": limit, "everywhere_within_seconds": 60}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    name: String,
}

/// Removes a limit that was set.
pub async fn remove(call: &AdminCall, ctx: &Context) -> Result<Value, Denied> {
    let Which { name } = call.body().await?;
    let config = version(call, ctx).await?;
    let mut all = kept(call).await?;
    if !all.remove(&name) {
        let name: String = name.chars().take(100).collect();
        return Err(Denied::NotFound(format!(
            "No limit {name} was set; those of gateway.toml are changed there."
        )));
    }
    let why = format!("The limit {name} is removed.");
    note(
        call,
        Action::LimitRemoved,
        &name,
        &config.regions.version,
        why,
    )
    .await?;
    put(call, &all).await?;
    Ok(json!({"removed": name, "everywhere_within_seconds": 60}))
}

async fn put(call: &AdminCall, all: &Published) -> Result<(), Denied> {
    let store = call.env.kv(keys::BINDING).map_err(unavailable(STORE))?;
    budgets::keep(&store, all).await.map_err(unavailable(STORE))
}
