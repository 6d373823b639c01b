//! Endpoints as rows of data: names, hosts, and the fields they fix.

use super::Rule;
use crate::regions::finding::{Finding, Spot};
use crate::regions::RegionMap;
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
        let path = &endpoint.base_path;
        if !path.starts_with('/') || path.ends_with('/') || path.contains(['?', '#', ' ']) {
            let spot = Spot::endpoint(&endpoint.name, "base_path");
            let what = format!("`{path}` is no path");
            let finding = Finding::new(Rule::BadHost, spot, what);
            findings.push(finding.instead("what stands between host and operation, as in `/v1`"));
        }
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

fn is_host(host: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    host.contains('.')
        && host
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(letter))
}
