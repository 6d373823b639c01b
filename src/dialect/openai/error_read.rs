//! Reads an error in the variants of the many hosts with OpenAI's API, in a body, an
//! event, a choice or a response.

use crate::dialect::neutral::{Delta, Json};
use crate::dialect::{too_long, Fault};
use serde_json::value::RawValue;

/// An error, in a body or in a stream.
pub fn failure(error: &Json<'_>) -> Delta<'static> {
    let code = |name: &str| match error.get(name) {
        Some(Json::Text(text)) => Some(text.to_string()),
        Some(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    // An error event of a stream has the kind in its code.
    let kind = code("type").filter(|kind| kind != "error");
    let long = code("code").filter(|code| too_long::is_word(code));
    let kind = long.or(kind).or_else(|| code("code"));
    let message = error.as_text().or_else(|| error.text("message"));
    let message = message.or_else(|| error.text("detail")).map(str::to_owned);
    let message = message.unwrap_or_else(|| findings(error.list("detail")));
    Delta::Failed {
        kind: kind.unwrap_or_else(|| "error".to_owned()),
        message,
    }
}

/// What Mistral finds wrong with the fields of a request.
fn findings(list: &[Json<'_>]) -> String {
    const MOST: usize = 8;
    let one = |finding: &Json<'_>| {
        let place = finding.list("loc").iter().map(|step| match step {
            Json::Text(name) => name.to_string(),
            other => other.to_text(),
        });
        let place = place.collect::<Vec<_>>().join(".");
        let said = finding.text("msg").unwrap_or_default();
        match place.is_empty() {
            true => said.to_owned(),
            false => format!("{place}: {said}"),
        }
    };
    list.iter()
        .take(MOST)
        .map(one)
        .collect::<Vec<_>>()
        .join("; ")
}

/// An error that is not read yet, as a fault.
pub fn failed(error: &RawValue) -> Fault {
    let json = Json::parse(error.get()).unwrap_or(Json::Null);
    match failure(&json) {
        Delta::Failed { kind, .. } => Fault::Reported { kind },
        _ => Fault::Garbled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guard_an_error_event_is_known_by_its_code() {
        let kind = |json: &str| match failure(&Json::parse(json).unwrap()) {
            Delta::Failed { kind, .. } => kind,
            other => format!("{other:?}"),
        };
        let event = r#"{"type":"error","code":"server_error","message":"x"}"#;
        assert_eq!(kind(event), "server_error");
        assert_eq!(kind(r#"{"type":"a","code":"b"}"#), "a");
        assert_eq!(kind(r#"{"type":"error"}"#), "error");
    }
}
