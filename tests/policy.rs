//! What must hold for every map and every caller: nothing is planned outside
//! the zone, a further rule never adds an endpoint, and rules without a place
//! in common always end in a refusal.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::config::gateway::Gateway;
use meridian::config::prices::PriceBook;
use meridian::config::Config;
use meridian::dialect::ProviderError;
use meridian::dialect::{Api, BlobOwner, Wanted};
use meridian::refusal::Refusal;
use meridian::regions::{
    Allowance, Auth, Claim, Country, Dialect, EgressClaim, EgressKind, EgressRules, Endpoint,
    Guarantee, Hosting, Place, Policy, Precedence, Quirks, RegionMap, Store, StreamUsage, Zone,
};
use meridian::report::diff;
use meridian::request::caller::{Caller, KeyRecord};
use meridian::request::egress::Egress;
use meridian::request::head::{Head, Origin};
use meridian::request::plan::{self, Attempt, Plan};
use meridian::request::zone::{self, Verdict};
use meridian::upstream::judge::{judge, Start};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const PLACES: [&str; 4] = ["eu", "us", "jp", "global"];
const ZONES: [&str; 4] = ["alpha", "beta", "gamma", "rest"];
const MODELS: [&str; 3] = ["small", "large", "absent"];
const COUNTRIES: [&str; 6] = ["DE", "US", "JP", "BR", "T1", ""];

fn guarantee() -> impl Strategy<Value = Guarantee> {
    prop::sample::select(vec![
        Guarantee::None,
        Guarantee::Storage,
        Guarantee::Processing,
        Guarantee::ProcessingAndStorage,
    ])
}

fn hosting_set() -> impl Strategy<Value = BTreeSet<Hosting>> {
    prop::sample::subsequence(PLACES.to_vec(), 1..=PLACES.len())
        .prop_map(|places| places.into_iter().map(|p| Hosting(p.to_owned())).collect())
}

fn zones() -> impl Strategy<Value = BTreeMap<String, Zone>> {
    let rules = (hosting_set(), guarantee(), kinds(), hosts());
    let rules = prop::collection::vec(rules, ZONES.len());
    rules.prop_map(|rules| {
        let countries = ["DE", "US", "JP"];
        ZONES
            .iter()
            .zip(rules)
            .enumerate()
            .map(|(i, (id, (hosting, guarantee, allow, hosts)))| {
                let country = countries.get(i).and_then(|code| Country::from_code(code));
                let zone = Zone {
                    id: (*id).to_owned(),
                    name: String::new(),
                    basis: String::new(),
                    countries: country.into_iter().collect(),
                    hosting,
                    guarantee,
                    usage_store: "STORE".to_owned(),
                    review_by: String::new(),
                    retention_days: None,
                    egress: Allowance { allow, hosts },
                };
                ((*id).to_owned(), zone)
            })
            .collect()
    })
}

type Claims = Vec<((&'static str, Guarantee), Option<(&'static str, Guarantee)>)>;

/// What requests can ask for, beside what nobody knows.
const KINDS: [&str; 3] = ["web-search", "remote-url", "place"];
const HOSTS: [&str; 2] = ["a.example", "b.example"];

fn kinds() -> impl Strategy<Value = BTreeSet<String>> {
    let kinds = prop::sample::subsequence(KINDS.to_vec(), 0..=3);
    kinds.prop_map(|kinds| kinds.into_iter().map(str::to_owned).collect())
}

fn hosts() -> impl Strategy<Value = BTreeSet<String>> {
    let hosts = prop::sample::subsequence(HOSTS.to_vec(), 0..=2);
    hosts.prop_map(|hosts| hosts.into_iter().map(str::to_owned).collect())
}

/// The kinds as `regions/egress.toml` has them.
fn rules() -> EgressRules {
    let kind = |kind: &str| EgressKind {
        does: kind.to_owned(),
        names_host: kind == "remote-url",
        only_fixed: kind == "place",
        ..EgressKind::default()
    };
    EgressRules {
        kinds: KINDS.map(|id| (id.to_owned(), kind(id))).into(),
        dialects: BTreeMap::new(),
    }
}

/// What a request asks a provider to do.
fn asks() -> impl Strategy<Value = Vec<&'static str>> {
    let labels = [
        "web-search",
        "remote-url:a.example",
        "remote-url:b.example",
        "remote-url:",
        "place:inference_geo",
        "unknown",
    ];
    prop::sample::subsequence(labels.to_vec(), 0..=3)
}

