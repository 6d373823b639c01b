//! From the TOML files of `regions/` to a [`RegionMap`], or to the list of
//! everything that is wrong with them. `build.rs` and the command line use it;
//! the worker never sees TOML.

use super::problem::{Problem, Source};
use super::{
    Auth, Claim, Country, Dialect, Endpoint, Guarantee, Hosting, Policy, Precedence, RegionMap,
    Store, StreamUsage, Zone,
};
use indexmap::IndexMap;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    default_zone: Spanned<String>,
    when_key_and_country_differ: Precedence,
    stores: BTreeMap<String, StoreTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreTable {
    jurisdiction: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupTable {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "reviewed")]
    _reviewed: toml::value::Date,
    countries: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneFile {
    name: String,
    basis: String,
    countries: Vec<Spanned<String>>,
    hosting: Vec<Spanned<String>>,
    guarantee: Guarantee,
    usage_store: Spanned<String>,
    review_by: toml::value::Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointTable {
    host: Spanned<String>,
    #[serde(default)]
    base_path: String,
    dialect: Dialect,
    auth: Spanned<String>,
    #[serde(default)]
    fixed: IndexMap<String, serde_json::Value>,
    #[serde(default)]
    stream_usage: StreamUsage,
    models: IndexMap<String, ClaimTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimTable {
    id: String,
    hosting: String,
    guarantee: Guarantee,
    source: String,
    reviewed: toml::value::Date,
    reviewer: String,
    #[serde(default)]
    uplift_percent: u32,
}

/// The files of `regions/`, by what they are.
pub struct RegionFiles<'a> {
    /// `policy.toml`.
    pub policy: &'a Source,
    /// `groups.toml`.
    pub groups: &'a Source,
    /// `zones/*.toml`.
    pub zones: &'a [Source],
    /// `endpoints/*.toml`, in the order of their names.
    pub endpoints: &'a [Source],
}

/// Reads the whole map; every file's problems are reported at once.
pub fn read(files: &RegionFiles<'_>) -> Result<RegionMap, Vec<Problem>> {
    let mut problems = Vec::new();
    let groups = read_groups(files.groups, &mut problems);
    let endpoints = read_endpoints(files.endpoints, &mut problems);
    let zones = read_zones(files.zones, &groups, &endpoints, &mut problems);
    let policy = read_policy(files.policy, &zones, &mut problems);
    if let Some(policy) = &policy {
        check_stores(files.zones, &zones, policy, &mut problems);
    }
    match policy {
        Some(policy) if problems.is_empty() => {
            let mut map = RegionMap {
                version: String::new(),
                policy,
                zones,
                endpoints,
            };
            map.version = version_of(&map);
            Ok(map)
        }
        _ => Err(problems),
    }
}

/// Twelve hex digits of the content's SHA-256: equal maps have equal versions.
fn version_of(map: &RegionMap) -> String {
    let text = serde_json::to_string(map).unwrap_or_default();
    let hex: String = Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    hex.chars().take(12).collect()
}

fn read_groups(source: &Source, problems: &mut Vec<Problem>) -> BTreeMap<String, Vec<Country>> {
    let tables: BTreeMap<String, GroupTable> = match source.parse() {
        Ok(tables) => tables,
        Err(problem) => {
            problems.push(problem);
            return BTreeMap::new();
        }
    };
    let mut groups = BTreeMap::new();
    for (name, table) in tables {
        let members = table
            .countries
            .iter()
            .filter_map(|code| read_country(source, code, problems))
            .collect();
        groups.insert(name, members);
    }
    groups
}

fn read_country(
    source: &Source,
    code: &Spanned<String>,
    problems: &mut Vec<Problem>,
) -> Option<Country> {
    let written = code.get_ref();
    let country = Country::from_code(written);
    if country.is_none() {
        let what = format!("no country has the ISO code `{written}`");
        let mut problem = source.problem(code.span().start, what);
        problem.instead = Country::meant_by(written).map(|c| format!("`{c}`"));
        problems.push(problem);
    }
    country
}

fn read_zones(
    sources: &[Source],
    groups: &BTreeMap<String, Vec<Country>>,
    endpoints: &[Endpoint],
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Zone> {
    let places: BTreeSet<&str> = endpoints
        .iter()
        .flat_map(|e| e.models.iter().map(|claim| claim.hosting.0.as_str()))
        .collect();
    let mut taken: BTreeMap<Country, &str> = BTreeMap::new();
    let mut zones = BTreeMap::new();
    for source in sources {
        let file: ZoneFile = match source.parse() {
            Ok(file) => file,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let countries = resolve_countries(source, &file.countries, groups, problems);
        for country in &countries {
            if let Some(other) = taken.insert(*country, &source.file) {
                let what = format!("{country} is already in the zone of {other}");
                let problem = source.problem(0, what);
                problems.push(problem.instead("the country in one zone only"));
            }
        }
        for place in &file.hosting {
            if !places.is_empty() && !places.contains(place.get_ref().as_str()) {
                let what = format!("no endpoint is hosted in `{}`", place.get_ref());
                let problem = source.problem(place.span().start, what);
                problems.push(problem.suggest(place.get_ref(), places.iter().copied()));
            }
        }
        let id = source.stem().to_owned();
        let zone = Zone {
            id: id.clone(),
            name: file.name,
            basis: file.basis,
            countries,
            hosting: file
                .hosting
                .into_iter()
                .map(|h| Hosting(h.into_inner()))
                .collect(),
            guarantee: file.guarantee,
            usage_store: file.usage_store.into_inner(),
            review_by: file.review_by.to_string(),
        };
        zones.insert(id, zone);
    }
    zones
}

fn resolve_countries(
    source: &Source,
    written: &[Spanned<String>],
    groups: &BTreeMap<String, Vec<Country>>,
    problems: &mut Vec<Problem>,
) -> BTreeSet<Country> {
    let mut countries = BTreeSet::new();
    for entry in written {
        match entry.get_ref().strip_prefix('@') {
            None => countries.extend(read_country(source, entry, problems)),
            Some(group) => match groups.get(group) {
                Some(members) => countries.extend(members),
                None => {
                    let what = format!("regions/groups.toml has no group `{group}`");
                    let problem = source.problem(entry.span().start, what);
                    problems.push(problem.suggest(group, groups.keys().map(String::as_str)));
                }
            },
        }
    }
    countries
}

fn read_endpoints(sources: &[Source], problems: &mut Vec<Problem>) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for source in sources {
        let tables: IndexMap<Spanned<String>, EndpointTable> = match source.parse() {
            Ok(tables) => tables,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        for (name, table) in tables {
            if endpoints.iter().any(|e| e.name == *name.get_ref()) {
                let what = format!("there are two endpoints named `{}`", name.get_ref());
                problems.push(source.problem(name.span().start, what));
            }
            endpoints.extend(read_endpoint(source, name.into_inner(), table, problems));
        }
    }
    endpoints
}

fn read_endpoint(
    source: &Source,
    name: String,
    table: EndpointTable,
    problems: &mut Vec<Problem>,
) -> Option<Endpoint> {
    if !is_host(table.host.get_ref()) {
        let what = format!("`{}` is no host name", table.host.get_ref());
        let problem = source.problem(table.host.span().start, what);
        problems.push(problem.instead("the host alone, as in `eu.api.openai.com`"));
    }
    let auth = read_auth(table.auth.get_ref());
    if auth.is_none() {
        let what = format!("`{}` says nothing about credentials", table.auth.get_ref());
        let problem = source.problem(table.auth.span().start, what);
        problems.push(problem.instead("`bearer:SECRET_NAME` or `x-api-key:SECRET_NAME`"));
    }
    for field in table.fixed.keys() {
        let fixable = table.dialect.fixable();
        if !fixable.contains(&field.as_str()) {
            let what = format!("`{field}` cannot be fixed in {}", table.dialect);
            let problem = source.problem(table.host.span().start, what);
            problems.push(problem.suggest(field, fixable.iter().copied()));
        }
    }
    let claims = table.models.into_iter().map(|(model, claim)| Claim {
        model,
        id: claim.id,
        hosting: Hosting(claim.hosting),
        guarantee: claim.guarantee,
        source: claim.source,
        reviewed: claim.reviewed.to_string(),
        reviewer: claim.reviewer,
        uplift_percent: claim.uplift_percent,
    });
    Some(Endpoint {
        name,
        host: table.host.into_inner(),
        base_path: table.base_path,
        dialect: table.dialect,
        auth: auth?,
        fixed: table.fixed.into_iter().collect(),
        stream_usage: table.stream_usage,
        models: claims.collect(),
    })
}

fn is_host(host: &str) -> bool {
    host.contains('.')
        && host
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
}

fn read_auth(text: &str) -> Option<Auth> {
    let (scheme, secret) = text.split_once(':')?;
    let named = |s: &str| {
        !s.is_empty()
            && s.bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    let secret = named(secret).then(|| secret.to_owned())?;
    match scheme {
        "bearer" => Some(Auth::Bearer { secret }),
        "x-api-key" => Some(Auth::ApiKey { secret }),
        _ => None,
    }
}

fn read_policy(
    source: &Source,
    zones: &BTreeMap<String, Zone>,
    problems: &mut Vec<Problem>,
) -> Option<Policy> {
    let file: PolicyFile = match source.parse() {
        Ok(file) => file,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let default_zone = file.default_zone.get_ref();
    if !zones.contains_key(default_zone) {
        let what = format!("there is no zone `{default_zone}`");
        let problem = source.problem(file.default_zone.span().start, what);
        problems.push(problem.suggest(default_zone, zones.keys().map(String::as_str)));
    }
    let stores = file.stores.into_iter().map(|(name, table)| {
        let jurisdiction = table.jurisdiction;
        (name, Store { jurisdiction })
    });
    Some(Policy {
        default_zone: default_zone.clone(),
        when_key_and_country_differ: file.when_key_and_country_differ,
        stores: stores.collect(),
    })
}

fn check_stores(
    sources: &[Source],
    zones: &BTreeMap<String, Zone>,
    policy: &Policy,
    problems: &mut Vec<Problem>,
) {
    for source in sources {
        let Some(zone) = zones.get(source.stem()) else {
            continue;
        };
        if !policy.stores.contains_key(&zone.usage_store) {
            let what = format!("regions/policy.toml has no store `{}`", zone.usage_store);
            let problem = source.problem(0, what);
            problems
                .push(problem.suggest(&zone.usage_store, policy.stores.keys().map(String::as_str)));
        }
    }
}
