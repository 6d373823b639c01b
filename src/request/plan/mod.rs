//! The endpoints that a request may be sent to, in order. An [`Attempt`] can be made
//! only here, after the zone's test, and only an attempt can be sent, so other code
//! cannot send a request out of its zone.

mod left_out;
mod names;
mod narrowed;

pub use left_out::LeftOut;
pub use names::{names, servable};

use crate::config::Config;
use crate::dialect::neutral::Signers;
use crate::dialect::{Api, Wanted};
use crate::refusal::{EgressRefused, Offer, Refusal};
use crate::regions::egress::{EgressKind, BACKGROUND, STORED_RESPONSE};
use crate::regions::{Claim, Dialect, EgressRules, Endpoint};
use crate::request::caller::Caller;
use crate::request::egress::{self, Egress, Found};
use crate::request::zone::Verdict;

/// One endpoint that may be contacted for one request.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'c> {
    endpoint: &'c Endpoint,
    claim: &'c Claim,
    dialect: Dialect,
    keeps_answers: bool,
}

impl<'c> Attempt<'c> {
    /// The only way to an attempt: the zone allows the claim, and what the
    /// request makes the endpoint do is allowed and claimed too.
    fn within(
        requirements: Requirements<'_>,
        endpoint: &'c Endpoint,
        claim: &'c Claim,
        dialect: Dialect,
    ) -> Result<Self, LeftOut> {
        let Requirements {
            zone,
            rules,
            egress,
        } = requirements;
        let outside = |outside| LeftOut::Zone(outside, zone.guarantee);
        zone.allows(claim).map_err(outside)?;
        if egress.too_much || zone.forbids(rules, egress).is_some() {
            return Err(LeftOut::Forbidden);
        }
        for found in &egress.found {
            covers(zone, rules, endpoint, claim, found)?;
        }
        let keeps = claim.egress.get(STORED_RESPONSE);
        let allows = |claim| zone.allows_egress(claim).is_ok();
        Ok(Attempt {
            endpoint,
            claim,
            dialect,
            keeps_answers: keeps.is_some_and(allows) && zone.allows_kind(STORED_RESPONSE),
        })
    }

    /// Whether the endpoint may store its responses: the zone allows it, and it is
    /// claimed. Otherwise the request says `store: false`.
    pub fn keeps_answers(&self) -> bool {
        self.keeps_answers
    }

    /// The dialect of the request.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &'c Endpoint {
        self.endpoint
    }

    /// What is claimed of the model there.
    pub fn claim(&self) -> &'c Claim {
        self.claim
    }
}

/// What a request requires of an endpoint, and the rules that apply.
#[derive(Debug, Clone, Copy)]
pub struct Requirements<'a> {
    /// Its zone.
    pub zone: &'a Verdict,
    /// The rules for words that ask for egress.
    pub rules: &'a EgressRules,
    /// Its egress.
    pub egress: &'a Egress,
}

/// Whether an endpoint claims what a request asks of it.
fn covers(
    zone: &Verdict,
    rules: &EgressRules,
    endpoint: &Endpoint,
    claim: &Claim,
    found: &Found,
) -> Result<(), LeftOut> {
    if rules
        .kinds
        .get(&found.kind)
        .is_some_and(|kind| kind.only_fixed)
    {
        let fixed = endpoint.fixed.iter().any(|(field, _)| *field == found.word);
        return match fixed || endpoint.without.contains(&found.word) {
            true => Ok(()),
            false => Err(LeftOut::Place {
                field: found.word.clone(),
            }),
        };
    }
    let kind = || found.kind.clone();
    let claim = claim.egress.get(&found.kind);
    let claim = claim.ok_or_else(|| LeftOut::Unclaimed { kind: kind() })?;
    let outside = |outside| LeftOut::Egress(kind(), outside, zone.guarantee);
    zone.allows_egress(claim).map_err(outside)
}

/// What to try, in order: never empty.
#[derive(Debug, Clone)]
pub struct Plan<'c> {
    /// The model by its own name.
    pub model: &'c str,
    /// The first choice.
    pub first: Attempt<'c>,
    /// What to try when it fails.
    pub fallbacks: Vec<Attempt<'c>>,
    /// None of them can use the thinking that the request carries.
    pub leaves_thoughts: bool,
}

impl<'c> Plan<'c> {
    /// All attempts in order.
    pub fn attempts(&self) -> impl Iterator<Item = Attempt<'c>> + '_ {
        std::iter::once(self.first).chain(self.fallbacks.iter().copied())
    }

    /// Whose thinking signatures each of its endpoints accepts.
    pub fn signers(&self) -> Signers<'c> {
        let word = |attempt: Attempt<'c>| {
            let word = attempt.claim.signatures.as_deref()?;
            Some((attempt.endpoint.name.as_str(), word))
        };
        let signers: Signers<'c> = self.attempts().filter_map(word).collect();
        signers.with_foreign(self.leaves_thoughts)
    }
}

/// Plans a call, or refuses it.
pub fn plan<'c>(
    config: &'c Config,
    caller: &Caller,
    zone: &Verdict,
    api: Api,
    wanted: &Wanted,
    egress: &Egress,
) -> Result<Plan<'c>, Refusal> {
    let asked = wanted.model.as_str();
    let considered = consider(config, zone, Some(api), asked, egress);
    let plan = judge(config, caller, zone, Some(api), asked, &considered);
    let plan = plan.map_err(|refusal| or_egress(refusal, config, zone, api, egress))?;
    match egress.found.iter().any(|found| found.kind == BACKGROUND) {
        true => plan.in_background(api, wanted),
        false => Ok(plan),
    }
}

