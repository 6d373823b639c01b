//! The parameters of a request that have one value each.

use crate::dialect::Api;
use serde_json::Number;
use std::borrow::Cow;

/// Settings with one value each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Params<'b> {
    /// The most tokens that may come out.
    pub max_output: Option<u64>,
    /// Temperature.
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    pub top_p: Option<Number>,
    /// Only the likeliest tokens.
    pub top_k: Option<u64>,
    /// Where to stop.
    pub stop: Vec<Cow<'b, str>>,
    /// For answers that repeat.
    pub seed: Option<i64>,
    /// Against talking of the same.
    pub presence_penalty: Option<Number>,
    /// Against saying the same.
    pub frequency_penalty: Option<Number>,
    /// How likely each token was.
    pub logprobs: bool,
    /// How likely the likeliest others were.
    pub top_logprobs: Option<u64>,
    /// Who the request is for, by a name that tells nobody.
    pub user: Option<Cow<'b, str>>,
    /// Which requests share a prompt.
    pub cache_key: Option<Cow<'b, str>>,
    /// How long an answer is wanted.
    pub verbosity: Option<Cow<'b, str>>,
    /// The class of service.
    pub tier: Option<Cow<'b, str>>,
    /// Labels for the caller's own use.
    pub labels: Vec<Label<'b>>,
}

/// A label and its value.
pub type Label<'b> = (Cow<'b, str>, Cow<'b, str>);

/// A setting that dialects have different names for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// The most tokens that may come out.
    MaxOutput,
    /// Only the likeliest tokens.
    TopK,
    /// Nucleus sampling.
    TopP,
    /// Temperature.
    Temperature,
    /// Where to stop.
    Stop,
    /// For answers that repeat.
    Seed,
    /// Against talking of the same.
    PresencePenalty,
    /// Against saying the same.
    FrequencyPenalty,
    /// How likely each token was.
    Logprobs,
    /// Whom it is for.
    User,
    /// How long an answer is wanted.
    Verbosity,
    /// The class of service.
    Tier,
    /// Labels.
    Labels,
    /// Whether tools are called.
    Choice,
    /// Whether several tools may be called.
    Parallel,
    /// The form of the answer.
    Format,
    /// How much to think.
    Thinking,
}

impl Param {
    /// Whether an answer without it is still what was asked for.
    pub fn is_hint(self) -> bool {
        matches!(
            self,
            Param::User | Param::Labels | Param::Verbosity | Param::Parallel | Param::Thinking
        )
    }

    /// What a client calls it.
    pub fn called_in(self, client: Api) -> &'static str {
        use Api::{Messages, Responses};
        let client = match client {
            Api::InputTokens | Api::Compact => Responses,
            client => client,
        };
        match (self, client) {
            (Param::MaxOutput, Responses) => "max_output_tokens",
            (Param::MaxOutput, Messages) => "max_tokens",
            (Param::MaxOutput, _) => "max_completion_tokens",
            (Param::TopK, _) => "top_k",
            (Param::TopP, _) => "top_p",
            (Param::Temperature, _) => "temperature",
            (Param::Stop, Messages) => "stop_sequences",
            (Param::Stop, _) => "stop",
            (Param::Seed, _) => "seed",
            (Param::PresencePenalty, _) => "presence_penalty",
            (Param::FrequencyPenalty, _) => "frequency_penalty",
            (Param::Logprobs, Responses) => "top_logprobs",
            (Param::Logprobs, _) => "logprobs",
            (Param::User, Messages) => "metadata.user_id",
            (Param::User, _) => "safety_identifier",
            (Param::Verbosity, Responses) => "text.verbosity",
            (Param::Verbosity, _) => "verbosity",
            (Param::Tier, _) => "service_tier",
            (Param::Labels, _) => "metadata",
            (Param::Choice, _) => "tool_choice",
            (Param::Parallel, Messages) => "tool_choice.disable_parallel_tool_use",
            (Param::Parallel, _) => "parallel_tool_calls",
            (Param::Format, Responses) => "text.format",
            (Param::Format, Messages) => "output_config.format",
            (Param::Format, _) => "response_format",
            (Param::Thinking, Responses) => "reasoning",
            (Param::Thinking, Messages) => "thinking",
            (Param::Thinking, _) => "reasoning_effort",
        }
    }
}
