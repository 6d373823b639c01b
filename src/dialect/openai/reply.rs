//! What a chat completion in one piece tells.

use super::usage::Usage;
use crate::dialect::{Fault, Reading};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    service_tier: Option<String>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    finish_reason: Option<String>,
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
    reading.tier = reply.service_tier;
    reading.stopped = reply.choices.into_iter().find_map(|c| c.finish_reason);
    if let Some(usage) = reply.usage {
        reading.tokens = usage.tokens();
        reading.has_usage = true;
    }
}
