//! Which endpoints a request may be sent to, in which order. An [`Attempt`]
//! can be made only here, after the zone's test, and only an attempt can be
//! sent: sending out of zone is not a mistake that other code can make.

use crate::caller::Caller;
use crate::config::Config;
use crate::dialect::Wanted;
use crate::refusal::Refusal;
use crate::regions::{Claim, Dialect, Endpoint};
use crate::zone::{Outside, Verdict};
use std::collections::BTreeSet;

/// One endpoint that may be contacted for one request.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'c> {
    endpoint: &'c Endpoint,
    claim: &'c Claim,
}

impl<'c> Attempt<'c> {
    /// The only way to an attempt: the zone allows the claim.
    fn within(zone: &Verdict, endpoint: &'c Endpoint, claim: &'c Claim) -> Result<Self, Outside> {
        zone.allows(claim)?;
        Ok(Attempt { endpoint, claim })
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

/// What to try, in order: never empty.
#[derive(Debug, Clone)]
pub struct Plan<'c> {
    /// The model by its own name.
    pub model: &'c str,
    /// The first choice.
    pub first: Attempt<'c>,
    /// What to try when it fails.
    pub fallbacks: Vec<Attempt<'c>>,
}

impl<'c> Plan<'c> {
    /// All attempts in order.
    pub fn attempts(&self) -> impl Iterator<Item = Attempt<'c>> + '_ {
        std::iter::once(self.first).chain(self.fallbacks.iter().copied())
    }
}

/// Plans a call in a dialect, or says why nothing may serve it.
pub fn plan<'c>(
    config: &'c Config,
    caller: &Caller,
    zone: &Verdict,
    dialect: Dialect,
    wanted: &Wanted,
) -> Result<Plan<'c>, Refusal> {
    let asked = wanted.model.as_str();
    let model = config.gateway.model(asked);
    let serving = || {
        let endpoints = config.regions.endpoints.iter();
        endpoints.filter_map(|endpoint| Some((endpoint, endpoint.claim(model)?)))
    };
    let Some((_, claim)) = serving().next() else {
        return Err(unknown(config, asked));
    };
    let model = claim.model.as_str();
    if !caller.may_use(asked, model) {
        return Err(Refusal::ModelNotAllowed {
            asked: asked.to_owned(),
            allowed: caller.key.models.clone(),
        });
    }
    let tried = |(endpoint, claim)| attempt(zone, dialect, endpoint, claim);
    let mut attempts = serving().filter_map(|pair| tried(pair).ok());
    if let Some(first) = attempts.next() {
        let fallbacks = attempts.collect();
        return Ok(Plan {
            model,
            first,
            fallbacks,
        });
    }
    let words =
        |(endpoint, claim)| Some(tried((endpoint, claim)).err()?.words(zone, endpoint, claim));
    let servable = servable(config, caller, zone, Some(dialect));
    Err(Refusal::NoEndpoint {
        zone: zone.zone.clone(),
        model: model.to_owned(),
        excluded: serving().filter_map(words).collect(),
        servable: servable.into_iter().map(str::to_owned).collect(),
    })
}

/// Why an endpoint that has the model is left out.
enum LeftOut {
    Zone(Outside),
    Dialect,
}

fn attempt<'c>(
    zone: &Verdict,
    dialect: Dialect,
    endpoint: &'c Endpoint,
    claim: &'c Claim,
) -> Result<Attempt<'c>, LeftOut> {
    let attempt = Attempt::within(zone, endpoint, claim).map_err(LeftOut::Zone)?;
    match endpoint.dialect == dialect {
        true => Ok(attempt),
        false => Err(LeftOut::Dialect),
    }
}

impl LeftOut {
    fn words(&self, zone: &Verdict, endpoint: &Endpoint, claim: &Claim) -> String {
        let name = &endpoint.name;
        match self {
            LeftOut::Zone(Outside::Hosting) => format!("{name} processes it in {}", claim.hosting),
            LeftOut::Zone(Outside::Guarantee) => format!(
                "{name} promises only {} where the zone wants {}",
                claim.guarantee, zone.guarantee
            ),
            LeftOut::Dialect => format!(
                "{name} speaks {}, on POST {}",
                endpoint.dialect,
                endpoint.dialect.path()
            ),
        }
    }
}

/// The models a caller can use in its zone, in one dialect or in any.
pub fn servable<'c>(
    config: &'c Config,
    caller: &Caller,
    zone: &Verdict,
    dialect: Option<Dialect>,
) -> BTreeSet<&'c str> {
    config
        .regions
        .endpoints
        .iter()
        .filter(|endpoint| dialect.is_none_or(|d| d == endpoint.dialect))
        .flat_map(|endpoint| endpoint.models.iter())
        .filter(|claim| zone.allows(claim).is_ok())
        .map(|claim| claim.model.as_str())
        .filter(|model| {
            let aliases = config.gateway.aliases.iter().filter(|(_, m)| m == model);
            caller.may_use(model, model) || aliases.into_iter().any(|(a, m)| caller.may_use(a, m))
        })
        .collect()
}

fn unknown(config: &Config, asked: &str) -> Refusal {
    let models = config.regions.models();
    let aliases = config.gateway.aliases.keys().map(String::as_str);
    let nearest = models
        .into_iter()
        .chain(aliases)
        .map(|name| (strsim::jaro_winkler(asked, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.to_owned());
    Refusal::UnknownModel {
        asked: asked.chars().take(100).collect(),
        nearest,
    }
}
