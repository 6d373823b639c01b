//! The flow of one request, from the client's bytes to the moment an endpoint
//! has answered; `deliver.rs` hands the answer over.

use super::answer::{self, ReplyHeaders};
use super::attempt::Begun;
use super::{blob_owners, body, budgets, host, instance, routes, runaway, stored, upstream};
use crate::admin;
use crate::answer::record::Row;
use crate::config::gateway::ModelPolicy;
use crate::config::limits::{Measure, Subject};
use crate::config::Config;
use crate::dialect::{self, responses, Api, BlobOwner, Call, Fingerprint};
use crate::ledger;
use crate::ledger::instance::Admission;
use crate::refusal::Refusal;
use crate::regions::egress::STORED_RESPONSE;
use crate::request::caller::Caller;
use crate::request::egress::{self, Egress, Offers};
use crate::request::head::{Head, OnUnsupported};
use crate::request::plan::{self, Plan};
use crate::request::zone;
use crate::request::zone::Verdict;
use crate::units::{Millis, NanoUsd, RequestId};
use crate::upstream::translate::Inbound;
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

impl Waits {
    fn of(row: &Row, policy: ModelPolicy) -> Waits {
        Waits {
            row: row.clone(),
            keep_alive: Duration::from_millis(policy.timeouts.keep_alive.0),
        }
    }
}

/// Serves one request. A panic ends this request and no other.
pub async fn handle(request: Request, env: Env, ctx: Context) -> worker::Result<Response> {
    let arrived = host::now();
    let head = Head::read(&host::head(&request));
    if admin::is_admin(&head.path) {
        return Ok(super::admin::handle(request, head, env, &ctx).await);
    }
    let exchange = Rc::new(Exchange {
        request,
        head,
        id: host::request_id(arrived),
        arrived,
        env,
        ctx,
        waits: RefCell::new(None),
    });
    let served = AssertUnwindSafe(routes::serve(Rc::clone(&exchange)));
    let served = served.catch_unwind().await;
    let served = served.unwrap_or_else(|_| Err(Refusal::Internal.into()));
    let answer = served.unwrap_or_else(|refused| refusal(&exchange, &refused));
    routes::let_page_read(&exchange, &answer).await;
    Ok(answer)
}

/// A refusal as its client expects it.
fn refusal(x: &Exchange, refused: &Refused) -> Response {
    let mut reply_headers = ReplyHeaders::of(&x.id);
    // Strangers get no receipt: whoever asks without a key costs no signature.
    if let Some(row) = &refused.row {
        reply_headers.add_row(row);
    }
    answer::refusal(x.head.family(), &refused.refusal, reply_headers, &x.id)
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
    pub policy: ModelPolicy,
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
    let beginning = async {
        match api {
            Api::Stored => stored::begun(&x, config, &mut caller, &mut row).await,
            api => begun(&x, config, &mut caller, api, &mut row).await,
        }
    };
    let outcome = AssertUnwindSafe(beginning).catch_unwind().await;
    Called {
        store: zone::home(&config.regions, &caller).to_owned(),
        row,
        outcome: outcome.unwrap_or(Err(Refusal::Internal)),
    }
}

/// A call that asks to be let in.
pub struct Asking<'a> {
    /// What stays the same.
    pub x: &'a Exchange,
    /// The configuration in force.
    pub config: &'static Config,
    /// Who asks.
    pub caller: &'a Caller,
    /// What is called.
    pub api: Api,
    /// What the body says.
    pub call: &'a Call<'a>,
    /// What it asks a provider to do beyond answering.
    pub asks: &'a Egress,
    /// Its row.
    pub row: &'a mut Row,
}

impl Asking<'_> {
    /// Plans the call, and lets it in: with the model that is asked for, or with the
    /// one that answers instead once a budget is spent.
    async fn plan(
        &mut self,
        zone: &Verdict,
        blob_owner: &BlobOwner,
    ) -> Result<(Plan<'static>, ModelPolicy), Refusal> {
        let mut wanted = self.call.wanted.clone();
        let mut instead_of: Option<String> = None;
        loop {
            let plan = plan::plan(self.config, self.caller, zone, self.api, &wanted, self.asks)?;
            let plan = plan.bound_to(blob_owner, self.api)?;
            self.row.planned(&plan);
            let thinks = plan.first.claim().thinks(wanted.thinks);
            self.row.may_hide(thinks, &self.config.regions.egress);
            let policy = self.config.gateway.model_policy(plan.model, thinks);
            match self.admit(&plan, policy, instead_of.as_deref()).await {
                Ok(()) => return Ok((plan, policy)),
                // Once: what answers instead has no other to answer instead of it.
                Err(Refusal::Exceeded(exceeded)) if instead_of.is_none() => {
                    let Some(model) = &exceeded.downgrade else {
                        return Err(Refusal::Exceeded(exceeded));
                    };
                    self.row.downgraded = Some(format!("{}: {}", exceeded.limit, plan.model));
                    wanted.model.clone_from(model);
                    instead_of = Some(exceeded.limit.clone());
                }
                Err(refusal) => return Err(refusal),
            }
        }
    }

    /// Reserves what the call may take of every limit that holds for it, but
    /// that it goes around with another model.
    pub async fn admit(
        &mut self,
        plan: &Plan<'_>,
        policy: ModelPolicy,
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
        let limits = &self.config.gateway.limits;
        let set = budgets::in_force(&x.env).await?;
        if let Some(unread) = set.unread_for(&subject) {
            let limit = Some(unread.name.clone());
            return Err(Refusal::LimitsUnread { limit });
        }
        let mut applied = limits.applying(&set.limits, &caller.key.limits, subject, x.arrived);
        applied.retain(|one| one.measure != Measure::Money || Some(one.limit.as_str()) != around);
        let store = zone::home(&self.config.regions, caller);
        let deadline = policy.until(x.arrived);
        let address = instance::object_for(&caller.key.team, store);
        let weighed = ledger::Weighed {
            api: self.api,
            call: self.call,
            egress: self.asks,
            rules: &self.config.regions.egress,
        };
        let bound = ledger::bound(plan, weighed, &self.config.prices, policy.hedge)?;
        let needs = bound.needs(applied, plan.model)?;
        self.row.reserved_nano = bound.money.map(NanoUsd);
        let unreachable = limits.unreachable(&caller.key.team);
        let admission = Admission {
            address: address.clone(),
            deadline,
            needs,
            unreachable,
        };
        let admitted = instance::admit(&x.env, admission).await;
        instance::linger(&x.env, &x.ctx);
        let reservation = admitted?;
        self.row.budgets.clone_from(&reservation.levels);
        instance::begin(self.row, address, reservation, deadline);
        Ok(())
    }
}

