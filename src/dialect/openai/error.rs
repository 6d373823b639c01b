//! Refusals and broken streams as OpenAI's SDKs expect them.

use crate::dialect::Fault;
use crate::refusal::{Kind, Refusal};
use serde_json::json;

/// OpenAI's code for a request that is too long.
pub const TOO_LONG: &str = "context_length_exceeded";

/// The body of a refusal.
pub fn body(refusal: &Refusal) -> String {
    let kind = match refusal.kind() {
        Kind::Credentials => "authentication_error",
        Kind::Forbidden => "permission_error",
        Kind::Limited => "rate_limit_error",
        Kind::Spent => "insufficient_quota",
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

/// The message about a stream that broke.
pub fn broken(fault: &Fault) -> String {
    format!(
        "The provider's stream broke before its end ({}). What came before this is incomplete.",
        fault.as_str()
    )
}

/// The final event of a stream that broke.
pub fn event(fault: &Fault) -> String {
    let error = json!({"error": {
        "message": broken(fault),
        "type": "server_error",
        "param": null,
        "code": "stream_broken",
    }});
    format!("data: {error}\n\n")
}

/// An error of a provider with another dialect.
pub fn provider_error(status: u16, kind: &str, message: &str) -> String {
    let class = match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    json!({"error": {"message": message, "type": class, "param": null, "code": kind}}).to_string()
}

/// A request that is too long, as OpenAI itself reports it.
pub fn too_long(message: &str, field: &str) -> String {
    json!({"error": {
        "message": message,
        "type": "invalid_request_error",
        "param": field,
        "code": TOO_LONG,
    }})
    .to_string()
}
