//! `GET /v1/models`: what the caller can use in its zone, in the format its
//! SDK reads.

use crate::regions::Dialect;
use serde_json::{json, Value};
use std::collections::BTreeSet;

/// The list in a dialect's format.
pub fn models(dialect: Dialect, names: &BTreeSet<&str>) -> String {
    let entries: Vec<Value> = names.iter().map(|name| entry(dialect, name)).collect();
    match dialect {
        Dialect::OpenAiChat => json!({"object": "list", "data": entries}),
        Dialect::AnthropicMessages => json!({
            "data": entries,
            "has_more": false,
            "first_id": names.first(),
            "last_id": names.last(),
        }),
    }
    .to_string()
}

fn entry(dialect: Dialect, name: &str) -> Value {
    match dialect {
        Dialect::OpenAiChat => {
            json!({"id": name, "object": "model", "created": 0, "owned_by": "meridian"})
        }
        Dialect::AnthropicMessages => json!({
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": "1970-01-01T00:00:00Z",
        }),
    }
}
