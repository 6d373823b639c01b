//! What a message in one piece tells.

use super::usage::Counts;
use crate::dialect::{Fault, Reading};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    content: Vec<Block>,
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
    let Ok(reply) = serde_json::from_slice::<Reply>(body) else {
        reading.fault = Some(Fault::Garbled);
        return;
    };
    reading.ended = true;
    reading.output_bytes = body.len() as u64;
    reading.served_model = reply.model;
    reading.stopped = reply.stop_reason;
    for block in reply.content {
        let data = block.data.as_ref().and_then(serde_json::Value::as_str);
        match (block.kind.as_str(), block.signature, data) {
            ("thinking", Some(signature), _) => reading.made(&signature),
            ("redacted_thinking", _, Some(data)) => reading.made(data),
            _ => {}
        }
    }
    if let Some(usage) = reply.usage {
        reading.tokens = usage.tokens();
        reading.tier = usage.service_tier;
        reading.has_usage = true;
    }
}
