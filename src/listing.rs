//! `GET /v1/models`: what the caller can use in its zone, in the format its
//! SDK reads.

use crate::dialect::Family;
use serde_json::{json, Value};
use std::collections::BTreeSet;

/// The list as an SDK reads it.
pub fn models(family: Family, names: &BTreeSet<&str>) -> String {
    let entries: Vec<Value> = names.iter().map(|name| entry(family, name)).collect();
    match family {
        Family::OpenAi => json!({"object": "list", "data": entries}),
        Family::Anthropic => json!({
            "data": entries,
            "has_more": false,
            "first_id": names.first(),
            "last_id": names.last(),
        }),
    }
    .to_string()
}

fn entry(family: Family, name: &str) -> Value {
    match family {
        Family::OpenAi => {
            json!({"id": name, "object": "model", "created": 0, "owned_by": "meridian"})
        }
        Family::Anthropic => json!({
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": "1970-01-01T00:00:00Z",
        }),
    }
}
