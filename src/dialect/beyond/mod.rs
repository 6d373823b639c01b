//! Usage beyond the tokens of one pass: tools that ran at the provider, passes with
//! tokens of their own, and unknown numbers. A new field of a provider is never
//! silently free: an unknown number is named in the call's row.

use super::anthropic::usage::Counts;
use crate::units::Tokens;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The largest usage object that is read.
const LONGEST: usize = 64 * 1024;
/// The most names of unknown fields in a row, and their longest length.
const MOST_UNKNOWN: usize = 8;
const LONGEST_NAME: usize = 60;
/// The most passes of one response.
const MOST_PASSES: usize = 256;
/// No call has more of anything: a larger count is an error.
const MOST: u64 = 1_000_000_000;

/// The field beside OpenAI's usage that counts tools.
const TOOL_USAGE: &str = "tool_usage";

/// What was used beyond tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beyond {
    /// How often each kind of tool ran at the provider, by the kinds of
    /// `regions/egress.toml`.
    pub uses: BTreeMap<String, u64>,
    /// Unknown numbers, by the names of their fields.
    pub unknown: BTreeSet<String>,
    /// Passes that the usage counts beside its sum.
    pub passes: Vec<Pass>,
    /// Passes of other models that are in the sum.
    pub within: Vec<Pass>,
    /// The provider's own total of tokens, where it reports one.
    pub total: Option<u64>,
    /// A token count is impossible: negative, fractional, or larger than any call has.
    /// None of the usage is trusted then.
    pub absurd: bool,
    /// It was processed in a region with a premium.
    pub at_premium: bool,
    /// It was served at another speed than the usual one, which has another
    /// price.
    pub other_speed: bool,
}

/// One pass of a model over the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pass {
    /// The model, where it is another one than the call's.
    pub model: Option<String>,
    /// What it used.
    pub tokens: Tokens,
}

/// What a number means.
enum Meaning {
    /// It counts tokens that are read.
    Known,
    /// A time or an amount of money, which does not count usage.
    Aside,
    /// It counts the runs of a tool.
    Uses(&'static str),
}

impl Beyond {
    /// Reads a usage object, whatever the dialect.
    pub fn of(usage: &str) -> Beyond {
        let mut beyond = Beyond::default();
        let value = match usage.len() > LONGEST {
            true => Value::Null,
            false => serde_json::from_str(usage).unwrap_or_default(),
        };
        match &value {
            Value::Object(fields) => {
                beyond.object("", fields);
                beyond.passes(fields);
            }
            _ => beyond.mark("usage"),
        }
        beyond
    }

    /// Takes in what stands beside the usage of how often tools ran: OpenAI's
    /// `tool_usage`.
    pub fn tools(&mut self, json: &str) {
        let counts = match json.len() > LONGEST {
            true => Value::Null,
            false => serde_json::from_str(json).unwrap_or_default(),
        };
        match &counts {
            Value::Object(fields) => self.object(TOOL_USAGE, fields),
            _ => self.mark(TOOL_USAGE),
        }
    }

    /// Merges a later event: counts replace smaller ones.
    pub fn merge(&mut self, newer: Beyond) {
        for (kind, count) in newer.uses {
            let known = self.uses.entry(kind).or_default();
            *known = (*known).max(count);
        }
        for name in newer.unknown {
            self.mark(&name);
        }
        if !newer.passes.is_empty() || !newer.within.is_empty() {
            self.passes = newer.passes;
            self.within = newer.within;
        }
        self.total = newer.total.or(self.total);
        self.other_speed |= newer.other_speed;
        self.absurd |= newer.absurd;
        self.at_premium |= newer.at_premium;
    }

    /// Notes that a tool ran so often.
    pub fn used(&mut self, kind: &str, count: u64) {
        let known = self.uses.entry(kind.to_owned()).or_default();
        *known = known.saturating_add(count);
    }

    /// Notes that something is not known, by a name.
    pub fn mark(&mut self, name: &str) {
        let plain = |c: char| {
            if c.is_ascii_graphic() && c != ',' {
                c
            } else {
                '?'
            }
        };
        if self.unknown.len() < MOST_UNKNOWN {
            self.unknown
                .insert(name.chars().take(LONGEST_NAME).map(plain).collect());
        }
    }

