//! What a request's head asks for, and who serves it: calls in `deliver.rs`, lists
//! and probes here. What is not served leaves a row where the key is known.

use super::answer::{self, ReplyHeaders};
use super::fetch::{Exchange, Refused};
use super::{deliver, keys, map, receipts};
use crate::answer::record::Row;
use crate::config::Config;
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use crate::request::egress::Egress;
use crate::request::head::Route;
use crate::request::models::{self, Page};
use crate::request::plan;
use crate::request::zone;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use worker::worker_sys::web_sys::Response;

/// Serves a request.
pub async fn serve(x: Rc<Exchange>) -> Result<Response, Refused> {
    if let Some(answer) = preflight(&x).await {
        return Ok(answer);
    }
    let route = match x.head.route() {
        Ok(route) => route,
        Err(refusal) => return Err(unserved(&x, refusal).await),
    };
    if route == Route::ReceiptKeys {
        return Ok(answer::json(
            ReplyHeaders::of(&x.id),
            &receipts::published(&x.env),
        ));
    }
    let config = map::in_force(&x.env, &x.ctx).await?;
    let body = match route {
        Route::ReceiptKeys => return Err(Refusal::Internal.into()),
        Route::Root | Route::Health => {
            let status = serde_json::json!({
                "status": "ok",
                "version": env!("CARGO_PKG_VERSION"),
                "map": config.regions.version,
            });
            status.to_string()
        }
        Route::Models => models(&x, config).await?,
        Route::Model(name) => model(&x, config, &name).await?,
        Route::Call(api) => {
            let caller = caller(&x).await?;
            return deliver::call(x, config, caller, api).await;
        }
    };
    Ok(answer::json(ReplyHeaders::of(&x.id), &body))
}

/// The models that the caller can use.
async fn models(x: &Exchange, config: &Config) -> Result<String, Refusal> {
    let caller = caller(x).await?;
    let page = Page::of_query(&x.head.query())?;
    let zone = zone::decide(&config.regions, &caller)?;
    let names = plan::names(config, &caller, &zone);
    models::models(x.head.family(), &names, &page)
}

/// One model, or why the caller cannot use it.
async fn model(x: &Exchange, config: &Config, name: &str) -> Result<String, Refusal> {
    let caller = caller(x).await?;
    let zone = zone::decide(&config.regions, &caller)?;
    let considered = plan::consider(config, &zone, None, name, &Egress::default());
    plan::judge(config, &caller, &zone, None, name, &considered)?;
    Ok(models::model(x.head.family(), name))
}

/// A request that its head alone refuses.
async fn unserved(x: &Exchange, refusal: Refusal) -> Refused {
    let Ok(config) = map::in_force(&x.env, &x.ctx).await else {
        return refusal.into();
    };
    let Ok(caller) = caller(x).await else {
        return refusal.into();
    };
    let mut row = Row::new(&x.id, x.arrived, &caller, x.head.api());
    if let Ok(zone) = zone::decide(&config.regions, &caller) {
        row.zoned(&zone, &config.regions.version);
    }
    let store = zone::home(&config.regions, &caller).to_owned();
    let row = deliver::refuse(x, &refusal, row, store, refusal.status()).await;
    let row = Some(Box::new(row));
    Refused { refusal, row }
}

async fn caller(x: &Exchange) -> Result<Caller, Refusal> {
    keys::caller(&x.env, &x.head).await
}

/// The answer to a browser that asks whether a page may call, if it may. It sends no
/// key with that.
async fn preflight(x: &Exchange) -> Option<Response> {
    if x.head.method != "OPTIONS" {
        return None;
    }
    let origin = x.head.header("origin")?;
    x.head.header("access-control-request-method")?;
    let config = map::in_force(&x.env, &x.ctx).await.ok()?;
    let headers = x.head.header("access-control-request-headers");
    let allowed = config.gateway.cors.preflight(origin, headers)?;
    let mut reply_headers = ReplyHeaders::of(&x.id);
    reply_headers.add_lines(&allowed);
    Some(reply_headers.respond(204, &JsValue::NULL))
}

/// Lets the page that called read the answer, if pages of its origin may.
pub async fn let_page_read(x: &Exchange, answer: &Response) {
    let Some(origin) = x.head.header("origin") else {
        return;
    };
    let Ok(config) = map::in_force(&x.env, &x.ctx).await else {
        return;
    };
    let lines = config.gateway.cors.reply(origin).unwrap_or_default();
    for (name, value) in lines.lines().filter_map(|line| line.split_once(": ")) {
        // A header of the gateway's own words is never refused.
        let _ = answer.headers().set(name, value);
    }
}
