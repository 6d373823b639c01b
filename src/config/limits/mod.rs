//! Limits that people set: what may be spent and how often may be called, by
//! whom, for what, and until when. Which of them hold for a call is decided
//! here; whether they are kept is the ledger's business.

mod applied;
mod calendar;
mod measure;
#[cfg(not(target_arch = "wasm32"))]
mod reading;

use applied::Terms;
pub use applied::{Applied, Others};
pub use calendar::{known_time_zone, Window};
pub use measure::Measure;
#[cfg(not(target_arch = "wasm32"))]
pub use reading::{read, read_webhook};

use crate::units::{Millis, NanoUsd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many values of a tag have an account of their own, of one team and limit.
pub const VALUES_PER_LIMIT: u32 = 1_000;
/// The percentage of what is left of a limit over all teams that one team may
/// reserve at once.
pub const TEAM_SHARE: u8 = 25;

/// All limits, and the settings that go with them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// The limits, by name.
    #[serde(default)]
    pub all: BTreeMap<String, Limit>,
    /// Whose midnight ends a day, by IANA name; UTC by default.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What is done with calls when the ledger is unavailable.
    #[serde(default)]
    pub unreachable: Unreachable,
    /// How many values of a tag a team may use under one limit, each with an account of
    /// its own; [`VALUES_PER_LIMIT`] by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_per_limit: Option<u32>,
    /// The percentage of what is left of a limit over all teams that one team may
    /// reserve at once; [`TEAM_SHARE`] by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_share: Option<u8>,
    /// From so many requests a second to its object on a team is spread over several;
    /// `Spread::HOT` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_object: Option<u32>,
    /// What is different for single teams.
    #[serde(default)]
    pub teams: BTreeMap<String, TeamRules>,
}

/// What is different for one team.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TeamRules {
    /// Its own midnight.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What is done with its calls when the ledger is unavailable.
    #[serde(default)]
    pub unreachable: Option<Unreachable>,
}

/// What is done with limited calls when the ledger is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unreachable {
    /// They are refused: no limit is ever overrun.
    #[default]
    Refuse,
    /// They are served and counted later.
    Allow,
}

/// One limit: for whom, and how much of what. All its parts must be kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The calls it is about. Those that one account is kept for: whatever is
    /// not named is counted together.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scope: BTreeMap<Dimension, Who>,
    /// How much may be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// How many calls may begin within a minute of the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// How many tokens these may take, in and out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u32>,
    /// How many calls may be in progress at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<u32>,
    /// The model that answers instead once the budget is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downgrade: Option<String>,
    /// The webhook that is called when 50, 80 or 100 % of the budget are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

/// What may be spent in which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// How much.
    pub amount: NanoUsd,
    /// In which time.
    pub per: Per,
}

/// The time a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// From the first to the last.
    Month,
    /// Without an end.
    Ever,
}

/// The dimensions of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    /// The team that pays.
    Team,
    /// The key's id.
    Key,
    /// The tag `feature`.
    Feature,
    /// The tag `environment`.
    Environment,
    /// The model's own name.
    Model,
}

impl Dimension {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Dimension; 5] = [
        Dimension::Team,
        Dimension::Key,
        Dimension::Feature,
        Dimension::Environment,
        Dimension::Model,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Dimension::Team => "team",
            Dimension::Key => "key",
            Dimension::Feature => "feature",
            Dimension::Environment => "environment",
            Dimension::Model => "model",
        }
    }
}

/// Which values of a dimension a limit is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Who {
    /// Every one, each with an account of its own: written `*`.
    Each,
    /// This one.
    Only(String),
}

impl From<String> for Who {
    fn from(text: String) -> Who {
        match text.as_str() {
            "*" => Who::Each,
            _ => Who::Only(text),
        }
    }
}

impl From<Who> for String {
    fn from(who: Who) -> String {
        match who {
            Who::Each => "*".to_owned(),
            Who::Only(text) => text,
        }
    }
}

