//! Reads the facts of a whole message.

use super::usage::Counts;
use crate::dialect::{Beyond, Fault, Reading};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(default)]
    content: Vec<Block>,
    #[serde(default)]
    error: Option<ErrorBody>,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    data: Option<serde_json::Value>,
}

/// Takes the reply into the reading.
pub fn read(body: &[u8], reading: &mut Reading) {
    let Ok(reply) = serde_json::from_slice::<Message<'_>>(body) else {
        reading.fault = Some(Fault::Garbled);
        return;
    };
    reading.ended = true;
    reading.output_bytes = body.len() as u64;
    reading.served_model = reply.model;
    reading.stopped = reply.stop_reason;
    if let Some(said) = reply.error {
        let kind = said.kind.unwrap_or_else(|| "error".to_owned());
        reading.fault = Some(Fault::Reported { kind });
    }
    for block in reply.content {
        let data = block.data.as_ref().and_then(serde_json::Value::as_str);
        match (block.kind.as_str(), block.signature, data) {
            ("thinking", Some(signature), _) => reading.made(&signature),
            ("redacted_thinking", _, Some(data)) => reading.made(data),
            _ => {}
        }
    }
    let usage = reply
        .usage
        .map(RawValue::get)
        .filter(|usage| *usage != "null");
    if let Some(usage) = usage {
        reading.beyond = Beyond::of(usage);
        match serde_json::from_str::<Counts>(usage) {
            Ok(counts) => {
                reading.tokens = counts.tokens();
                reading.tier = counts.service_tier;
                reading.has_usage = true;
            }
            Err(_) => reading.beyond.mark("usage"),
        }
    }
}
