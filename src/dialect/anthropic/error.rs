//! Refusals and broken streams as Anthropic's SDKs expect them.

use crate::dialect::Fault;
use crate::refusal::{Kind, Refusal};
use crate::units::RequestId;
use serde_json::json;

/// The body of a refusal.
pub fn body(refusal: &Refusal, id: &RequestId) -> String {
    let kind = match refusal.kind() {
        _ if refusal.status() == 400 => "invalid_request_error",
        Kind::Credentials => "authentication_error",
        Kind::Forbidden => "permission_error",
        Kind::NotFound => "not_found_error",
        Kind::TooLarge => "request_too_large",
        Kind::Invalid => "invalid_request_error",
        Kind::Limited => "rate_limit_error",
        Kind::Spent => "billing_error",
        Kind::Unavailable | Kind::Broken => "api_error",
    };
    let (message, code) = (refusal.to_string(), refusal.code());
    let error = match refusal {
        // With this error, the SDK sends the whole conversation itself.
        Refusal::Egress(refused) if refused.is_thread() => json!({
            "type": kind, "message": message, "code": code,
            "details": {"error_code": "thread_unsupported_request", "unsupported": ["thread"]},
        }),
        _ => json!({"type": kind, "message": message, "code": code}),
    };
    json!({"type": "error", "error": error, "request_id": id.as_str()}).to_string()
}

/// The final event of a stream that broke.
pub fn event(fault: &Fault, id: &RequestId) -> String {
    let error = json!({
        "type": "error",
        "error": {
            "type": "api_error",
            "message": format!("The provider's stream broke before its end ({}). What came before this is incomplete.", fault.as_str()),
        },
        "request_id": id.as_str(),
    });
    format!("event: error\ndata: {error}\n\n")
}

/// An error of a provider with another dialect.
pub fn provider_error(status: u16, message: &str, id: &RequestId) -> String {
    let class = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let error = json!({"type": class, "message": message});
    json!({"type": "error", "error": error, "request_id": id.as_str()}).to_string()
}

/// A request that is too long, as Anthropic itself reports it.
pub fn too_long(message: &str, id: &RequestId) -> String {
    let error = json!({"type": "invalid_request_error", "message": message});
    json!({"type": "error", "error": error, "request_id": id.as_str()}).to_string()
}
