//! Anthropic's usage. `message_start` has the input and the first output tokens;
//! `message_delta` replaces the fields that it names, and may name any. So the counts
//! merge field by field and are never summed.

use crate::dialect::neutral::Object;
use crate::units::Tokens;
use serde::Deserialize;

/// The counts as they stand after all events so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Counts {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation: Option<Creation>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
    #[serde(default)]
    pub(super) service_tier: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct Creation {
    #[serde(default)]
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

impl Counts {
    /// Takes over every field that `newer` names.
    pub fn merge(&mut self, newer: Counts) {
        fn take<T>(old: &mut Option<T>, new: Option<T>) {
            if new.is_some() {
                *old = new;
            }
        }
        take(&mut self.input_tokens, newer.input_tokens);
        take(
            &mut self.cache_creation_input_tokens,
            newer.cache_creation_input_tokens,
        );
        take(
            &mut self.cache_read_input_tokens,
            newer.cache_read_input_tokens,
        );
        take(&mut self.cache_creation, newer.cache_creation);
        take(&mut self.output_tokens, newer.output_tokens);
        take(&mut self.output_tokens_details, newer.output_tokens_details);
        take(&mut self.service_tier, newer.service_tier);
    }

    /// The same in kinds that do not overlap. Input excludes cached tokens
    /// here already.
    pub fn tokens(&self) -> Tokens {
        let written = self.cache_creation_input_tokens.unwrap_or(0);
        let creation = self.cache_creation.as_ref();
        let hour = creation
            .and_then(|c| c.ephemeral_1h_input_tokens)
            .unwrap_or(0)
            .min(written);
        let details = self.output_tokens_details.as_ref();
        Tokens {
            input: self.input_tokens.unwrap_or(0),
            cache_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_5m: written - hour,
            cache_write_1h: hour,
            output: self.output_tokens.unwrap_or(0),
            reasoning: details.and_then(|d| d.thinking_tokens).unwrap_or(0),
            ..Tokens::default()
        }
    }
}

/// The usage of another dialect in Anthropic's counting, where input excludes cached
/// tokens.
pub fn object(tokens: &Tokens) -> Object<'static> {
    let written = tokens.cache_write_5m.saturating_add(tokens.cache_write_1h);
    let mut usage = Object::new()
        .with(
            "input_tokens",
            tokens.input.saturating_add(tokens.audio_input),
        )
        .with("cache_creation_input_tokens", written)
        .with("cache_read_input_tokens", tokens.cache_read)
        .with("output_tokens", tokens.output_total());
    if tokens.cache_write_1h > 0 {
        let split = Object::new()
            .with("ephemeral_5m_input_tokens", tokens.cache_write_5m)
            .with("ephemeral_1h_input_tokens", tokens.cache_write_1h);
        usage.set("cache_creation", split);
    }
    if tokens.reasoning > 0 {
        let details = Object::new().with("thinking_tokens", tokens.reasoning);
        usage.set("output_tokens_details", details);
    }
    usage
}
