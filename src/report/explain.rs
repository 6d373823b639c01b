//! What would happen to a request, and why, in words that a lawyer can read. It uses
//! the same `zone` and `plan` that serve requests, so that its answer is what they
//! would do.

use crate::admin::retention;
use crate::config::Config;
use crate::dialect::Api;
use crate::refusal::Refusal;
use crate::regions::{Allowance, Guarantee, Hosting, RegionMap};
use crate::request::caller::Caller;
use crate::request::egress::Egress;
use crate::request::plan::{self, Considered};
use crate::request::zone::{self, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A request to explain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The caller's country: an ISO code, `T1` for Tor, empty for unknown.
    pub country: String,
    /// The model it asks for, by any of its names.
    pub model: String,
    /// The id of the key it comes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The zone it asks for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The data center it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colo: Option<String>,
    /// What it asks a provider to do beyond answering: kinds of egress, with a
    /// colon and the host where one is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egress: Vec<String>,
}

/// What would happen to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What was asked.
    pub question: Question,
    /// The version of the map.
    pub map: String,
    /// The zone, if one could be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneFacts>,
    /// The model by its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The endpoints that would be tried, in order.
    pub tried: Vec<Endpoint>,
    /// The endpoints that have the model and would not be tried.
    pub excluded: Vec<Excluded>,
    /// Why it would be refused, if it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refused>,
    /// All of it as one paragraph.
    pub words: String,
}

/// A zone decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ZoneFacts {
    /// Its id, or several joined by `+`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The rule it answers to.
    pub basis: String,
    /// Why it applies.
    pub because: String,
    /// Where its requests may be processed.
    pub hosting: Vec<String>,
    /// The weakest promise it accepts.
    pub guarantee: Guarantee,
    /// The database of its rows.
    pub usage_store: String,
    /// How many days these are kept, if not for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// What a request may make a provider do beyond answering: kinds of egress.
    pub egress: Vec<String>,
    /// The hosts that requests may name.
    pub egress_hosts: Vec<String>,
}

/// An endpoint that would be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// The host that is contacted.
    pub host: String,
    /// What it calls the model.
    pub id: String,
    /// Where it processes it.
    pub hosting: String,
    /// How firmly that is promised.
    pub guarantee: Guarantee,
    /// Where the promise is written.
    pub source: String,
    /// When somebody last checked.
    pub reviewed: String,
    /// Who did.
    pub reviewer: String,
    /// The most tokens that it takes in at once, where that is claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// The most tokens of an answer, where that is claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u32>,
    /// The kinds of egress that it claims.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub egress: Vec<String>,
}

/// An endpoint that would not be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excluded {
    /// Its name.
    pub name: String,
    /// Why not.
    pub why: String,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Its word for programs.
    pub code: &'static str,
    /// Its words for people.
    pub message: String,
}

/// Explains what would happen to a caller's request for a model.
pub fn explain(config: &Config, caller: &Caller, question: Question) -> Explanation {
    let map = &config.regions;
    let mut explanation = Explanation {
        map: map.version.clone(),
        zone: None,
        model: None,
        tried: Vec::new(),
        excluded: Vec::new(),
        refusal: None,
        words: String::new(),
        question,
    };
    if let Err(refusal) = fill(&mut explanation, config, caller) {
        explanation.refusal = Some(Refused {
            code: refusal.code(),
            message: refusal.to_string(),
        });
    }
    explanation.words = words(map, &explanation);
    explanation
}

