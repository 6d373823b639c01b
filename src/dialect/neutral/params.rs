//! The parameters of a request that have one value each.

use crate::dialect::Api;
use serde_json::Number;
use std::borrow::Cow;

/// Parameters with one value each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Params<'b> {
    /// The most output tokens.
    pub max_output: Option<u64>,
    /// Temperature.
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    pub top_p: Option<Number>,
    /// Top-k sampling.
    pub top_k: Option<u64>,
    /// Where to stop.
    pub stop: Vec<Cow<'b, str>>,
    /// The seed, for reproducible responses.
    pub seed: Option<i64>,
    /// The presence penalty.
    pub presence_penalty: Option<Number>,
    /// The frequency penalty.
    pub frequency_penalty: Option<Number>,
    /// Log probabilities of the tokens.
    pub logprobs: bool,
    /// Log probabilities of the likeliest alternatives.
    pub top_logprobs: Option<u64>,
    /// The user, by an opaque name.
    pub user: Option<Cow<'b, str>>,
    /// The prompt cache key.
    pub cache_key: Option<Cow<'b, str>>,
    /// The verbosity.
    pub verbosity: Option<Cow<'b, str>>,
    /// The service tier.
    pub tier: Option<Cow<'b, str>>,
    /// The caller's labels.
    pub labels: Vec<Label<'b>>,
}

/// A label and its value.
pub type Label<'b> = (Cow<'b, str>, Cow<'b, str>);

/// A parameter that dialects name differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// The most output tokens.
    MaxOutput,
    /// Top-k sampling.
    TopK,
    /// Nucleus sampling.
    TopP,
    /// Temperature.
    Temperature,
    /// Where to stop.
    Stop,
    /// The seed, for reproducible responses.
    Seed,
    /// The presence penalty.
    PresencePenalty,
    /// The frequency penalty.
    FrequencyPenalty,
    /// Log probabilities of the tokens.
    Logprobs,
    /// The user.
    User,
    /// The verbosity.
    Verbosity,
    /// The service tier.
    Tier,
    /// Labels.
    Labels,
    /// The tool choice.
    Choice,
    /// Parallel tool calls.
    Parallel,
    /// The response format.
    Format,
    /// Thinking.
    Thinking,
}

impl Param {
    /// Whether it is a hint: leaving it out does not change the response.
    pub fn is_hint(self) -> bool {
        matches!(
            self,
            Param::User | Param::Labels | Param::Verbosity | Param::Parallel | Param::Thinking
        )
    }

    /// The client's name for it.
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
