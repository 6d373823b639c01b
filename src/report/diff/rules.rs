//! What zones allow and which countries are in them.

use super::egress::wider_tighter;
use super::kept::{kept, longest};
use super::{listed, note, Change, Topic, Way};
use crate::regions::{Country, Hosting, Policy, Precedence, RegionMap, Zone};
use std::collections::{BTreeMap, BTreeSet};

pub fn compare(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    countries(old, new, changes);
    zones(old, new, changes);
    policy(old, new, changes);
    places(old, new, changes);
    colos(old, new, changes);
}

fn zone_of(map: &RegionMap, country: Country) -> Option<&Zone> {
    map.zone_of(country).or_else(|| map.default_zone())
}

/// Which way it goes from one zone's rules to another's.
fn way((old, before): (&RegionMap, &Zone), (new, after): (&RegionMap, &Zone)) -> Way {
    let (ran, runs) = (gateway_in(old, before), gateway_in(new, after));
    let outside = |inner: &Option<BTreeSet<Country>>, outer: &Option<BTreeSet<Country>>| {
        let Some(outer) = outer else { return false };
        inner.as_ref().is_none_or(|inner| !inner.is_subset(outer))
    };
    let (opens, shuts) = wider_tighter(&before.egress, &after.egress);
    let wider = !after.hosting.is_subset(&before.hosting)
        || after.guarantee < before.guarantee
        || outside(&runs, &ran)
        || longest(after) > longest(before)
        || opens;
    let tighter = !before.hosting.is_subset(&after.hosting)
        || after.guarantee > before.guarantee
        || outside(&ran, &runs)
        || longest(after) < longest(before)
        || shuts;
    match (wider, tighter) {
        (true, _) => Way::Weaker,
        (false, true) => Way::Stronger,
        (false, false) => Way::Neutral,
    }
}

/// The countries the gateway itself may run in for a zone, if it says so.
fn gateway_in(map: &RegionMap, zone: &Zone) -> Option<BTreeSet<Country>> {
    let asked = map.policy.colo_in_zone.contains(&zone.id);
    let places = zone
        .hosting
        .iter()
        .filter_map(|place| map.places.get(place));
    let all = places.flat_map(|place| place.countries.iter());
    asked.then(|| all.chain(&zone.countries).copied().collect())
}

fn places_of(hosting: &BTreeSet<Hosting>) -> String {
    listed(hosting.iter().map(|place| place.0.as_str()))
}

fn countries(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    let mut moves: BTreeMap<(&str, &str), Vec<Country>> = BTreeMap::new();
    for country in Country::all() {
        if let (Some(from), Some(to)) = (zone_of(old, country), zone_of(new, country)) {
            if from.id != to.id {
                moves.entry((&from.id, &to.id)).or_default().push(country);
            }
        }
    }
    for ((from, to), countries) in moves {
        let (old_map, new_map) = (old, new);
        let (Some(old), Some(new)) = (old.zones.get(from), new.zones.get(to)) else {
            continue;
        };
        let names = listed(countries.iter().map(Country::code));
        let mut words = format!(
            "{names}: from {from} (processed in {}, {}) to {to} (processed in {}, {})",
            places_of(&old.hosting),
            old.guarantee,
            places_of(&new.hosting),
            new.guarantee
        );
        if old.retention_days != new.retention_days {
            let times = format!("; records kept {}, before {}", kept(new), kept(old));
            words.push_str(&times);
        }
        note(
            changes,
            Topic::Countries,
            way((old_map, old), (new_map, new)),
            words,
        );
    }
}

fn zones(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    let mut say = |way, words| note(changes, Topic::Rules, way, words);
    for (id, zone) in &new.zones {
        let Some(before) = old.zones.get(id) else {
            let places = places_of(&zone.hosting);
            say(
                Way::Neutral,
                format!(
                    "the zone {id} ({}) is new: processed in {places}, at least {}, its records kept {}",
                    zone.name,
                    zone.guarantee,
                    kept(zone)
                ),
            );
            continue;
        };
        for place in zone.hosting.difference(&before.hosting) {
            say(
                Way::Weaker,
                format!("{id}: requests may now be processed in {place} too"),
            );
        }
        for place in before.hosting.difference(&zone.hosting) {
            say(
                Way::Stronger,
                format!("{id}: requests may no longer be processed in {place}"),
            );
        }
        let (ran, runs) = (gateway_in(old, before), gateway_in(new, zone));
        if let (Some(ran), Some(runs)) = (&ran, &runs) {
            let more = listed(runs.difference(ran).map(Country::code));
            if !more.is_empty() {
                let words = format!("{id}: the gateway itself may now run in {more} too");
                say(Way::Weaker, words);
            }
        }
        if zone.guarantee != before.guarantee {
            let way = if zone.guarantee < before.guarantee {
                Way::Weaker
            } else {
                Way::Stronger
            };
            say(
                way,
                format!(
                    "{id}: the weakest promise accepted is {} and was {}",
                    zone.guarantee, before.guarantee
                ),
            );
        }
        if zone.usage_store != before.usage_store {
            let (way, words) = moved_store((old, before), (new, zone));
            say(way, words);
        }
        if (&zone.name, &zone.basis, &zone.review_by)
            != (&before.name, &before.basis, &before.review_by)
        {
            say(
                Way::Neutral,
                format!(
                    "{id}: name “{}”, basis “{}”, to be reviewed by {}",
                    zone.name, zone.basis, zone.review_by
                ),
            );
        }
    }
    for id in old.zones.keys().filter(|id| !new.zones.contains_key(*id)) {
        say(
            Way::Neutral,
            format!("the zone {id} is gone; keys that are pinned to it are refused"),
        );
    }
}

