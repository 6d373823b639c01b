//! How long the records of a zone are kept: which of them are to be deleted,
//! given the map and the time. Only whole hours are deleted, so that the rows of
//! calls and the sums of their hours end at the same moment.
//!
//! Only a zone's own setting deletes its records: those of a zone without one,
//! and of a zone that the map no longer has, are kept.

use crate::regions::{RegionMap, Zone};
use crate::units::Millis;
use serde::{Deserialize, Serialize};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// How many days the records of a zone are kept; none: for good. The zone is as
/// rows have it: several joined by `+` were kept to the strictest of them, and
/// so is their record. A caller of whom no zone was decided counts with those of
/// whom nothing is known, in the default zone.
pub fn days(map: &RegionMap, zone: &str) -> Option<u32> {
    let zones = zone.split('+').filter_map(|id| match id {
        "" => map.default_zone(),
        id => map.zones.get(id),
    });
    zones.filter_map(|zone| zone.retention_days).min()
}

/// The first hour that is still kept.
pub fn cutoff(days: u32, now: Millis) -> Millis {
    let begin = now.0.saturating_sub(u64::from(days) * DAY);
    Millis(begin / HOUR * HOUR)
}

/// What a zone says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The zone.
    pub zone: String,
    /// How many days it keeps; none: for good.
    pub days: Option<u32>,
    /// The first hour that is kept.
    pub before: Option<String>,
}

impl Kept {
    /// What it says now.
    pub fn of(zone: &Zone, now: Millis) -> Kept {
        let days = zone.retention_days;
        Kept {
            zone: zone.id.clone(),
            days,
            before: days.map(|days| cutoff(days, now).rfc3339()),
        }
    }
}

/// The records of one zone in one database, as they were found there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Found {
    /// The zone, as rows have it.
    pub zone: String,
    /// When the oldest call was.
    pub oldest_row: Option<Millis>,
    /// The oldest hour that has a sum.
    pub oldest_sum: Option<Millis>,
}

/// What of that is to be deleted: everything before a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// How many days the zone keeps.
    pub days: u32,
    /// The first hour that is kept.
    pub before: Millis,
}

impl Found {
    /// What is to be deleted of it now, if anything is.
    pub fn due(&self, map: &RegionMap, now: Millis) -> Option<Due> {
        let days = days(map, &self.zone)?;
        let before = cutoff(days, now);
        let oldest = self.oldest_row.into_iter().chain(self.oldest_sum).min()?;
        (oldest < before).then_some(Due { days, before })
    }

    /// How it stands, for people.
    pub fn standing(&self, store: &str, map: &RegionMap, now: Millis) -> Standing {
        let days = days(map, &self.zone);
        Standing {
            store: store.to_owned(),
            zone: self.zone.clone(),
            days,
            before: days.map(|days| cutoff(days, now).rfc3339()),
            oldest_row: self.oldest_row.map(Millis::rfc3339),
            oldest_sum: self.oldest_sum.map(Millis::rfc3339),
            due: self.due(map, now).is_some(),
        }
    }
}

/// How the records of one zone stand in one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The database.
    pub store: String,
    /// The zone, as rows have it.
    pub zone: String,
    /// How many days it keeps; none: for good.
    pub days: Option<u32>,
    /// The first hour that is kept.
    pub before: Option<String>,
    /// When the oldest call was.
    pub oldest_row: Option<String>,
    /// The oldest hour that has a sum.
    pub oldest_sum: Option<String>,
    /// Whether something is to be deleted.
    pub due: bool,
}

