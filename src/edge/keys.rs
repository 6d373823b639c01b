//! Gateway keys in KV, with a short memory in front: a key is looked up once a
//! minute and instance, so a revoked one stops working within two minutes (KV
//! itself may serve its own copy for a minute).

use super::host;
use crate::refusal::Refusal;
pub use crate::regions::bindings::KEYS as BINDING;
use crate::request::caller::{presented_key, Caller, KeyHash, KeyMemory, KeyRecord};
use crate::request::head::Head;
use std::cell::RefCell;
use worker::Env;

thread_local! {
    static MEMORY: RefCell<KeyMemory> = RefCell::default();
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
    if let Some(known) = MEMORY.with_borrow(|memory| memory.find(&hash, now)) {
        return Ok(known);
    }
    let record = look_up(env, &hash).await?;
    MEMORY.with_borrow_mut(|memory| memory.note(hash, record.clone(), now));
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
