//! Zones, policy and places: every country in exactly one zone, every word
//! explained, every zone served, and its rows where they may lie.

use super::Rule;
use crate::regions::finding::{Finding, Spot};
use crate::regions::{Country, Guarantee, Precedence, RegionMap, Zone, GLOBAL};
use std::collections::{BTreeMap, BTreeSet};

/// The jurisdictions a database can have, which are places too.
const JURISDICTIONS: [&str; 3] = ["eu", "us", "fedramp"];

/// How many days a zone can keep its records.
const DAYS: std::ops::RangeInclusive<u32> = 1..=3650;

pub fn check(map: &RegionMap, today: &str, findings: &mut Vec<Finding>) {
    policy(map, findings);
    countries(map, findings);
    let mut alone = BTreeSet::new();
    for zone in map.zones.values() {
        hosting(map, zone, findings);
        store(map, zone, findings);
        alone.extend(served(map, zone, findings));
        retention(zone, findings);
        if zone.review_by.as_str() < today {
            let what = format!("the zone was to be reviewed by {}", zone.review_by);
            let spot = Spot::zone(&zone.id, "review_by");
            findings.push(Finding::new(Rule::ReviewDue, spot, what));
        }
    }
    never_alone(map, &alone, findings);
}

fn zone_ids(map: &RegionMap) -> impl Iterator<Item = &str> {
    map.zones.keys().map(String::as_str)
}

fn policy(map: &RegionMap, findings: &mut Vec<Finding>) {
    let policy = &map.policy;
    let named = [("default_zone", &policy.default_zone)];
    let asked = policy.colo_in_zone.iter().map(|id| ("colo_in_zone", id));
    for (field, id) in named.into_iter().chain(asked) {
        if !map.zones.contains_key(id) {
            let what = format!("there is no zone `{id}`");
            let finding = Finding::new(Rule::UnknownZone, Spot::policy(field), what);
            findings.push(finding.suggest(id, zone_ids(map)));
        }
    }
    if policy.when_key_and_country_differ == Precedence::Key {
        let spot = Spot::policy("when_key_and_country_differ");
        let what = "a key's zone overrides the country its caller is in";
        findings.push(Finding::new(Rule::KeyAlone, spot, what).instead("`\"strictest\"`"));
    }
    for (name, store) in &policy.stores {
        if let Some(jurisdiction) = &store.jurisdiction {
            if !JURISDICTIONS.contains(&jurisdiction.as_str()) {
                let what = format!("Cloudflare has no jurisdiction `{jurisdiction}` for databases");
                let spot = Spot::at(&["policy", "stores", name, "jurisdiction"]);
                let finding = Finding::new(Rule::UnknownJurisdiction, spot, what);
                findings.push(finding.suggest(jurisdiction, JURISDICTIONS));
            }
        }
    }
    for (colo, country) in &map.colos {
        if colo.len() != 3 || !colo.bytes().all(|b| b.is_ascii_uppercase()) {
            let what = format!("`{colo}` is no data center's code");
            let spot = Spot::at(&["colos", "countries", country.code()]);
            findings.push(Finding::new(Rule::UnknownColo, spot, what));
        }
    }
}

/// Every country is in one zone: in the one that names it, or in the default.
fn countries(map: &RegionMap, findings: &mut Vec<Finding>) {
    let mut taken: BTreeMap<Country, &str> = BTreeMap::new();
    for zone in map.zones.values() {
        for country in &zone.countries {
            if let Some(other) = taken.insert(*country, &zone.id) {
                let what = format!("{country} is in the zone {other} already");
                let spot = Spot::zone(&zone.id, "countries");
                let finding = Finding::new(Rule::CountryTwice, spot, what);
                findings.push(finding.instead("the country in one zone only"));
            }
        }
        if zone.countries.is_empty() && zone.id != map.policy.default_zone {
            let spot = Spot::zone(&zone.id, "countries");
            let what = "the zone has no country, and it is not the default zone";
            findings.push(Finding::new(Rule::EmptyZone, spot, what));
        }
    }
}

fn hosting(map: &RegionMap, zone: &Zone, findings: &mut Vec<Finding>) {
    let spot = Spot::zone(&zone.id, "hosting");
    if zone.hosting.is_empty() {
        let what = "the zone names no place where its requests may be processed";
        findings.push(Finding::new(Rule::NoHosting, spot.clone(), what));
    }
    for place in &zone.hosting {
        if !map.places.contains_key(place) {
            let what = format!("places.toml has no place `{place}`");
            let known = map.places.keys().map(|place| place.0.as_str());
            let finding = Finding::new(Rule::UnknownPlace, spot.clone(), what);
            findings.push(finding.suggest(&place.0, known));
        }
    }
    let anywhere = zone.hosting.iter().any(|place| place.0 == GLOBAL);
    if anywhere && zone.id == map.policy.default_zone {
        let what = "the default zone lets requests go anywhere in the world";
        findings.push(
            Finding::new(Rule::DefaultTakesAll, spot, what)
                .instead("the places of your strictest zone"),
        );
    } else if anywhere || zone.guarantee == Guarantee::None {
        let (spot, what) = match anywhere {
            true => (
                spot,
                "this zone's requests may be processed anywhere in the world",
            ),
            false => (
                Spot::zone(&zone.id, "guarantee"),
                "this zone accepts endpoints that promise nothing",
            ),
        };
        findings.push(Finding::new(Rule::LooseZone, spot, what));
    }
}

