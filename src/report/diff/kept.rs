//! How long the records of zones are kept. Longer is weaker; shorter deletes what
//! no rollback brings back, and says so.

use super::{note, Change, Topic, Way};
use crate::regions::{RegionMap, Zone};
use std::cmp::Ordering;

pub fn compare(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    for (id, before) in &old.zones {
        let was = kept(before);
        let Some(zone) = new.zones.get(id) else {
            if before.retention_days.is_some() {
                let words = format!("the zone {id} is gone: what there is of its records is kept for good from now on, and was kept {was}");
                note(changes, Topic::Rules, Way::Weaker, words);
            }
            continue;
        };
        let words = format!(
            "{id}: its records are kept {} and were kept {was}",
            kept(zone)
        );
        match longest(zone).cmp(&longest(before)) {
            Ordering::Equal => {}
            Ordering::Greater => note(changes, Topic::Rules, Way::Weaker, words),
            Ordering::Less => {
                let older = "; those that are older are deleted within the hour, and no rollback brings them back";
                note(changes, Topic::Rules, Way::Stronger, words + older);
            }
        }
    }
}

/// Zones that are new, of which there may be records of an earlier time.
pub fn compare_new(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    let is_new = |zone: &&Zone| !old.zones.contains_key(&zone.id);
    for zone in new.zones.values().filter(is_new) {
        if zone.retention_days.is_some() {
            let words = format!("{}: its records are kept {}; older ones of a zone of that name are deleted within the hour, and no rollback brings them back", zone.id, kept(zone));
            note(changes, Topic::Rules, Way::Neutral, words);
        }
    }
}

/// How many days a zone's records are kept, for good being longest.
pub fn longest(zone: &Zone) -> u32 {
    zone.retention_days.unwrap_or(u32::MAX)
}

/// How long a zone's records are kept, in words.
pub fn kept(zone: &Zone) -> String {
    match zone.retention_days {
        None => "for good".to_owned(),
        Some(1) => "for 1 day".to_owned(),
        Some(days) => format!("for {days} days"),
    }
}
