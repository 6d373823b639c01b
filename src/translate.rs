//! From the client's request to the bytes an endpoint wants. In the same
//! dialect these are the client's own bytes, with the model's name, the usage
//! option and what the endpoint's claim depends on set, and nothing else.

use crate::dialect::{openai, Call, Edits};
use crate::head::Head;
use crate::plan::Attempt;
use crate::regions::{Dialect, StreamUsage};

/// The client's headers that mean something to a provider. All others, the
/// gateway key among them, stay here.
const PASSED_ON: [&str; 4] = [
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "openai-beta",
];

/// A request to a provider. It can be made only from an [`Attempt`], so it
/// goes nowhere the zone does not allow.
#[derive(Debug)]
pub struct Outbound<'c> {
    attempt: Attempt<'c>,
    /// The headers, but for the credential.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl<'c> Outbound<'c> {
    /// What it was made from.
    pub fn attempt(&self) -> Attempt<'c> {
        self.attempt
    }

    /// The address: host and path come from the map alone.
    pub fn url(&self) -> String {
        let endpoint = self.attempt.endpoint();
        format!(
            "https://{}{}{}",
            endpoint.host,
            endpoint.base_path,
            endpoint.dialect.path()
        )
    }
}

/// Prepares a call for one attempt.
pub fn prepare<'c>(attempt: Attempt<'c>, head: &Head, call: &Call<'_>) -> Outbound<'c> {
    let endpoint = attempt.endpoint();
    let mut edits = Edits::default();
    if attempt.claim().id != call.wanted.model {
        let id = serde_json::Value::from(attempt.claim().id.as_str());
        edits.set(call, "model", id.to_string());
    }
    for (field, value) in &endpoint.fixed {
        edits.set(call, field, value.to_string());
    }
    if endpoint.dialect == Dialect::OpenAiChat && endpoint.stream_usage == StreamUsage::Asked {
        openai::request::ask_for_usage(call, &mut edits);
    }
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    for name in PASSED_ON {
        if let Some(value) = head.header(name) {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    Outbound {
        attempt,
        headers,
        body: edits.apply(call.body),
    }
}
