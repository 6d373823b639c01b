//! The top-level fields of a chat completion request that the gateway reads, and the
//! one that it sets: the stream option for usage.

use crate::dialect::call::{self, Call, Wanted};
use crate::dialect::Amounts;
use crate::dialect::Edits;
use crate::refusal::Invalid;

const FIELDS: &[&str] = &[
    "max_tokens",
    "max_completion_tokens",
    "service_tier",
    "n",
    "best_of",
    "prediction",
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

/// The option of a stream that makes it report its usage.
const INCLUDE_USAGE: &str = "include_usage";

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
        amounts: Amounts::of_chat(&fields)?,
        fields,
        hide_usage,
        tags,
    })
}

pub(super) fn asks_for_usage(options: &str) -> Result<bool, Invalid> {
    if options == "null" {
        return Ok(false);
    }
    let wrong = |_| Invalid::Type {
        field: "stream_options".to_owned(),
        expected: "an object",
    };
    let fields = call::read_fields(options, &[INCLUDE_USAGE]).map_err(wrong)?;
    Ok(call::find(&fields, INCLUDE_USAGE).is_some_and(|said| said.json == "true"))
}

/// The tags among a body's own labels.
pub fn tags(metadata: &str) -> Vec<(String, String)> {
    let found = call::read_fields(metadata, &TAGS).unwrap_or_default();
    let found = found.into_iter().filter_map(|(name, value)| {
        let value: String = serde_json::from_str(value.json).ok()?;
        Some((name.to_owned(), value))
    });
    found.collect()
}

/// Makes the stream report its usage where it would not.
pub fn ask_for_usage(call: &Call<'_>, edits: &mut Edits) {
    if !call.hide_usage {
        return;
    }
    let options = call.field("stream_options").map(|options| options.json);
    let options = options.filter(|json| *json != "null").unwrap_or("{}");
    let fields = call::read_fields(options, &[INCLUDE_USAGE]).unwrap_or_default();
    let said = call::find(&fields, INCLUDE_USAGE).map(|said| said.at.clone());
    let json = match said {
        Some(at) => {
            let before = options.get(..at.start).unwrap_or_default();
            let after = options.get(at.end..).unwrap_or_default();
            format!("{before}true{after}")
        }
        None => {
            let rest = options.get(1..).unwrap_or_default().trim_start();
            let comma = if rest.starts_with('}') { "" } else { "," };
            format!("{{\"{INCLUDE_USAGE}\":true{comma}{rest}")
        }
    };
    edits.set(call, "stream_options", json);
}
