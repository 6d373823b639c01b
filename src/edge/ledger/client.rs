//! How an object of the ledger is reached.

use super::super::settings;
use crate::config::Config;
use crate::ledger::{Address, LedgerRequest, LedgerResponse};
use crate::regions::bindings::LEDGER as BINDING;
use futures::future::{select, Either};
use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use worker::{wasm_bindgen, Delay, Env, Method, Request, RequestInit, Result};

/// What workerd says where it runs outside Cloudflare: there are no
/// jurisdictions there, because all its storage is on the one machine.
const NO_JURISDICTIONS: &str = "not implemented in workerd";

thread_local! {
    // How many requests were sent, and how many bytes.
    static SENT: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// How many requests this instance has sent to objects, and how many bytes.
pub fn sent() -> (u64, u64) {
    SENT.get()
}

/// The store of accounts that are about callers of any zone: that of callers of whom
/// nothing is known.
pub fn home() -> &'static str {
    let default_zone = |config: &'static Config| config.regions.default_zone();
    let zone = settings::config().ok().and_then(default_zone);
    zone.map_or("", |zone| zone.usage_store.as_str())
}

/// Sends a request to an object, and waits so long for the reply.
pub async fn send(env: &Env, request: &LedgerRequest, patience_ms: u64) -> Result<LedgerResponse> {
    let mut init = RequestInit::new();
    let text = serde_json::to_string(request)?;
    let (requests, bytes) = SENT.get();
    SENT.set((requests + 1, bytes + text.len() as u64));
    let body = JsValue::from_str(&text);
    init.with_method(Method::Post).with_body(Some(body));
    let call = Request::new_with_init("https://ledger/", &init)?;
    let namespace = namespace(env, &request.to)?;
    let stub = namespace.id_from_name(&request.to.name())?.get_stub()?;
    let reply = pin!(stub.fetch_with_request(call));
    let late = pin!(Delay::from(Duration::from_millis(patience_ms)));
    let mut response = match select(reply, late).await {
        Either::Left((response, _)) => response?,
        Either::Right(_) => return Err("the ledger did not reply in time".into()),
    };
    match response.status_code() {
        200 => Ok(serde_json::from_str(&response.text().await?)?),
        status => Err(format!("the ledger replied with status {status}").into()),
    }
}

/// The namespace, bound to the jurisdiction of the object's store where it has one.
/// `worker` does not wrap that call, so it is made on the JavaScript value.
fn namespace(env: &Env, address: &Address) -> Result<worker::ObjectNamespace> {
    let namespace = env.durable_object(BINDING)?;
    let store = address.store().unwrap_or(home());
    let stores = settings::config().map(|config| &config.regions.policy.stores);
    let jurisdiction = stores
        .ok()
        .and_then(|stores| stores.get(store)?.jurisdiction.as_deref());
    let Some(jurisdiction) = jurisdiction else {
        return Ok(namespace);
    };
    let value: &JsValue = namespace.as_ref();
    let method: js_sys::Function =
        js_sys::Reflect::get(value, &"jurisdiction".into())?.dyn_into()?;
    match method.call1(value, &jurisdiction.into()) {
        Ok(bound) => Ok(bound.unchecked_into()),
        Err(error)
            if worker::Error::from(error.clone())
                .to_string()
                .contains(NO_JURISDICTIONS) =>
        {
            Ok(namespace)
        }
        Err(error) => Err(error.into()),
    }
}