/// The refusal of a request that no endpoint may serve. If the zone does not allow its
/// egress, that is the more useful reason.
pub fn or_egress(
    refusal: Refusal,
    config: &Config,
    zone: &Verdict,
    api: Api,
    egress: &Egress,
) -> Refusal {
    match refusal {
        Refusal::NoEndpoint { .. } => egress_refused(config, zone, api, egress).unwrap_or(refusal),
        other => other,
    }
}

/// The refusal of a request that asks a provider for what its zone does not
/// allow, if it does.
fn egress_refused(config: &Config, zone: &Verdict, api: Api, egress: &Egress) -> Option<Refusal> {
    let rules = &config.regions.egress;
    if egress.too_much {
        return Some(Refusal::TooMuchEgress);
    }
    let (found, forbidden) = zone.forbids(rules, egress)?;
    let kind = rules.kinds.get(&found.kind).cloned().unwrap_or_default();
    Some(Refusal::Egress(Box::new(EgressRefused {
        at: egress.place_of(found.at.clone()),
        offer: offer(&kind, found, egress),
        word: found.word.clone(),
        kind: found.kind.clone(),
        does: kind.does,
        instead: kind.instead,
        host: found.host.clone(),
        dialect: egress::vocabulary_of(api),
        forbidden,
    })))
}

/// Whether what is asked for is a tool that could be left out.
fn offer(kind: &EgressKind, found: &Found, egress: &Egress) -> Offer {
    match kind.may_be_left_out && found.at.starts_with("tools[") {
        false => Offer::No,
        true if egress.offers.is_some() => Offer::Kept,
        true => Offer::CanGo,
    }
}

/// Makes the plan from the considered endpoints.
pub fn judge<'c>(
    config: &'c Config,
    caller: &Caller,
    zone: &Verdict,
    api: Option<Api>,
    asked: &str,
    considered: &[Considered<'c>],
) -> Result<Plan<'c>, Refusal> {
    let Some(Considered { claim, .. }) = considered.first() else {
        return Err(Refusal::UnknownModel {
            asked: asked.chars().take(100).collect(),
            nearest: names::nearest(config, caller, zone, asked),
        });
    };
    let model = claim.model.as_str();
    if !caller.may_use(asked, model) {
        return Err(Refusal::ModelNotAllowed {
            asked: asked.to_owned(),
            allowed: caller.key.models.clone(),
        });
    }
    let mut attempts = considered
        .iter()
        .filter_map(|one| one.attempt.as_ref().ok().copied());
    if let Some(first) = attempts.next() {
        let fallbacks = attempts.collect();
        return Ok(Plan {
            model,
            first,
            fallbacks,
            leaves_thoughts: false,
        });
    }
    let excluded: Vec<String> = considered.iter().filter_map(Considered::left_out).collect();
    let lacks_counter = |one: &Considered<'_>| matches!(one.attempt, Err(LeftOut::Dialect));
    if api.is_some_and(Api::counts) && considered.iter().any(lacks_counter) {
        return Err(Refusal::NoCounter {
            zone: zone.zone.clone(),
            model: model.to_owned(),
            excluded,
        });
    }
    let servable = servable(config, caller, zone, api);
    let chats = |one: &Considered<'_>| matches!(one.attempt, Err(LeftOut::Completions));
    Err(Refusal::NoEndpoint {
        zone: zone.zone.clone(),
        model: model.to_owned(),
        excluded,
        is_only_chat: considered.iter().any(chats),
        servable: servable.into_iter().map(str::to_owned).collect(),
    })
}

/// An endpoint that has the model, and whether it may be tried.
#[derive(Debug, Clone)]
pub struct Considered<'c> {
    /// The endpoint.
    pub endpoint: &'c Endpoint,
    /// What is claimed of the model there.
    pub claim: &'c Claim,
    /// The attempt, or why there is none.
    pub attempt: Result<Attempt<'c>, LeftOut>,
}

/// Looks at every endpoint that has a model, in order, for one operation or
/// for any.
pub fn consider<'c>(
    config: &'c Config,
    zone: &Verdict,
    api: Option<Api>,
    asked: &str,
    egress: &Egress,
) -> Vec<Considered<'c>> {
    let model = config.gateway.model(asked);
    let endpoints = config.regions.endpoints.iter();
    let rules = &config.regions.egress;
    let requirements = Requirements {
        zone,
        rules,
        egress,
    };
    endpoints
        .filter_map(|endpoint| {
            let claim = endpoint.claim(model)?;
            let attempt = attempt(requirements, api, endpoint, claim);
            Some(Considered {
                endpoint,
                claim,
                attempt,
            })
        })
        .collect()
}

fn attempt<'c>(
    requirements: Requirements<'_>,
    api: Option<Api>,
    endpoint: &'c Endpoint,
    claim: &'c Claim,
) -> Result<Attempt<'c>, LeftOut> {
    let dialect = dialect(api, endpoint, claim);
    let first = dialect.or(endpoint.dialects.first().copied());
    let attempt = Attempt::within(
        requirements,
        endpoint,
        claim,
        first.ok_or(LeftOut::Dialect)?,
    )?;
    if let Some(why) = &endpoint.off {
        return Err(LeftOut::Off { why: why.clone() });
    }
    match dialect {
        Some(_) => Ok(attempt),
        None if api == Some(Api::Completions) => Err(LeftOut::Completions),
        None => Err(LeftOut::Dialect),
    }
}

fn dialect(api: Option<Api>, endpoint: &Endpoint, claim: &Claim) -> Option<Dialect> {
    match api {
        Some(api) => api.dialect_for(endpoint, claim),
        None => endpoint.dialects.first().copied(),
    }
}
