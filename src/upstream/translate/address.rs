//! The path of an operation at an endpoint: base path, the dialect's path, query.

use crate::dialect::Api;
use crate::regions::Dialect;
use crate::request::plan::Attempt;

/// The path of an operation at an endpoint.
pub fn path(attempt: Attempt<'_>, dialect: Dialect, api: Api, stream: bool) -> String {
    let endpoint = attempt.endpoint();
    let own = endpoint.paths.as_ref().map(|paths| match stream {
        true => paths.stream.as_str(),
        false => paths.once.as_str(),
    });
    let operation = own.unwrap_or_else(|| usual_path(dialect, api, stream));
    let operation = operation.replace("{model}", &segment(&attempt.claim().id));
    located(attempt, &operation)
}

/// The full path, from the part after the base path.
pub fn located(attempt: Attempt<'_>, operation: &str) -> String {
    let endpoint = attempt.endpoint();
    let model = segment(&attempt.claim().id);
    let base = endpoint.base_path.replace("{model}", &model);
    let path = format!("{base}{operation}");
    match &endpoint.query {
        Some(query) => {
            let mark = if path.contains('?') { '&' } else { '?' };
            format!("{path}{mark}{query}")
        }
        None => path,
    }
}

/// The path where a dialect counts tokens.
fn counting_path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::AnthropicMessages => "/messages/count_tokens",
        Dialect::BedrockConverse => "/model/{model}/count-tokens",
        Dialect::Gemini => "/models/{model}:countTokens",
        _ => "/responses/input_tokens",
    }
}

/// The path of an operation in a dialect.
fn usual_path(dialect: Dialect, api: Api, stream: bool) -> &'static str {
    match (dialect, api, stream) {
        (Dialect::OpenAiChat | Dialect::OpenAiResponses, Api::Embeddings, _) => "/embeddings",
        (Dialect::OpenAiChat, Api::Completions, _) => "/completions",
        (Dialect::OpenAiChat, ..) => "/chat/completions",
        (dialect, api, _) if api.counts() => counting_path(dialect),
        (Dialect::OpenAiResponses, Api::Compact, _) => "/responses/compact",
        (Dialect::OpenAiResponses, ..) => "/responses",
        (Dialect::AnthropicMessages, ..) => "/messages",
        (Dialect::BedrockConverse, _, true) => "/model/{model}/converse-stream",
        (Dialect::BedrockConverse, _, false) => "/model/{model}/converse",
        (Dialect::Gemini, Api::Embeddings, _) => "/models/{model}:batchEmbedContents",
        (Dialect::Gemini, _, true) => "/models/{model}:streamGenerateContent?alt=sse",
        (Dialect::Gemini, _, false) => "/models/{model}:generateContent",
        (Dialect::CohereEmbed, ..) => "/embed",
    }
}

/// A model's id as a segment of a path: an ARN has colons and slashes.
pub fn segment(id: &str) -> String {
    let mut segment = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                segment.push(char::from(byte));
            }
            other => segment.push_str(&format!("%{other:02X}")),
        }
    }
    segment
}
