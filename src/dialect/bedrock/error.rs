//! Refusals as AWS's SDKs expect them from Bedrock.

use crate::refusal::{Kind, Refusal};
use serde_json::json;

/// What kind of refusal it is: stands in the header `x-amzn-errortype`.
pub fn kind(refusal: &Refusal) -> &'static str {
    match refusal.kind() {
        Kind::Credentials | Kind::Forbidden => "AccessDeniedException",
        Kind::NotFound => "ResourceNotFoundException",
        Kind::TooLarge | Kind::Invalid => "ValidationException",
        Kind::Limited => "ThrottlingException",
        Kind::Spent => "ServiceQuotaExceededException",
        Kind::Unavailable => "ServiceUnavailableException",
        Kind::Broken => "InternalServerException",
    }
}

/// The body of a refusal.
pub fn body(refusal: &Refusal) -> String {
    json!({"message": refusal.to_string(), "code": refusal.code()}).to_string()
}