fn store(map: &RegionMap, zone: &Zone, findings: &mut Vec<Finding>) {
    let spot = Spot::zone(&zone.id, "usage_store");
    let Some(store) = map.policy.stores.get(&zone.usage_store) else {
        let what = format!("policy.toml has no store `{}`", zone.usage_store);
        let known = map.policy.stores.keys().map(String::as_str);
        let finding = Finding::new(Rule::UnknownStore, spot, what);
        findings.push(finding.suggest(&zone.usage_store, known));
        return;
    };
    let allowed: Vec<&str> = zone
        .hosting
        .iter()
        .map(|place| place.0.as_str())
        .filter(|place| JURISDICTIONS.contains(place))
        .collect();
    let fits = store
        .jurisdiction
        .as_deref()
        .is_some_and(|j| allowed.contains(&j));
    if !allowed.is_empty() && !fits {
        let lies = store
            .jurisdiction
            .as_deref()
            .map_or("anywhere".to_owned(), |j| format!("in {j}"));
        let what = format!(
            "rows of {} lie in `{}`, which Cloudflare keeps {lies}, while the zone is held to {}",
            zone.id,
            zone.usage_store,
            allowed.join(", ")
        );
        let fitting = map.policy.stores.iter().find_map(|(name, store)| {
            let jurisdiction = store.jurisdiction.as_deref()?;
            allowed
                .contains(&jurisdiction)
                .then(|| format!("`\"{name}\"`"))
        });
        let mut finding = Finding::new(Rule::StoreJurisdiction, spot, what);
        finding.instead = fitting;
        findings.push(finding);
    }
}

fn retention(zone: &Zone, findings: &mut Vec<Finding>) {
    if let Some(days) = zone.retention_days.filter(|days| !DAYS.contains(days)) {
        let what = format!("records cannot be kept for {days} days");
        let finding = Finding::new(
            Rule::BadRetention,
            Spot::zone(&zone.id, "retention_days"),
            what,
        );
        findings.push(finding.instead("`retention_days = 90`, a number from 1 to 3650, or no such line: then they are kept for good"));
    }
}

/// How many endpoints can serve each model of the zone; gives those that are
/// the only one for a model.
fn served<'m>(map: &'m RegionMap, zone: &Zone, findings: &mut Vec<Finding>) -> BTreeSet<&'m str> {
    let models = map.served(zone);
    let spot = Spot::zone(&zone.id, "hosting");
    if models.is_empty() {
        let what = format!("no endpoint can serve the zone {}", zone.id);
        findings.push(Finding::new(Rule::NothingServes, spot, what));
        return BTreeSet::new();
    }
    let mut alone: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (model, endpoints) in models {
        if let [only] = endpoints.as_slice() {
            alone.entry(only).or_default().push(model);
        }
    }
    let each: Vec<String> = alone
        .iter()
        .filter(|(endpoint, _)| !accepted(map).any(|accepted| accepted == **endpoint))
        .map(|(endpoint, models)| format!("only {endpoint} serves {}", models.join(", ")))
        .collect();
    if !each.is_empty() {
        let what = format!("in zone {} {}", zone.id, each.join("; "));
        let finding = Finding::new(Rule::OneEndpoint, spot, what);
        let way = "a second endpoint, or `alone = \"why that is accepted\"` at the only one";
        findings.push(finding.instead(way));
    }
    alone.into_keys().collect()
}

/// The endpoints that say why they may be the only one.
fn accepted(map: &RegionMap) -> impl Iterator<Item = &str> {
    let used = map.endpoints.iter().filter(|one| one.off.is_none());
    let accepted = used.filter(|endpoint| endpoint.alone.is_some());
    accepted.map(|endpoint| endpoint.name.as_str())
}

/// What is accepted and no longer so is not to be accepted unseen when it
/// comes back.
fn never_alone(map: &RegionMap, alone: &BTreeSet<&str>, findings: &mut Vec<Finding>) {
    for name in accepted(map).filter(|name| !alone.contains(name)) {
        let what = format!("{name} is the only endpoint of no zone for any model");
        let finding = Finding::new(Rule::OneEndpoint, Spot::endpoint(name, "alone"), what);
        findings.push(finding.instead("no line `alone`"));
    }
}
