//! Identifies the caller of the admin API: by an admin key, or by a token of
//! Cloudflare Access.

use super::super::{host, keys};
use crate::admin::access::{self, Access, Found, TeamKeys, Unverified};
use crate::admin::{Admin, AdminRecord, Denied, KEY_PREFIX};
use crate::regions::bindings::{ACCESS_AUDIENCE, ACCESS_TEAM};
use crate::request::head::Head;
use crate::units::Millis;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use worker::Env;

#[wasm_bindgen(module = "/src/edge/crypto.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = verifyRs256)]
    async fn verify_rs256(jwk: &str, signed: &str, signature: &[u8]) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = fetchKeys)]
    async fn fetch_keys(url: &str) -> Result<JsValue, JsValue>;
}

thread_local! {
    static TEAM: RefCell<TeamKeys> = RefCell::default();
}

/// The admin who sent the request.
pub async fn identify(env: &Env, head: &Head, now: Millis) -> Result<Admin, Denied> {
    if let Some(key) = admin_key(head) {
        let found = record(env, &AdminRecord::name_of_key(key)).await?;
        let id = found
            .as_ref()
            .map(|record| record.id.clone())
            .unwrap_or_default();
        let admin = found.and_then(|record| record.admin(&format!("key {id}")));
        return admin.ok_or_else(|| {
            Denied::Unknown("This admin key is not known; it may have been revoked.".to_owned())
        });
    }
    let Some(token) = head.header(access::HEADER) else {
        return Err(Denied::Unknown(format!(
            "Send an admin key as `authorization: Bearer {KEY_PREFIX}…`, or come through Cloudflare Access."
        )));
    };
    let who = through_access(env, token, now).await?;
    let found = record(env, &AdminRecord::name_of_person(&who)).await?;
    let admin = found.and_then(|record| record.admin("access"));
    admin.ok_or_else(|| {
        Denied::Unknown(format!(
            "{who} has no role here; `meridian admins add` gives one."
        ))
    })
}

fn admin_key(head: &Head) -> Option<&str> {
    let (scheme, key) = head.header("authorization")?.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && key.starts_with(KEY_PREFIX) && key.len() < 200)
        .then_some(key)
}

async fn record(env: &Env, name: &str) -> Result<Option<AdminRecord>, Denied> {
    let no_answer = || Denied::Unavailable("The key store".to_owned());
    let store = env.kv(keys::BINDING).map_err(|_| no_answer())?;
    let text = store.get(name).text().await.map_err(|_| no_answer())?;
    // An unreadable record is an error, so it admits nobody.
    text.map(|text| serde_json::from_str(&text).map_err(|_| no_answer()))
        .transpose()
}

async fn through_access(env: &Env, token: &str, now: Millis) -> Result<String, Denied> {
    let var = |name| {
        env.var(name)
            .map(|value| value.to_string())
            .unwrap_or_default()
    };
    let access = Access {
        team: var(ACCESS_TEAM),
        audience: var(ACCESS_AUDIENCE),
    };
    if access.team.is_empty() || access.audience.is_empty() {
        return Err(Denied::Unknown("This deployment does not take Cloudflare Access tokens: ACCESS_TEAM and ACCESS_AUDIENCE are not set.".to_owned()));
    }
    let token = access::read(token)?;
    let key = team_key(&access, &token, now).await?;
    let genuine = verify_rs256(&key, token.signed, &token.signature).await;
    if genuine.ok().and_then(|genuine| genuine.as_bool()) != Some(true) {
        return Err(Denied::Unknown(
            "The Cloudflare Access token's signature is not genuine.".to_owned(),
        ));
    }
    token.verified(&access, now)
}

/// The team's key that the token names.
async fn team_key(access: &Access, token: &Unverified<'_>, now: Millis) -> Result<String, Denied> {
    let find = |now| TEAM.with_borrow_mut(|team| team.find(&token.key_id, now));
    let mut found = find(now);
    if found == Found::Fetch {
        let url = format!("https://{}/cdn-cgi/access/certs", access.team);
        let text = fetch_keys(&url).await.ok();
        let text = text.and_then(|text| text.as_string());
        let now = host::now();
        TEAM.with_borrow_mut(|team| team.fetched(text.as_deref(), now));
        found = find(now);
    }
    match found {
        Found::Key(key) => Ok(key),
        Found::Unknown => Err(Denied::Unknown(
            "The Cloudflare Access token names a key that its team does not have.".to_owned(),
        )),
        Found::NotNow | Found::Fetch => Err(Denied::Unavailable("Cloudflare Access".to_owned())),
    }
}
