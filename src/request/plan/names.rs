//! The model names that a caller can use in its zone.

use super::dialect;
use crate::config::Config;
use crate::dialect::Api;
use crate::request::caller::Caller;
use crate::request::zone::Verdict;
use std::collections::BTreeSet;

/// No model has a longer name.
const LONGEST_NAME: usize = 100;
/// The least similarity of a suggestion, of 1.
const ALIKE: f64 = 0.75;
const MOST_NEAREST: usize = 3;

/// The models that a zone can serve, for one operation or for any.
fn served_in<'c>(
    config: &'c Config,
    zone: &'c Verdict,
    api: Option<Api>,
) -> impl Iterator<Item = &'c str> {
    let endpoints = config.regions.endpoints.iter();
    endpoints
        .filter(|endpoint| endpoint.off.is_none())
        .flat_map(|endpoint| endpoint.models.iter().map(move |claim| (endpoint, claim)))
        .filter(move |(endpoint, claim)| dialect(api, endpoint, claim).is_some())
        .map(|(_, claim)| claim)
        .filter(|claim| zone.allows(claim).is_ok())
        .map(|claim| claim.model.as_str())
}

/// The models a caller can use in its zone, for one operation or for any.
pub fn servable<'c>(
    config: &'c Config,
    caller: &Caller,
    zone: &'c Verdict,
    api: Option<Api>,
) -> BTreeSet<&'c str> {
    served_in(config, zone, api)
        .filter(|model| {
            let aliases = config.gateway.aliases.iter().filter(|(_, m)| m == model);
            caller.may_use(model, model) || aliases.into_iter().any(|(a, m)| caller.may_use(a, m))
        })
        .collect()
}

/// Every name that a caller can use in its zone: the models' own, and aliases.
pub fn names<'c>(config: &'c Config, caller: &Caller, zone: &'c Verdict) -> BTreeSet<&'c str> {
    let served: BTreeSet<&str> = served_in(config, zone, None).collect();
    let aliases = config.gateway.aliases.iter();
    let aliases = aliases.map(|(alias, model)| (alias.as_str(), model.as_str()));
    let own = served.iter().map(|model| (*model, *model));
    own.chain(aliases)
        .filter(|(name, model)| served.contains(model) && caller.may_use(name, model))
        .map(|(name, _)| name)
        .collect()
}

/// The names that are most similar to an unknown one, among those that a caller can use
/// in its zone, the most similar first.
pub fn nearest(config: &Config, caller: &Caller, zone: &Verdict, asked: &str) -> Vec<String> {
    let asked: String = asked.chars().take(LONGEST_NAME).collect();
    let names = names(config, caller, zone).into_iter();
    let alike = names.map(|name| (strsim::jaro_winkler(&asked, name), name));
    let mut alike: Vec<(f64, &str)> = alike.filter(|(likeness, _)| *likeness > ALIKE).collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    let nearest = alike.into_iter().take(MOST_NEAREST);
    nearest.map(|(_, name)| name.to_owned()).collect()
}
