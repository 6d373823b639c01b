//! Holds for calls whose cost is unknown: an operator releases them, team by
//! team.

use super::budgets::{version, LEDGER};
use super::failover::note;
use super::{built_in, unavailable, AdminCall};
use crate::admin::audit::Action;
use crate::admin::Denied;
use crate::config::limits::Authority;
use crate::edge::ledger::{home, send};
use crate::ledger::instance::PATIENCE_MS;
use crate::ledger::{Address, Held, LedgerRequest, Message, Release};
use crate::units::NanoUsd;
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::{json, Value};
use worker::Context;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    team: String,
    #[serde(default)]
    limit: Option<String>,
    why: String,
}

/// Releases what a team's objects hold: all of it, or what is held for calls under
/// one limit. Sums that are held for a call under several limits are released for
/// all of them.
pub async fn release(call: &AdminCall, ctx: &Context) -> Result<Value, Denied> {
    let Wish { team, limit, why } = call.body().await?;
    let why = crate::admin::publish::reason(&why)?;
    let config = version(call, ctx).await?;
    let of = match &limit {
        Some(limit) => format!("What is held for calls under the limit {limit} is released. {why}"),
        None => format!("All that is held is released. {why}"),
    };
    let version = &config.regions.version;
    note(call, Action::HeldReleased, &team, version, of).await?;
    let objects = objects(call, &team).await?;
    let releases = objects.into_iter().map(|object| async {
        let mut request = LedgerRequest::new(object, Message::default());
        request.release = Some(Release {
            limit: limit.clone(),
        });
        let response = send(&call.env, &request, PATIENCE_MS)
            .await
            .map_err(unavailable(LEDGER))?;
        Ok::<Held, Denied>(response.released)
    });
    let released = try_join_all(releases).await?;
    let money = released.iter().map(|one| one.amount).sum::<i64>();
    let calls = released.iter().map(|one| one.calls).sum::<u64>();
    Ok(json!({
        "team": team,
        "limit": limit,
        "released_nano": money,
        "released": NanoUsd(money).to_string(),
        "released_calls": calls,
    }))
}

/// The objects of a team: one a store, and the shards that say they hold something.
async fn objects(call: &AdminCall, team: &str) -> Result<Vec<Address>, Denied> {
    let config = built_in()?;
    let stores = config.regions.policy.stores.keys();
    let mut objects: Vec<Address> = stores
        .map(|store| Address::Team {
            team: team.to_owned(),
            store: store.clone(),
            shard: 0,
        })
        .collect();
    let authorities = [Authority::Team(team.to_owned()), Authority::Company];
    let looks = authorities.iter().map(|authority| {
        let object = Address::of(authority, home());
        let mut request = LedgerRequest::new(object, Message::default());
        request.look = true;
        let env = &call.env;
        async move {
            let response = send(env, &request, PATIENCE_MS).await;
            response.map_err(unavailable(LEDGER))
        }
    });
    let answers = try_join_all(looks).await?;
    let names = answers.iter().flat_map(|answer| &answer.holding);
    let shards = names.flat_map(|name| objects.iter().filter_map(|one| one.shard_named(name)));
    let shards: Vec<Address> = shards.collect();
    objects.extend(shards);
    objects.sort();
    objects.dedup();
    Ok(objects)
}
