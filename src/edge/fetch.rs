//! The flow of one request, from the client's bytes to the answer and its row.

use super::answer::{self, Story};
use super::upstream::{self, Begun, Body};
use super::{host, keys, map, origins, receipts, stream, usage};
use crate::admin;
use crate::caller::Caller;
use crate::config::Config;
use crate::dialect::{self, Api, Reading};
use crate::head::{Head, Route, LARGEST_BODY};
use crate::plan;
use crate::receipt::Receipt;
use crate::record::{Row, Served};
use crate::refusal::{Invalid, Refusal};
use crate::translate::Asked;
use crate::units::{Millis, RequestId};
use crate::{listing, zone};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use worker::worker_sys::web_sys::{Request, Response};
use worker::{Context, Env};

/// What stays the same while one request is served.
struct Exchange {
    request: Request,
    head: Head,
    id: RequestId,
    arrived: Millis,
    env: Env,
    ctx: Context,
}

/// Serves one request. A panic ends this request and no other.
pub async fn handle(request: Request, env: Env, ctx: Context) -> worker::Result<Response> {
    let arrived = host::now();
    let head = Head::read(&host::head(&request));
    if admin::is_admin(&head.path) {
        return Ok(super::admin::handle(request, head, env, &ctx).await);
    }
    let (api, id) = (head.api(), host::request_id(arrived));
    let exchange = Rc::new(Exchange {
        request,
        head,
        id,
        arrived,
        env,
        ctx,
    });
    let serving = serve(Rc::clone(&exchange));
    let served = AssertUnwindSafe(serving).catch_unwind().await;
    let refused = match served {
        Ok(Ok(response)) => return Ok(response),
        Ok(Err(refused)) => refused,
        Err(_) => Refused::from(Refusal::Internal),
    };
    let Exchange { id, head, env, .. } = &*exchange;
    let mut story = Story::of(id);
    match &refused.row {
        Some(row) => story.tell_row(row),
        None => {
            let stranger =
                || Receipt::of_stranger(id, arrived, &head.origin).refused(&refused.refusal);
            let receipt = receipts::signed(env, stranger).await;
            story.tell_receipt(receipt.as_deref());
        }
    }
    Ok(answer::refusal(api, &refused.refusal, story, id))
}

/// A refusal and, once the caller is known, the row it left.
struct Refused {
    refusal: Refusal,
    row: Option<Box<Row>>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        Refused { refusal, row: None }
    }
}

async fn serve(x: Rc<Exchange>) -> Result<Response, Refused> {
    #[cfg(feature = "local")]
    super::local::panic_on_purpose(&x.head);
    let route = x.head.route()?;
    if route == Route::ReceiptKeys {
        return Ok(answer::json(Story::of(&x.id), &receipts::published(&x.env)));
    }
    let config = map::in_force(&x.env, &x.ctx).await?;
    match route {
        Route::ReceiptKeys => Err(Refusal::Internal.into()),
        Route::Root | Route::Health => {
            let status = serde_json::json!({
                "status": "ok",
                "version": env!("CARGO_PKG_VERSION"),
                "map": config.regions.version,
            });
            Ok(answer::json(Story::of(&x.id), &status.to_string()))
        }
        Route::Models => {
            let caller = caller(&x, config).await?;
            let zone = zone::decide(&config.regions, &caller)?;
            let names = plan::servable(config, &caller, &zone, None);
            Ok(answer::json(
                Story::of(&x.id),
                &listing::models(x.head.family(), &names),
            ))
        }
        Route::Call(api) => {
            let caller = caller(&x, config).await?;
            call(x, config, caller, api).await
        }
    }
}

#[cfg(not(feature = "local"))]
async fn caller(x: &Exchange, _: &Config) -> Result<Caller, Refusal> {
    keys::caller(&x.env, &x.head).await
}

#[cfg(feature = "local")]
async fn caller(x: &Exchange, config: &Config) -> Result<Caller, Refusal> {
    let caller = keys::caller(&x.env, &x.head).await?;
    Ok(super::local::placed(
        caller,
        &x.head,
        &x.env,
        &config.regions,
    ))
}