/// The ledger object that keeps an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// With the team, whose calls alone it is about.
    Team(String),
    /// With the company.
    Company,
}

/// The call that limits are looked up for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The team.
    pub team: &'a str,
    /// The key's id.
    pub key: &'a str,
    /// Its feature, if it says one.
    pub feature: Option<&'a str>,
    /// Its environment, if it says one.
    pub environment: Option<&'a str>,
    /// The model's own name.
    pub model: &'a str,
}

impl Subject<'_> {
    fn value(&self, dimension: Dimension) -> &str {
        match dimension {
            Dimension::Team => self.team,
            Dimension::Key => self.key,
            // Calls without a value are one group too, so they cannot avoid the limit.
            Dimension::Feature => self.feature.unwrap_or_default(),
            Dimension::Environment => self.environment.unwrap_or_default(),
            Dimension::Model => self.model,
        }
    }
}

impl Limits {
    /// The limits that hold for a call: those that were `set` meanwhile count in
    /// place of those here of the same name, and `own` are those of its key.
    pub fn applying(
        &self,
        set: &BTreeMap<String, Limit>,
        own: &BTreeMap<String, Limit>,
        call: Subject<'_>,
        at: Millis,
    ) -> Vec<Applied> {
        let terms = Terms {
            time_zone: self.time_zone_of(call.team),
            at,
            values: self.values_per_limit.unwrap_or(VALUES_PER_LIMIT),
            team_share: self.team_share.unwrap_or(TEAM_SHARE),
        };
        let mut applied = Vec::new();
        let here = self.all.iter().filter(|(name, _)| !set.contains_key(*name));
        for (name, limit) in here.chain(set) {
            if limit.is_about(&call) {
                applied.extend(limit.measures(name, &limit.scope, &call, &terms));
            }
        }
        for (name, limit) in own {
            if limit.is_about(&call) {
                let mut scope = limit.scope.clone();
                scope.insert(Dimension::Key, Who::Only(call.key.to_owned()));
                let name = format!("{}: {name}", call.key);
                applied.extend(limit.measures(&name, &scope, &call, &terms));
            }
        }
        applied
    }

    /// Whose midnight ends a team's day.
    pub fn time_zone_of(&self, team: &str) -> &str {
        let own = self
            .teams
            .get(team)
            .and_then(|rules| rules.time_zone.as_deref());
        own.or(self.time_zone.as_deref()).unwrap_or("UTC")
    }

    /// What is done with a team's calls when the ledger is unavailable.
    pub fn unreachable(&self, team: &str) -> Unreachable {
        let own = self.teams.get(team).and_then(|rules| rules.unreachable);
        own.unwrap_or(self.unreachable)
    }
}

impl Limit {
    /// Whether there is anything in it that could be kept.
    pub fn has_measure(&self) -> bool {
        self.budget.is_some()
            || [
                self.requests_per_minute,
                self.tokens_per_minute,
                self.concurrent,
            ]
            .iter()
            .any(Option::is_some)
    }

    fn is_about(&self, call: &Subject<'_>) -> bool {
        covers(&self.scope, call)
    }

    /// The limit in an entry of the store, or why the entry is invalid. An entry
    /// without a measure would limit nothing, so it is invalid too.
    pub fn deserialized(entry: &serde_json::Value) -> Result<Limit, String> {
        let limit = Limit::deserialize(entry).map_err(|error| error.to_string())?;
        match limit.has_measure() {
            true => Ok(limit),
            false => Err("it limits nothing".to_owned()),
        }
    }
}

/// Whether a call is among those that a scope names.
pub fn covers(scope: &BTreeMap<Dimension, Who>, call: &Subject<'_>) -> bool {
    scope.iter().all(|(dimension, who)| match who {
        Who::Each => true,
        Who::Only(value) => call.value(*dimension) == value,
    })
}

#[cfg(test)]
mod tests;
