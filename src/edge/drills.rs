//! The drills that go on, as this instance knows them: read from KV together
//! with the map in force.

use super::keys;
use crate::admin::drill::{Drills, Kind};
use crate::units::Millis;
use std::cell::RefCell;
use worker::{Env, KvStore};

/// Their name in KV.
const NAME: &str = "drills";
/// KV's shortest.
const CACHED_S: u64 = 30;

thread_local! {
    static ON: RefCell<Drills> = RefCell::default();
}

/// How an endpoint is made to fail now.
pub fn of(endpoint: &str, now: Millis) -> Option<Kind> {
    ON.with_borrow(|on| on.of(endpoint, now))
}

/// Looks for them.
pub async fn look(env: &Env) {
    let Ok(store) = env.kv(keys::BINDING) else {
        return;
    };
    // While the store does not answer, what is known goes on to its end.
    if let Ok(text) = store.get(NAME).cache_ttl(CACHED_S).text().await {
        let drills = text.and_then(|text| serde_json::from_str(&text).ok());
        ON.set(drills.unwrap_or_default());
    }
}

/// Those in the store.
pub async fn stored(store: &KvStore) -> worker::Result<Drills> {
    let text = store.get(NAME).text().await?;
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

/// Puts them in force: here at once, elsewhere within a minute.
pub async fn keep(store: &KvStore, drills: Drills) -> worker::Result<()> {
    let text = serde_json::to_string(&drills)?;
    store.put(NAME, text)?.execute().await?;
    ON.set(drills);
    Ok(())
}
