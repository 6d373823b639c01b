//! The parts of a provider's error by which an endpoint may be judged: its error codes,
//! which no caller can choose, and its message as a whole. A message may quote the
//! request, so it is never searched.

use super::neutral::Json;

/// The type of Google's error detail that has a code.
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";

/// A provider's error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderError {
    /// The provider's codes for it, the most precise first, in lower case.
    pub words: Vec<String>,
    /// The whole message; empty where there is none.
    pub message: String,
    /// The field that is to blame, if the provider names one.
    pub param: Option<String>,
}

impl ProviderError {
    /// Reads the body of an error. `beside` is the error type that AWS sends in a
    /// header.
    pub fn read(beside: &str, body: &[u8]) -> ProviderError {
        let json = Json::parse_bytes(body).unwrap_or(Json::Null);
        let first = match &json {
            Json::List(list) => list.first().unwrap_or(&Json::Null),
            one => one,
        };
        let error = first.get("error").unwrap_or(first);
        let infos = error.list("details").iter();
        let infos = infos.filter(|detail| detail.text("@type") == Some(ERROR_INFO));
        let mut words: Vec<&str> = infos.filter_map(|info| info.text("reason")).collect();
        words.extend(
            ["code", "type", "status"]
                .iter()
                .filter_map(|name| error.text(name)),
        );
        words.push(beside);
        let message = error.as_text().or_else(|| error.text("message"));
        ProviderError {
            words: words.into_iter().filter_map(word).collect(),
            message: message.unwrap_or_default().to_owned(),
            param: error.text("param").map(str::to_owned),
        }
    }
}

/// A provider's error code in lower case, without AWS's namespace. `None` if it is not
/// one word.
pub fn word(text: &str) -> Option<String> {
    const LONGEST: usize = 64;
    let last = text.rsplit('#').next().unwrap_or(text);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let is_word = !last.is_empty() && last.len() <= LONGEST && last.bytes().all(plain);
    is_word.then(|| last.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(beside: &str, body: &str) -> Vec<String> {
        ProviderError::read(beside, body.as_bytes()).words
    }

    #[test]
    fn the_words_of_an_error_are_where_each_provider_puts_them() {
        let google = r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",
            "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"},
            {"@type":"type.googleapis.com/google.rpc.BadRequest","reason":"not this"}]}}]"#;
        assert_eq!(words("", google), ["api_key_invalid", "invalid_argument"]);
        let openai = r#"{"error":{"message":"m","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#;
        assert_eq!(
            words("", openai),
            ["model_not_found", "invalid_request_error"]
        );
        let anthropic =
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(words("", anthropic), ["overloaded_error"]);
        assert_eq!(
            words("com.amazon.coral#ThrottlingException", r#"{"message":"m"}"#),
            ["throttlingexception"]
        );
        for nothing in [
            "",
            "null",
            "[]",
            r#"{"error":"overloaded_error"}"#,
            r#"{"error":{"type":"credit balance is too low"}}"#,
        ] {
            assert!(words("", nothing).is_empty(), "{nothing}");
        }
        let said = ProviderError::read("", openai.as_bytes());
        assert_eq!(
            (said.message.as_str(), said.param.as_deref()),
            ("m", Some("model"))
        );
    }
}
