//! Recorded requests, decided once more by another map: how many would go
//! elsewhere, be refused, or cost more. What it reads are the facts a decision
//! was made from, grouped; no content was ever kept.

use crate::config::Config;
use crate::dialect::{Api, Wanted};
use crate::request::caller::{Caller, KeyRecord};
use crate::request::egress::Egress;
use crate::request::head::{Head, Origin};
use crate::request::plan;
use crate::request::zone;
use crate::units::{NanoUsd, Tokens};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Requests that are alike in everything a map decides by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The caller's country as reported.
    pub country: String,
    /// The data center.
    pub colo: String,
    /// The zone the key was pinned to.
    pub key_zone: Option<String>,
    /// The zone the request asked for.
    pub zone_asked: Option<String>,
    /// What the client called.
    pub dialect: Api,
    /// The model's name as asked for.
    pub model_asked: String,
    /// What it asked a provider to do beyond answering, with commas between.
    #[serde(default)]
    pub egress: String,
    /// How many there were.
    pub requests: u64,
    /// What they used together.
    #[serde(flatten)]
    pub tokens: Tokens,
}

/// One page of groups, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The groups.
    pub groups: Vec<Group>,
    /// The cursor of the next page; none on the last.
    pub next: Option<String>,
}

/// What a group would meet: an endpoint and a cost, or a refusal.
struct Met {
    endpoint: Option<String>,
    hosting: String,
    why_not: &'static str,
    cost: Option<NanoUsd>,
}

/// What would be different.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// All requests that were looked at.
    pub requests: u64,
    /// Those that would go to another endpoint first.
    pub elsewhere: u64,
    /// Those that would be refused and were not.
    pub refused: u64,
    /// Those that would be answered and were refused.
    pub answered: u64,
    /// Those whose cost is not known on one side or the other.
    pub unpriced: u64,
    /// What the priced ones cost by the old map's prices and premiums.
    pub cost_before: NanoUsd,
    /// And by the new one's.
    pub cost_after: NanoUsd,
    /// Each kind of difference, and how many requests have it.
    pub differences: BTreeMap<String, u64>,
}

impl Replay {
    /// Takes a group in.
    pub fn take(&mut self, old: &Config, new: &Config, group: &Group) {
        let (was, is) = (meet(old, group), meet(new, group));
        self.requests += group.requests;
        let kind = match (&was.endpoint, &is.endpoint) {
            (Some(before), Some(now)) if before != now => {
                self.elsewhere += group.requests;
                Some(format!(
                    "from {before} ({}) to {now} ({})",
                    was.hosting, is.hosting
                ))
            }
            (Some(before), None) => {
                self.refused += group.requests;
                Some(format!(
                    "from {before} ({}) to a refusal ({})",
                    was.hosting, is.why_not
                ))
            }
            (None, Some(now)) => {
                self.answered += group.requests;
                Some(format!(
                    "from a refusal ({}) to {now} ({})",
                    was.why_not, is.hosting
                ))
            }
            _ => None,
        };
        if let Some(kind) = kind {
            let words = format!("{}, {}: {kind}", country(&group.country), group.model_asked);
            *self.differences.entry(words).or_default() += group.requests;
        }
        match (was.cost, is.cost) {
            (Some(before), Some(after)) => {
                self.cost_before = NanoUsd(self.cost_before.0.saturating_add(before.0));
                self.cost_after = NanoUsd(self.cost_after.0.saturating_add(after.0));
            }
            _ if was.endpoint.is_some() && is.endpoint.is_some() => self.unpriced += group.requests,
            _ => {}
        }
    }

    /// In words; `bullet` begins each line of the list.
    pub fn words(&self, bullet: &str) -> String {
        let mut text = format!(
            "Of {} recorded requests {} would go to another endpoint, {} would be refused that were not, {} would be answered that were refused.\n",
            self.requests, self.elsewhere, self.refused, self.answered
        );
        let _ = writeln!(
            text,
            "What is served on both sides cost {} and would cost {}{}.",
            self.cost_before,
            self.cost_after,
            match self.unpriced {
                0 => String::new(),
                count => format!("; {count} requests have no price"),
            }
        );
        let mut differences: Vec<_> = self.differences.iter().collect();
        differences.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        for (words, count) in differences {
            let _ = writeln!(text, "{bullet}{count} × {words}");
        }
        text
    }
}

fn country(reported: &str) -> &str {
    match reported {
        "" => "unknown country",
        code => code,
    }
}

fn meet(config: &Config, group: &Group) -> Met {
    let mut key = KeyRecord::anybody();
    key.zone.clone_from(&group.key_zone);
    let mut caller = Caller::new(key, &Head::default());
    caller.origin = Origin::new(&group.country, &group.colo);
    caller.asked_zone.clone_from(&group.zone_asked);
    let wanted = Wanted {
        model: group.model_asked.clone(),
        stream: false,
        thinks: None,
    };
    let egress = Egress::of_labels(group.egress.split(','));
    let planned = zone::decide(&config.regions, &caller)
        .and_then(|zone| plan::plan(config, &caller, &zone, group.dialect, &wanted, &egress));
    match planned {
        Ok(plan) => {
            let (endpoint, claim) = (plan.first.endpoint(), plan.first.claim());
            Met {
                endpoint: Some(endpoint.name.clone()),
                hosting: claim.hosting.0.clone(),
                why_not: "",
                cost: config
                    .prices
                    .cost_of_many(&claim.model, claim.uplift_percent, &group.tokens),
            }
        }
        Err(refusal) => Met {
            endpoint: None,
            hosting: String::new(),
            why_not: refusal.code(),
            cost: None,
        },
    }
}
