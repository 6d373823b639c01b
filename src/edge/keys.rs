//! Gateway keys in KV, with a short memory in front: a key is looked up once a
//! minute and instance, so a revoked one stops working within two minutes (KV
//! itself may serve its own copy for a minute).

use super::host;
use crate::caller::{presented_key, Caller, KeyHash, KeyRecord};
use crate::head::Head;
use crate::refusal::Refusal;
use crate::units::Millis;
use std::cell::RefCell;
use std::collections::HashMap;
use worker::Env;

/// The KV binding.
pub const BINDING: &str = "KEYS";

const REMEMBERED_MS: u64 = 60_000;
/// A key that was not found is asked for again sooner: it may be about to be.
const MISSING_REMEMBERED_MS: u64 = 5_000;
const MOST_REMEMBERED: usize = 10_000;

struct Remembered {
    record: Option<KeyRecord>,
    until: Millis,
}

thread_local! {
    static MEMORY: RefCell<HashMap<KeyHash, Remembered>> = RefCell::default();
}

/// The caller behind a request, if its key is valid.
pub async fn caller(env: &Env, head: &Head) -> Result<Caller, Refusal> {
    let hash = presented_key(head)?;
    let record = find(env, hash).await?.ok_or(Refusal::BadKey)?;
    if record.revoked.is_some() {
        return Err(Refusal::BadKey);
    }
    Ok(Caller::new(record, head))
}

async fn find(env: &Env, hash: KeyHash) -> Result<Option<KeyRecord>, Refusal> {
    let now = host::now();
    let known = MEMORY.with_borrow(|memory| {
        let found = memory.get(&hash).filter(|found| found.until > now)?;
        Some(found.record.clone())
    });
    if let Some(record) = known {
        return Ok(record);
    }
    let record = look_up(env, &hash).await?;
    let lasts = match record {
        Some(_) => REMEMBERED_MS,
        None => MISSING_REMEMBERED_MS,
    };
    let remembered = Remembered {
        record: record.clone(),
        until: Millis(now.0 + lasts),
    };
    MEMORY.with_borrow_mut(|memory| {
        if memory.len() >= MOST_REMEMBERED {
            memory.clear();
        }
        memory.insert(hash, remembered);
    });
    Ok(record)
}

async fn look_up(env: &Env, hash: &KeyHash) -> Result<Option<KeyRecord>, Refusal> {
    let store = env.kv(BINDING).map_err(|_| Refusal::KeysUnavailable)?;
    let text = store.get(&hash.store_name()).text().await;
    match text.map_err(|_| Refusal::KeysUnavailable)? {
        None => Ok(None),
        // A record that cannot be read admits nobody.
        Some(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|_| Refusal::KeysUnavailable),
    }
}

/// The record of a key by its id, as lists show it.
pub async fn by_id(env: &Env, id: &str) -> Result<Option<KeyRecord>, Refusal> {
    let store = env.kv(BINDING).map_err(|_| Refusal::KeysUnavailable)?;
    let mut cursor = None;
    loop {
        let mut list = store.list().prefix("key:".to_owned());
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        let page = list.execute().await.map_err(|_| Refusal::KeysUnavailable)?;
        for key in page.keys {
            let record = key
                .metadata
                .and_then(|metadata| serde_json::from_value::<KeyRecord>(metadata).ok());
            if record.as_ref().is_some_and(|record| record.id == id) {
                return Ok(record);
            }
        }
        match page.cursor {
            Some(next) if !page.list_complete => cursor = Some(next),
            _ => return Ok(None),
        }
    }
}
