//! The top-level fields of a responses request that the gateway reads and edits.

use crate::dialect::call::{self, Call, Wanted};
use crate::dialect::openai::request_fields::tags;
use crate::dialect::Amounts;
use crate::dialect::Edits;
use crate::refusal::Invalid;

/// The value of `include` for encrypted reasoning.
const ENCRYPTED: &str = "reasoning.encrypted_content";

const FIELDS: &[&str] = &[
    "model",
    "stream",
    "metadata",
    "reasoning",
    "max_output_tokens",
    "max_tool_calls",
    "service_tier",
    "store",
    "include",
    "previous_response_id",
];

/// Reads a request body. Usage comes with every stream and need not be asked
/// for.
pub fn read(body: &str) -> Result<Call<'_>, Invalid> {
    let fields = call::read_fields(body, FIELDS)?;
    let wanted = Wanted {
        model: call::string(&fields, "model")?,
        stream: call::flag(&fields, "stream")?,
        thinks: call::thinks(&fields, "reasoning"),
    };
    let tags = call::find(&fields, "metadata").map_or_else(Vec::new, |m| tags(m.json));
    Ok(Call {
        body,
        wanted,
        amounts: Amounts::of_responses(&fields)?,
        fields,
        hide_usage: false,
        tags,
    })
}

/// The id of the response that a request continues.
pub fn goes_on_from(call: &Call<'_>) -> Option<String> {
    let id = call.field("previous_response_id")?.json;
    serde_json::from_str(id).ok()
}

/// Asks the provider not to store the response, which it does by default. A client that
/// relies on storage sends reasoning back only by its ids, so a model that `thinks` is
/// asked for encrypted reasoning, which the client sends back.
pub fn keep_nothing(call: &Call<'_>, thinks: bool, edits: &mut Edits) {
    let said = call.field("store").map(|value| value.json);
    if said == Some("false") {
        return;
    }
    edits.set(call, "store", "false".to_owned());
    let included = call.field("include").map(|value| value.json);
    if !thinks || included.is_some_and(|list| list.contains(ENCRYPTED)) {
        return;
    }
    let before = included.and_then(|list| list.trim_end().strip_suffix(']'));
    let include = match before.map(str::trim_end) {
        Some(list) if !list.ends_with('[') => format!("{list},\"{ENCRYPTED}\"]"),
        _ => format!("[\"{ENCRYPTED}\"]"),
    };
    edits.set(call, "include", include);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn what_is_not_kept_is_handed_out() {
        let told = |more: &str, thinks| {
            let body = Rc::new(format!(r#"{{"model":"m","input":"a"{more}}}"#));
            let mut edits = Edits::default();
            keep_nothing(&read(&body).unwrap(), thinks, &mut edits);
            let told: serde_json::Value =
                serde_json::from_str(&edits.apply(&body).to_string()).unwrap();
            (told["store"].clone(), told["include"].clone())
        };
        let encrypted = serde_json::json!(["reasoning.encrypted_content"]);
        assert_eq!(told("", true), (false.into(), encrypted.clone()));
        assert_eq!(told("", false), (false.into(), serde_json::Value::Null));
        for empty in ["null", "[ ]"] {
            let more = format!(r#","store":true,"include":{empty}"#);
            assert_eq!(
                told(&more, true),
                (false.into(), encrypted.clone()),
                "{empty}"
            );
        }
        let other = serde_json::json!(["a", "reasoning.encrypted_content"]);
        assert_eq!(told(r#","include":["a" ]"#, true), (false.into(), other));
        // A client that sets it already handles this.
        assert_eq!(told(r#","store":false"#, true).1, serde_json::Value::Null);
    }
}
