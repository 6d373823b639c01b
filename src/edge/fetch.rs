//! The flow of one request, from the client's bytes to the moment an endpoint
//! has answered; `deliver.rs` hands the answer over.

use super::answer::{self, Story};
use super::attempt::Begun;
use super::{deliver, host, keys, map, origins, receipts, upstream};
use crate::admin;
use crate::caller::Caller;
use crate::config::Config;
use crate::dialect::{self, Api};
use crate::gateway::Handling;
use crate::head::{Head, Route, LARGEST_BODY};
use crate::plan;
use crate::receipt::Receipt;
use crate::record::Row;
use crate::refusal::{Invalid, Refusal};
use crate::translate::Asked;
use crate::units::{Millis, RequestId};
use crate::{listing, zone};
use futures::FutureExt;
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use worker::worker_sys::web_sys::{Request, Response};
use worker::{Context, Env};

/// What stays the same while one request is served.
pub struct Exchange {
    /// The client's request.
    pub request: Request,
    /// Its head.
    pub head: Head,
    /// Its id.
    pub id: RequestId,
    /// When it came.
    pub arrived: Millis,
    /// The bindings.
    pub env: Env,
    /// What outlives the answer.
    pub ctx: Context,
    /// A client that waits for a stream, before an endpoint has answered.
    pub waits: RefCell<Option<Waits>>,
}

/// A client that waits for a stream.
pub struct Waits {
    /// The row of its call, as far as it is known.
    pub row: Row,
    /// How long it is to hear nothing.
    pub keep_alive: Duration,
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
        waits: RefCell::new(None),
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
pub struct Refused {
    /// The refusal.
    pub refusal: Refusal,
    /// The row.
    pub row: Option<Box<Row>>,
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
            deliver::call(x, config, caller, api).await
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

#[cfg(not(feature = "local"))]
fn handling(_: &Exchange, config: &Config, model: &str, thinks: bool) -> Handling {
    config.gateway.handling(model, thinks)
}

#[cfg(feature = "local")]
fn handling(x: &Exchange, config: &Config, model: &str, thinks: bool) -> Handling {
    let other = super::local::gateway(&x.env);
    let gateway = other.as_ref().unwrap_or(&config.gateway);
    gateway.handling(model, thinks)
}

/// A model call, with everything that is known of it.
pub struct Called {
    /// The row, as far as it has come.
    pub row: Row,
    /// The database it goes to.
    pub store: String,
    /// The answer, or why there is none.
    pub outcome: Result<Answered, Refusal>,
}

/// An endpoint has answered.
pub struct Answered {
    /// What it answered.
    pub begun: Begun,
    /// How the model is handled.
    pub handling: Handling,
}

/// Everything up to the moment an endpoint has answered. A panic ends this
/// call and no other.
pub async fn begin(
    x: Rc<Exchange>,
    config: &'static Config,
    mut caller: Caller,
    api: Api,
) -> Called {
    let mut row = Row::new(&x.id, x.arrived, &caller, api);
    let beginning = begun(&x, config, &mut caller, api, &mut row);
    let outcome = AssertUnwindSafe(beginning).catch_unwind().await;
    Called {
        store: zone::home(&config.regions, &caller).to_owned(),
        row,
        outcome: outcome.unwrap_or(Err(Refusal::Internal)),
    }
}

async fn begun(
    x: &Exchange,
    config: &'static Config,
    caller: &mut Caller,
    api: Api,
    row: &mut Row,
) -> Result<Answered, Refusal> {
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
    let thinks = plan.first.claim().thinks(call.wanted.thinks);
    let handling = handling(x, config, plan.model, thinks);
    if call.wanted.stream {
        x.waits.replace(Some(Waits {
            row: row.clone(),
            keep_alive: Duration::from_millis(handling.timeouts.keep_alive.0),
        }));
    }
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
        handling,
        signal: x.request.signal(),
        prices: &config.prices,
    };
    let begun = upstream::run(&x.env, &exchange, &plan, row).await?;
    Ok(Answered { begun, handling })
}