/// Each place and its country, and a data center in each.
const COLOS: [(&str, &str); 4] = [("FRA", "DE"), ("IAD", "US"), ("NRT", "JP"), ("GRU", "BR")];

fn places() -> BTreeMap<Hosting, Place> {
    let country = [Some("DE"), Some("US"), Some("JP"), None];
    let pairs = PLACES.iter().zip(country);
    pairs
        .map(|(place, country)| {
            let place = Hosting((*place).to_owned());
            let countries = country.into_iter().filter_map(Country::from_code).collect();
            (
                place,
                Place {
                    name: String::new(),
                    countries,
                },
            )
        })
        .collect()
}

fn colos() -> BTreeMap<String, Country> {
    let pairs = COLOS.iter();
    pairs
        .filter_map(|(colo, country)| Some(((*colo).to_owned(), Country::from_code(country)?)))
        .collect()
}

fn endpoints() -> impl Strategy<Value = Vec<Endpoint>> {
    let claim = || (prop::sample::select(PLACES.to_vec()), guarantee());
    let claim = (claim(), prop::option::of(claim()));
    let endpoint = (
        prop::bool::ANY,
        prop::collection::vec(claim, 2),
        prop::bool::weighted(0.2),
    );
    prop::collection::vec(endpoint, 0..6).prop_map(|endpoints| {
        let one = |(i, (openai, claims, off)): (usize, (bool, Claims, bool))| Endpoint {
            name: format!("e{i}"),
            host: format!("e{i}.example.com"),
            base_path: "/v1".to_owned(),
            dialects: vec![if openai {
                Dialect::OpenAiChat
            } else {
                Dialect::CohereEmbed
            }],
            paths: None,
            query: None,
            headers: Vec::new(),
            without: Vec::new(),
            quirks: Quirks::default(),
            auth: Auth::Bearer {
                secret: "S".to_owned(),
            },
            fixed: match i % 2 {
                0 => vec![("inference_geo".to_owned(), "us".into())],
                _ => Vec::new(),
            },
            stream_usage: StreamUsage::Asked,
            sku: None,
            off: off.then(|| "for a test".to_owned()),
            alone: None,
            models: MODELS
                .iter()
                .zip(claims)
                .map(|(model, ((place, guarantee), beyond))| Claim {
                    model: (*model).to_owned(),
                    id: (*model).to_owned(),
                    hosting: Hosting(place.to_owned()),
                    guarantee,
                    source: String::new(),
                    reviewed: String::new(),
                    reviewer: String::new(),
                    uplift_percent: 0,
                    thinking: None,
                    max_output: None,
                    context: None,
                    // Of every three endpoints two take each other's.
                    signatures: (i % 3 > 0).then(|| "maker".to_owned()),
                    without: Vec::new(),
                    max_choices: None,
                    completions: false,
                    egress: beyond.map_or_else(BTreeMap::new, |(place, guarantee)| {
                        let claim = EgressClaim {
                            hosting: Hosting(place.to_owned()),
                            guarantee,
                            source: String::new(),
                            reviewed: String::new(),
                            reviewer: String::new(),
                            max_uses: None,
                        };
                        let both = ["web-search", "remote-url"];
                        both.map(|kind| (kind.to_owned(), claim.clone())).into()
                    }),
                })
                .collect(),
        };
        endpoints.into_iter().enumerate().map(one).collect()
    })
}

fn config() -> impl Strategy<Value = Config> {
    let precedence = prop::sample::select(vec![Precedence::Strictest, Precedence::Key]);
    let colo_in_zone = prop::sample::subsequence(ZONES.to_vec(), 0..=2);
    let all = (zones(), endpoints(), precedence, colo_in_zone);
    all.prop_map(|(zones, endpoints, precedence, colo_in_zone)| Config {
        regions: RegionMap {
            version: "v".to_owned(),
            policy: Policy {
                default_zone: "rest".to_owned(),
                when_key_and_country_differ: precedence,
                colo_in_zone: colo_in_zone.into_iter().map(str::to_owned).collect(),
                stores: BTreeMap::from([("STORE".to_owned(), Store { jurisdiction: None })]),
            },
            places: places(),
            colos: colos(),
            zones,
            endpoints,
            egress: rules(),
        },
        gateway: Gateway::default(),
        prices: PriceBook::default(),
    })
}

