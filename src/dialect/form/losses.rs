//! What an ask holds and the dialect it is written in cannot say. A writer
//! goes on as if it were not there and notes it. What changes the answer is
//! refused, unless the client lets it go; a hint is left out. Both are reported.

use super::place::{paths, Place};
use crate::dialect::Api;

/// As many are told one by one.
const MOST: usize = 64;

/// Stands for all others.
const AND_MORE: &str = "and more";

/// What could not be said, by the client's own names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Losses<'p> {
    /// What changes the answer.
    refused: Vec<Loss<'p>>,
    /// What does not.
    hints: Vec<Loss<'p>>,
}

/// One thing that could not be said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss<'p> {
    /// A setting, by its name.
    Named(&'static str),
    /// What stands somewhere in the body.
    At(Place<'p>),
}

impl<'p> Losses<'p> {
    /// Notes a loss that changes the answer.
    pub fn note(&mut self, loss: impl Into<Loss<'p>>) {
        add(&mut self.refused, loss.into());
    }

    /// Notes a loss that changes the answer if there is one.
    pub fn note_if(&mut self, lost: bool, loss: impl Into<Loss<'p>>) {
        if lost {
            self.note(loss);
        }
    }

    /// Notes that a hint is left out.
    pub fn leave_out(&mut self, hint: impl Into<Loss<'p>>) {
        add(&mut self.hints, hint.into());
    }

    /// Notes that a hint is left out if there is one.
    pub fn leave_out_if(&mut self, left_out: bool, hint: impl Into<Loss<'p>>) {
        if left_out {
            self.leave_out(hint);
        }
    }

    /// Nothing was lost that changes the answer.
    pub fn keep_the_answer(&self) -> bool {
        self.refused.is_empty()
    }

    /// Nothing was lost at all.
    pub fn is_empty(&self) -> bool {
        self.refused.is_empty() && self.hints.is_empty()
    }

    /// What was lost that changes the answer.
    pub fn refused(&self) -> Vec<String> {
        names(self.refused.iter())
    }

    /// The hints that are left out.
    pub fn left_out(&self) -> Vec<String> {
        names(self.hints.iter())
    }

    /// All that was lost.
    pub fn into_names(self) -> Vec<String> {
        names(self.refused.iter().chain(&self.hints))
    }
}

/// Their number is bounded, so a long list is no more work a loss than a short one.
fn add<'p>(losses: &mut Vec<Loss<'p>>, loss: Loss<'p>) {
    if losses.len() > MOST || losses.contains(&loss) {
        return;
    }
    losses.push(match losses.len() == MOST {
        true => Loss::Named(AND_MORE),
        false => loss,
    });
}

fn names<'l, 'p: 'l>(losses: impl Iterator<Item = &'l Loss<'p>> + Clone) -> Vec<String> {
    let places = losses.clone().filter_map(|loss| match loss {
        Loss::At(place) => Some(*place),
        Loss::Named(_) => None,
    });
    let mut paths = paths(&places.collect::<Vec<_>>()).into_iter();
    let mut names: Vec<String> = Vec::new();
    for loss in losses {
        let name = match loss {
            Loss::Named(name) => (*name).to_owned(),
            Loss::At(_) => paths.next().unwrap_or_default(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl From<&'static str> for Loss<'_> {
    fn from(name: &'static str) -> Self {
        Loss::Named(name)
    }
}

impl<'p> From<Place<'p>> for Loss<'p> {
    fn from(place: Place<'p>) -> Loss<'p> {
        Loss::At(place)
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
    /// Whether an answer without it is still what was asked for.
    pub fn is_hint(self) -> bool {
        matches!(
            self,
            Knob::User | Knob::Labels | Knob::Verbosity | Knob::Parallel | Knob::Thinking
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
