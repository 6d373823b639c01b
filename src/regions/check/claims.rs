//! Claims: somebody's word, with a source, a date and a place that exists.

use super::Rule;
use crate::regions::finding::{Finding, Spot};
use crate::regions::{Dialect, Guarantee, RegionMap, GLOBAL};

pub fn check(map: &RegionMap, today: &str, findings: &mut Vec<Finding>) {
    let places = || map.places.keys().map(|place| place.0.as_str());
    for endpoint in &map.endpoints {
        for claim in &endpoint.models {
            let spot = |field: &str| Spot::claim(&endpoint.name, &claim.model, field);
            if !map.places.contains_key(&claim.hosting) {
                let what = format!("places.toml has no place `{}`", claim.hosting);
                let finding = Finding::new(Rule::UnknownPlace, spot("hosting"), what);
                findings.push(finding.suggest(&claim.hosting.0, places()));
            }
            if claim.hosting.0 == GLOBAL && claim.guarantee != Guarantee::None {
                let what = format!("hosting is `{GLOBAL}`, yet {} is promised", claim.guarantee);
                let finding = Finding::new(Rule::PromiseNowhere, spot("guarantee"), what);
                findings.push(finding.instead("`\"none\"`"));
            }
            if claim.reviewer.trim().is_empty() {
                let what = "nobody is named who has reviewed this claim";
                findings.push(Finding::new(Rule::NoReviewer, spot("reviewer"), what));
            }
            let plain = endpoint.paths.is_none() && !endpoint.quirks.are_any();
            if claim.completions && !(plain && endpoint.speaks(Dialect::OpenAiChat)) {
                let what = format!("`{}` cannot be sent a prompt as it came", endpoint.name);
                findings.push(Finding::new(
                    Rule::CompletionsNowhere,
                    spot("completions"),
                    what,
                ));
            }
            evidence(&claim.source, &claim.reviewed, today, spot, findings);
        }
    }
}

/// A source that is a link, and a review of the last year.
pub fn evidence(
    source: &str,
    reviewed: &str,
    today: &str,
    spot: impl Fn(&str) -> Spot,
    findings: &mut Vec<Finding>,
) {
    if !source.starts_with("https://") {
        let what = format!("`{source}` is no link");
        let finding = Finding::new(Rule::SourceIsNoLink, spot("source"), what);
        findings.push(finding.instead("the address of the page, beginning with https://"));
    }
    if reviewed > today {
        let what = format!("reviewed on {reviewed}, which is yet to come");
        findings.push(Finding::new(Rule::ReviewedAhead, spot("reviewed"), what));
    } else if reviewed < year_before(today).as_str() {
        let what = format!("reviewed more than a year ago, on {reviewed}");
        findings.push(Finding::new(Rule::ReviewDue, spot("reviewed"), what));
    }
}

/// The same day a year before, for comparison with dates only.
fn year_before(today: &str) -> String {
    let (year, rest) = today.split_once('-').unwrap_or(("0", ""));
    let year: u32 = year.parse().unwrap_or_default();
    format!("{:04}-{rest}", year.saturating_sub(1))
}
