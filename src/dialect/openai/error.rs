//! Refusals and broken streams as OpenAI's SDKs expect them.

use crate::dialect::Fault;
use crate::refusal::{Kind, Refusal};
use serde_json::json;

/// The body of a refusal.
pub fn body(refusal: &Refusal) -> String {
    let kind = match refusal.kind() {
        Kind::Credentials => "authentication_error",
        Kind::Forbidden => "permission_error",
        Kind::Unavailable | Kind::Broken => "server_error",
        Kind::Invalid | Kind::NotFound | Kind::TooLarge => "invalid_request_error",
    };
    json!({"error": {
        "message": refusal.to_string(),
        "type": kind,
        "param": refusal.param(),
        "code": refusal.code(),
    }})
    .to_string()
}

/// The final event of a stream that broke.
pub fn event(fault: &Fault) -> String {
    let error = json!({"error": {
        "message": format!("The provider's stream broke before its end ({}). What came before this is incomplete.", fault.as_str()),
        "type": "server_error",
        "param": null,
        "code": "stream_broken",
    }});
    format!("data: {error}\n\n")
}
