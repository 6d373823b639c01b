//! Refusals as Google's SDKs expect them.

use crate::refusal::{Kind, Refusal};
use serde_json::json;

/// The body of a refusal.
pub fn body(refusal: &Refusal) -> String {
    let status = match refusal.kind() {
        Kind::Credentials => "UNAUTHENTICATED",
        Kind::Forbidden => "PERMISSION_DENIED",
        Kind::NotFound => "NOT_FOUND",
        Kind::TooLarge | Kind::Invalid => "INVALID_ARGUMENT",
        Kind::Limited | Kind::Spent => "RESOURCE_EXHAUSTED",
        Kind::Unavailable => "UNAVAILABLE",
        Kind::Broken => "INTERNAL",
    };
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": refusal.code(),
        "domain": "meridian",
    }]);
    json!({"error": {
        "code": refusal.status(),
        "message": refusal.to_string(),
        "status": status,
        "details": details,
    }})
    .to_string()
}
