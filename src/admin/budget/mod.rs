//! Limits that are set while the gateway runs, beside those of `gateway.toml`:
//! what may be asked for, and how they all stand.

mod stored;

pub use stored::{InForce, Published, Unread, WHOLE};

use crate::admin::Denied;
use crate::config::limits::{Budget, Dimension, Limit, Per, Who};
use crate::ledger::Standing;
use crate::units::NanoUsd;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::collections::BTreeMap;

const LONGEST_NAME: usize = 64;

/// A limit as it is asked for: the words of `gateway.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Its name.
    pub name: String,
    /// The team, or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The key's id, or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The feature, or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// The environment, or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The model's own name, or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Dollars, as a decimal number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// The time the budget is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Per>,
    /// Calls a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u32>,
    /// Calls at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<u32>,
    /// The model that answers instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downgrade: Option<String>,
    /// The webhook that receives how much is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// Why, for the audit log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Wish {
    /// The limit, if it makes sense; `models` are those there are.
    pub fn limit(&self, models: &[&str]) -> Result<Limit, Denied> {
        let invalid = |what: String| Err(Denied::Invalid(what));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
        if self.name.is_empty() || self.name.len() > LONGEST_NAME || !self.name.chars().all(plain) {
            return invalid(format!(
                "`name` is up to {LONGEST_NAME} letters, digits, and any of - _ . and blanks."
            ));
        }
        for (field, model) in [("model", &self.model), ("downgrade", &self.downgrade)] {
            let Some(model) = model.as_deref().filter(|model| *model != "*") else {
                continue;
            };
            if !models.contains(&model) {
                return invalid(format!(
                    "`{field}`: there is no model {model}; say a model's own name."
                ));
            }
        }
        if self
            .webhook
            .as_ref()
            .is_some_and(|url| !url.starts_with("https://"))
        {
            return invalid("`webhook` is an address that begins with https://.".to_owned());
        }
        let limit = Limit {
            scope: self.scope(),
            budget: self.amount()?,
            requests_per_minute: self.requests_per_minute.filter(|n| *n > 0),
            tokens_per_minute: self.tokens_per_minute.filter(|n| *n > 0),
            concurrent: self.concurrent.filter(|n| *n > 0),
            downgrade: self.downgrade.clone(),
            webhook: self.webhook.clone(),
        };
        match limit.has_measure() {
            true => Ok(limit),
            false => invalid("It limits nothing: say `budget` and `per`, `requests_per_minute`, `tokens_per_minute` or `concurrent`.".to_owned()),
        }
    }

    fn scope(&self) -> BTreeMap<Dimension, Who> {
        let named = [
            (Dimension::Team, &self.team),
            (Dimension::Key, &self.key),
            (Dimension::Feature, &self.feature),
            (Dimension::Environment, &self.environment),
            (Dimension::Model, &self.model),
        ];
        let scope = named
            .into_iter()
            .filter_map(|(dimension, who)| Some((dimension, Who::from(who.clone()?))));
        scope.collect()
    }

    fn amount(&self) -> Result<Option<Budget>, Denied> {
        let Some(written) = &self.budget else {
            return Ok(None);
        };
        let amount = NanoUsd::parse_dollars(written).ok_or_else(|| {
            Denied::Invalid(
                "`budget` is a decimal number of dollars in quotes, such as \"250\".".to_owned(),
            )
        })?;
        let per = self.per.ok_or_else(|| {
            Denied::Invalid(
                "`per` says which time the budget is for: day, week, month or ever.".to_owned(),
            )
        })?;
        Ok(Some(Budget { amount, per }))
    }
}

/// How an account stands, for people and programs.
pub fn standing(account: &Standing) -> Value {
    let applied = &account.applied;
    let shown = |amount| applied.measure.show(amount);
    json!({
        "limit": applied.limit,
        "whom": applied.whom,
        "measure": applied.measure.as_str(),
        "of": applied.cap,
        "spent": account.spent,
        "reserved": account.reserved,
        "held": account.held.amount,
        "held_calls": account.held.calls,
        "percent": account.percent,
        "began": applied.window.start.rfc3339(),
        "resets": applied.window.end.map(|end| end.rfc3339()),
        "told": format!("{} of {}", shown(account.spent), shown(applied.cap)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(json: &str) -> Result<Limit, String> {
        let wish: Wish = serde_json::from_str(json).map_err(|e| e.to_string())?;
        wish.limit(&["gpt-mini"])
            .map_err(|denied| denied.to_string())
    }

    #[test]
    fn a_limit_is_asked_for_in_the_words_of_the_config() {
        let limit = wish(r#"{"name":"a b","team":"*","feature":"chat","budget":"12.5","per":"week","downgrade":"gpt-mini"}"#).unwrap();
        assert_eq!(
            limit.budget,
            Some(Budget {
                amount: NanoUsd(12_500_000_000),
                per: Per::Week
            })
        );
        assert_eq!(
            limit.scope,
            BTreeMap::from([
                (Dimension::Team, Who::Each),
                (Dimension::Feature, Who::Only("chat".to_owned()))
            ])
        );
    }

    #[test]
    fn what_makes_no_sense_is_told_what_would() {
        for (json, text) in [
            (r#"{"name":"","concurrent":1}"#, "`name` is up to"),
            (r#"{"name":"a"}"#, "It limits nothing"),
            (r#"{"name":"a","concurrent":0}"#, "It limits nothing"),
            (
                r#"{"name":"a","budget":"1,5","per":"day"}"#,
                "decimal number",
            ),
            (r#"{"name":"a","budget":"1"}"#, "which time"),
            (
                r#"{"name":"a","concurrent":1,"model":"gpt"}"#,
                "no model gpt",
            ),
            (
                r#"{"name":"a","concurrent":1,"webhook":"http://x"}"#,
                "https://",
            ),
            (r#"{"name":"a","concurent":1}"#, "unknown field `concurent`"),
        ] {
            let denied = wish(json).unwrap_err();
            assert!(denied.contains(text), "{json}: {denied}");
        }
    }
}