fn caller() -> impl Strategy<Value = Caller> {
    let zone = || prop::option::of(prop::sample::select(ZONES.to_vec()));
    let country = prop::sample::select(COUNTRIES.to_vec());
    let colo = prop::sample::select(vec!["FRA", "IAD", "NRT", "GRU", "???", ""]);
    (zone(), zone(), country, colo).prop_map(|(pinned, asked, country, colo)| {
        let key = KeyRecord {
            id: "k".to_owned(),
            team: "t".to_owned(),
            name: String::new(),
            zone: pinned.map(str::to_owned),
            models: Vec::new(),
            tags: BTreeMap::new(),
            limits: BTreeMap::new(),
            unsupported: None,
            created: String::new(),
            revoked: None,
        };
        let mut caller = Caller::new(key, &Head::default());
        caller.origin = Origin::new(country, colo);
        caller.asked_zone = asked.map(str::to_owned);
        caller
    })
}

/// A map with some of its zones, countries and choices taken from another.
fn edited(old: &Config, other: &Config, changed: &[bool]) -> Config {
    let mut new = old.clone();
    for (id, changed) in ZONES.iter().zip(changed) {
        if *changed {
            let countries = std::mem::take(&mut new.regions.zones.get_mut(*id).unwrap().countries);
            let mut zone = other.regions.zones[*id].clone();
            zone.countries = countries;
            new.regions.zones.insert((*id).to_owned(), zone);
        }
    }
    if changed[4] {
        let moved = Country::from_code("DE").unwrap();
        new.regions
            .zones
            .get_mut("alpha")
            .unwrap()
            .countries
            .remove(&moved);
        new.regions
            .zones
            .get_mut("gamma")
            .unwrap()
            .countries
            .insert(moved);
    }
    if changed[5] {
        new.regions.policy = other.regions.policy.clone();
    }
    if changed[6] {
        let moved = Country::from_code("DE").unwrap();
        new.regions.colos.insert("IAD".to_owned(), moved);
        new.regions.colos.insert("???".to_owned(), moved);
    }
    if changed[7] {
        new.regions.places = other.regions.places.clone();
        let eu = new
            .regions
            .places
            .get_mut(&Hosting("eu".to_owned()))
            .unwrap();
        eu.countries.extend(Country::from_code("BR"));
    }
    if changed[8] {
        let both = new
            .regions
            .endpoints
            .iter_mut()
            .zip(&other.regions.endpoints);
        for (endpoint, other) in both {
            for (claim, other) in endpoint.models.iter_mut().zip(&other.models) {
                claim.egress.clone_from(&other.egress);
            }
        }
    }
    new.regions.version = "w".to_owned();
    new
}

/// A status that an endpoint answers with, or none if it does not answer.
fn answer() -> impl Strategy<Value = Option<u16>> {
    prop::option::of(prop::sample::select(vec![
        200, 301, 400, 401, 403, 408, 429, 500, 503, 529,
    ]))
}

fn planned<'c>(config: &'c Config, caller: &Caller) -> Result<(Verdict, Plan<'c>), Refusal> {
    asking(config, caller, &[])
}

fn asking<'c>(
    config: &'c Config,
    caller: &Caller,
    labels: &[&str],
) -> Result<(Verdict, Plan<'c>), Refusal> {
    let zone = zone::decide(&config.regions, caller)?;
    let wanted = Wanted {
        model: "small".to_owned(),
        stream: false,
        thinks: None,
    };
    let egress = Egress::of_labels(labels.iter().copied());
    let plan = plan::plan(config, caller, &zone, Api::Chat, &wanted, &egress)?;
    Ok((zone, plan))
}

/// Whether what a request asks for is allowed by every zone that applies and
/// claimed by the endpoint, said a second time and independently of the code.
fn egress_allowed_by(config: &Config, caller: &Caller, attempt: &Attempt<'_>, label: &str) -> bool {
    let (kind, rest) = label.split_once(':').unwrap_or((label, ""));
    match kind {
        "unknown" => return false,
        "place" => return !attempt.endpoint().fixed.is_empty(),
        _ => {}
    }
    let zones = applying(config, caller);
    let claim = attempt.claim().egress.get(kind);
    claim.is_some_and(|claim| {
        zones.iter().all(|zone| {
            zone.egress.allow.contains(kind)
                && (kind != "remote-url" || zone.egress.hosts.contains(rest))
                && zone.hosting.contains(&claim.hosting)
                && claim.guarantee >= zone.guarantee
        })
    })
}

