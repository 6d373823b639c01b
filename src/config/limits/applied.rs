//! What of a limit holds for one call: the account that it goes from.

use super::{Authority, Dimension, Limit, Measure, Subject, Who, Window};
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One measure of a limit that holds for a call: an account and how much may
/// go from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The account: limit, measure, whom it is for, and when it began.
    pub account: String,
    /// Where it is kept; one without an end, with whoever is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// The limit's name.
    pub limit: String,
    /// Whom it is for, in words; empty for all.
    pub whom: String,
    /// What is measured.
    pub measure: Measure,
    /// How much there is in all.
    pub cap: i64,
    /// From when to when.
    pub window: Window,
    /// Each call of a team goes from some account of this limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_all: bool,
    /// The model that answers instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downgrade: Option<String>,
    /// The webhook for how much is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// Where calls count whose value has no account of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<Others>,
    /// The percentage of what is left that one team may reserve at once, of an
    /// account that teams share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_share: Option<u8>,
}

/// The account of all values beyond those that have one of their own. Callers
/// choose values, so their number has an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// The account.
    pub account: String,
    /// Whom it is for, in words.
    pub whom: String,
    /// How many values have an account of their own.
    pub most: u32,
}

/// What all limits of a team have in common at a moment.
pub(super) struct Terms<'a> {
    pub(super) time_zone: &'a str,
    pub(super) at: Millis,
    pub(super) values: u32,
    pub(super) team_share: u8,
}

impl Applied {
    /// The account of calls without a budget. It has no limit, but it lets the ledger
    /// object hold calls that are never reported as over.
    pub fn unbudgeted() -> Applied {
        Applied {
            account: "endless".to_owned(),
            authority: None,
            limit: String::new(),
            whom: String::new(),
            measure: Measure::Money,
            cap: i64::MAX,
            window: Window::EVER,
            takes_all: false,
            downgrade: None,
            webhook: None,
            others: None,
            team_share: None,
        }
    }

    /// The same limit for the values that have no account of their own.
    pub fn among_others(&self) -> Option<Applied> {
        let Others { account, whom, .. } = self.others.clone()?;
        Some(Applied {
            account,
            whom,
            others: None,
            ..self.clone()
        })
    }

    /// Whether it never ends.
    pub fn is_unbudgeted(&self) -> bool {
        self.authority.is_none()
    }
}

impl Limit {
    pub(super) fn measures(
        &self,
        name: &str,
        scope: &BTreeMap<Dimension, Who>,
        call: &Subject<'_>,
        terms: &Terms<'_>,
    ) -> Vec<Applied> {
        let mut applied = Vec::new();
        let has = |dimension| scope.contains_key(&dimension);
        let authority = match has(Dimension::Team) || has(Dimension::Key) {
            true => Authority::Team(call.team.to_owned()),
            false => Authority::Company,
        };
        let values = scope
            .keys()
            .map(|dimension| (*dimension, Some(call.value(*dimension))));
        let values: Values<'_> = values.collect();
        let others = others(scope, &values);
        let takes_all = self.downgrade.is_none()
            && scope
                .iter()
                .all(|(dimension, who)| *dimension == Dimension::Team || *who == Who::Each);
        let mut push = |measure: Measure, cap: i64, window: Window| {
            let of_money = measure == Measure::Money;
            // The other measures are exact: a reservation is what is used.
            let has_bounds = of_money || measure == Measure::Tokens;
            applied.push(Applied {
                account: account(name, measure, &values, window),
                authority: Some(authority.clone()),
                limit: name.to_owned(),
                whom: Whom(&values, terms.values).to_string(),
                measure,
                cap,
                window,
                takes_all,
                downgrade: self.downgrade.clone().filter(|_| of_money),
                webhook: self.webhook.clone().filter(|_| of_money),
                others: others.as_ref().map(|others| Others {
                    account: account(name, measure, others, window),
                    whom: Whom(others, terms.values).to_string(),
                    most: terms.values,
                }),
                team_share: (has_bounds && authority == Authority::Company)
                    .then_some(terms.team_share),
            });
        };
        if let Some(budget) = self.budget {
            let window = Window::of(budget.per, terms.at, terms.time_zone);
            push(Measure::Money, budget.amount.0, window);
        }
        let minute = Window::minute(terms.at);
        if let Some(requests) = self.requests_per_minute {
            push(Measure::Requests, i64::from(requests), minute);
        }
        if let Some(tokens) = self.tokens_per_minute {
            push(Measure::Tokens, i64::from(tokens), minute);
        }
        if let Some(at_once) = self.concurrent {
            push(Measure::Concurrent, i64::from(at_once), Window::EVER);
        }
        applied
    }
}

/// The value of a call in each dimension; `None` where calls are counted together.
type Values<'a> = Vec<(Dimension, Option<&'a str>)>;

/// The values without those that callers choose freely, if there are any.
fn others<'a>(scope: &BTreeMap<Dimension, Who>, values: &Values<'a>) -> Option<Values<'a>> {
    let is_free = |dimension: &Dimension| {
        let is_tag = matches!(dimension, Dimension::Feature | Dimension::Environment);
        is_tag && scope.get(dimension) == Some(&Who::Each)
    };
    let others = values
        .iter()
        .map(|(dimension, value)| (*dimension, value.filter(|_| !is_free(dimension))));
    let others: Values<'_> = others.collect();
    (others != *values).then_some(others)
}

/// An account's name: JSON, because values may hold any letter. What is not a
/// value is `null`, which no value can be.
fn account(name: &str, measure: Measure, values: &Values<'_>, window: Window) -> String {
    let values: Vec<Option<&str>> = values.iter().map(|(_, value)| *value).collect();
    let parts = (name, measure.as_str(), values, window.start.0);
    serde_json::to_string(&parts).unwrap_or_default()
}

/// The values of a scope, for people; how many have an account of their own.
struct Whom<'a>(&'a Values<'a>, u32);

impl fmt::Display for Whom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (dimension, value)) in self.0.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let name = dimension.as_str();
            match value {
                None => write!(f, "{comma}other {name}s (more than {} values)", self.1)?,
                Some("") => write!(f, "{comma}no {name}")?,
                Some(value) => write!(f, "{comma}{name} {value}")?,
            }
        }
        Ok(())
    }
}
