//! What is claimed of a model at an endpoint: where it is processed, who promises that,
//! and what the model takes and does there.

use super::egress::EgressClaim;
use super::endpoint::{Guarantee, Hosting, ThinkingStyle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is claimed of one model at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The model's own name, the same at every endpoint.
    pub model: String,
    /// What this endpoint calls it.
    pub id: String,
    /// Where it is processed.
    pub hosting: Hosting,
    /// How firmly that is promised.
    pub guarantee: Guarantee,
    /// Where the promise is written.
    pub source: String,
    /// When somebody last checked, `YYYY-MM-DD`.
    pub reviewed: String,
    /// Who did.
    pub reviewer: String,
    /// What this host charges above the list price, in percent.
    #[serde(default)]
    pub uplift_percent: u32,
    /// How this model is told to think, if not as its dialect has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<ThinkingStyle>,
    /// Whose signatures of thoughts it takes: all claims of the model with the same
    /// word take each other's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<String>,
    /// Fields of its dialect that this model does not take, such as `temperature`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The most tokens of an answer, thinking included, whatever it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u32>,
    /// The most tokens that it takes in at once: its context window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// The most answers that it gives to one request (`n`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_choices: Option<u32>,
    /// It serves OpenAI's completions of a prompt (`/v1/completions`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub completions: bool,
    /// What it may be made to do beyond answering, by kind of egress.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub egress: BTreeMap<String, EgressClaim>,
}

impl Claim {
    /// Whether the model thinks before it answers, where the request says this.
    pub fn thinks(&self, asked: Option<bool>) -> bool {
        match (self.thinking, asked) {
            (Some(ThinkingStyle::None), _) => false,
            (_, Some(asked)) => asked,
            (Some(ThinkingStyle::Effort | ThinkingStyle::Adaptive), None) => true,
            (Some(ThinkingStyle::Budget) | None, None) => false,
        }
    }
}