/// The zones whose rules apply to a caller.
fn applying<'c>(config: &'c Config, caller: &Caller) -> Vec<&'c Zone> {
    let map = &config.regions;
    let by_country = caller
        .origin
        .country
        .and_then(|country| map.zones.values().find(|z| z.countries.contains(&country)))
        .unwrap_or_else(|| &map.zones["rest"]);
    let pinned = caller.key.zone.as_ref().map(|id| &map.zones[id]);
    let key_alone = pinned.is_some() && map.policy.when_key_and_country_differ == Precedence::Key;
    let asked = caller.asked_zone.as_ref().map(|id| &map.zones[id]);
    let mut rules: Vec<&Zone> = pinned.into_iter().chain(asked).collect();
    if !key_alone {
        rules.push(by_country);
    }
    rules
}

/// What the rules allow, said a second time and independently of the code.
fn allowed_by(config: &Config, caller: &Caller, claim: &Claim) -> bool {
    let map = &config.regions;
    let rules = applying(config, caller);
    let ran_in = COLOS.iter().find(|(colo, _)| *colo == caller.origin.colo);
    let ran_inside = |zone: &Zone| {
        let country = ran_in.and_then(|(_, country)| Country::from_code(country));
        country.is_some_and(|country| {
            zone.countries.contains(&country)
                || zone
                    .hosting
                    .iter()
                    .any(|place| map.places[place].countries.contains(&country))
        })
    };
    rules.iter().all(|zone| {
        zone.hosting.contains(&claim.hosting)
            && claim.guarantee >= zone.guarantee
            && (!map.policy.colo_in_zone.contains(&zone.id) || ran_inside(zone))
    })
}