/// A zone's records go to another database.
fn moved_store(
    (old, before): (&RegionMap, &Zone),
    (new, zone): (&RegionMap, &Zone),
) -> (Way, String) {
    let bound = |map: &RegionMap, zone: &Zone| {
        let store = map.policy.stores.get(&zone.usage_store)?;
        store.jurisdiction.clone()
    };
    let (was, is) = (bound(old, before), bound(new, zone));
    let way = match was.is_some() && was != is {
        true => Way::Weaker,
        false => Way::Neutral,
    };
    let lies = |j: Option<String>| j.map_or("anywhere".to_owned(), |j| format!("in {j}"));
    let words = format!(
        "{}: its records go to {} (kept {}) instead of {} (kept {})",
        zone.id,
        zone.usage_store,
        lies(is),
        before.usage_store,
        lies(was)
    );
    (way, words)
}

fn policy(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    let mut say = |way, words| note(changes, Topic::Rules, way, words);
    let (was, is): (&Policy, &Policy) = (&old.policy, &new.policy);
    if was.default_zone != is.default_zone {
        let way = match (old.default_zone(), new.default_zone()) {
            (Some(before), Some(after)) => way((old, before), (new, after)),
            _ => Way::Neutral,
        };
        say(
            way,
            format!(
                "callers of unknown countries are in {} instead of {}",
                is.default_zone, was.default_zone
            ),
        );
    }
    match (
        was.when_key_and_country_differ,
        is.when_key_and_country_differ,
    ) {
        (Precedence::Strictest, Precedence::Key) => say(
            Way::Weaker,
            "a key's zone now overrides the country its caller is in".to_owned(),
        ),
        (Precedence::Key, Precedence::Strictest) => say(
            Way::Stronger,
            "the caller's country now counts beside the key's zone".to_owned(),
        ),
        _ => {}
    }
    for id in was.colo_in_zone.difference(&is.colo_in_zone) {
        say(
            Way::Weaker,
            format!("{id}: the gateway itself need no longer run inside the zone"),
        );
    }
    for id in is.colo_in_zone.difference(&was.colo_in_zone) {
        say(
            Way::Stronger,
            format!("{id}: the gateway itself must now run inside the zone"),
        );
    }
    for (name, store) in &is.stores {
        let before = was
            .stores
            .get(name)
            .map(|store| store.jurisdiction.as_deref());
        let bound = store.jurisdiction.as_deref();
        if let Some(Some(lost)) =
            before.filter(|before| before.is_some() && *before != Some(bound.unwrap_or_default()))
        {
            say(
                Way::Weaker,
                format!("the database {name} is no longer bound to {lost}"),
            );
        }
    }
}

fn places(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    for (id, place) in &new.places {
        let Some(before) = old.places.get(id) else {
            continue;
        };
        let gained: Vec<&str> = place
            .countries
            .difference(&before.countries)
            .map(Country::code)
            .collect();
        let lost: Vec<&str> = before
            .countries
            .difference(&place.countries)
            .map(Country::code)
            .collect();
        if !gained.is_empty() {
            note(
                changes,
                Topic::Rules,
                Way::Weaker,
                format!("the place {id} now takes in {}", gained.join(", ")),
            );
        }
        if !lost.is_empty() {
            note(
                changes,
                Topic::Rules,
                Way::Stronger,
                format!("the place {id} no longer takes in {}", lost.join(", ")),
            );
        }
    }
}

/// Where data centers stand: it decides only where a zone asks for it.
fn colos(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    let asked = !new.policy.colo_in_zone.is_empty();
    let (weaker, stronger) = match asked {
        true => (Way::Weaker, Way::Stronger),
        false => (Way::Neutral, Way::Neutral),
    };
    for (colo, country) in &new.colos {
        let words = match old.colos.get(colo) {
            Some(before) if before == country => continue,
            Some(before) => {
                format!("the data center {colo} is now said to stand in {country}, not {before}")
            }
            None => format!("the data center {colo} is new, in {country}"),
        };
        note(changes, Topic::Rules, weaker, words);
    }
    for colo in old
        .colos
        .keys()
        .filter(|colo| !new.colos.contains_key(*colo))
    {
        let words = format!("the data center {colo} is no longer known");
        note(changes, Topic::Rules, stronger, words);
    }
}
