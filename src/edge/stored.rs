//! What is asked of an answer that a provider keeps, up to the moment the endpoint
//! that has it has answered. Only the team that got the answer finds it, and only
//! where its zone lets that endpoint keep answers of that model.

use super::fetch::{Answered, Asking, Exchange};
use super::{blob_owners, upstream};
use crate::answer::record::Row;
use crate::config::Config;
use crate::dialect::neutral::Signers;
use crate::dialect::responses::stored;
use crate::dialect::{Api, BlobOwner, Fingerprint};
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use crate::request::egress::Egress;
use crate::request::head::OnUnsupported;
use crate::request::plan;
use crate::request::zone;
use crate::upstream::translate::Inbound;
use std::rc::Rc;

const API: Api = Api::Stored;

/// Everything up to the moment the endpoint has answered.
pub async fn begun(
    x: &Exchange,
    config: &'static Config,
    caller: &mut Caller,
    row: &mut Row,
) -> Result<Answered, Refusal> {
    let zone = zone::decide(&config.regions, caller)?;
    row.zoned(&zone, &config.regions.version);
    caller.read_tags(&x.head)?;
    let wish = x.head.stored()?.ok_or(Refusal::Internal)?;
    let (endpoint, model) = kept(x, caller, &wish.id).await?;
    let call = stored::call(
        config
            .gateway
            .name_for(&model, |name| caller.may_use(name, &model)),
    );
    row.called(&call.wanted, &caller.tags);
    let (asks, rules) = (Egress::stored(), &config.regions.egress);
    row.asks(&asks, rules, zone.forbids(rules, &asks).is_some());
    let plan = plan::plan(config, caller, &zone, API, &call.wanted, &asks)?;
    let plan = plan.bound_to(&BlobOwner::Keeper(endpoint), API)?;
    row.planned(&plan);
    let policy = config.gateway.model_policy(plan.model, false);
    let mut asking = Asking {
        x,
        config,
        caller,
        api: API,
        call: &call,
        asks: &asks,
        row,
    };
    asking.admit(&plan, policy, None).await?;
    let row = asking.row;
    let upstream_call = upstream::UpstreamCall {
        inbound: Inbound {
            api: API,
            unsupported: OnUnsupported::default(),
            signers: &Signers::default(),
            body: &Rc::default(),
            call: &call,
            named_blobs: false,
            egress: &asks,
            stored: Some(&wish),
        },
        colo: &x.head.origin.colo,
        id: &x.id,
        arrived: x.arrived,
        policy,
        signal: x.request.signal(),
        prices: &config.prices,
    };
    let begun = upstream::run(&x.env, &upstream_call, &plan, row).await?;
    Ok(Answered { begun, policy })
}

/// The endpoint that keeps an answer of the caller's team, and the model that made it.
async fn kept(x: &Exchange, caller: &Caller, id: &str) -> Result<(String, String), Refusal> {
    let answer = Fingerprint::of_answer(&caller.key.team, id);
    let kept = blob_owners::keeper(&x.env, answer).await;
    let known = kept.and_then(|kept| Some((kept.endpoint, kept.model?)));
    known.ok_or_else(|| Refusal::NoStored {
        id: id.chars().take(100).collect(),
    })
}
