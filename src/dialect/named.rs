//! A request whose path names the model, as Azure's do.

use super::call::{self, Value};
use crate::refusal::Invalid;

/// The body with the model that the path names. If that model `is_known`, the model in
/// the body is ignored, as Azure does. Otherwise the path has a custom deployment name,
/// and the model in the body may be known.
pub fn with_model(mut body: String, model: &str, is_known: bool) -> Result<String, Invalid> {
    let json = serde_json::Value::from(model).to_string();
    let fields = call::read_fields(&body, &["model"])?;
    if !is_known && call::string(&fields, "model").is_ok() {
        return Ok(body);
    }
    let (at, text) = match call::find(&fields, "model") {
        Some(Value { at, .. }) => (at.clone(), json),
        None => {
            let start = body.find('{').map_or(0, |brace| brace + 1);
            let rest = body.get(start..).unwrap_or_default().trim_start();
            let comma = if rest.starts_with('}') { "" } else { "," };
            (start..start, format!("\"model\":{json}{comma}"))
        }
    };
    body.reserve_exact(text.len());
    body.replace_range(at, &text);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_says_the_model_whatever_the_body_says() {
        let cases = [
            (r#"{"a":1}"#, r#"{"model":"m\"x","a":1}"#),
            (r#" { } "#, r#" {"model":"m\"x" } "#),
            (r#"{"model":null,"a":1}"#, r#"{"model":"m\"x","a":1}"#),
            (
                r#"{"a":1, "mod\u0065l" : "other"}"#,
                r#"{"a":1, "mod\u0065l" : "m\"x"}"#,
            ),
            (r#"{"model":{"a":[]}}"#, r#"{"model":"m\"x"}"#),
        ];
        for (body, expected) in cases {
            let named = |is_known| with_model(body.to_owned(), "m\"x", is_known);
            assert_eq!(named(true).as_deref(), Ok(expected));
            let says = body.contains("other");
            assert_eq!(
                named(false).as_deref(),
                Ok(if says { body } else { expected })
            );
        }
        for body in [
            "",
            "[]",
            "{",
            r#"{"model":"a","model":"b"}"#,
            r#"{"a":1} x"#,
        ] {
            assert!(
                matches!(
                    with_model(body.to_owned(), "m", true),
                    Err(Invalid::Json { .. })
                ),
                "{body}"
            );
        }
    }
}
