//! What the gateway reads of a chat completion request, and the one thing it
//! adds: a stream that reports its usage.

use crate::dialect::call::{self, Call, Wanted};
use crate::dialect::Edits;
use crate::refusal::Invalid;
use std::collections::BTreeMap;

const FIELDS: &[&str] = &[
    "max_tokens",
    "max_completion_tokens",
    "n",
    "model",
    "messages",
    "stream",
    "stream_options",
    "metadata",
    "reasoning_effort",
];

/// The tags a body's own `metadata` may set. The rest of it may hold anything,
/// also what belongs in no usage row.
const TAGS: [&str; 2] = ["feature", "environment"];

/// Reads a request body.
pub fn read(body: &str) -> Result<Call<'_>, Invalid> {
    let fields = call::read_fields(body, FIELDS)?;
    let wanted = Wanted {
        model: call::string(&fields, "model")?,
        stream: call::flag(&fields, "stream")?,
        thinks: call::thinks(&fields, "reasoning_effort"),
    };
    call::filled_list(&fields, "messages")?;
    let asks_for_usage = match call::find(&fields, "stream_options") {
        None => false,
        Some(options) => asks_for_usage(options.json)?,
    };
    let tags = call::find(&fields, "metadata").map_or_else(Vec::new, |m| tags(m.json));
    let hide_usage = wanted.stream && !asks_for_usage;
    Ok(Call {
        body,
        wanted,
        fields,
        hide_usage,
        tags,
    })
}

type Options = BTreeMap<String, serde_json::Value>;

fn asks_for_usage(options: &str) -> Result<bool, Invalid> {
    let options: Option<Options> = serde_json::from_str(options).map_err(|_| Invalid::Type {
        field: "stream_options".to_owned(),
        expected: "an object",
    })?;
    Ok(options.is_some_and(|o| o.get("include_usage") == Some(&serde_json::Value::Bool(true))))
}

/// The tags among a body's own labels.
pub fn tags(metadata: &str) -> Vec<(String, String)> {
    let metadata: Options = serde_json::from_str(metadata).unwrap_or_default();
    metadata
        .into_iter()
        .filter(|(name, _)| TAGS.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .collect()
}

/// Makes the stream report its usage where it would not.
pub fn ask_for_usage(call: &Call<'_>, edits: &mut Edits) {
    if !call.hide_usage {
        return;
    }
    let mut options: Options = call
        .field("stream_options")
        .and_then(|options| serde_json::from_str(options.json).ok())
        .unwrap_or_default();
    options.insert("include_usage".to_owned(), serde_json::Value::Bool(true));
    if let Ok(json) = serde_json::to_string(&options) {
        edits.set(call, "stream_options", json);
    }
}
