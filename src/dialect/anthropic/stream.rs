//! Reads the facts of a streamed message.

use super::usage::Counts;
use crate::dialect::{Beyond, Fault, Reading};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    content_block: Option<Block<'a>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<ErrorBody<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    signature: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ErrorBody<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
}

/// Takes one event into the reading.
pub fn read(data: &[u8], reading: &mut Reading) {
    // Some gateways in front of Anthropic end with OpenAI's marker.
    if data == b"[DONE]" {
        return;
    }
    let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else {
        reading.fault.get_or_insert(Fault::Garbled);
        return;
    };
    if let Some(message) = event.message {
        reading.served_model = message.model.map(Cow::into_owned);
        take_usage(message.usage, reading);
    }
    if let Some(block) = event.content_block {
        // Text comes in deltas; everything else is in the start event.
        reading.has_content |= !matches!(&*block.kind, "text" | "thinking");
        reading.thought |= matches!(&*block.kind, "thinking" | "redacted_thinking");
        if let ("redacted_thinking", Some(data)) = (&*block.kind, block.data) {
            let data: Option<String> = serde_json::from_str(data.get()).ok();
            reading.made(&data.unwrap_or_default());
        }
    }
    if let Some(delta) = event.delta {
        reading.thought |= delta.thinking.is_some() || delta.signature.is_some();
        if let Some(signature) = &delta.signature {
            reading.made(signature);
            reading.has_content = true;
        }
        let parts = [delta.text, delta.thinking, delta.partial_json];
        let written = parts
            .iter()
            .flatten()
            .map(|p| p.get().len().saturating_sub(2));
        let written = written.sum::<usize>() as u64;
        reading.output_bytes = reading.output_bytes.saturating_add(written);
        reading.has_content |= written > 0;
        if let Some(reason) = delta.stop_reason {
            reading.stopped = Some(reason.into_owned());
            reading.has_content = true;
        }
    }
    match &*event.kind {
        // `message_start` counts only the first output tokens.
        "message_delta" => {
            let usage = event.usage.map(RawValue::get);
            reading.has_usage |= usage.is_some_and(|usage| usage != "null");
        }
        "message_stop" => {
            reading.ended = true;
            reading.has_content = true;
        }
        "error" => {
            let kind = event.error.and_then(|said| said.kind);
            let kind = kind.map_or_else(|| "error".to_owned(), Cow::into_owned);
            reading.fault = Some(Fault::Reported { kind });
        }
        _ => {}
    }
    take_usage(event.usage, reading);
}

fn take_usage(usage: Option<&RawValue>, reading: &mut Reading) {
    let Some(usage) = usage.map(RawValue::get).filter(|usage| *usage != "null") else {
        return;
    };
    reading.beyond.merge(Beyond::of(usage));
    match serde_json::from_str::<Counts>(usage) {
        Ok(counts) => reading.anthropic.merge(counts),
        Err(_) => reading.beyond.mark("usage"),
    }
    reading.tokens = reading.anthropic.tokens();
    reading.tier = reading.anthropic.service_tier.clone();
}
