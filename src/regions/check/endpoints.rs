//! Endpoints as rows of data: names, hosts, and the fields they fix.

use super::Rule;
use crate::regions::finding::{Finding, Spot};
use crate::regions::{bindings, Endpoint, RegionMap};
use std::collections::BTreeSet;

pub fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    let mut names = BTreeSet::new();
    for endpoint in &map.endpoints {
        if !names.insert(endpoint.name.as_str()) {
            let what = format!("there are two endpoints named `{}`", endpoint.name);
            let spot = Spot::at(&["endpoints", &endpoint.name]);
            findings.push(Finding::new(Rule::DuplicateName, spot, what));
        }
        if !is_host(&endpoint.host) {
            let spot = Spot::endpoint(&endpoint.name, "host");
            let what = format!("`{}` is no host name", endpoint.host);
            let finding = Finding::new(Rule::BadHost, spot, what);
            findings.push(finding.instead("the host alone, as in `eu.api.openai.com`"));
        }
        check_address(endpoint, findings);
        check_secret(map, endpoint, findings);
        for (field, _) in &endpoint.fixed {
            let fixable: Vec<&str> = (endpoint.dialects.iter())
                .flat_map(|dialect| dialect.fixable().iter().copied())
                .collect();
            if !fixable.contains(&field.as_str()) {
                let spot = Spot::at(&["endpoints", &endpoint.name, "fixed", field]);
                let what = format!("`{field}` cannot be fixed in {}", endpoint.spoken());
                let finding = Finding::new(Rule::BadFixed, spot, what);
                findings.push(finding.suggest(field, fixable));
            }
        }
    }
}

/// Whose secret it is that goes to the host.
fn check_secret(map: &RegionMap, endpoint: &Endpoint, findings: &mut Vec<Finding>) {
    let secret = endpoint.auth.secret();
    let spot = Spot::endpoint(&endpoint.name, "auth");
    if !bindings::is_name(secret) {
        let what = format!("`{secret}` is no name of a secret");
        let finding = Finding::new(Rule::BadAuth, spot, what);
        findings.push(finding.instead("a name in capital letters, as in `OPENAI_EU_KEY`"));
    } else if bindings::is_own(secret) || map.policy.stores.contains_key(secret) {
        let what = format!(
            "`{secret}` is the gateway's own, and would be sent to {}",
            endpoint.host
        );
        let finding = Finding::new(Rule::OwnSecret, spot, what);
        findings.push(finding.instead("a secret of the endpoint's own, as in `OPENAI_EU_KEY`"));
    }
}

/// What stands behind the host, and the headers that are set there.
fn check_address(endpoint: &Endpoint, findings: &mut Vec<Finding>) {
    let mut wrong = |field: &str, what: String, instead: &str| {
        let spot = Spot::endpoint(&endpoint.name, field);
        let finding = Finding::new(Rule::BadHost, spot, what);
        findings.push(finding.instead(instead));
    };
    let path = &endpoint.base_path;
    if !path.is_empty() && (!is_path(path) || path.ends_with('/')) {
        let what = format!("`{path}` is no path");
        wrong(
            "base_path",
            what,
            "what stands between host and operation, as in `/v1`",
        );
    }
    let own = endpoint.paths.iter();
    for path in own.flat_map(|paths| [&paths.once, &paths.stream]) {
        if !is_path(path) {
            let what = format!("`{path}` is no path");
            wrong(
                "paths",
                what,
                "what stands behind `base_path`, as in `/{model}:rawPredict`",
            );
        }
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.=&".contains(c);
    if let Some(query) = endpoint
        .query
        .iter()
        .find(|query| !query.chars().all(plain))
    {
        let what = format!("`{query}` is no query");
        wrong(
            "query",
            what,
            "what stands behind the `?`, as in `api-version=2024-10-21`",
        );
    }
    for (name, value) in &endpoint.headers {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let named = !name.is_empty() && name.bytes().all(letter);
        let said = value.bytes().all(|b| (b' '..=b'~').contains(&b));
        if !named || !said || SECRET_HEADERS.contains(&name.as_str()) {
            let what = format!("the header `{name}` cannot be set here");
            wrong(
                "headers",
                what,
                "a header in lower case that holds no credential; those are `auth`",
            );
        }
    }
}

/// Headers that carry credentials or say where a request goes.
const SECRET_HEADERS: [&str; 8] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "host",
    "cookie",
    "x-amz-date",
    "x-amz-security-token",
];

fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains(['?', '#', ' ', '%', '\\']) && !path.contains("..")
}

fn is_host(host: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    host.contains('.')
        && host
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(letter))
}
