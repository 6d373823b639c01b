//! Which endpoints a request may be sent to, in which order. An [`Attempt`]
//! can be made only here, after the zone's test, and only an attempt can be
//! sent: sending out of zone is not a mistake that other code can make.

use crate::caller::Caller;
use crate::config::Config;
use crate::dialect::{Api, MadeBy, Wanted};
use crate::refusal::Refusal;
use crate::regions::{Claim, Dialect, Endpoint, Guarantee};
use crate::zone::{Outside, Verdict};
use std::collections::BTreeSet;

/// One endpoint that may be contacted for one request.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'c> {
    endpoint: &'c Endpoint,
    claim: &'c Claim,
    dialect: Dialect,
}

impl<'c> Attempt<'c> {
    /// The only way to an attempt: the zone allows the claim.
    fn within(
        zone: &Verdict,
        endpoint: &'c Endpoint,
        claim: &'c Claim,
        dialect: Dialect,
    ) -> Result<Self, Outside> {
        zone.allows(claim)?;
        Ok(Attempt {
            endpoint,
            claim,
            dialect,
        })
    }

    /// The dialect it is spoken to in.
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

impl<'c> Plan<'c> {
    /// Only the attempts that may be given what the request carries back: the
    /// endpoint that made it, if that is known; else the first that speaks the
    /// client's own dialect, which most likely did.
    pub fn bound_to(self, made_by: &MadeBy, api: Api) -> Result<Plan<'c>, Refusal> {
        let model = self.model;
        let mut left: Vec<Attempt<'c>> = match made_by {
            MadeBy::Nobody => return Ok(self),
            MadeBy::These(names) => {
                let made =
                    |attempt: &Attempt<'_>| names.iter().all(|n| *n == attempt.endpoint.name);
                self.attempts().filter(made).collect()
            }
            MadeBy::Forgotten => {
                let native = |attempt: &Attempt<'_>| attempt.dialect == api.native();
                self.attempts().filter(native).take(1).collect()
            }
        };
        if left.is_empty() {
            let known = match made_by {
                MadeBy::These(names) => names.clone(),
                _ => Vec::new(),
            };
            return Err(Refusal::Bound { made_by: known });
        }
        let first = left.remove(0);
        Ok(Plan {
            model,
            first,
            fallbacks: left,
        })
    }
}

/// Plans a call, or says why nothing may serve it.
pub fn plan<'c>(
    config: &'c Config,
    caller: &Caller,
    zone: &Verdict,
    api: Api,
    wanted: &Wanted,
) -> Result<Plan<'c>, Refusal> {
    let asked = wanted.model.as_str();
    let considered = consider(config, zone, Some(api), asked);
    judge(config, caller, zone, Some(api), asked, &considered)
}

/// The plan that comes of what was considered.
pub fn judge<'c>(
    config: &'c Config,
    caller: &Caller,
    zone: &Verdict,
    api: Option<Api>,
    asked: &str,
    considered: &[Considered<'c>],
) -> Result<Plan<'c>, Refusal> {
    let Some(Considered { claim, .. }) = considered.first() else {
        return Err(unknown(config, asked));
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
        });
    }
    let excluded = considered.iter().filter_map(Considered::left_out);
    let servable = servable(config, caller, zone, api);
    Err(Refusal::NoEndpoint {
        zone: zone.zone.clone(),
        model: model.to_owned(),
        excluded: excluded.collect(),
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

/// Why an endpoint that has the model is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// The map says that it is not to be used.
    Off {
        /// Why not.
        why: String,
    },
    /// The zone does not allow it.
    Zone(Outside, Guarantee),
    /// It speaks no dialect that could serve what was called.
    Dialect,
}

/// Looks at every endpoint that has a model, in order, for one operation or
/// for any.
pub fn consider<'c>(
    config: &'c Config,
    zone: &Verdict,
    api: Option<Api>,
    asked: &str,
) -> Vec<Considered<'c>> {
    let model = config.gateway.model(asked);
    let endpoints = config.regions.endpoints.iter();
    endpoints
        .filter_map(|endpoint| {
            let claim = endpoint.claim(model)?;
            let attempt = attempt(zone, api, endpoint, claim);
            Some(Considered {
                endpoint,
                claim,
                attempt,
            })
        })
        .collect()
}

fn attempt<'c>(
    zone: &Verdict,
    api: Option<Api>,
    endpoint: &'c Endpoint,
    claim: &'c Claim,
) -> Result<Attempt<'c>, LeftOut> {
    let dialect = dialect(api, endpoint);
    let first = dialect.or(endpoint.dialects.first().copied());
    let attempt = Attempt::within(zone, endpoint, claim, first.ok_or(LeftOut::Dialect)?)
        .map_err(|outside| LeftOut::Zone(outside, zone.guarantee))?;
    if let Some(why) = &endpoint.off {
        return Err(LeftOut::Off { why: why.clone() });
    }
    match dialect {
        Some(_) => Ok(attempt),
        None => Err(LeftOut::Dialect),
    }
}

fn dialect(api: Option<Api>, endpoint: &Endpoint) -> Option<Dialect> {
    match api {
        Some(api) => api.dialect_at(endpoint),
        None => endpoint.dialects.first().copied(),
    }
}

impl Considered<'_> {
    /// Why it is left out, in words, if it is.
    pub fn left_out(&self) -> Option<String> {
        let name = &self.endpoint.name;
        let claim = self.claim;
        Some(match self.attempt.as_ref().err()? {
            LeftOut::Off { why } => format!("{name} is switched off: {why}"),
            LeftOut::Zone(Outside::Hosting, _) => {
                format!("{name} processes it in {}", claim.hosting)
            }
            LeftOut::Zone(Outside::Guarantee, wanted) => format!(
                "{name} promises only {} where the zone wants {wanted}",
                claim.guarantee
            ),
            LeftOut::Dialect => {
                format!("{name} speaks {}, which cannot", self.endpoint.spoken())
            }
        })
    }
}

/// The models a caller can use in its zone, for one operation or for any.
pub fn servable<'c>(
    config: &'c Config,
    caller: &Caller,
    zone: &Verdict,
    api: Option<Api>,
) -> BTreeSet<&'c str> {
    config
        .regions
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.off.is_none() && dialect(api, endpoint).is_some())
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
