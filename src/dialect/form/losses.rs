//! What an ask holds and the dialect it is written in cannot say. A writer
//! goes on as if it were not there and notes it; the caller then refuses, or
//! lets it go because the client said so.

use crate::dialect::Api;

/// What could not be said, by the client's own names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses(Vec<String>);

impl Losses {
    /// Notes a loss.
    pub fn note(&mut self, path: impl Into<String>) {
        let path = path.into();
        if !self.0.contains(&path) {
            self.0.push(path);
        }
    }

    /// Notes a loss if there is one.
    pub fn note_if(&mut self, lost: bool, path: &str) {
        if lost {
            self.note(path);
        }
    }

    /// Nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was lost.
    pub fn into_names(self) -> Vec<String> {
        self.0
    }
}

/// A setting that dialects have different names for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knob {
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

impl Knob {
    /// What a client calls it.
    pub fn called_in(self, client: Api) -> &'static str {
        use Api::{Messages, Responses};
        match (self, client) {
            (Knob::MaxOutput, Responses) => "max_output_tokens",
            (Knob::MaxOutput, Messages) => "max_tokens",
            (Knob::MaxOutput, _) => "max_completion_tokens",
            (Knob::TopK, _) => "top_k",
            (Knob::TopP, _) => "top_p",
            (Knob::Temperature, _) => "temperature",
            (Knob::Stop, Messages) => "stop_sequences",
            (Knob::Stop, _) => "stop",
            (Knob::Seed, _) => "seed",
            (Knob::PresencePenalty, _) => "presence_penalty",
            (Knob::FrequencyPenalty, _) => "frequency_penalty",
            (Knob::Logprobs, Responses) => "top_logprobs",
            (Knob::Logprobs, _) => "logprobs",
            (Knob::User, Messages) => "metadata.user_id",
            (Knob::User, _) => "safety_identifier",
            (Knob::Verbosity, Responses) => "text.verbosity",
            (Knob::Verbosity, _) => "verbosity",
            (Knob::Tier, _) => "service_tier",
            (Knob::Labels, _) => "metadata",
            (Knob::Choice, _) => "tool_choice",
            (Knob::Parallel, Messages) => "tool_choice.disable_parallel_tool_use",
            (Knob::Parallel, _) => "parallel_tool_calls",
            (Knob::Format, Responses) => "text.format",
            (Knob::Format, Messages) => "output_config.format",
            (Knob::Format, _) => "response_format",
            (Knob::Thinking, Responses) => "reasoning",
            (Knob::Thinking, Messages) => "thinking",
            (Knob::Thinking, _) => "reasoning_effort",
        }
    }
}
