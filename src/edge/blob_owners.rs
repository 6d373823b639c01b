//! Blob owners: which endpoint made what clients send back. The instance stores
//! it at once, KV for other instances. Only a hash and an endpoint's name are stored.

use super::keys;
use crate::dialect::{BlobOwner, Fingerprint};
use crate::request::plan::Attempt;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use worker::{Context, Env};

/// For how long a conversation may rest: 30 days.
const KEPT_SECONDS: u64 = 30 * 24 * 60 * 60;
const MOST_REMEMBERED: usize = 20_000;

thread_local! {
    static MEMORY: RefCell<HashMap<Fingerprint, String>> = RefCell::default();
}

fn name(print: &Fingerprint) -> String {
    format!("origin:{}", print.as_str())
}

fn note(print: Fingerprint, endpoint: &str) {
    MEMORY.with_borrow_mut(|memory| {
        if memory.len() >= MOST_REMEMBERED {
            memory.clear();
        }
        memory.insert(print, endpoint.to_owned());
    });
}

/// Remembers what an endpoint made.
pub fn remember(env: &Env, ctx: &Context, made: &[Fingerprint], endpoint: &str) {
    for print in made {
        note(print.clone(), endpoint);
    }
    // The newest is enough to find the endpoint by.
    let Some(newest) = made.last() else { return };
    let (name, endpoint) = (name(newest), endpoint.to_owned());
    let env = env.clone();
    ctx.wait_until(async move {
        let Ok(store) = env.kv(keys::BINDING) else {
            return;
        };
        if let Ok(put) = store.put(&name, endpoint) {
            // What could not be kept is forgotten, and treated so.
            let _ = put.expiration_ttl(KEPT_SECONDS).execute().await;
        }
    });
}

/// Who keeps an answer.
pub struct Kept {
    /// The endpoint.
    pub endpoint: String,
    /// The model that made it, by its own name; what was kept before this was noted
    /// has none.
    pub model: Option<String>,
    /// The database that has what is needed to settle it, if it was made in the
    /// background.
    pub store: Option<String>,
}

/// Remembers that an endpoint keeps an answer of a model's, and the database that has
/// what is needed to settle it, if it is made in the background.
pub fn keep(
    env: &Env,
    ctx: &Context,
    answer: Fingerprint,
    attempt: Attempt<'_>,
    store: Option<&str>,
) {
    let (endpoint, model) = (&attempt.endpoint().name, &attempt.claim().model);
    let mut kept = format!("{endpoint}\n{model}");
    if let Some(store) = store {
        kept.push('\n');
        kept.push_str(store);
    }
    remember(env, ctx, &[answer], &kept);
}

/// Who keeps an answer of a team's, if that is known.
pub async fn keeper(env: &Env, answer: Fingerprint) -> Option<Kept> {
    let BlobOwner::Endpoints(names) = find(env, &[answer]).await else {
        return None;
    };
    let kept = names.into_iter().next()?;
    let mut lines = kept.split('\n').map(str::to_owned);
    Some(Kept {
        endpoint: lines.next()?,
        model: lines.next(),
        store: lines.next(),
    })
}

/// Who made what a request carries.
pub async fn find(env: &Env, carried: &[Fingerprint]) -> BlobOwner {
    let Some(newest) = carried.last() else {
        return BlobOwner::None;
    };
    let known: BTreeSet<String> = MEMORY.with_borrow(|memory| {
        let found = carried.iter().filter_map(|print| memory.get(print));
        found.cloned().collect()
    });
    if !known.is_empty() {
        return BlobOwner::Endpoints(known.into_iter().collect());
    }
    let Ok(store) = env.kv(keys::BINDING) else {
        return BlobOwner::Unknown;
    };
    match store.get(&name(newest)).text().await {
        Ok(Some(endpoint)) => {
            note(newest.clone(), &endpoint);
            BlobOwner::Endpoints(vec![endpoint])
        }
        _ => BlobOwner::Unknown,
    }
}