    fn object(&mut self, path: &str, fields: &serde_json::Map<String, Value>) {
        for (name, value) in fields {
            // Cut before they are joined: long names of parents would be copied for
            // each of their fields.
            let name: String = name.chars().take(LONGEST_NAME).collect();
            let path = match path {
                "" => name,
                path => format!("{path}.{name}"),
            };
            self.value(&path, value);
        }
    }

    fn value(&mut self, path: &str, value: &Value) {
        match value {
            // Read apart, and passes have the same fields as the whole.
            Value::Array(_) if path == "iterations" => {}
            Value::Array(list) => list.iter().for_each(|one| self.value(path, one)),
            Value::Object(fields) => self.object(path, fields),
            Value::Number(number) if number.as_f64() != Some(0.0) => {
                self.number(path, number.as_f64().unwrap_or(-1.0), number.as_u64());
            }
            // Some write numbers as text, which no reader of tokens takes for one.
            Value::String(text) if is_number(text) => {
                self.number(path, text.parse().unwrap_or(-1.0), None);
            }
            Value::String(speed) if path == "speed" => self.other_speed |= speed != "standard",
            Value::String(place) if path == "inference_geo" => {
                self.at_premium |= !["", "global", "not_available"].contains(&place.as_str());
            }
            _ => {}
        }
    }

    /// Takes in a number that is not zero; `whole` where it counts something.
    fn number(&mut self, path: &str, number: f64, whole: Option<u64>) {
        let whole = whole.filter(|count| *count <= MOST);
        match (meaning(path), whole) {
            (Some(Meaning::Uses(kind)), Some(count)) => self.used(kind, count),
            (Some(Meaning::Known), Some(count)) => {
                if TOTALS.contains(&path) {
                    self.total = Some(count);
                }
            }
            (Some(Meaning::Known), None) => {
                self.absurd = true;
                self.mark(path);
            }
            (Some(Meaning::Aside), _) if number > 0.0 => {}
            _ => self.mark(path),
        }
    }