fn fill(explanation: &mut Explanation, config: &Config, caller: &Caller) -> Result<(), Refusal> {
    let verdict = match explanation.question.colo {
        Some(_) => zone::decide(&config.regions, caller)?,
        // No data center is named: what it must be is said in words instead.
        None => {
            let mut map = config.regions.clone();
            map.policy.colo_in_zone.clear();
            zone::decide(&map, caller)?
        }
    };
    explanation.zone = Some(facts(&config.regions, &verdict));
    let labels = explanation.question.egress.iter().map(String::as_str);
    let egress = Egress::of_labels(labels);
    let considered = plan::consider(config, &verdict, None, &explanation.question.model, &egress);
    for one in &considered {
        explanation.model = Some(one.claim.model.clone());
        match one.left_out() {
            None => explanation.tried.push(endpoint(one)),
            Some(why) => explanation.excluded.push(Excluded {
                name: one.endpoint.name.clone(),
                why,
            }),
        }
    }
    let asked = &explanation.question.model;
    let planned = plan::judge(config, caller, &verdict, None, asked, &considered).map(|_| ());
    let planned = planned.map_err(|refusal| {
        // The vocabulary differs between dialects only in unknown words.
        plan::or_egress(refusal, config, &verdict, Api::Chat, &egress)
    });
    planned.inspect_err(|_| explanation.tried.clear())
}

fn facts(map: &RegionMap, verdict: &Verdict) -> ZoneFacts {
    let zones = || verdict.zone.split('+').filter_map(|id| map.zones.get(id));
    let joined =
        |of: fn(&crate::regions::Zone) -> &str| zones().map(of).collect::<Vec<_>>().join(" and ");
    ZoneFacts {
        id: verdict.zone.clone(),
        name: joined(|zone| &zone.name),
        basis: joined(|zone| &zone.basis),
        because: verdict.because.clone(),
        hosting: verdict
            .hosting
            .iter()
            .map(|place| place.0.clone())
            .collect(),
        guarantee: verdict.guarantee,
        usage_store: verdict.usage_store.clone(),
        retention_days: retention::days(map, &verdict.zone),
        egress: shared(verdict, |zone| &zone.allow),
        egress_hosts: shared(verdict, |zone| &zone.hosts),
    }
}

fn endpoint(one: &Considered<'_>) -> Endpoint {
    let (endpoint, claim) = (one.endpoint, one.claim);
    Endpoint {
        name: endpoint.name.clone(),
        host: endpoint.host.clone(),
        id: claim.id.clone(),
        hosting: claim.hosting.0.clone(),
        guarantee: claim.guarantee,
        source: claim.source.clone(),
        reviewed: claim.reviewed.clone(),
        reviewer: claim.reviewer.clone(),
        context: claim.context,
        max_output: claim.max_output,
        egress: claim.egress.keys().cloned().collect(),
    }
}

/// What all zones that apply have in common.
fn shared(verdict: &Verdict, of: fn(&Allowance) -> &BTreeSet<String>) -> Vec<String> {
    let Some(((_, first), others)) = verdict.egress.split_first() else {
        return Vec::new();
    };
    let in_all = |word: &&String| others.iter().all(|(_, zone)| of(zone).contains(*word));
    of(first).iter().filter(in_all).cloned().collect()
}

/// The paragraph.
fn words(map: &RegionMap, explanation: &Explanation) -> String {
    let mut text = opening(explanation);
    if let Some(zone) = &explanation.zone {
        text.push_str(&zone_words(map, zone));
        let inside = zone
            .id
            .split('+')
            .any(|id| map.policy.colo_in_zone.contains(id));
        if inside && explanation.question.colo.is_none() {
            text.push_str(
                "It is served only if it reached the gateway in a data center inside the zone. ",
            );
        }
    }
    if let Some(refusal) = &explanation.refusal {
        text.push_str(
            "It would be refused, and no provider would be contacted. The caller would get this error: “",
        );
        text.push_str(&refusal.message);
        text.push('”');
        return text;
    }
    let tried = explanation
        .tried
        .iter()
        .map(|endpoint| promise(map, endpoint));
    match tried.collect::<Vec<_>>().as_slice() {
        [] => {}
        [only] => {
            text.push_str(&format!("It would be sent to {only}. If that fails there is nowhere else to go, and the caller gets an error."));
        }
        [first, others @ ..] => {
            text.push_str(&format!("It would be sent to {first}; if that fails, to {}. No other endpoint would be contacted, whatever fails.", others.join("; then to ")));
        }
    }
    if !explanation.excluded.is_empty() {
        let excluded: Vec<&str> = explanation
            .excluded
            .iter()
            .map(|one| one.why.as_str())
            .collect();
        text.push_str(&format!(
            " Left out, although they have the model: {}.",
            excluded.join("; ")
        ));
    }
    text
}

