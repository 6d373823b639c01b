//! The flow of one request, from the client's bytes to the moment an endpoint
//! has answered; `deliver.rs` hands the answer over.

use super::answer::{self, Story};
use super::attempt::Begun;
use super::ledger::for_calls;
use super::{
    admission, budgets, deliver, host, keys, map, origins, receipts, runaway, upstream, usage,
};
use crate::admin;
use crate::caller::Caller;
use crate::config::Config;
use crate::dialect::{self, Api, Call};
use crate::gateway::{Gateway, Handling};
use crate::head::{Head, Route, LARGEST_BODY};
use crate::ledger;
use crate::limits::{Measure, Subject};
use crate::plan::{self, Plan};
use crate::receipt::Receipt;
use crate::record::Row;
use crate::refusal::{Invalid, Refusal};
use crate::translate::Asked;
use crate::units::{Millis, NanoUsd, RequestId};
use crate::{listing, zone};
use futures::FutureExt;
use std::borrow::Cow;
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
fn gateway<'c>(_: &Exchange, config: &'c Config) -> Cow<'c, Gateway> {
    Cow::Borrowed(&config.gateway)
}

#[cfg(feature = "local")]
fn gateway<'c>(x: &Exchange, config: &'c Config) -> Cow<'c, Gateway> {
    match super::local::gateway(&x.env) {
        Some(other) => Cow::Owned(other),
        None => Cow::Borrowed(&config.gateway),
    }
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

/// A call that asks to be let in.
struct Asking<'a> {
    x: &'a Exchange,
    config: &'static Config,
    gateway: &'a Gateway,
    caller: &'a Caller,
    api: Api,
    call: &'a Call<'a>,
    row: &'a mut Row,
}

impl Asking<'_> {
    /// Reserves what the call may take of every limit that holds for it, but
    /// that it goes around with another model.
    async fn admit(
        &mut self,
        plan: &Plan<'_>,
        handling: Handling,
        around: Option<&str>,
    ) -> Result<(), Refusal> {
        let (caller, x) = (self.caller, self.x);
        let subject = Subject {
            team: &caller.key.team,
            key: &caller.key.id,
            feature: caller.tags.get("feature"),
            environment: caller.tags.get("environment"),
            model: plan.model,
        };
        let limits = &self.gateway.limits;
        let mut applied = limits.applying(
            &budgets::in_force().0,
            &caller.key.limits,
            subject,
            x.arrived,
        );
        applied.retain(|one| one.measure != Measure::Money || Some(one.limit.as_str()) != around);
        let store = zone::home(&self.config.regions, caller);
        let deadline = handling.until(x.arrived);
        let address = for_calls(&caller.key.team, store);
        let bound = ledger::bound(
            plan,
            self.api,
            self.call,
            &self.config.prices,
            handling.hedge,
        );
        let needs = bound.needs(applied, plan.model)?;
        self.row.reserved_nano = bound.money.map(NanoUsd);
        let unreachable = limits.unreachable(&caller.key.team);
        let reservation = admission::admit(&x.env, &address, deadline, needs, unreachable).await?;
        usage::linger(&x.env, &x.ctx);
        self.row.budgets.clone_from(&reservation.levels);
        admission::begin(self.row, address, reservation, deadline);
        Ok(())
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
    let gateway = gateway(x, config);
    runaway::look(x, caller, api, &body, &gateway.runaway, row)?;
    let (carried, named_blobs) = dialect::blobs_in(&body);
    let made_by = origins::find(&x.env, &carried).await;
    let mut ask = Asking {
        x,
        config,
        gateway: &gateway,
        caller,
        api,
        call: &call,
        row,
    };
    let mut wanted = call.wanted.clone();
    let mut instead_of: Option<String> = None;
    let (plan, handling) = loop {
        let plan = plan::plan(config, ask.caller, &zone, api, &wanted)?;
        let plan = plan.bound_to(&made_by, api)?;
        ask.row.planned(&plan);
        let thinks = plan.first.claim().thinks(call.wanted.thinks);
        let handling = gateway.handling(plan.model, thinks);
        match ask.admit(&plan, handling, instead_of.as_deref()).await {
            Ok(()) => break (plan, handling),
            // Once: what answers instead has no other to answer instead of it.
            Err(Refusal::Exceeded(exceeded)) if instead_of.is_none() => {
                let Some(model) = &exceeded.downgrade else {
                    return Err(Refusal::Exceeded(exceeded));
                };
                ask.row.downgraded = Some(format!("{}: {}", exceeded.limit, plan.model));
                wanted.model.clone_from(model);
                instead_of = Some(exceeded.limit.clone());
            }
            Err(refusal) => return Err(refusal),
        }
    };
    let Asking { row, .. } = ask;
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
