//! OpenAI's responses.

pub mod answer_read;
pub mod answer_whole;
pub mod answer_write;
pub mod request_read;
pub mod request_write;
mod calls;
pub mod items;
pub mod request_fields;
pub mod stored;
mod tools_write;
pub(super) mod usage;

use crate::dialect::openai::error::broken;
use crate::dialect::Fault;
use crate::refusal::Refusal;

/// The final event of a stream that broke.
pub fn error_event(fault: &Fault) -> String {
    let event = serde_json::json!({
        "type": "error",
        "code": "stream_broken",
        "message": broken(fault),
        "param": null,
    });
    format!("event: error\ndata: {event}\n\n")
}

/// A refusal as the last event of a stream.
pub fn refusal_event(refusal: &Refusal) -> String {
    let event = serde_json::json!({
        "type": "error",
        "code": refusal.code(),
        "message": refusal.to_string(),
        "param": refusal.param(),
    });
    format!("event: error\ndata: {event}\n\n")
}

/// A provider's error body as the last event of a stream.
pub fn failure_event(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let error = body.get("error").unwrap_or(&body);
    let event = serde_json::json!({
        "type": "error",
        "code": error.get("code"),
        "message": error.get("message"),
        "param": error.get("param"),
    });
    format!("event: error\ndata: {event}\n\n")
}
