//! The zone of a request. The key's zone, the zone that the request asks for and the
//! caller's country each limit where it may be processed; the request may go only where
//! all of them allow it. Where the map requires it, the gateway itself must run there
//! too. An error here is a refusal.

use crate::refusal::Refusal;
use crate::regions::egress::{Forbidden, UNKNOWN};
use crate::regions::{
    Allowance, Claim, EgressClaim, EgressRules, Guarantee, Hosting, Precedence, RegionMap, Zone,
};
use crate::request::caller::Caller;
use crate::request::egress::{Egress, Found};
use std::collections::BTreeSet;

/// Where a request may go, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The zone's id; several joined by `+` where no single zone is as narrow.
    pub zone: String,
    /// Where it may be processed.
    pub hosting: BTreeSet<Hosting>,
    /// The weakest claim accepted.
    pub guarantee: Guarantee,
    /// The usage database its row goes to.
    pub usage_store: String,
    /// Why, in words.
    pub because: String,
    /// What each zone that applies lets a request make a provider do: all of
    /// them have to allow it.
    pub egress: Vec<(String, Allowance)>,
}

/// Why an endpoint is outside a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    /// It processes somewhere else.
    Hosting,
    /// It is there, but what is promised is too weak.
    Guarantee,
}

impl Verdict {
    /// Whether this zone allows what is claimed of an endpoint.
    pub fn allows(&self, claim: &Claim) -> Result<(), Outside> {
        if !self.hosting.contains(&claim.hosting) {
            return Err(Outside::Hosting);
        }
        if claim.guarantee < self.guarantee {
            return Err(Outside::Guarantee);
        }
        Ok(())
    }

    /// Whether this zone allows what is claimed of an endpoint's egress.
    pub fn allows_egress(&self, claim: &EgressClaim) -> Result<(), Outside> {
        if !self.hosting.contains(&claim.hosting) {
            return Err(Outside::Hosting);
        }
        if claim.guarantee < self.guarantee {
            return Err(Outside::Guarantee);
        }
        Ok(())
    }

    /// Whether a kind of egress is allowed by every zone that applies.
    pub fn allows_kind(&self, kind: &str) -> bool {
        let mut zones = self.egress.iter();
        kind != UNKNOWN && zones.all(|(_, allowance)| allowance.allow.contains(kind))
    }

    /// The first thing a request asks for that a zone does not allow. What says
    /// where a request is processed is not for a zone to allow, but for the
    /// endpoint to settle.
    pub fn forbids<'e>(
        &self,
        rules: &EgressRules,
        egress: &'e Egress,
    ) -> Option<(&'e Found, Forbidden)> {
        egress.found.iter().find_map(|found| {
            let Some(kind) = rules.kinds.get(&found.kind) else {
                return Some((found, Forbidden::Unknown));
            };
            if kind.only_fixed {
                return None;
            }
            for (zone, allowance) in &self.egress {
                if !allowance.allow.contains(&found.kind) {
                    return Some((found, Forbidden::Kind { zone: zone.clone() }));
                }
                let named = found.host.as_ref().filter(|_| kind.names_host);
                if named.is_some_and(|host| !allowance.allows_host(host)) {
                    return Some((found, Forbidden::Host { zone: zone.clone() }));
                }
            }
            None
        })
    }
}

/// One rule that applies to the request.
struct Side<'m> {
    zone: &'m Zone,
    because: String,
}

/// Decides the zone of a request.
pub fn decide(map: &RegionMap, caller: &Caller) -> Result<Verdict, Refusal> {
    let mut sides = Vec::new();
    if let Some(pinned) = &caller.key.zone {
        let zone = map
            .zones
            .get(pinned)
            .ok_or_else(|| Refusal::KeyZoneUnknown {
                key: caller.key.id.clone(),
                zone: pinned.clone(),
            })?;
        let because = format!("the key is pinned to {}", zone.id);
        sides.push(Side { zone, because });
    }
    let key_alone = map.policy.when_key_and_country_differ == Precedence::Key && !sides.is_empty();
    if let Some(asked) = &caller.asked_zone {
        let zone = named(map, asked)?;
        let because = format!("the request asks for {}", zone.id);
        sides.push(Side { zone, because });
    }
    if !key_alone {
        sides.push(side_of_country(map, caller)?);
    }
    let mut verdict = intersect(map, &sides)?;
    for side in &sides {
        if let Some(ran) = gateway_within(map, side.zone, caller)? {
            if !verdict.because.ends_with(&ran) {
                verdict.because.push_str("; ");
                verdict.because.push_str(&ran);
            }
        }
    }
    Ok(verdict)
}

