//! OpenAI's usage object. The prompt count includes cached and audio tokens,
//! the completion count includes reasoning and audio.

use crate::dialect::form::Object;
use crate::units::Tokens;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    total_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Default, Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

impl Usage {
    /// The same in kinds that do not overlap.
    pub fn tokens(&self) -> Tokens {
        let none = PromptDetails::default();
        let prompt = self.prompt_tokens_details.as_ref().unwrap_or(&none);
        let none = CompletionDetails::default();
        let completion = self.completion_tokens_details.as_ref().unwrap_or(&none);
        let cache_read = prompt.cached_tokens.unwrap_or(0);
        let cache_write = prompt.cache_write_tokens.unwrap_or(0);
        let audio_input = prompt.audio_tokens.unwrap_or(0);
        let audio_output = completion.audio_tokens.unwrap_or(0);
        let mut reasoning = completion.reasoning_tokens.unwrap_or(0);
        let (mut input, mut output) = (self.prompt_tokens, self.completion_tokens);
        // Some hosts count beside what others count inside; the total tells.
        match self
            .total_tokens
            .saturating_sub(input.saturating_add(output))
        {
            0 => {}
            // Some embeddings are told as a total alone.
            gap if input == 0 && output == 0 => input = gap,
            // Mistral: audio stands beside the prompt.
            gap if gap == audio_input => input += gap,
            // Gemini's own OpenAI endpoint shows thinking only in the total.
            gap if reasoning == 0 => {
                reasoning = gap;
                output += gap;
            }
            // xAI: reasoning stands beside the completion.
            gap if gap == reasoning => output += gap,
            _ => {}
        }
        Tokens {
            input: input
                .saturating_sub(cache_read)
                .saturating_sub(cache_write)
                .saturating_sub(audio_input),
            cache_read,
            cache_write_5m: cache_write,
            cache_write_1h: 0,
            audio_input,
            output: output.saturating_sub(audio_output),
            reasoning,
            audio_output,
        }
    }
}

/// The same the other way: what came out of another dialect, in OpenAI's
/// counting, where the prompt includes what caches served.
pub fn object(tokens: &Tokens) -> Object<'static> {
    let (input, output) = (tokens.input_total(), tokens.output_total());
    let written = tokens.cache_write_5m.saturating_add(tokens.cache_write_1h);
    let mut prompt = Object::new()
        .with("cached_tokens", tokens.cache_read)
        .with("audio_tokens", tokens.audio_input);
    if written > 0 {
        prompt.set("cache_write_tokens", written);
    }
    Object::new()
        .with("prompt_tokens", input)
        .with("completion_tokens", output)
        .with("total_tokens", input.saturating_add(output))
        .with("prompt_tokens_details", prompt)
        .with(
            "completion_tokens_details",
            Object::new()
                .with("reasoning_tokens", tokens.reasoning)
                .with("audio_tokens", tokens.audio_output),
        )
}
