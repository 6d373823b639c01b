//! Secrets: the gateway's own are no endpoint's, also in a published map, and
//! one that goes to a new host makes the map weaker.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::admin::publish;
use meridian::config::gateway::Gateway;
use meridian::config::prices::PriceBook;
use meridian::config::Config;
use meridian::regions::bindings::OWN;
use meridian::regions::check::{check, Rule};
use meridian::regions::{Auth, RegionMap};
use meridian::report::diff::{diff, Way};

const TODAY: &str = "2026-11-21";

fn map() -> RegionMap {
    serde_json::from_str(include_str!("golden/earlier-map.json")).unwrap()
}

fn bearer(secret: &str) -> Auth {
    Auth::Bearer {
        secret: secret.to_owned(),
    }
}

fn config(regions: RegionMap) -> Config {
    Config {
        regions,
        gateway: Gateway::default(),
        prices: PriceBook::default(),
    }
}

#[test]
fn guard_no_endpoint_has_a_secret_of_the_gateway() {
    let own = OWN.into_iter().chain(["USAGE_EU"]);
    for secret in own {
        let mut taken = map();
        taken.endpoints[0].auth = bearer(secret);
        let found = check(&taken, TODAY);
        let hit = found.iter().find(|found| found.rule == Rule::OwnSecret);
        let hit = hit.unwrap_or_else(|| panic!("{secret}: {found:?}"));
        assert_eq!(hit.spot.to_string(), "endpoints/own-vienna/auth");
        // Nor is such a map published, by whatever wrote it.
        taken.version = taken.digest();
        let vetted = publish::vet_new(&taken, &config(map()), TODAY).unwrap_err();
        assert!(vetted.to_string().contains("[own-secret]"), "{vetted}");
    }
    for bad in ["receipt_keys", " RECEIPT_KEYS", "", "constructor"] {
        let mut taken = map();
        taken.endpoints[0].auth = bearer(bad);
        let found = check(&taken, TODAY);
        assert!(found.iter().any(|one| one.rule == Rule::BadAuth), "{bad}");
    }
    let found = check(&map(), TODAY);
    assert!(!found.iter().any(|one| one.rule == Rule::OwnSecret));
}

/// What a diff says of secrets.
fn weaker(change: impl Fn(&mut RegionMap)) -> Vec<String> {
    let mut new = map();
    change(&mut new);
    let diff = diff(&config(map()), &config(new));
    let secrets = diff
        .changes
        .into_iter()
        .filter(|change| change.way == Way::Weaker && change.words.starts_with("the secret"));
    secrets.map(|change| change.words).collect()
}

#[test]
fn guard_a_secret_that_goes_to_a_new_host_is_weaker() {
    let other = |map: &mut RegionMap, secret: &str, host: &str| {
        let mut endpoint = map.endpoints[0].clone();
        endpoint.name = "other".to_owned();
        endpoint.host = host.to_owned();
        endpoint.auth = bearer(secret);
        map.endpoints.push(endpoint);
    };
    let said =
        "the secret OWN_KEY now goes to evil.example in a header; it went to llm.example.org";
    assert_eq!(weaker(|map| other(map, "OWN_KEY", "evil.example")), [said]);
    assert_eq!(
        weaker(|map| map.endpoints[0].host = "evil.example".to_owned()),
        [said]
    );
    // A switched-off endpoint is looked at when it is listed, not when it is
    // switched on.
    let off = |map: &mut RegionMap| {
        other(map, "OWN_KEY", "evil.example");
        map.endpoints[1].off = Some("later".to_owned());
    };
    assert_eq!(weaker(off), [said]);
    for harmless in [
        weaker(|map| other(map, "OWN_KEY", "llm.example.org")),
        weaker(|map| other(map, "NEW_KEY", "evil.example")),
        weaker(|map| map.endpoints.clear()),
        weaker(|map| {
            map.endpoints[0].auth = Auth::ApiKey {
                secret: "OWN_KEY".to_owned(),
            }
        }),
    ] {
        assert!(harmless.is_empty(), "{harmless:?}");
    }
    // What only signed is now told to the host.
    let sigv4 = |map: &mut RegionMap| {
        map.endpoints[0].auth = Auth::SigV4 {
            secret: "OWN_KEY".to_owned(),
        }
    };
    let mut signed = map();
    sigv4(&mut signed);
    assert!(diff(&config(signed), &config(map())).weaker());
}
