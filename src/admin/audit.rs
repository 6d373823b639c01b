//! The audit log: who changed what, when and why. Each entry holds the hash of
//! the one before it, so that nothing can be changed, left out or slipped in
//! afterwards without the chain breaking.

use crate::units::Millis;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// What the first entry holds in place of a hash.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// A map was proposed.
    #[serde(rename = "draft.created")]
    Drafted,
    /// A proposed map was approved and came into force.
    #[serde(rename = "draft.approved")]
    Approved,
    /// A proposed map was withdrawn or turned down.
    #[serde(rename = "draft.withdrawn")]
    Withdrawn,
    /// An earlier map was put into force again.
    #[serde(rename = "map.rolled-back")]
    RolledBack,
    /// An endpoint is treated as failing for a while.
    #[serde(rename = "drill.begun")]
    DrillBegun,
    /// It no longer is.
    #[serde(rename = "drill.ended")]
    DrillEnded,
    /// A limit was set while the gateway runs.
    #[serde(rename = "limit.set")]
    LimitSet,
    /// One that was set is removed.
    #[serde(rename = "limit.removed")]
    LimitRemoved,
    /// What is held for a team's lost calls is released.
    #[serde(rename = "held.released")]
    HeldReleased,
    /// Records that a zone no longer keeps are deleted.
    #[serde(rename = "usage.deleted")]
    UsageDeleted,
}

impl Action {
    /// As the log has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Drafted => "draft.created",
            Action::Approved => "draft.approved",
            Action::Withdrawn => "draft.withdrawn",
            Action::RolledBack => "map.rolled-back",
            Action::LimitSet => "limit.set",
            Action::LimitRemoved => "limit.removed",
            Action::HeldReleased => "held.released",
            Action::UsageDeleted => "usage.deleted",
            Action::DrillBegun => "drill.begun",
            Action::DrillEnded => "drill.ended",
        }
    }

    /// Whether the entry's version came into force by it.
    pub fn puts_in_force(self) -> bool {
        matches!(self, Action::Approved | Action::RolledBack)
    }
}

/// One entry. The order of its fields is the order they are hashed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// When, milliseconds since 1970.
    pub at: Millis,
    /// Who did it.
    pub who: String,
    /// How they were known: by a key's id, or by Cloudflare Access.
    pub via: String,
    /// What was done.
    pub action: Action,
    /// The draft, endpoint, limit or zone it was done to; empty for a rollback.
    pub subject: String,
    /// The version of the map it is about.
    pub version: String,
    /// Why, in their own words.
    pub why: String,
    /// The hash of the entry before.
    pub prev: String,
    /// The hash of this one.
    pub hash: String,
}

impl Entry {
    /// The entry that follows `last`, sealed.
    pub fn after(last: Option<&Entry>, event: Event) -> Entry {
        let mut entry = Entry {
            seq: last.map_or(1, |last| last.seq + 1),
            at: event.at,
            who: event.who,
            via: event.via,
            action: event.action,
            subject: event.subject,
            version: event.version,
            why: event.why,
            prev: last.map_or(GENESIS.to_owned(), |last| last.hash.clone()),
            hash: String::new(),
        };
        entry.hash = entry.sealed();
        entry
    }

    /// What its hash must be.
    fn sealed(&self) -> String {
        let mut unsealed = self.clone();
        unsealed.hash = String::new();
        let text = serde_json::to_string(&unsealed).unwrap_or_default();
        let digest = Sha256::digest(text);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What an entry records, before it is added to the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Millis,
    /// Who.
    pub who: String,
    /// How they were known.
    pub via: String,
    /// What.
    pub action: Action,
    /// The draft.
    pub subject: String,
    /// The map's version.
    pub version: String,
    /// Why.
    pub why: String,
}

/// Where the chain is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// An entry is missing, or stands in the wrong place.
    Gap {
        /// The number that was to come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// An entry does not follow from the one before it.
    Unlinked {
        /// Its number.
        seq: u64,
    },
    /// An entry's content is not what was sealed.
    Altered {
        /// Its number.
        seq: u64,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Gap { expected, found } => write!(
                f,
                "entry {expected} is missing: entry {found} stands in its place"
            ),
            Broken::Unlinked { seq } => write!(
                f,
                "entry {seq} does not follow from the one before it: one of the two was exchanged"
            ),
            Broken::Altered { seq } => write!(f, "entry {seq} was altered after it was written"),
        }
    }
}

/// The chain as far as it was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    last: Option<(u64, String)>,
}

impl Chain {
    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Broken> {
        let (seq, hash) = self.last.clone().unwrap_or((0, GENESIS.to_owned()));
        if entry.seq != seq + 1 {
            return Err(Broken::Gap {
                expected: seq + 1,
                found: entry.seq,
            });
        }
        if entry.prev != hash {
            return Err(Broken::Unlinked { seq: entry.seq });
        }
        if entry.sealed() != entry.hash {
            return Err(Broken::Altered { seq: entry.seq });
        }
        self.last = Some((entry.seq, entry.hash.clone()));
        Ok(())
    }

    /// How many entries were good, and the hash of the last: whoever keeps it
    /// elsewhere can tell later whether the end was cut off.
    pub fn head(&self) -> (u64, &str) {
        self.last
            .as_ref()
            .map_or((0, GENESIS), |(seq, hash)| (*seq, hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(length: u64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for i in 0..length {
            let event = Event {
                at: Millis(i),
                who: "anna@example.com".into(),
                via: "key".into(),
                action: Action::Drafted,
                subject: format!("d{i}"),
                version: "v".into(),
                why: "because".into(),
            };
            entries.push(Entry::after(entries.last(), event));
        }
        entries
    }

    fn verify(entries: &[Entry]) -> Result<u64, Broken> {
        let mut chain = Chain::default();
        entries.iter().try_for_each(|entry| chain.take(entry))?;
        Ok(chain.head().0)
    }

    #[test]
    fn a_whole_chain_verifies_and_every_tampering_shows() {
        let good = log(5);
        assert_eq!(verify(&good), Ok(5));
        let mut altered = good.clone();
        altered[2].why = "nothing".into();
        assert_eq!(verify(&altered), Err(Broken::Altered { seq: 3 }));
        let mut resealed = altered;
        resealed[2].hash = resealed[2].sealed();
        assert_eq!(verify(&resealed), Err(Broken::Unlinked { seq: 4 }));
        let mut cut = good.clone();
        cut.remove(1);
        assert_eq!(
            verify(&cut),
            Err(Broken::Gap {
                expected: 2,
                found: 3
            })
        );
        let mut swapped = good;
        swapped.swap(1, 2);
        assert!(verify(&swapped).is_err());
    }
}
