//! Token counts of requests: read from providers, written for clients.

use super::neutral::{Json, Object};
use super::{Api, Family};
use crate::regions::Dialect;

/// A provider's count.
pub fn read(dialect: Dialect, body: &[u8]) -> Option<u64> {
    let json = Json::parse_bytes(body).ok()?;
    let name = match dialect {
        Dialect::Gemini => "totalTokens",
        Dialect::BedrockConverse => "inputTokens",
        _ => "input_tokens",
    };
    json.count(name)
}

/// The same for a client.
pub fn write(api: Api, count: u64) -> String {
    let told = match api.family() {
        Family::OpenAi => Object::new().with("object", "response.input_tokens"),
        _ => Object::new(),
    };
    Json::Object(told.with("input_tokens", count)).to_text()
}