    /// Anthropic's passes: those of the kind `message` are in the sum, a
    /// compaction and an advisor are beside it. Where another model went on, its
    /// passes are taken to be in the sum if the sum is that of all of them.
    fn passes(&mut self, fields: &serde_json::Map<String, Value>) {
        let Some(Value::Array(passes)) = fields.get("iterations") else {
            return;
        };
        if passes.len() > MOST_PASSES {
            self.mark("iterations");
        }
        let mut others = Vec::new();
        let (mut messages, mut fallbacks) = (0_u64, 0_u64);
        for pass in passes.iter().take(MOST_PASSES) {
            let kind = pass.get("type").and_then(Value::as_str).unwrap_or_default();
            if let Value::Object(fields) = pass {
                let total = self.total;
                self.object("", fields);
                self.total = total;
            }
            let counts = serde_json::from_value::<Counts>(pass.clone()).unwrap_or_default();
            let model = pass.get("model").and_then(Value::as_str);
            let pass = Pass {
                model: model.map(str::to_owned),
                tokens: counts.tokens(),
            };
            let all = pass.tokens.input_total().saturating_add(pass.tokens.output);
            match kind {
                "message" => {
                    messages = messages.saturating_add(all);
                    self.within.extend(pass.model.is_some().then_some(pass));
                }
                "fallback_message" => {
                    fallbacks = fallbacks.saturating_add(all);
                    others.push(pass);
                }
                "compaction" | "advisor_message" => self.passes.push(pass),
                // It is not documented whether it is in the sum. The dearer reading is
                // that it is not, and the row names it as unknown.
                other => {
                    self.mark(&format!("iterations.{other}"));
                    self.passes.push(pass);
                }
            }
        }
        let sum = serde_json::from_value::<Counts>(Value::Object(fields.clone()));
        let sum = sum.unwrap_or_default().tokens();
        let sum = sum.input_total().saturating_add(sum.output);
        match messages.saturating_add(fallbacks) == sum {
            true => self.within.extend(others),
            false if others.is_empty() => {}
            false => {
                self.mark("iterations.fallback_message");
                self.passes.extend(others);
            }
        }
    }
}

/// Whether a text is a number, and not zero.
fn is_number(text: &str) -> bool {
    let number = text.parse::<f64>();
    number.is_ok_and(|number| number != 0.0 && number.is_finite())
}

/// The meaning of the number at a path of a usage object; `None` where it is unknown.
fn meaning(path: &str) -> Option<Meaning> {
    if let Some((TOOL_USAGE, tool)) = path.split_once('.') {
        return match tool {
            "web_search.num_requests" => Some(Meaning::Uses("web-search")),
            // The picture is an item of the answer, a tool that has no price.
            _ if tool.starts_with("image_gen.") => Some(Meaning::Known),
            _ => None,
        };
    }
    let last = path.rsplit('.').next().unwrap_or(path);
    let within = path.split('.').next().unwrap_or(path);
    Some(match (within, last) {
        // Tools that ran.
        (_, "web_search_requests" | "num_search_queries" | "num_sources_used") => {
            Meaning::Uses("web-search")
        }
        (_, "web_search_calls" | "x_search_calls") => Meaning::Uses("web-search"),
        (_, "web_fetch_requests") => Meaning::Uses("web-fetch"),
        (_, "code_execution_requests" | "code_interpreter_calls") => {
            Meaning::Uses("code-execution")
        }
        (_, "file_search_calls" | "document_search_calls" | "collections_search_calls") => {
            Meaning::Uses("file-search")
        }
        (_, "mcp_calls") => Meaning::Uses("mcp"),
        (_, "image_generation_calls") => Meaning::Uses("image-generation"),
        // OpenRouter counts each tool by its kind besides.
        ("server_tool_use_details", "tool_calls_executed" | "tool_calls_requested") => {
            Meaning::Known
        }
        // Shares of a sum, by what they are of.
        (
            "prompt_tokens_details"
            | "prompt_token_details"
            | "input_tokens_details"
            | "completion_tokens_details"
            | "output_tokens_details"
            | "cache_creation"
            | "cacheDetails",
            last,
        ) if SHARES.contains(&last) => Meaning::Known,
        (
            "promptTokensDetails"
            | "candidatesTokensDetails"
            | "cacheTokensDetails"
            | "toolUsePromptTokensDetails"
            | "thoughtsTokensDetails",
            "tokenCount" | "modality",
        ) => Meaning::Known,
        // Numbers that count no usage: times, and the provider's own cost.
        ("latency_checkpoint" | "cost_details" | "context_details", _) => Meaning::Aside,
        // What guardrails counted: a service beside the model, with its own bill.
        (within, _) if within.ends_with("PolicyUnits") || within.ends_with("FreeUnits") => {
            return None
        }
        (within, last) if within == last && ASIDE.contains(&last) => Meaning::Aside,
        (within, last) if within == last && KNOWN.contains(&last) => Meaning::Known,
        _ => return None,
    })
}

/// Shares that are in a sum already.
const SHARES: [&str; 14] = [
    "cached_tokens",
    "cache_write_tokens",
    "cached_creation_tokens",
    "audio_tokens",
    "text_tokens",
    "image_tokens",
    "video_tokens",
    "reasoning_tokens",
    "thinking_tokens",
    "accepted_prediction_tokens",
    "rejected_prediction_tokens",
    "ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens",
    "inputTokens",
];

/// Sums, under the names that the dialects have for them, and what costs nothing.
const KNOWN: [&str; 28] = [
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "num_cached_tokens",
    "prompt_cache_hit_tokens",
    "prompt_cache_miss_tokens",
    "promptTokenCount",
    "candidatesTokenCount",
    "totalTokenCount",
    "cachedContentTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
    "inputTokens",
    "outputTokens",
    "totalTokens",
    "cacheReadInputTokens",
    "cacheReadInputTokenCount",
    "cacheWriteInputTokens",
    "cacheWriteInputTokenCount",
    "num_server_side_tools_used",
    "trafficType",
    "billed_units",
];

/// The sums of all tokens.
const TOTALS: [&str; 3] = ["total_tokens", "totalTokens", "totalTokenCount"];

/// Times and amounts of money.
const ASIDE: [&str; 8] = [
    "queue_time",
    "prompt_time",
    "completion_time",
    "total_time",
    "cost",
    "market_cost",
    "cost_in_usd_ticks",
    // In the tokens of the prompt.
    "prompt_audio_seconds",
];

#[cfg(test)]
mod tests;
