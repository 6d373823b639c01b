//! Reads the facts of a whole chat completion.

use super::error_read::failed;
use super::stream::Groq;
use crate::dialect::{Fault, Reading};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    service_tier: Option<String>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    x_groq: Option<Groq<'a>>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    finish_reason: Option<String>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Takes the reply into the reading.
pub fn read(body: &[u8], reading: &mut Reading) {
    let Ok(reply) = serde_json::from_slice::<Completion<'_>>(body) else {
        reading.fault = Some(Fault::Garbled);
        return;
    };
    reading.ended = true;
    reading.output_bytes = body.len() as u64;
    reading.served_model = reply.model;
    reading.tier = reply.service_tier;
    let choices = reply.choices.unwrap_or_default();
    let errors = choices.iter().filter_map(|choice| choice.error);
    if let Some(error) = reply.error.into_iter().chain(errors).next() {
        reading.fault = Some(failed(error));
    }
    reading.stopped = choices.into_iter().find_map(|c| c.finish_reason);
    if reading.stopped.as_deref() == Some("error") {
        let kind = "error".to_owned();
        reading.fault.get_or_insert(Fault::Reported { kind });
    }
    let usage = reply.usage.or(reply.x_groq.and_then(|groq| groq.usage));
    if let Some(usage) = usage {
        super::usage::take(usage.get(), reading);
        reading.has_usage = reading.counted;
    }
}
