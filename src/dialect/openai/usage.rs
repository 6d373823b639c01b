//! OpenAI's usage object. The prompt count includes cached and audio tokens,
//! the completion count includes reasoning and audio.

use crate::units::Tokens;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
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
        Tokens {
            input: self
                .prompt_tokens
                .saturating_sub(cache_read)
                .saturating_sub(cache_write)
                .saturating_sub(audio_input),
            cache_read,
            cache_write_5m: cache_write,
            cache_write_1h: 0,
            audio_input,
            output: self.completion_tokens.saturating_sub(audio_output),
            reasoning: completion.reasoning_tokens.unwrap_or(0),
            audio_output,
        }
    }
}