fn opening(explanation: &Explanation) -> String {
    let question = &explanation.question;
    let from = match question.country.as_str() {
        "" | "XX" => "a country that is not known".to_owned(),
        "T1" => "the Tor network".to_owned(),
        code => code.to_owned(),
    };
    let model = match &explanation.model {
        Some(model) if *model != question.model => format!("{} (that is, {model})", question.model),
        _ => question.model.clone(),
    };
    let key = question
        .key
        .as_ref()
        .map_or(String::new(), |id| format!(" with key {id}"));
    format!(
        "A request from {from}{key} for the model {model}, by region map {}: ",
        crate::regions::shown(&explanation.map)
    )
}

fn zone_words(map: &RegionMap, zone: &ZoneFacts) -> String {
    let places = zone.hosting.iter().map(|id| place_name(map, id));
    let store = map.policy.stores.get(&zone.usage_store);
    let kept = match store.and_then(|store| store.jurisdiction.as_deref()) {
        Some(jurisdiction) => format!("in {}", place_name(map, jurisdiction)),
        None => "wherever Cloudflare keeps it".to_owned(),
    };
    let for_days = match zone.retention_days {
        None => String::new(),
        Some(1) => ", for 1 day".to_owned(),
        Some(days) => format!(", for {days} days"),
    };
    let beyond = egress_words(map, zone);
    format!(
        "the zone {} ({}) applies, because {}. It rests on: {}. It may be processed in {} only, by an endpoint that {} there. {beyond} The record that it took place, without its content, is kept in the database {}, {kept}{for_days}. ",
        zone.name,
        zone.id,
        zone.because,
        zone.basis.trim_end_matches('.'),
        places.collect::<Vec<_>>().join(" or "),
        at_least(zone.guarantee),
        zone.usage_store,
    )
}

/// What the zone lets a request make a provider do.
fn egress_words(map: &RegionMap, zone: &ZoneFacts) -> String {
    if zone.egress.is_empty() {
        return "It may not make the provider reach out, search, run code, or read or keep anything beyond the request itself.".to_owned();
    }
    let kinds = zone.egress.iter().map(|id| match map.egress.kinds.get(id) {
        Some(kind) => format!("{} ({id})", kind.does),
        None => id.clone(),
    });
    let kinds = kinds.collect::<Vec<_>>().join("; ");
    let hosts = match zone.egress_hosts.as_slice() {
        [] => "no host".to_owned(),
        hosts => hosts.join(", "),
    };
    format!("Where an endpoint claims it, a request may make the provider: {kinds}. Addresses may name {hosts}.")
}

fn place_name(map: &RegionMap, id: &str) -> String {
    let place = map.places.get(&Hosting(id.to_owned()));
    place.map_or(id.to_owned(), |place| format!("{} ({id})", place.name))
}

fn at_least(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::None => "need promise nothing",
        Guarantee::Storage => "promises at least that what it keeps is kept",
        Guarantee::Processing => "promises at least that the model runs",
        Guarantee::ProcessingAndStorage => {
            "promises that the model runs and that what it keeps is kept"
        }
    }
}

fn promise(map: &RegionMap, endpoint: &Endpoint) -> String {
    let promises = match endpoint.guarantee {
        Guarantee::None => "which promises nothing about the place",
        Guarantee::Storage => {
            "which promises that what it keeps stays there, though the model may run elsewhere"
        }
        Guarantee::Processing => "which promises that the model runs there",
        Guarantee::ProcessingAndStorage => {
            "which promises that the model runs there and that what it keeps stays there"
        }
    };
    format!(
        "{} ({}) in {}, {promises} (reviewed on {} by {}: {})",
        endpoint.name,
        endpoint.host,
        place_name(map, &endpoint.hosting),
        endpoint.reviewed,
        endpoint.reviewer,
        endpoint.source
    )
}
