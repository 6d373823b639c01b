//! The versions of maps: the whole digest of their content, and maps that an
//! earlier release published under the first twelve digits of it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::admin::publish;
use meridian::config::prices::PriceBook;
use meridian::config::Config;
use meridian::regions::{shown, RegionMap};

/// A map as earlier releases published it. What was in force then is read by every
/// later release; this file does not change.
const EARLIER: &str = include_str!("golden/earlier-map.json");

fn earlier() -> RegionMap {
    serde_json::from_str(EARLIER).unwrap()
}

fn deployed(map: &RegionMap) -> Config {
    Config {
        regions: map.clone(),
        gateway: meridian::config::gateway::Gateway::default(),
        prices: PriceBook::default(),
    }
}

#[test]
fn guard_a_version_is_the_whole_digest() {
    let map = earlier();
    let digest = map.digest();
    assert_eq!(digest.len(), 64);
    assert!(digest.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(shown(&digest), &digest[..12]);
    assert_eq!(shown("built-in"), "built-in");
    let mut other = map.clone();
    other.policy.default_zone = "other".to_owned();
    assert_ne!(other.digest(), digest);
}

#[test]
fn a_map_of_an_earlier_release_keeps_its_version() {
    let map = earlier();
    assert_eq!(map.version.len(), 12);
    assert!(map.has_its_version(), "its digest now is {}", map.digest());
    let mut whole = map.clone();
    whole.version = map.digest();
    assert!(whole.has_its_version());
    for version in ["", &map.digest()[..11], &map.digest()[..13], "000000000000"] {
        let mut wrong = map.clone();
        wrong.version = version.to_owned();
        assert!(!wrong.has_its_version(), "{version}");
    }
    let mut changed = map.clone();
    changed.policy.default_zone = "other".to_owned();
    assert!(!changed.has_its_version());
}

#[test]
fn guard_a_new_map_is_not_published_under_a_short_version() {
    let map = earlier();
    let deployed = deployed(&map);
    let about_version = |denied: Result<_, meridian::admin::Denied>| {
        let denied = denied.map(|_: Vec<_>| ()).unwrap_err().to_string();
        denied.contains("not the digest")
    };
    assert!(about_version(publish::vet_new(
        &map,
        &deployed,
        "2026-11-21"
    )));
    let mut whole = map.clone();
    whole.version = map.digest();
    for map in [&map, &whole] {
        let vetted = publish::vet(map, &deployed, "2026-11-21");
        assert!(vetted.is_ok() || !about_version(vetted));
    }
}

#[test]
fn guard_a_rollback_that_deletes_wants_a_second_person() {
    let keeps = |days: Option<u32>| {
        let mut map = earlier();
        map.zones.get_mut("eu").unwrap().retention_days = days;
        map
    };
    let deletes = |now, then| publish::deletes(Some(&keeps(now)), &keeps(then));
    assert_eq!(
        deletes(Some(90), Some(30)),
        ["eu: 30 days", "of callers without a zone: 30 days"]
    );
    assert_eq!(deletes(None, Some(30)).len(), 2);
    for (now, then) in [
        (Some(30), Some(90)),
        (Some(30), None),
        (None, None),
        (Some(30), Some(30)),
    ] {
        assert!(deletes(now, then).is_empty(), "{now:?} {then:?}");
    }
    // A zone that is not in force now may have records of an earlier time.
    let mut without = keeps(Some(30));
    without.zones.clear();
    assert!(!publish::deletes(Some(&without), &keeps(Some(30))).is_empty());
    assert!(publish::deletes(Some(&keeps(Some(30))), &without).is_empty());
    assert!(!publish::deletes(None, &keeps(Some(30))).is_empty());
}
