//! OpenAI's usage object. The prompt count includes cached and audio tokens,
//! the completion count includes reasoning and audio.

use crate::dialect::neutral::{Json, Object};
use crate::dialect::{Beyond, Reading};
use crate::units::Tokens;
use serde::{Deserialize, Deserializer};

#[derive(Debug, Deserialize)]
pub struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Output,
    #[serde(default)]
    total_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    // Mistral's other name for it.
    #[serde(default)]
    prompt_token_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
    // Moonshot, Together, Mistral, DeepSeek and hosts of Claude.
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    num_cached_tokens: Option<u64>,
    #[serde(default)]
    prompt_cache_hit_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    // Only Mistral reports it; the tokens of the audio are in the total.
    #[serde(default)]
    prompt_audio_seconds: Option<f64>,
}

/// How many tokens came out.
#[derive(Debug, Default)]
enum Output {
    /// It is not reported: embeddings have none.
    #[default]
    Unsaid,
    /// It is reported later: Databricks sends `null` until the end.
    Later,
    Of(u64),
}

impl<'de> Deserialize<'de> for Output {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Output, D::Error> {
        let count = Option::<u64>::deserialize(deserializer)?;
        Ok(count.map_or(Output::Later, Output::Of))
    }
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

/// Takes a usage object into the reading. Some providers send it more than once:
/// the last one counts, and is final when the answer is over. One that cannot be
/// read is named, and counts nothing.
pub fn take(usage: &str, reading: &mut Reading) {
    reading.beyond.merge(Beyond::of(usage));
    match serde_json::from_str::<Usage>(usage) {
        Ok(counts) if counts.is_open() && reading.counted => {}
        Ok(counts) => {
            reading.tokens = counts.tokens();
            reading.counted = !counts.is_open();
        }
        Err(_) => reading.beyond.mark("usage"),
    }
}

impl Usage {
    /// Whether what came out is still to be counted.
    pub fn is_open(&self) -> bool {
        matches!(self.completion_tokens, Output::Later)
    }

    /// The same in kinds that do not overlap.
    pub fn tokens(&self) -> Tokens {
        let none = PromptDetails::default();
        let prompt = self.prompt_tokens_details.as_ref().unwrap_or(&none);
        let other = self.prompt_token_details.as_ref().unwrap_or(&none);
        let none = CompletionDetails::default();
        let completion = self.completion_tokens_details.as_ref().unwrap_or(&none);
        let cache_read = most([
            prompt.cached_tokens,
            other.cached_tokens,
            self.cached_tokens,
            self.num_cached_tokens,
            self.prompt_cache_hit_tokens,
            self.cache_read_input_tokens,
        ]);
        let cache_write = most([prompt.cache_write_tokens, self.cache_creation_input_tokens]);
        let mut audio_input = most([prompt.audio_tokens, other.audio_tokens]);
        let audio_output = completion.audio_tokens.unwrap_or(0);
        let mut reasoning = most([completion.reasoning_tokens, self.reasoning_tokens]);
        let mut input = self.prompt_tokens.unwrap_or(0);
        let mut output = match self.completion_tokens {
            Output::Of(count) => count,
            Output::Unsaid | Output::Later => 0,
        };
        let cached = cache_read.saturating_add(cache_write);
        let hears = self
            .prompt_audio_seconds
            .is_some_and(|seconds| seconds > 0.0);
        // Some hosts exclude what others include; the total shows which.
        match self
            .total_tokens
            .unwrap_or(0)
            .saturating_sub(input.saturating_add(output))
        {
            0 => {}
            // Some hosts report only a total for embeddings.
            gap if input == 0 && output == 0 => input = gap,
            // Mistral: audio stands beside the prompt.
            gap if gap == audio_input => input += gap,
            gap if hears => {
                input += gap;
                audio_input = audio_input.max(gap);
            }
            gap if gap == cached && cached > input => input += gap,
            // Gemini's own OpenAI endpoint shows thinking only in the total.
            gap if reasoning == 0 => {
                reasoning = gap;
                output += gap;
            }
            // xAI: reasoning stands beside the completion.
            gap if gap == reasoning => output += gap,
            _ => {}
        }
        // Perplexity: reasoning has a count of its own, and is in no total.
        if completion.reasoning_tokens.is_none() && reasoning > output {
            output = output.saturating_add(reasoning);
        }
        // A part is never larger than its total, whatever is reported.
        let cache_read = cache_read.min(input);
        let cache_write = cache_write.min(input - cache_read);
        let audio_input = audio_input.min(input - cache_read - cache_write);
        let audio_output = audio_output.min(output);
        Tokens {
            input: input - cache_read - cache_write - audio_input,
            cache_read,
            cache_write_5m: cache_write,
            cache_write_1h: 0,
            audio_input,
            output: output - audio_output,
            reasoning,
            audio_output,
        }
    }
}

/// A count that has several names.
fn most<const NAMES: usize>(counts: [Option<u64>; NAMES]) -> u64 {
    counts.into_iter().flatten().max().unwrap_or(0)
}

/// The usage of another dialect in OpenAI's counting, where the prompt includes cached
/// tokens.
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
/// A chunk's usage, wherever a host puts it: Groq in a field of its own, Moonshot in
/// the choice.
pub fn within<'c, 'b>(chunk: &'c Json<'b>) -> Option<&'c Json<'b>> {
    let groq = || chunk.get("x_groq")?.get("usage");
    let choice = || chunk.list("choices").first()?.get("usage");
    chunk.get("usage").or_else(groq).or_else(choice)
}
