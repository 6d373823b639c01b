//! How many tokens a request has, as providers tell it and Anthropic's clients
//! expect it.

use super::form::{Json, Object};
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
pub fn write(count: u64) -> String {
    Json::Object(Object::new().with("input_tokens", count)).to_text()
}
