//! The configuration in force: the one that the worker was built with, or a region map
//! that was published since. Every instance looks for a new one often enough
//! for it to be in force everywhere within a minute, and checks it with the
//! code that checks files before it goes by it. One that does not check changes
//! nothing.

use super::{budgets, drills, host, keys, settings};
use crate::admin::publish::{self, Pointer};
use crate::config::Config;
use crate::refusal::Refusal;
use crate::regions::RegionMap;
use crate::units::Millis;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use worker::{Context, Env};

/// The name of the pointer in KV.
pub const POINTER: &str = "map:current";

/// How long an instance uses its map before it reads the version again. KV may serve a
/// copy that is 30 seconds old, its shortest; with the 25 below that is less
/// than a minute.
const FRESH_MS: u64 = 12_000;
/// From here on a request waits for the look instead of being served meanwhile.
const STALE_MS: u64 = 25_000;
const POINTER_CACHED_S: u64 = 30;
/// A version's content never changes.
const MAP_CACHED_S: u64 = 86_400;

#[derive(Clone, Copy)]
struct Held {
    config: &'static Config,
    looked: Millis,
}

thread_local! {
    static HELD: Cell<Option<Held>> = const { Cell::new(None) };
    static LOOKING_SINCE: Cell<Millis> = const { Cell::new(Millis(0)) };
    // A map that was in force stays in memory: requests that began under it
    // hold on to it, and there are few in an instance's life.
    static KNOWN: RefCell<BTreeMap<String, &'static Config>> = const { RefCell::new(BTreeMap::new()) };
}

/// The name of a map in KV.
pub fn name_of(version: &str) -> String {
    format!("map:{version}")
}

/// The configuration in force.
pub async fn in_force(env: &Env, ctx: &Context) -> Result<&'static Config, Refusal> {
    let now = host::now();
    match HELD.get() {
        Some(held) if now.since(held.looked) < FRESH_MS => Ok(held.config),
        Some(held) if now.since(held.looked) < STALE_MS => {
            if now.since(LOOKING_SINCE.get()) >= FRESH_MS {
                LOOKING_SINCE.set(now);
                let env = env.clone();
                ctx.wait_until(async move {
                    let _ = look(&env).await;
                });
            }
            Ok(held.config)
        }
        _ => look(env).await,
    }
}

/// Looks for a new one now.
pub async fn look(env: &Env) -> Result<&'static Config, Refusal> {
    let looked = host::now();
    let held = HELD.get();
    let (found, (), ()) = futures::join!(find(env, held), drills::look(env), budgets::look(env));
    // While the store does not answer the last good map stays in force. Where
    // none is known yet, no request can be decided.
    let config = found.or_else(|refusal| held.map(|held| held.config).ok_or(refusal))?;
    HELD.set(Some(Held { config, looked }));
    Ok(config)
}

async fn find(env: &Env, held: Option<Held>) -> Result<&'static Config, Refusal> {
    let store = env.kv(keys::BINDING).map_err(|_| Refusal::MapUnavailable)?;
    let text = match store.get(POINTER).cache_ttl(POINTER_CACHED_S).text().await {
        // Should a platform not take so short a time, its own is better than
        // to serve nothing.
        Err(_) => store.get(POINTER).text().await,
        found => found,
    };
    let Some(text) = text.map_err(|_| Refusal::MapUnavailable)? else {
        return settings::config();
    };
    let last_good = held.map(|held| held.config);
    let pointer: Pointer = match serde_json::from_str(&text) {
        Ok(pointer) => pointer,
        Err(error) => {
            worker::console_error!("the version of the map in force cannot be read from KV; the last good map stays in force: {error}");
            return last_good.map_or_else(settings::config, Ok);
        }
    };
    for version in &pointer.versions {
        match known_or_loaded(&store, version).await? {
            Some(config) => return Ok(config),
            // Whoever has a good one keeps it.
            None if last_good.is_some() => break,
            None => {}
        }
    }
    last_good.map_or_else(settings::config, Ok)
}

/// A version, if it is good. An error means that the store did not answer.
async fn known_or_loaded(
    store: &worker::KvStore,
    version: &str,
) -> Result<Option<&'static Config>, Refusal> {
    let built_in = settings::config()?;
    if version == publish::BUILT_IN || version == built_in.regions.version {
        return Ok(Some(built_in));
    }
    if let Some(known) = KNOWN.with_borrow(|known| known.get(version).copied()) {
        return Ok(Some(known));
    }
    let text = store
        .get(&name_of(version))
        .cache_ttl(MAP_CACHED_S)
        .text()
        .await;
    let text = text.map_err(|_| Refusal::MapUnavailable)?;
    let map: Option<RegionMap> = text.and_then(|text| serde_json::from_str(&text).ok());
    let Some(map) = map.filter(|map| map.version == version) else {
        worker::console_error!(
            "the published map {version} cannot be read; the last good one stays in force"
        );
        return Ok(None);
    };
    if let Err(denied) = publish::vet(&map, built_in, &host::now().date()) {
        worker::console_error!("the published map {version} is not valid for this release; the last good one stays in force. {denied}");
        return Ok(None);
    }
    let mut map = map;
    if map.egress.is_empty() {
        // It is older than the rules of egress: what this deployment knows of
        // requests holds for it. Its zones allow nothing.
        map.egress = built_in.regions.egress.clone();
    }
    let config: &'static Config = Box::leak(Box::new(Config {
        regions: map,
        gateway: built_in.gateway.clone(),
        prices: built_in.prices.clone(),
    }));
    KNOWN.with_borrow_mut(|known| known.insert(version.to_owned(), config));
    Ok(Some(config))
}
