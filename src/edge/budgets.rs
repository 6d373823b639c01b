//! The limits that were set while the gateway runs, as this instance knows them:
//! read from KV together with the map in force.

use super::keys;
use crate::budget::Published;
use std::cell::RefCell;
use std::rc::Rc;
use worker::{Env, KvStore};

/// Their name in KV.
const NAME: &str = "limits";
/// KV's shortest.
const CACHED_S: u64 = 30;

thread_local! {
    static SET: RefCell<Rc<Published>> = RefCell::default();
}

/// Those in force.
pub fn in_force() -> Rc<Published> {
    SET.with_borrow(Rc::clone)
}

/// Looks for them.
pub async fn look(env: &Env) {
    let Ok(store) = env.kv(keys::BINDING) else {
        return;
    };
    // While the store does not answer, what is known stays in force; so does it
    // when what is there cannot be read.
    let Ok(text) = store.get(NAME).cache_ttl(CACHED_S).text().await else {
        return;
    };
    let read = text.map_or(Ok(Published::default()), |text| serde_json::from_str(&text));
    match read {
        Ok(set) => {
            SET.replace(Rc::new(set));
        }
        Err(error) => worker::console_error!("the limits that were set cannot be read: {error}"),
    }
}

/// Those in the store.
pub async fn stored(store: &KvStore) -> worker::Result<Published> {
    let text = store.get(NAME).text().await?;
    match text {
        Some(text) => Ok(serde_json::from_str(&text)?),
        None => Ok(Published::default()),
    }
}

/// Puts them in force: here at once, elsewhere within a minute.
pub async fn keep(store: &KvStore, set: Published) -> worker::Result<()> {
    let text = serde_json::to_string(&set)?;
    store.put(NAME, text)?.execute().await?;
    SET.replace(Rc::new(set));
    Ok(())
}