/// Who made what a request carries back, and whether blobs in it carry an
/// endpoint's name.
async fn blob_owner(
    x: &Exchange,
    caller: &Caller,
    zone: &Verdict,
    call: &Call<'_>,
) -> Result<(BlobOwner, bool), Refusal> {
    let (carried, named_blobs) = dialect::blobs_in(call.body);
    let blob_owner = blob_owners::find(&x.env, &carried).await;
    let Some(id) = responses::request_fields::goes_on_from(call) else {
        return Ok((blob_owner, named_blobs));
    };
    let answer = Fingerprint::of_answer(&caller.key.team, &id);
    match blob_owners::keeper(&x.env, answer).await {
        Some(kept) => Ok((BlobOwner::Keeper(kept.endpoint), named_blobs)),
        // What is not allowed at all is refused as that.
        None if zone.allows_kind(STORED_RESPONSE) => Err(Refusal::NoSuchAnswer {
            id: id.chars().take(100).collect(),
        }),
        None => Ok((blob_owner, named_blobs)),
    }
}

/// What a client sent.
struct Sent {
    /// The body, with the model in it, and without what the client wishes left out.
    body: Rc<String>,
    /// Its room.
    _holding: body::Holding,
    /// The tools that were left out, where that is wished.
    offers: Option<Offers>,
}

/// The body of a call. `drops` says that tools are left out which the zone does not
/// allow and the request can go without.
async fn read(
    x: &Exchange,
    config: &Config,
    caller: &Caller,
    (zone, api, drops): (&Verdict, Api, bool),
) -> Result<Sent, Refusal> {
    let (body, holding) = body::text(&x.request, &x.head, &caller.key.team).await?;
    let mut body = match x.head.model() {
        Some(model) => {
            let is_known = config.knows(&model);
            dialect::with_model(body, &model, is_known).map_err(Refusal::Body)?
        }
        None => body,
    };
    let (rules, allows) = (&config.regions.egress, |kind: &str| zone.allows_kind(kind));
    let offers = drops.then(|| egress::offers::leave_out(rules, api, allows, &mut body));
    Ok(Sent {
        body: Rc::new(body),
        _holding: holding,
        offers,
    })
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
    let unsupported = x.head.unsupported()?.or(caller.key.unsupported);
    let unsupported = unsupported.unwrap_or_default();
    let drops = unsupported == OnUnsupported::Drop;
    // Held until an endpoint has answered: from then on no other is asked.
    let sent = read(x, config, caller, (&zone, api, drops)).await?;
    let body = &sent.body;
    let call = dialect::read_call(api, body).map_err(Refusal::Body)?;
    caller.tags.add_from_body(&call.tags);
    row.called(&call.wanted, &caller.tags);
    let rules = &config.regions.egress;
    let asks = egress::read(rules, api, &x.head, body).without(sent.offers.clone());
    row.asks(&asks, rules, zone.forbids(rules, &asks).is_some());
    runaway::look(x, caller, api, body, &config.gateway.runaway, row)?;
    let (blob_owner, named_blobs) = blob_owner(x, caller, &zone, &call).await?;
    let mut ask = Asking {
        x,
        config,
        caller,
        api,
        call: &call,
        asks: &asks,
        row,
    };
    let (plan, policy) = ask.plan(&zone, &blob_owner).await?;
    let Asking { row, .. } = ask;
    if call.wanted.stream {
        x.waits.replace(Some(Waits::of(row, policy)));
    }
    let signers = plan.signers();
    let inbound = Inbound {
        api,
        signers: &signers,
        unsupported,
        body,
        call: &call,
        named_blobs: named_blobs || plan.leaves_thoughts,
        egress: &asks,
        stored: None,
    };
    let upstream_call = upstream::UpstreamCall {
        colo: &x.head.origin.colo,
        inbound,
        id: &x.id,
        arrived: x.arrived,
        policy,
        signal: x.request.signal(),
        prices: &config.prices,
    };
    upstream::after_others(body).await;
    let begun = upstream::run(&x.env, &upstream_call, &plan, row).await?;
    Ok(Answered { begun, policy })
}
