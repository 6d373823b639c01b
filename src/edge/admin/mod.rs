//! The admin API: it identifies the caller, checks the role, and answers. The core
//! makes the decisions; `map_store.rs` stores the maps.

pub mod map_store;
mod budgets;
mod drafts;
mod evidence;
mod failover;
mod unsettled;
mod retention;
mod rollback;
mod usage;
mod access;

use super::{body, host, keys, map, settings};
use crate::admin::{self, Admin, Ask, Denied};
use crate::report::explain::{self, Question};
use crate::request::body::Owner;
use crate::request::caller::{Caller, KeyRecord};
use crate::request::head::{Coding, Head, Origin};
use crate::units::Millis;
use futures::FutureExt;
use serde::de::DeserializeOwned;
use serde_json::{json, Value};
use std::panic::AssertUnwindSafe;
use wasm_bindgen::JsValue;
use worker::worker_sys::web_sys::{Request, Response};
use worker::{Context, Env};

/// A region map of some hundred endpoints is a tenth of this; D1 takes no more
/// than two megabytes in one field.
const LARGEST_BODY: usize = 1_500_000;

/// One request of the admin API.
struct AdminCall {
    request: Request,
    query: Vec<(String, String)>,
    env: Env,
    admin: Admin,
    at: Millis,
}

/// A reply that is not an error.
struct AdminReply {
    status: u16,
    /// A line each.
    headers: String,
    body: String,
}

impl AdminReply {
    fn json(value: &Value) -> AdminReply {
        AdminReply {
            status: 200,
            headers: "content-type: application/json".to_owned(),
            body: value.to_string(),
        }
    }
}

/// A panic ends this request and no other.
pub async fn handle(request: Request, head: Head, env: Env, ctx: &Context) -> Response {
    let answering = answer(request, &head, env, ctx);
    let reply = AssertUnwindSafe(answering).catch_unwind().await;
    let reply = reply.unwrap_or_else(|_| {
        Err(Denied::Unavailable(
            "Something in the gateway broke; it".to_owned(),
        ))
    });
    let (status, reply) = match reply {
        Ok(reply) => (reply.status, reply),
        Err(denied) => {
            let error = json!({"code": denied.code(), "message": denied.to_string()});
            (denied.status(), AdminReply::json(&json!({"error": error})))
        }
    };
    let headers = format!("{}\ncache-control: no-store", reply.headers);
    host::respond(status, &headers, &JsValue::from_str(&reply.body))
}

async fn answer(
    request: Request,
    head: &Head,
    env: Env,
    ctx: &Context,
) -> Result<AdminReply, Denied> {
    let ask = admin::ask(head)?;
    let at = host::now();
    let admin = access::identify(&env, head, at).await?;
    ask.allowed_to(&admin)?;
    let query = serde_json::from_str(&host::query(&request));
    let query = query.map_err(|_| Denied::Invalid("The query cannot be read.".to_owned()))?;
    let call = AdminCall {
        request,
        query,
        env,
        admin,
        at,
    };
    let reply = match ask {
        Ask::WhoAmI => Ok(json!(call.admin)),
        Ask::Map => drafts::in_force(&call).await,
        Ask::Explain => explained(&call, ctx).await,
        Ask::Drafts => drafts::list(&call).await,
        Ask::NewDraft => drafts::create(&call).await,
        Ask::Draft(id) => drafts::show(&call, &id).await,
        Ask::Replay(id) => drafts::replay(&call, &id).await,
        Ask::Approve(id) => drafts::approve(&call, &id).await,
        Ask::Withdraw(id) => drafts::withdraw(&call, &id).await,
        Ask::Rollback => return rollback::roll_back(&call).await,
        Ask::History => drafts::history(&call).await,
        Ask::Audit => drafts::audit(&call).await,
        Ask::Requests => evidence::requests(&call).await,
        Ask::Transfers => evidence::transfers(&call).await,
        Ask::Usage => return usage::page(&call).await,
        Ask::Health => failover::health(&call, ctx).await,
        Ask::Forget => failover::forget(&call).await,
        Ask::Drills => failover::drills(&call).await,
        Ask::BeginDrill => failover::begin_drill(&call, ctx).await,
        Ask::Budgets => budgets::list(&call).await,
        Ask::SetBudget => budgets::set(&call, ctx).await,
        Ask::RemoveBudget => budgets::remove(&call, ctx).await,
        Ask::ReleaseHeld => unsettled::release(&call, ctx).await,
        Ask::Retention => retention::look(&call, ctx).await,
        Ask::Delete => retention::delete(&call).await,
        Ask::EndDrill => failover::end_drill(&call, ctx).await,
    };
    reply.map(|value| AdminReply::json(&value))
}

impl AdminCall {
    /// The body as JSON of a known form.
    async fn body<T: DeserializeOwned>(&self) -> Result<T, Denied> {
        let bytes = body::read(
            &self.request,
            Owner::Admins,
            (Coding::Plain, None),
            LARGEST_BODY,
        )
        .await;
        let (bytes, _holding) = bytes.map_err(|refusal| Denied::Invalid(refusal.to_string()))?;
        serde_json::from_slice(&bytes)
            .map_err(|e| Denied::Invalid(format!("The body cannot be read: {e}.")))
    }

    /// A parameter; the last of those of the same name.
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut from_last = self.query.iter().rev();
        let found = from_last.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter that is a whole number.
    fn number(&self, name: &str) -> Result<Option<u64>, Denied> {
        let parsed = self.parameter(name).map(str::parse);
        let parsed = parsed.transpose();
        parsed.map_err(|_| Denied::Invalid(format!("`{name}` must be a whole number.")))
    }
}

/// A store that did not answer, in words.
pub fn unavailable(what: &str) -> impl Fn(worker::Error) -> Denied + '_ {
    move |error| {
        worker::console_error!("{what}: {error}");
        Denied::Unavailable(what.to_owned())
    }
}

async fn explained(call: &AdminCall, ctx: &Context) -> Result<Value, Denied> {
    let question: Question = call.body().await?;
    let config = map::in_force(&call.env, ctx)
        .await
        .map_err(|_| Denied::Unavailable("The store of region maps".to_owned()))?;
    let key = match &question.key {
        None => KeyRecord::anybody(),
        Some(id) => keys::by_id(&call.env, id)
            .await
            .map_err(|_| Denied::Unavailable("The key store".to_owned()))?
            .ok_or_else(|| Denied::NotFound(format!("There is no key {id}.")))?,
    };
    let mut caller = Caller::new(key, &Head::default());
    caller.origin = Origin::new(
        &question.country,
        question.colo.as_deref().unwrap_or_default(),
    );
    caller.asked_zone.clone_from(&question.zone);
    Ok(json!(explain::explain(config, &caller, question)))
}

/// The configuration that the worker was built with.
pub fn built_in() -> Result<&'static crate::config::Config, Denied> {
    settings::config().map_err(|_| Denied::Unavailable("The built-in configuration".to_owned()))
}
