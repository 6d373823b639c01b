//! OpenAI's responses.

pub mod answer_read;
pub mod answer_whole;
pub mod answer_write;
pub mod ask_read;
pub mod ask_write;
pub mod items;
pub mod request;
pub(super) mod usage;

use crate::dialect::openai::error::broken;
use crate::dialect::Fault;

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