/// What is deleted of one zone in one database, at one go: what the audit log
/// holds of it, and what its answer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// The database.
    pub store: String,
    /// The zone, as rows have it.
    pub zone: String,
    /// How many days it keeps.
    pub days: u32,
    /// The first hour that is kept.
    pub before: String,
    /// How many rows of calls.
    pub rows: u64,
    /// How many sums of hours.
    pub sums: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regions::{Guarantee, Policy, Precedence};
    use std::collections::{BTreeMap, BTreeSet};

    /// Zones and what they say; the first is the default.
    fn map(zones: &[(&str, Option<u32>)]) -> RegionMap {
        let zone = |(id, retention_days): &(&str, Option<u32>)| Zone {
            id: (*id).to_owned(),
            name: String::new(),
            basis: String::new(),
            countries: BTreeSet::new(),
            hosting: BTreeSet::new(),
            guarantee: Guarantee::Processing,
            usage_store: "STORE".to_owned(),
            review_by: String::new(),
            retention_days: *retention_days,
            egress: Default::default(),
        };
        let all: BTreeMap<String, Zone> = zones
            .iter()
            .map(|one| (one.0.to_owned(), zone(one)))
            .collect();
        RegionMap {
            version: String::new(),
            policy: Policy {
                default_zone: zones[0].0.to_owned(),
                when_key_and_country_differ: Precedence::Strictest,
                colo_in_zone: BTreeSet::new(),
                stores: BTreeMap::new(),
            },
            places: BTreeMap::new(),
            colos: BTreeMap::new(),
            zones: all,
            endpoints: Vec::new(),
            egress: Default::default(),
        }
    }

    #[test]
    fn a_zone_that_says_nothing_is_written_as_it_always_was() {
        let text = r#"{"id":"eu","name":"","basis":"","countries":["DE"],"hosting":["eu"],"guarantee":"processing","usage_store":"S","review_by":"2027-05-31"}"#;
        let zone: Zone = serde_json::from_str(text).unwrap();
        assert_eq!(zone.retention_days, None);
        // The version of a map is the digest of this.
        assert_eq!(serde_json::to_string(&zone).unwrap(), text);
    }

    fn at(text: &str) -> Millis {
        Millis::of_rfc3339(text).unwrap()
    }

    fn found(zone: &str, row: Option<&str>, sum: Option<&str>) -> Found {
        Found {
            zone: zone.to_owned(),
            oldest_row: row.map(at),
            oldest_sum: sum.map(at),
        }
    }

    #[test]
    fn the_strictest_zone_of_a_row_decides_and_one_that_is_gone_does_not() {
        let map = map(&[("eu", Some(90)), ("ch", Some(30)), ("us", None)]);
        for (zone, kept) in [
            ("eu", Some(90)),
            ("us", None),
            ("gone", None),
            ("eu+ch", Some(30)),
            ("ch+eu", Some(30)),
            ("eu+us", Some(90)),
            ("eu+gone", Some(90)),
            ("us+gone", None),
            // No zone was decided: the default's.
            ("", Some(90)),
            // A name is no part of another one.
            ("eu2", None),
        ] {
            assert_eq!(days(&map, zone), kept, "{zone}");
        }
    }

    #[test]
    fn only_whole_hours_are_deleted_and_nothing_younger_than_said() {
        let now = at("2026-11-21T10:59:59Z");
        assert_eq!(cutoff(1, now), at("2026-11-20T10:00:00Z"));
        assert_eq!(
            cutoff(1, at("2026-11-21T11:00:00Z")),
            at("2026-11-20T11:00:00Z")
        );
        assert_eq!(cutoff(3650, now), at("2016-11-23T10:00:00Z"));
        assert_eq!(cutoff(3650, Millis(5)), Millis(0));
    }

    #[test]
    fn what_is_due_is_what_is_older_rows_or_sums() {
        let map = map(&[("eu", Some(1)), ("us", None)]);
        let now = at("2026-11-21T10:30:00Z");
        let before = at("2026-11-20T10:00:00Z");
        let (old, kept) = (Some("2026-11-20T09:59:59Z"), Some("2026-11-20T10:00:00Z"));
        let due = Some(Due { days: 1, before });
        assert_eq!(found("eu", old, kept).due(&map, now), due);
        assert_eq!(found("eu", None, old).due(&map, now), due);
        assert_eq!(found("eu", old, None).due(&map, now), due);
        assert_eq!(found("eu", kept, kept).due(&map, now), None);
        assert_eq!(found("eu", None, None).due(&map, now), None);
        assert_eq!(found("us", old, old).due(&map, now), None);
        let standing = found("eu", old, kept).standing("S", &map, now);
        assert_eq!(standing.before.as_deref(), kept);
        assert!(standing.due);
    }
}
