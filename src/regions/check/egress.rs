//! Egress: every kind that is named is known, hosts are host names, and what a
//! zone allows somebody claims.

use super::claims::evidence;
use super::Rule;
use crate::regions::egress::{ANY_HOST, BETAS, MENTION, OPAQUE, PLAIN};
use crate::regions::finding::{Finding, Spot};
use crate::regions::{Claim, Guarantee, RegionMap, Zone, GLOBAL};

/// What a word can mean that is no kind of egress.
const MEANINGS: [&str; 4] = [PLAIN, OPAQUE, MENTION, BETAS];

pub fn check(map: &RegionMap, today: &str, findings: &mut Vec<Finding>) {
    if map.egress.is_empty() {
        // The map is older than these rules; those of the deployment hold.
        return;
    }
    words(map, findings);
    for (id, kind) in &map.egress.kinds {
        let spot = |field: &str| Spot::at(&["egress", "kinds", id, field]);
        evidence(&kind.source, &kind.reviewed, today, spot, findings);
    }
    for zone in map.zones.values() {
        allowed(map, zone, findings);
    }
    for endpoint in &map.endpoints {
        for claim in &endpoint.models {
            bounded(map, &endpoint.name, claim, findings);
            for (kind, egress) in &claim.egress {
                let spot = Spot::claim(&endpoint.name, &claim.model, "egress").then(kind);
                known(map, kind, &spot, findings);
                place(map, &egress.hosting.0, &spot, findings);
                if egress.hosting.0 == GLOBAL && egress.guarantee != Guarantee::None {
                    let what = format!(
                        "hosting is `{GLOBAL}`, yet {} is promised",
                        egress.guarantee
                    );
                    let finding = Finding::new(Rule::PromiseNowhere, spot.then("guarantee"), what);
                    findings.push(finding.instead("`\"none\"`"));
                }
                if egress.reviewer.trim().is_empty() {
                    let what = "nobody is named who has reviewed this claim";
                    findings.push(Finding::new(Rule::NoReviewer, spot.then("reviewer"), what));
                }
                let at = |field: &str| spot.then(field);
                evidence(&egress.source, &egress.reviewed, today, at, findings);
            }
        }
    }
}

/// Whether it is known how much a model reads that the request does not hold.
fn bounded(map: &RegionMap, endpoint: &str, claim: &Claim, findings: &mut Vec<Finding>) {
    let hides = |kind: &&String| {
        let kind = map.egress.kinds.get(*kind);
        kind.is_some_and(|kind| kind.hides_input)
    };
    let first = claim.egress.keys().find(hides);
    if let (Some(kind), None) = (first, claim.context) {
        let spot = Spot::claim(endpoint, &claim.model, "egress").then(kind);
        let what = format!(
            "`{kind}` is claimed, and not how many tokens `{}` takes in",
            claim.model
        );
        let finding = Finding::new(Rule::EgressUnbounded, spot, what);
        findings.push(finding.instead("a line such as `context = 128000` at the claim"));
    }
}

fn kinds(map: &RegionMap) -> impl Iterator<Item = &str> {
    map.egress.kinds.keys().map(String::as_str)
}

fn known(map: &RegionMap, kind: &str, spot: &Spot, findings: &mut Vec<Finding>) {
    if !map.egress.kinds.contains_key(kind) {
        let what = format!("egress.toml has no kind of egress `{kind}`");
        let finding = Finding::new(Rule::UnknownEgress, spot.clone(), what);
        findings.push(finding.suggest(kind, kinds(map)));
    }
}

fn place(map: &RegionMap, place: &str, spot: &Spot, findings: &mut Vec<Finding>) {
    let mut places = map.places.keys().map(|place| place.0.as_str());
    if !places.any(|known| known == place) {
        let what = format!("places.toml has no place `{place}`");
        let finding = Finding::new(Rule::UnknownPlace, spot.then("hosting"), what);
        findings.push(finding.suggest(place, map.places.keys().map(|place| place.0.as_str())));
    }
}

/// What the words of `egress.toml` are said to mean.
fn words(map: &RegionMap, findings: &mut Vec<Finding>) {
    for (dialect, vocabulary) in &map.egress.dialects {
        let tables = [
            ("types", &vocabulary.types),
            ("fields", &vocabulary.fields),
            ("betas", &vocabulary.betas),
        ];
        for (table, words) in tables {
            let mut meanings: Vec<&str> = words.0.values().map(String::as_str).collect();
            meanings.sort_unstable();
            meanings.dedup();
            for meaning in meanings {
                if !MEANINGS.contains(&meaning) {
                    let spot = Spot::at(&["egress", dialect, table, meaning]);
                    known(map, meaning, &spot, findings);
                }
            }
        }
        if let Some(kind) = &vocabulary.bare_id {
            let spot = Spot::at(&["egress", dialect, "bare_id"]);
            known(map, kind, &spot, findings);
        }
    }
}

/// What a zone allows.
fn allowed(map: &RegionMap, zone: &Zone, findings: &mut Vec<Finding>) {
    let spot = Spot::zone(&zone.id, "egress").then("allow");
    for kind in &zone.egress.allow {
        known(map, kind, &spot, findings);
        let rule = map.egress.kinds.get(kind);
        if rule.is_some_and(|rule| rule.only_fixed) {
            let what = format!("`{kind}` is not for a zone to allow: where a request is processed is for the map to say");
            findings.push(Finding::new(Rule::EgressPlace, spot.clone(), what));
            continue;
        }
        if rule.is_some_and(|rule| rule.names_host) && zone.egress.hosts.is_empty() {
            let what = format!(
                "zone {} allows `{kind}` and names no host, so none may be named",
                zone.id
            );
            let finding = Finding::new(Rule::EgressUnclaimed, spot.clone(), what);
            findings.push(finding.instead("`hosts = [\"files.example.com\"]` beside it"));
        }
        let endpoints = map
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.off.is_none());
        let claims = endpoints.flat_map(|endpoint| &endpoint.models);
        let claimed = claims
            .filter(|claim| {
                zone.hosting.contains(&claim.hosting) && claim.guarantee >= zone.guarantee
            })
            .filter_map(|claim| claim.egress.get(kind))
            .any(|egress| {
                zone.hosting.contains(&egress.hosting) && egress.guarantee >= zone.guarantee
            });
        if rule.is_some() && !claimed {
            let what = format!(
                "zone {} allows `{kind}`, which no endpoint that it can use claims",
                zone.id
            );
            findings.push(Finding::new(Rule::EgressUnclaimed, spot.clone(), what));
        }
    }
    let spot = Spot::zone(&zone.id, "egress").then("hosts");
    for host in &zone.egress.hosts {
        if host == ANY_HOST {
            let what = format!("zone {} lets addresses name any host", zone.id);
            findings.push(Finding::new(Rule::EgressAnyHost, spot.clone(), what));
        } else if !is_pattern(host) {
            let what = format!("`{host}` is no host name");
            let finding = Finding::new(Rule::EgressHost, spot.clone(), what);
            findings.push(
                finding.instead("the host alone, as in `files.example.com` or `*.example.com`"),
            );
        }
    }
}

/// A host name in lower case, or one below a domain of at least two names.
fn is_pattern(host: &str) -> bool {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    name.contains('.')
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(letter))
}
