//! Which of a team's objects this instance uses.

use crate::ledger::{Address, Spread};
use crate::units::Millis;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How teams are spread, as far as this instance was told.
#[derive(Debug)]
pub(super) struct Shards {
    /// Tells apart instances that share a team's objects.
    salt: u64,
    hot: u32,
    spreads: BTreeMap<(String, String), Spread>,
}

impl Shards {
    pub(super) fn new(instance: &str, hot: u32) -> Shards {
        let mut hasher = DefaultHasher::new();
        instance.hash(&mut hasher);
        Shards {
            salt: hasher.finish(),
            hot,
            spreads: BTreeMap::new(),
        }
    }

    pub(super) fn object_for(&self, team: &str, store: &str) -> Address {
        let (team, store) = (team.to_owned(), store.to_owned());
        let spread = self.spreads.get(&(team.clone(), store.clone()));
        Address::Team {
            shard: spread.map_or(0, |spread| spread.shard(self.salt)),
            team,
            store,
        }
    }

    /// An object has reported how many requests it receives in a second.
    pub(super) fn load_reported(&mut self, now: Millis, from: &Address, load: u32) {
        let Address::Team { team, store, .. } = from else {
            return;
        };
        let name = (team.clone(), store.clone());
        if load <= self.hot && !self.spreads.contains_key(&name) {
            return;
        }
        let spread = self.spreads.entry(name).or_default();
        spread.load_reported(now, load, self.hot);
    }
}
