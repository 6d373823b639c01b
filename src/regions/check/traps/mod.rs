//! What is true of the providers' hosts and easily got wrong: a host that looks
//! regional and is not, an id that leads elsewhere, a promise that is weaker
//! than it sounds. The facts of a claim belong into the map; here is only what
//! no claim can be right about.

mod aws;
mod azure;
mod direct;
mod google;

use super::Rule;
use crate::regions::finding::{Finding, Spot};
use crate::regions::{Claim, Country, Endpoint, Guarantee, Hosting, RegionMap, GLOBAL};

/// Steps one claim through all traps.
pub fn check(map: &RegionMap, endpoint: &Endpoint, claim: &Claim, findings: &mut Vec<Finding>) {
    let mut trap = Trap {
        map,
        endpoint,
        claim,
        findings,
    };
    aws::check(&mut trap);
    azure::check(&mut trap);
    google::check(&mut trap);
    direct::check(&mut trap);
}

/// One claim at one endpoint, and where to say what is wrong with it.
struct Trap<'a> {
    map: &'a RegionMap,
    endpoint: &'a Endpoint,
    claim: &'a Claim,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Trap<'a> {
    fn host(&self) -> &'a str {
        &self.endpoint.host
    }

    fn hosting(&self) -> &'a str {
        &self.claim.hosting.0
    }

    /// Notes a finding at a field of the claim.
    fn claim(&mut self, rule: Rule, field: &str, what: String, instead: &str) {
        let spot = Spot::claim(&self.endpoint.name, &self.claim.model, field);
        self.findings
            .push(Finding::new(rule, spot, what).instead(instead));
    }

    /// Notes a finding at a field of the endpoint.
    fn endpoint(&mut self, rule: Rule, field: &str, what: String, instead: &str) {
        self.once(
            rule,
            Spot::endpoint(&self.endpoint.name, field),
            what,
            instead,
        );
    }

    fn once(&mut self, rule: Rule, spot: Spot, what: String, instead: &str) {
        let finding = Finding::new(rule, spot, what).instead(instead);
        // Each claim steps in here; the endpoint is said to be wrong once.
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Whether the claim's place takes all of an area in.
    fn takes_in(&self, area: Area<'_>) -> bool {
        covers(self.map, &self.claim.hosting, area)
    }

    /// The host promises no place.
    fn is_global(&mut self, rule: Rule, why: &str, instead: &str) {
        if self.hosting() != GLOBAL {
            let what = format!("{why}, yet `{}` is claimed", self.hosting());
            self.claim(rule, "hosting", what, instead);
        }
    }

    /// The model runs somewhere in an area: the claim's place must take all of
    /// that in.
    fn is_within(&mut self, rule: Rule, area: Area<'_>, why: &str) {
        // To claim less than is promised is no trap, and a place that does not
        // exist is another mistake.
        let named = self.map.places.contains_key(&self.claim.hosting);
        if named && self.hosting() != GLOBAL && !self.takes_in(area) {
            let what = format!("{why}, yet `{}` is claimed", self.hosting());
            let places = self.map.places.iter();
            let fitting = places
                .filter(|(place, _)| covers(self.map, place, area))
                .min_by_key(|(_, place)| place.countries.len());
            let instead = match fitting {
                Some((place, _)) => format!("`\"{place}\"`"),
                None => format!(
                    "a place of places.toml that names {}",
                    area.codes().join(", ")
                ),
            };
            self.claim(rule, "hosting", what, &instead);
        }
    }

    /// No more than this is promised there.
    fn at_most(&mut self, rule: Rule, most: Guarantee, why: &str) {
        if self.hosting() != GLOBAL && self.claim.guarantee > most {
            let what = format!("{why}, yet {} is claimed", self.claim.guarantee);
            self.claim(rule, "guarantee", what, &format!("`\"{most}\"`"));
        }
    }

    /// This host charges more than the list price.
    fn costs_more(&mut self) {
        if self.claim.uplift_percent == 0 && self.hosting() != GLOBAL {
            let what = format!("{} charges about 10 % above the list price", self.host());
            self.claim(Rule::UpliftMissing, "id", what, "`uplift_percent = 10`");
        }
    }
}

/// Where something runs.
#[derive(Debug, Clone, Copy)]
enum Area<'a> {
    /// In one country.
    Country(&'a str),
    /// Somewhere in the European Union.
    Eu,
    /// Somewhere in these countries.
    Any(&'a [&'a str]),
}

impl<'a> Area<'a> {
    fn codes(self) -> Vec<&'a str> {
        match self {
            Area::Country(code) => vec![code],
            Area::Eu => EU_SAMPLE.to_vec(),
            Area::Any(codes) => codes.to_vec(),
        }
    }
}

/// One country of each kind stands for the EU: a place that has the largest
/// regions of all providers is one that was meant as Europe.
const EU_SAMPLE: [&str; 6] = ["DE", "IE", "SE", "ES", "IT", "FR"];

/// Whether a place takes all of an area in. `global` is no place to claim here.
fn covers(map: &RegionMap, place: &Hosting, area: Area<'_>) -> bool {
    let Some(place) = map.places.get(place) else {
        return false;
    };
    let has = |code: &str| Country::from_code(code).is_some_and(|c| place.countries.contains(&c));
    area.codes().into_iter().all(has)
}
