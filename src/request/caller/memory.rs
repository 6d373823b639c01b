//! The cache of an instance for key lookups. Keys that exist and keys that do not are
//! cached apart, so that made-up keys cannot evict real ones.

use super::{KeyHash, KeyRecord};
use crate::units::Millis;
use std::collections::BTreeMap;

/// How long a key is cached.
const REMEMBERED_MS: u64 = 60_000;
/// How long a missing key is cached: shorter, since it may be created soon.
const MISSING_REMEMBERED_MS: u64 = 5_000;
const MOST_KNOWN: usize = 10_000;
const MOST_MISSING: usize = 1_000;

/// The keys that were looked up lately.
#[derive(Debug, Default)]
pub struct KeyMemory {
    known: BTreeMap<KeyHash, (KeyRecord, Millis)>,
    missing: BTreeMap<KeyHash, Millis>,
}

impl KeyMemory {
    /// The cached result for a key: its record, or that there is none. `None` if it has
    /// to be looked up.
    pub fn find(&self, hash: &KeyHash, now: Millis) -> Option<Option<KeyRecord>> {
        if let Some((record, until)) = self.known.get(hash) {
            return (*until > now).then(|| Some(record.clone()));
        }
        self.missing
            .get(hash)
            .filter(|until| **until > now)
            .map(|_| None)
    }

    /// Caches a result.
    pub fn note(&mut self, hash: KeyHash, record: Option<KeyRecord>, now: Millis) {
        let until = |ms: u64| Millis(now.0.saturating_add(ms));
        self.known.remove(&hash);
        self.missing.remove(&hash);
        match record {
            Some(record) => {
                self.make_room(now);
                self.known.insert(hash, (record, until(REMEMBERED_MS)));
            }
            None => {
                if self.missing.len() >= MOST_MISSING {
                    self.missing.clear();
                }
                self.missing.insert(hash, until(MISSING_REMEMBERED_MS));
            }
        }
    }

    /// Evicts expired keys, and the older half if that is not enough.
    fn make_room(&mut self, now: Millis) {
        if self.known.len() < MOST_KNOWN {
            return;
        }
        self.known.retain(|_, (_, until)| *until > now);
        if self.known.len() < MOST_KNOWN {
            return;
        }
        let mut untils: Vec<Millis> = self.known.values().map(|(_, until)| *until).collect();
        untils.sort_unstable();
        let middle = untils.get(untils.len() / 2).copied().unwrap_or(now);
        self.known.retain(|_, (_, until)| *until > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(name: &str, i: usize) -> KeyHash {
        KeyHash::of(&format!("mk_{name}_{i}"))
    }

    fn record(id: usize) -> Option<KeyRecord> {
        Some(KeyRecord {
            id: id.to_string(),
            ..KeyRecord::anybody()
        })
    }

    #[test]
    fn guard_strangers_do_not_push_callers_out() {
        let mut memory = KeyMemory::default();
        for i in 0..100 {
            memory.note(hash("caller", i), record(i), Millis(0));
        }
        for i in 0..50_000 {
            memory.note(hash("stranger", i), None, Millis(1));
            assert!(memory.missing.len() <= MOST_MISSING);
        }
        for i in 0..100 {
            assert_eq!(memory.find(&hash("caller", i), Millis(2)), Some(record(i)));
        }
        assert_eq!(
            memory.find(&hash("stranger", 49_999), Millis(2)),
            Some(None)
        );
    }

    #[test]
    fn what_was_found_is_gone_by_for_a_while() {
        let mut memory = KeyMemory::default();
        let key = hash("key", 1);
        assert_eq!(memory.find(&key, Millis(0)), None);
        memory.note(key.clone(), None, Millis(0));
        assert_eq!(memory.find(&key, Millis(4_999)), Some(None));
        assert_eq!(memory.find(&key, Millis(5_000)), None);
        memory.note(key.clone(), record(1), Millis(5_000));
        assert_eq!(memory.find(&key, Millis(64_999)), Some(record(1)));
        assert_eq!(memory.find(&key, Millis(65_000)), None);
        // It was deleted meanwhile.
        memory.note(key.clone(), None, Millis(65_000));
        assert_eq!(memory.find(&key, Millis(65_001)), Some(None));
    }

    #[test]
    fn no_more_is_remembered_than_fits_and_the_oldest_go() {
        let mut memory = KeyMemory::default();
        for i in 0..25_000 {
            memory.note(hash("key", i), record(i), Millis(i as u64));
            assert!(memory.known.len() <= MOST_KNOWN);
        }
        assert!(memory.find(&hash("key", 24_999), Millis(25_000)).is_some());
        assert!(memory.find(&hash("key", 0), Millis(25_000)).is_none());
    }
}
