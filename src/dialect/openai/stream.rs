//! What the events of a streamed chat completion tell.

use super::usage::Usage;
use crate::dialect::{Fault, Reading};
use serde::Deserialize;
use serde_json::value::RawValue;

// Texts stay raw until one is wanted: most chunks repeat what is known.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Said>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
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

#[derive(Deserialize)]
struct Said {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    code: Option<serde_json::Value>,
}

/// Takes one event into the reading.
pub fn read(data: &[u8], reading: &mut Reading) {
    reading.usage_only = false;
    if data == b"[DONE]" {
        reading.ended = true;
        reading.begun = true;
        return;
    }
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else {
        reading.fault.get_or_insert(Fault::Garbled);
        return;
    };
    if let Some(said) = chunk.error {
        let code = said.code.as_ref().and_then(serde_json::Value::as_str);
        let kind = said.kind.or(code.map(str::to_owned));
        reading.fault = Some(Fault::Said {
            kind: kind.unwrap_or_else(|| "error".to_owned()),
        });
    }
    if reading.served_model.is_none() {
        // Azure's first chunk has an empty model.
        reading.served_model = text(chunk.model).filter(|model| !model.is_empty());
    }
    if reading.tier.is_none() {
        reading.tier = text(chunk.service_tier);
    }
    reading.usage_only = chunk.usage.is_some() && chunk.choices.is_empty();
    if let Some(usage) = chunk.usage {
        // Some providers send usage more than once: the last one counts.
        reading.tokens = usage.tokens();
        reading.has_usage = true;
    }
    for choice in chunk.choices {
        if let Some(reason) = text(choice.finish_reason) {
            reading.stopped = Some(reason);
            reading.begun = true;
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
        reading.begun |= parts
            .iter()
            .chain(&rest)
            .flatten()
            .any(|part| self::written(part.get()) > 0);
    }
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// How much of a JSON value is text somebody wrote, near enough to estimate by.
fn written(json: &str) -> usize {
    match json {
        "null" => 0,
        text => text.len().saturating_sub(2),
    }
}
