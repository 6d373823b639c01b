//! Limits that people set: what may be spent and how often may be called, by
//! whom, for what, and until when. Which of them hold for a call is decided
//! here; whether they are kept is the ledger's business.

mod applied;
mod calendar;
mod measure;
#[cfg(not(target_arch = "wasm32"))]
mod reading;

pub use applied::Applied;
pub use calendar::{known_time_zone, Window};
pub use measure::Measure;
#[cfg(not(target_arch = "wasm32"))]
pub use reading::{read, read_webhook};

use crate::units::{Millis, NanoUsd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Everything that is said of limits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// The limits, by name.
    #[serde(default)]
    pub all: BTreeMap<String, Limit>,
    /// Whose midnight ends a day, by IANA name; UTC if nothing is said.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What becomes of calls when the ledger cannot be asked.
    #[serde(default)]
    pub unreachable: Unreachable,
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
    /// What becomes of its calls when the ledger cannot be asked.
    #[serde(default)]
    pub unreachable: Option<Unreachable>,
}

/// What becomes of calls that have limits when the ledger cannot be asked.
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
    /// How many calls may be under way at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<u32>,
    /// The model that answers instead once the budget is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downgrade: Option<String>,
    /// Where is told that 50, 80 or 100 % of the budget are spent.
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
    /// Once and for all.
    Ever,
}

/// What calls are told apart by.
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
    /// All of them, in the order they are told in.
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

/// Where an account is kept: all who spend from it meet there.
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
            // A call that does not say is one group too, and not one that got away.
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
        let zone = self.time_zone_of(call.team);
        let mut applied = Vec::new();
        let here = self.all.iter().filter(|(name, _)| !set.contains_key(*name));
        for (name, limit) in here.chain(set) {
            if limit.is_about(&call) {
                applied.extend(limit.measures(name, &limit.scope, &call, (zone, at)));
            }
        }
        for (name, limit) in own {
            if limit.is_about(&call) {
                let mut scope = limit.scope.clone();
                scope.insert(Dimension::Key, Who::Only(call.key.to_owned()));
                let name = format!("{}: {name}", call.key);
                applied.extend(limit.measures(&name, &scope, &call, (zone, at)));
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

    /// What becomes of a team's calls when the ledger cannot be asked.
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
        self.scope.iter().all(|(dimension, who)| match who {
            Who::Each => true,
            Who::Only(value) => call.value(*dimension) == value,
        })
    }

    fn measures(
        &self,
        name: &str,
        scope: &BTreeMap<Dimension, Who>,
        call: &Subject<'_>,
        (zone, at): (&str, Millis),
    ) -> Vec<Applied> {
        let mut applied = Vec::new();
        let has = |dimension| scope.contains_key(&dimension);
        let authority = match has(Dimension::Team) || has(Dimension::Key) {
            true => Authority::Team(call.team.to_owned()),
            false => Authority::Company,
        };
        let values = scope
            .keys()
            .map(|dimension| (dimension, call.value(*dimension)));
        let values: Vec<(&Dimension, &str)> = values.collect();
        let whom = Whom(&values).to_string();
        // JSON, because values may hold any letter.
        let values: Vec<&str> = values.iter().map(|(_, value)| *value).collect();
        let takes_all = self.downgrade.is_none()
            && scope
                .iter()
                .all(|(dimension, who)| *dimension == Dimension::Team || *who == Who::Each);
        let mut push = |measure: Measure, cap: i64, window: Window| {
            let parts = (name, measure.as_str(), &values, window.start.0);
            applied.push(Applied {
                account: serde_json::to_string(&parts).unwrap_or_default(),
                authority: Some(authority.clone()),
                limit: name.to_owned(),
                whom: whom.clone(),
                measure,
                cap,
                window,
                takes_all,
                downgrade: (measure == Measure::Money)
                    .then(|| self.downgrade.clone())
                    .flatten(),
                webhook: (measure == Measure::Money)
                    .then(|| self.webhook.clone())
                    .flatten(),
            });
        };
        if let Some(budget) = self.budget {
            push(
                Measure::Money,
                budget.amount.0,
                Window::of(budget.per, at, zone),
            );
        }
        if let Some(requests) = self.requests_per_minute {
            push(Measure::Requests, i64::from(requests), Window::minute(at));
        }
        if let Some(tokens) = self.tokens_per_minute {
            push(Measure::Tokens, i64::from(tokens), Window::minute(at));
        }
        if let Some(at_once) = self.concurrent {
            push(Measure::Concurrent, i64::from(at_once), Window::EVER);
        }
        applied
    }
}

/// The values of a scope, for people.
struct Whom<'a>(&'a [(&'a Dimension, &'a str)]);

impl fmt::Display for Whom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (dimension, value)) in self.0.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let name = dimension.as_str();
            match value.is_empty() {
                true => write!(f, "{comma}no {name}")?,
                false => write!(f, "{comma}{name} {value}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
