//! Reads the facts of a streamed chat completion.

use super::error_read::failed;
use crate::dialect::{Fault, Reading};
use serde::Deserialize;
use serde_json::value::RawValue;

// Strings stay raw until they are needed: most chunks repeat known values.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    x_groq: Option<Groq<'a>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Where Groq reports usage as well, and sometimes only there.
#[derive(Deserialize)]
pub(super) struct Groq<'a> {
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    // Completions of a prompt have their text here.
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
    // Moonshot's place for it.
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    // OpenRouter's place for it.
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    audio: Option<&'a RawValue>,
}

/// Takes one event into the reading.
pub fn read(data: &[u8], reading: &mut Reading) {
    reading.usage_only = false;
    if data == b"[DONE]" {
        reading.ended = true;
        reading.has_content = true;
        reading.has_usage |= reading.counted;
        return;
    }
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else {
        reading.fault.get_or_insert(Fault::Garbled);
        return;
    };
    if let Some(error) = chunk.error {
        reading.fault = Some(failed(error));
    }
    if reading.served_model.is_none() {
        // Azure's first chunk has an empty model.
        reading.served_model = text(chunk.model).filter(|model| !model.is_empty());
    }
    if reading.tier.is_none() {
        reading.tier = text(chunk.service_tier);
    }
    let usage = chunk.usage.or(chunk.x_groq.and_then(|groq| groq.usage));
    let choices = chunk.choices.unwrap_or_default();
    let usage = usage.or(choices.first().and_then(|choice| choice.usage));
    reading.usage_only = usage.is_some() && choices.is_empty();
    if let Some(usage) = usage {
        super::usage::take(usage.get(), reading);
    }
    for choice in choices {
        if let Some(error) = choice.error {
            reading.fault = Some(failed(error));
        }
        if let Some(reason) = text(choice.finish_reason) {
            if reason == "error" {
                let kind = reason.clone();
                reading.fault.get_or_insert(Fault::Reported { kind });
            }
            reading.stopped = Some(reason);
            reading.has_content = true;
        }
        if let Some(text) = choice.text {
            let length = written(text.get());
            reading.output_bytes = reading.output_bytes.saturating_add(length as u64);
            reading.has_content |= length > 0;
        }
        let Some(delta) = choice.delta else { continue };
        let parts = [delta.content, delta.reasoning_content, delta.tool_calls];
        let written: usize = parts.iter().flatten().map(|part| written(part.get())).sum();
        reading.output_bytes = reading.output_bytes.saturating_add(written as u64);
        let rest = [
            delta.refusal,
            delta.reasoning,
            delta.function_call,
            delta.audio,
        ];
        let thoughts = [delta.reasoning_content, delta.reasoning];
        reading.thought |= thoughts
            .iter()
            .flatten()
            .any(|part| self::written(part.get()) > 0);
        reading.has_content |= parts
            .iter()
            .chain(&rest)
            .flatten()
            .any(|part| self::written(part.get()) > 0);
    }
    // Some hosts report the usage so far in each chunk, which may not cover thinking.
    let over = reading.stopped.is_some() || reading.usage_only;
    reading.has_usage |= reading.counted && over;
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// The length of the text in a JSON value, for estimates.
fn written(json: &str) -> usize {
    match json {
        "null" => 0,
        text => text.len().saturating_sub(2),
    }
}