/// Checks that the gateway ran inside the zone, where the zone requires it.
fn gateway_within(
    map: &RegionMap,
    zone: &Zone,
    caller: &Caller,
) -> Result<Option<String>, Refusal> {
    if !map.policy.colo_in_zone.contains(&zone.id) {
        return Ok(None);
    }
    let colo = &caller.origin.colo;
    let country = map.colos.get(colo).copied();
    let inside = country.is_some_and(|country| {
        let places = zone
            .hosting
            .iter()
            .filter_map(|place| map.places.get(place));
        let mut countries = places
            .map(|place| &place.countries)
            .chain([&zone.countries]);
        countries.any(|countries| countries.contains(&country))
    });
    match (inside, country) {
        (true, Some(country)) => Ok(Some(format!("the gateway ran in {colo} ({country})"))),
        _ => Err(Refusal::GatewayOutside {
            zone: zone.id.clone(),
            colo: colo.clone(),
            country: country.map(|country| country.to_string()),
        }),
    }
}

/// The usage database of a caller whose zone could not be decided.
pub fn home<'m>(map: &'m RegionMap, caller: &Caller) -> &'m str {
    let pinned = caller.key.zone.as_ref().and_then(|id| map.zones.get(id));
    let zone = pinned
        .or_else(|| {
            caller
                .origin
                .country
                .and_then(|country| map.zone_of(country))
        })
        .or_else(|| map.default_zone());
    zone.map_or("", |zone| zone.usage_store.as_str())
}

fn named<'m>(map: &'m RegionMap, id: &str) -> Result<&'m Zone, Refusal> {
    map.zones.get(id).ok_or_else(|| Refusal::UnknownZone {
        asked: id.chars().take(64).collect(),
        known: map.zones.keys().cloned().collect(),
    })
}

fn side_of_country<'m>(map: &'m RegionMap, caller: &Caller) -> Result<Side<'m>, Refusal> {
    let origin = &caller.origin;
    if let Some((country, zone)) = origin.country.and_then(|c| Some((c, map.zone_of(c)?))) {
        let because = format!("the caller is in {country}, which is in {}", zone.id);
        return Ok(Side { zone, because });
    }
    // The map was checked to have its default zone; were it missing, nothing
    // could be said about this caller and so nothing may be sent.
    let zone = map.default_zone().ok_or(Refusal::Internal)?;
    let who = match (origin.country, origin.reported.as_str()) {
        (Some(country), _) => format!("no zone covers {country}"),
        (None, "T1") => "the caller comes over Tor".to_owned(),
        (None, _) => "the caller's country is unknown".to_owned(),
    };
    let because = format!("{who}, so {} applies", zone.id);
    Ok(Side { zone, because })
}

fn intersect(map: &RegionMap, sides: &[Side<'_>]) -> Result<Verdict, Refusal> {
    let (first, others) = sides.split_first().ok_or(Refusal::Internal)?;
    let mut hosting = first.zone.hosting.clone();
    let mut guarantee = first.zone.guarantee;
    for side in others {
        hosting.retain(|place| side.zone.hosting.contains(place));
        guarantee = guarantee.max(side.zone.guarantee);
    }
    if hosting.is_empty() {
        let sides = sides.iter().map(|side| {
            let places: Vec<&str> = side.zone.hosting.iter().map(|h| h.0.as_str()).collect();
            format!("{} (allows {})", side.because, places.join(", "))
        });
        return Err(Refusal::ZonesClash {
            sides: sides.collect(),
        });
    }
    let because: Vec<&str> = sides.iter().map(|side| side.because.as_str()).collect();
    let because = because.join("; ");
    // A side that is as narrow as all of them together gives its name and
    // keeps the row. If none is, they are named together.
    let whole = |side: &&Side<'_>| side.zone.hosting == hosting && side.zone.guarantee == guarantee;
    let (zone, usage_store) = match sides.iter().find(whole) {
        Some(Side { zone, .. }) => (zone.id.clone(), zone.usage_store.clone()),
        None => {
            let mut ids: Vec<&str> = Vec::new();
            for side in sides {
                if !ids.contains(&side.zone.id.as_str()) {
                    ids.push(&side.zone.id);
                }
            }
            (ids.join("+"), store_of(map, sides, &hosting).to_owned())
        }
    };
    let mut egress: Vec<(String, Allowance)> = Vec::new();
    for side in sides {
        if egress.iter().all(|(id, _)| *id != side.zone.id) {
            egress.push((side.zone.id.clone(), side.zone.egress.clone()));
        }
    }
    Ok(Verdict {
        zone,
        hosting,
        guarantee,
        usage_store,
        because,
        egress,
    })
}

/// The usage database of several zones together: one that is kept in a place
/// they all allow, if one of them has it.
fn store_of<'m>(map: &RegionMap, sides: &[Side<'m>], hosting: &BTreeSet<Hosting>) -> &'m str {
    let kept_inside = |store: &str| {
        let jurisdiction = map
            .policy
            .stores
            .get(store)
            .and_then(|s| s.jurisdiction.clone());
        jurisdiction.is_some_and(|place| hosting.contains(&Hosting(place)))
    };
    let mut stores = sides.iter().map(|side| side.zone.usage_store.as_str());
    let first = stores.clone().next().unwrap_or_default();
    stores.find(|store| kept_inside(store)).unwrap_or(first)
}
