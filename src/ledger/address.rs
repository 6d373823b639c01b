//! The ledger's objects and their names. An object lives in the jurisdiction of its
//! store; only sums, and the names they are kept under, go from one object to another.

use crate::config::limits::Authority;
use serde::{Deserialize, Serialize};

/// One object of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Address {
    /// A team's object, for its rows of one store.
    Team {
        /// The team.
        team: String,
        /// The store.
        store: String,
        /// The number of the shard; 0 is the team's own object.
        #[serde(default, skip_serializing_if = "is_base")]
        shard: u16,
    },
    /// The company's object.
    Company,
}

fn is_base(shard: &u16) -> bool {
    *shard == 0
}

impl Address {
    /// The object of an authority. `home` is the store for accounts that are about
    /// callers of any zone.
    pub fn of(authority: &Authority, home: &str) -> Address {
        match authority {
            Authority::Team(team) => Address::Team {
                team: team.clone(),
                store: home.to_owned(),
                shard: 0,
            },
            Authority::Company => Address::Company,
        }
    }

    /// The authorities whose accounts this object keeps.
    pub fn authorities(&self, home: &str) -> Vec<Authority> {
        match self {
            Address::Company => vec![Authority::Company],
            Address::Team {
                team,
                store,
                shard: 0,
            } if store == home => vec![Authority::Team(team.clone())],
            Address::Team { .. } => Vec::new(),
        }
    }

    /// The object's name.
    pub fn name(&self) -> String {
        match self {
            Address::Team { shard: 0, .. } => self.base_name(),
            Address::Team { shard, .. } => format!("shard {shard} of {}", self.base_name()),
            Address::Company => "company".to_owned(),
        }
    }

    fn base_name(&self) -> String {
        match self {
            Address::Team { team, store, .. } => format!("team {store} {team}"),
            Address::Company => "company".to_owned(),
        }
    }

    /// The shard of this object that has a name, if it is one.
    pub fn shard_named(&self, name: &str) -> Option<Address> {
        let (nth, of) = name.strip_prefix("shard ")?.split_once(" of ")?;
        let Address::Team { team, store, .. } = self else {
            return None;
        };
        (of == self.base_name()).then_some(Address::Team {
            team: team.clone(),
            store: store.clone(),
            shard: nth.parse().ok()?,
        })
    }

    /// The team whose calls the object is for.
    pub fn team(&self) -> Option<&str> {
        match self {
            Address::Team { team, .. } => Some(team),
            Address::Company => None,
        }
    }

    /// The name under which spilled calls wait for this object in its database.
    pub fn mark(&self) -> String {
        match self {
            Address::Team { team, shard: 0, .. } => team.clone(),
            Address::Team { .. } | Address::Company => self.name(),
        }
    }

    /// The store that the object writes to.
    pub fn store(&self) -> Option<&str> {
        match self {
            Address::Team { store, .. } => Some(store),
            Address::Company => None,
        }
    }
}