/// A model call of a known caller: answered or refused, it leaves a row.
async fn call(
    x: Rc<Exchange>,
    config: &'static Config,
    mut caller: Caller,
    api: Api,
) -> Result<Response, Refused> {
    let mut row = Row::new(&x.id, x.arrived, &caller, api);
    let beginning = begin(&x, config, &mut caller, api, &mut row);
    let begun = AssertUnwindSafe(beginning).catch_unwind().await;
    match begun.unwrap_or(Err(Refusal::Internal)) {
        Ok(begun) => Ok(deliver(&x, config, begun, row).await),
        Err(refusal) => {
            row.refused(&refusal, host::now());
            let receipt = || Receipt::of(&row, row.status).refused(&refusal);
            row.receipt = receipts::signed(&x.env, receipt).await;
            let store = zone::home(&config.regions, &caller).to_owned();
            usage::write(&x.env, &x.ctx, store, row.clone());
            let row = Some(Box::new(row));
            Err(Refused { refusal, row })
        }
    }
}

/// Everything up to the moment an endpoint has answered.
async fn begin(
    x: &Exchange,
    config: &'static Config,
    caller: &mut Caller,
    api: Api,
    row: &mut Row,
) -> Result<Begun, Refusal> {
    let zone = zone::decide(&config.regions, caller)?;
    row.zoned(&zone, &config.regions.version);
    caller.read_tags(&x.head)?;
    x.head.drops_unsupported()?;
    if let Err(refusal) = x.head.check_body() {
        // A client that is still sending would see a broken connection instead.
        host::drain(&x.request).await;
        return Err(refusal);
    }
    let body = host::read_body(&x.request, LARGEST_BODY).await?;
    let body = String::from_utf8(body).map_err(|_| Refusal::Body(Invalid::Encoding))?;
    let call = dialect::read_call(api, &body).map_err(Refusal::Body)?;
    caller.tags.add_from_body(&call.tags);
    row.called(&call.wanted, &caller.tags);
    let plan = plan::plan(config, caller, &zone, api, &call.wanted)?;
    let (carried, named_blobs) = dialect::blobs_in(&body);
    let plan = plan.bound_to(&origins::find(&x.env, &carried).await, api)?;
    row.planned(&plan);
    let asked = Asked {
        api,
        head: &x.head,
        call: &call,
        named_blobs,
    };
    let exchange = upstream::Exchange {
        asked,
        id: &x.id,
        arrived: x.arrived,
    };
    let mut begun = upstream::try_in_order(&x.env, exchange, &plan, row).await?;
    begun.store = zone.usage_store;
    Ok(begun)
}

/// Remembers who made what the client will send back.
fn remember(x: &Exchange, reading: &Reading, served: Served<'_>) {
    let endpoint = &served.attempt.endpoint().name;
    origins::remember(&x.env, &x.ctx, &reading.made, endpoint);
}

/// Hands the answer to the client; its row is written when it has ended.
async fn deliver(
    x: &Rc<Exchange>,
    config: &'static Config,
    begun: Begun,
    mut row: Row,
) -> Response {
    let Begun {
        served,
        status,
        headers,
        body,
        dropped,
        store,
    } = begun;
    row.receipt = receipts::signed(&x.env, || Receipt::of(&row, status)).await;
    let mut story = Story::of(&x.id);
    story.tell_row(&row);
    story.tell_dropped(&dropped);
    story.tell_lines(&headers);
    row.first_byte_ms = Some(host::now().since(x.arrived));
    match body {
        Body::Whole(bytes, reading) => {
            remember(x, &reading, served);
            row.answered(served, *reading, false, &config.prices, host::now());
            usage::write(&x.env, &x.ctx, store, row);
            story.respond(status, &bytes)
        }
        Body::Stream(provider, relay) => {
            let (client, over) = stream::start(provider, *relay, x.request.signal());
            let then = Rc::clone(x);
            x.ctx.wait_until(async move {
                let over = over.await;
                let (reading, gone) = (over.reading, over.client_gone);
                remember(&then, &reading, served);
                row.answered(served, reading, gone, &config.prices, host::now());
                usage::write(&then.env, &then.ctx, store, row);
            });
            story.respond(status, &client)
        }
    }
}
