//! The limits that were set while the gateway runs, as this instance knows them:
//! read from KV together with the map in force.

use super::{host, keys};
use crate::admin::budget::{InForce, Published};
use crate::refusal::Refusal;
use crate::units::Millis;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use worker::{Env, KvStore};

/// Their name in KV.
const NAME: &str = "limits";
/// KV's shortest.
const CACHED_S: u64 = 30;
/// How soon the store is asked again for calls that wait for the first answer.
const AGAIN_MS: u64 = 1_000;

thread_local! {
    // Nothing until the store has answered once.
    static SET: RefCell<Option<Rc<InForce>>> = RefCell::default();
    static ASKED: Cell<Millis> = Cell::default();
}

/// Those in force. Until the store has answered once nobody knows them, and no
/// call that they could be about may go on.
pub async fn in_force(env: &Env) -> Result<Rc<InForce>, Refusal> {
    let known = || SET.with_borrow(Option::clone);
    if known().is_none() && host::now().since(ASKED.get()) >= AGAIN_MS {
        look(env).await;
    }
    known().ok_or(Refusal::LimitsUnread { limit: None })
}

/// Looks for them.
pub async fn look(env: &Env) {
    ASKED.set(host::now());
    let Ok(store) = env.kv(keys::BINDING) else {
        return;
    };
    let text = match store.get(NAME).cache_ttl(CACHED_S).text().await {
        // Should a platform not take so short a time, its own is better than
        // to serve nothing.
        Err(_) => store.get(NAME).text().await,
        found => found,
    };
    match text {
        Ok(text) => hold(&Published::of(text.as_deref())),
        // While the store does not answer, what is known stays in force.
        Err(error) => worker::console_error!("the published limits cannot be read from KV; the last ones read stay in force: {error}"),
    }
}

/// Puts a set in force, and logs the limits in it that cannot be read.
fn hold(set: &Published) {
    let now = Rc::new(set.in_force());
    let before = SET.replace(Some(Rc::clone(&now)));
    if before.is_some_and(|before| before.unread == now.unread) {
        return;
    }
    for unread in &now.unread {
        worker::console_error!("{}", unread.problem());
    }
}

/// Those in the store.
pub async fn stored(store: &KvStore) -> worker::Result<Published> {
    let text = store.get(NAME).text().await?;
    Ok(Published::of(text.as_deref()))
}

/// Puts them in force: here at once, elsewhere within a minute.
pub async fn keep(store: &KvStore, set: &Published) -> worker::Result<()> {
    store.put(NAME, set.text())?.execute().await?;
    hold(set);
    Ok(())
}
