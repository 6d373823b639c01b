//! Whether a region map holds together and steps into none of the traps that
//! providers set. The command line runs this over the files, the gateway over
//! a published map before it comes into force: the same code, so that they
//! cannot disagree.

mod claims;
mod egress;
mod endpoints;
mod rule;
mod traps;
mod zones;

pub use rule::Rule;

use super::finding::{Finding, Severity};
use super::RegionMap;

/// Everything that is wrong with a map on a day (`YYYY-MM-DD`).
pub fn check(map: &RegionMap, today: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    zones::check(map, today, &mut findings);
    endpoints::check(map, &mut findings);
    claims::check(map, today, &mut findings);
    egress::check(map, today, &mut findings);
    for endpoint in &map.endpoints {
        for claim in &endpoint.models {
            traps::check(map, endpoint, claim, &mut findings);
        }
    }
    findings
}

/// Whether a map may come into force: warnings do not stand in its way.
pub fn may_hold(findings: &[Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.severity == Severity::Warning)
}