fn names(result: &Result<(Verdict, Plan<'_>), Refusal>) -> BTreeSet<String> {
    let plan = result.as_ref().ok().map(|(_, plan)| plan);
    plan.into_iter()
        .flat_map(|plan| plan.attempts().map(|a| a.endpoint().name.clone()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_planned_outside_the_zone(config in config(), caller in caller()) {
        if let Ok((_, plan)) = planned(&config, &caller) {
            for attempt in plan.attempts() {
                prop_assert!(allowed_by(&config, &caller, attempt.claim()));
                prop_assert_eq!(attempt.dialect(), Dialect::OpenAiChat);
            }
        }
    }

    #[test]
    fn guard_nothing_is_planned_that_makes_a_provider_reach_out_of_the_zone(
        config in config(), caller in caller(), labels in asks()
    ) {
        let Ok((_, all)) = planned(&config, &caller) else { return Ok(()) };
        let made = asking(&config, &caller, &labels);
        let made: BTreeSet<String> = names(&made);
        for attempt in all.attempts() {
            let claimed = allowed_by(&config, &caller, attempt.claim());
            let allowed = labels.iter().all(|label| egress_allowed_by(&config, &caller, &attempt, label));
            let name = &attempt.endpoint().name;
            prop_assert_eq!(made.contains(name), claimed && allowed, "{} {:?}", name, labels);
        }
    }

    #[test]
    fn field_21_a_plan_is_bound_to_who_made_what_comes_back(config in config(), caller in caller()) {
        let Ok((_, plan)) = planned(&config, &caller) else { return Ok(()) };
        let all: Vec<String> = plan.attempts().map(|a| a.endpoint().name.clone()).collect();
        for made in ["e0", "e1", "elsewhere"] {
            let bound = plan.clone().bound_to(&BlobOwner::Endpoints(vec![made.to_owned()]), Api::Chat).unwrap();
            let names: Vec<String> = bound.attempts().map(|a| a.endpoint().name.clone()).collect();
            let takes = |name: &str| {
                let number = |name: &str| name.strip_prefix('e').and_then(|n| n.parse::<usize>().ok());
                let signs = |name: &str| number(name).is_some_and(|n| n % 3 > 0);
                let made_in_plan = all.iter().any(|one| one == made);
                name == made || made_in_plan && signs(name) && signs(made)
            };
            let wanted: Vec<String> = all.iter().filter(|name| takes(name)).cloned().collect();
            // Where nobody can be given the thoughts, they are left out.
            prop_assert_eq!(bound.leaves_thoughts, wanted.is_empty());
            prop_assert_eq!(names, if wanted.is_empty() { all.clone() } else { wanted });
            // What is kept is nowhere else.
            let kept = plan.clone().bound_to(&BlobOwner::Keeper(made.to_owned()), Api::Chat).ok();
            let kept = kept.map(|plan| plan.attempts().map(|a| a.endpoint().name.clone()).collect());
            prop_assert_eq!(kept, all.contains(&made.to_owned()).then(|| vec![made.to_owned()]));
        }
        let forgotten = plan.clone().bound_to(&BlobOwner::Unknown, Api::Chat);
        prop_assert_eq!(forgotten.map(|plan| plan.attempts().count()), Ok(1));
        let free = plan.clone().bound_to(&BlobOwner::None, Api::Chat);
        prop_assert_eq!(free.map(|plan| plan.attempts().count()), Ok(all.len()));
    }

    #[test]
    fn whatever_is_allowed_is_planned(config in config(), caller in caller()) {
        let expected: BTreeSet<String> = config.regions.endpoints.iter()
            .filter(|e| e.speaks(Dialect::OpenAiChat) && e.off.is_none())
            .filter(|e| e.claim("small").is_some_and(|c| allowed_by(&config, &caller, c)))
            .map(|e| e.name.clone())
            .collect();
        prop_assert_eq!(names(&planned(&config, &caller)), expected);
    }

    #[test]
    fn whatever_fails_nothing_outside_the_zone_is_contacted(config in config(), caller in caller(), answers in prop::collection::vec(answer(), 6)) {
        let Ok((_, plan)) = planned(&config, &caller) else { return Ok(()) };
        for (attempt, status) in plan.attempts().zip(answers) {
            prop_assert!(allowed_by(&config, &caller, attempt.claim()));
            prop_assert!(attempt.endpoint().off.is_none());
            if status.is_some_and(|status| judge(status, &ProviderError::default()) == Start::Answer) {
                break;
            }
        }
    }

    #[test]
    fn a_policy_that_wants_the_gateway_inside_never_adds_an_endpoint(config in config(), caller in caller()) {
        let before = names(&planned(&config, &caller));
        let mut tighter = config.clone();
        tighter.regions.policy.colo_in_zone = ZONES.iter().map(|id| (*id).to_owned()).collect();
        prop_assert!(names(&planned(&tighter, &caller)).is_subset(&before));
    }

    #[test]
    fn an_edit_that_lets_a_request_go_further_is_said_to_be_weaker(
        old in config(), other in config(), changed in prop::collection::vec(prop::bool::weighted(0.3), 9),
        caller in caller(), labels in asks(),
    ) {
        let new = edited(&old, &other, &changed);
        let diff = diff::diff(&old, &new);
        let (before, after) = (names(&planned(&old, &caller)), names(&planned(&new, &caller)));
        prop_assert!(after.is_subset(&before) || diff.weaker(), "{}", diff.words());
        let asked = names(&asking(&old, &caller, &labels));
        let asks = names(&asking(&new, &caller, &labels));
        prop_assert!(asks.is_subset(&asked) || diff.weaker(), "{:?} {}", labels, diff.words());
        prop_assert!(before == after || !diff.changes.is_empty());
        prop_assert!(diff::diff(&new, &new).changes.is_empty());
    }

    #[test]
    fn every_decision_says_why(config in config(), caller in caller()) {
        match zone::decide(&config.regions, &caller) {
            Ok(verdict) => prop_assert!(!verdict.because.is_empty() && !verdict.zone.is_empty()),
            Err(refusal) => prop_assert_eq!(refusal.status(), 403),
        }
    }

    #[test]
    fn a_further_rule_never_adds_an_endpoint(config in config(), caller in caller(), extra in prop::sample::select(ZONES.to_vec())) {
        let before = names(&planned(&config, &caller));
        for tighten in [true, false] {
            let mut tighter = caller.clone();
            if tighten && tighter.asked_zone.is_none() {
                tighter.asked_zone = Some(extra.to_owned());
            } else if tighter.key.zone.is_none() && config.regions.policy.when_key_and_country_differ == Precedence::Strictest {
                tighter.key.zone = Some(extra.to_owned());
            }
            prop_assert!(names(&planned(&config, &tighter)).is_subset(&before));
        }
    }

    #[test]
    fn rules_without_a_common_place_are_a_refusal(config in config(), caller in caller()) {
        let any = config.regions.endpoints.iter()
            .filter(|e| e.speaks(Dialect::OpenAiChat) && e.off.is_none())
            .filter_map(|e| e.claim("small"))
            .any(|claim| allowed_by(&config, &caller, claim));
        prop_assert_eq!(planned(&config, &caller).is_ok(), any);
    }
}

/// The project's own map, by the callers the README names.
mod own_map {
    use super::*;
    use meridian::config::{self, Files};
    use std::path::Path;

    fn own() -> Config {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = Files::load(root).unwrap();
        config::read(&files, "2026-11-27").checked().unwrap()
    }

    fn from(country: &str) -> Caller {
        let key = KeyRecord {
            id: "k".to_owned(),
            team: "t".to_owned(),
            name: String::new(),
            zone: None,
            models: Vec::new(),
            tags: BTreeMap::new(),
            limits: BTreeMap::new(),
            unsupported: None,
            created: String::new(),
            revoked: None,
        };
        let mut caller = Caller::new(key, &Head::default());
        caller.origin = Origin::new(country, "FRA");
        caller
    }

    #[test]
    fn each_country_has_its_zone_and_the_unknown_have_the_default() {
        let config = own();
        for (country, zone) in [
            ("DE", "eu"),
            ("NO", "eu"),
            ("CH", "ch"),
            ("GB", "uk"),
            ("US", "us"),
            ("JP", "jp"),
            ("BR", "br"),
            ("CA", "ca"),
            ("AU", "au"),
            ("CN", "default"),
            ("T1", "default"),
            ("XX", "default"),
            ("", "default"),
        ] {
            let verdict = zone::decide(&config.regions, &from(country)).unwrap();
            assert_eq!(verdict.zone, zone, "{country}: {}", verdict.because);
        }
    }

    #[test]
    fn a_european_caller_is_never_planned_onto_a_global_or_american_endpoint() {
        let config = own();
        let mut planned = 0;
        for country in ["DE", "FR", "IS", "T1", ""] {
            let caller = from(country);
            let verdict = zone::decide(&config.regions, &caller).unwrap();
            for model in config.regions.models() {
                for api in Api::ALL {
                    let wanted = Wanted {
                        model: model.to_owned(),
                        stream: true,
                        thinks: None,
                    };
                    let Ok(plan) =
                        plan::plan(&config, &caller, &verdict, api, &wanted, &Egress::default())
                    else {
                        continue;
                    };
                    for attempt in plan.attempts() {
                        assert_eq!(attempt.claim().hosting.0, "eu", "{country} {model}");
                        planned += 1;
                    }
                }
            }
        }
        assert!(planned > 0);
    }

    #[test]
    fn completions_go_only_where_they_are_claimed_and_never_out_of_the_zone() {
        let shipped = own();
        let wanted = Wanted {
            model: "gpt-4.1".to_owned(),
            stream: true,
            thinks: None,
        };
        let nothing = Egress::default();
        let caller = from("DE");
        let ask = |config: &Config| {
            let zone = zone::decide(&config.regions, &caller)?;
            let plan = plan::plan(config, &caller, &zone, Api::Completions, &wanted, &nothing)?;
            let names = plan.attempts().map(|one| one.endpoint().name.clone());
            Ok(names.collect::<Vec<_>>())
        };
        let told = |refused: Result<Vec<String>, Refusal>| refused.unwrap_err().to_string();
        // Nothing that is shipped claims them.
        let words = told(ask(&shipped));
        assert!(
            words.contains("openai-eu has no claim for `completions`"),
            "{words}"
        );
        assert!(
            words.ends_with(
                "on this route: none. Send the prompt as a message to /v1/chat/completions."
            ),
            "{words}"
        );
        let claiming = |names: &[&str]| {
            let mut config = own();
            for endpoint in &mut config.regions.endpoints {
                let claims = names.contains(&endpoint.name.as_str());
                for claim in &mut endpoint.models {
                    claim.completions = claims;
                }
            }
            config
        };
        assert_eq!(
            ask(&claiming(&["openai-eu", "openai-us"])),
            Ok(vec!["openai-eu".to_owned()])
        );
        let words = told(ask(&claiming(&["openai-us"])));
        assert!(
            words.contains("openai-us processes requests in us"),
            "{words}"
        );
        // An endpoint with quirks gets requests written anew, which no prompt is.
        let mut quirky = claiming(&["openai-eu"]);
        for endpoint in &mut quirky.regions.endpoints {
            endpoint.quirks.short_ids = true;
        }
        assert!(ask(&quirky).is_err());
    }

    #[test]
    fn a_refusal_names_both_sides() {
        let config = own();
        let mut caller = from("US");
        caller.key.zone = Some("eu".to_owned());
        let refusal = zone::decide(&config.regions, &caller).unwrap_err();
        let words = refusal.to_string();
        assert!(
            words.contains("pinned to eu") && words.contains("is in US"),
            "{words}"
        );
    }
}
