//! Errors about a request that is too long for its model. Agents shorten their
//! conversation when they get the error that their own API would send, so other
//! providers' errors are rewritten. Providers use an error code or a sentence, which is
//! compared from its beginning. An error may quote the request, so this decides only
//! how the error is written for that caller, and nothing else.

use super::provider_error::word;
use super::{Api, Client, Family};
use crate::units::RequestId;

/// A request that is too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLong {
    numbers: Numbers,
    /// The provider's message.
    message: String,
}

/// The token counts in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Numbers {
    /// Tokens of the prompt.
    used: Option<u64>,
    /// Tokens of output that were requested.
    output: Option<u64>,
    /// The limit.
    limit: Option<u64>,
}

/// The status that both APIs use for it.
pub const STATUS: u16 = 400;

/// The statuses that providers use for it.
const STATUSES: [u16; 3] = [400, 413, 422];

/// Error codes for it, in lower case.
const WORDS: [&str; 4] = [
    "context_length_exceeded",
    "context_window_exceeded",
    "exceed_context_size_error",
    "model_context_window_exceeded",
];

/// What some hosts put before a provider's sentence.
const BEFORE: [&str; 4] = [
    "The model returned the following errors: ",
    "Input validation error: ",
    "Invalid request: ",
    "400 Bad Request: ",
];

/// The beginnings of sentences for it: `{u}` is the tokens of the prompt, `{o}` the
/// requested output, `{l}` the limit, `{n}` another number, `…` some words.
const SENTENCES: [&str; 42] = [
    // OpenAI, Azure, DeepSeek, vLLM, models of others at Bedrock.
    "This model's maximum context length is {l} tokens. However, your messages resulted in {u} tokens",
    "This model's maximum context length is {l} tokens…you requested {n} tokens ({u} in the messages, {o} in the completion)",
    "This model's maximum context length is {l} tokens…you requested {n} tokens ({u} in your prompt; {o} for the completion)",
    "This model's maximum context length is {l} tokens…you requested {u} tokens",
    "This model's maximum context length is {l} tokens…request has {u} input tokens",
    "This model's maximum context length is {l} tokens…you requested {o} output tokens and your prompt contains at least {u} input tokens",
    "You passed {u} input tokens and requested {o} output tokens. However, the model's context length is only {l} tokens",
    "This model's maximum context length is {l} tokens",
    "Your input exceeds the context window of this model",
    "Input tokens exceed the configured limit of {l} tokens. Your messages resulted in {u} tokens",
    "'max_tokens' or 'max_completion_tokens' is too large: {o}. This model's maximum context length is {l} tokens and your request has {u} input tokens",
    "The decoder prompt (length {u}) is longer than the maximum model length of {l}",
    "The prompt (total length {u}) is too long to fit into the model (context length {l}",
    "The engine prompt length {u} exceeds the max_model_len {l}",
    "The input ({u} tokens) is longer than the model's context length ({l} tokens)",
    "Requested token count exceeds the model's maximum context length of {l} tokens. You requested a total of {u} tokens",
    // OpenRouter.
    "This endpoint's maximum context length is {l} tokens…you requested about {u} tokens",
    "This endpoint's maximum context length is {l} tokens",
    // Anthropic.
    "prompt is too long: {u} tokens > {l} maximum",
    "prompt is too long",
    "input length and `max_tokens` exceed context limit: {u} + {o} > {l}",
    // Bedrock.
    "Input is too long for requested model",
    "Input Tokens Exceeded: ",
    "Too many input tokens. Max input tokens: {l}, request input token count: {u}",
    "Too many input tokens",
    // Google.
    "The input token count ({u}) exceeds the maximum number of tokens allowed ({l})",
    "The input token count exceeds the maximum number of tokens allowed ({l})",
    "The input token count exceeds the maximum number of tokens allowed {l}",
    "Unable to submit request because the input token count is {u} but model only supports up to {l}",
    // Mistral.
    "Prompt contains {u} tokens…too large for model with {l} maximum context length",
    // xAI.
    "This model's maximum prompt length is {l} but the request contains {u} tokens",
    // Groq, Cerebras.
    "Please reduce the length of the messages or completion",
    // Cohere.
    "too many tokens: ",
    // Text generation inference, Together.
    "`inputs` tokens + `max_new_tokens` must be <= {l}",
    "`inputs` must have less than {l} tokens. Given: {u}",
    // Fireworks.
    "The prompt is too long: {u}, model maximum context length: {l}",
    // Moonshot.
    "Your request exceeded model token limit: {l} (requested: {u})",
    "Your request exceeded model token limit: {l}",
    // MiniMax, DashScope.
    "invalid params, context window exceeds limit",
    "Range of input length should be [{n}, {l}]",
    // llama.cpp, Ollama.
    "the request exceeds the available context size",
    "prompt too long; exceeded max context length by {n} tokens",
];

/// How many characters `…` stands for at most.
const SOME_WORDS: usize = 120;

/// How OpenAI and Anthropic themselves begin it.
const OPENAIS: [&str; 3] = [
    "This model's maximum context length is ",
    "Your input exceeds the context window of this model",
    "Input tokens exceed the configured limit",
];
const ANTHROPICS: [&str; 2] = [
    "prompt is too long",
    "input length and `max_tokens` exceed context limit",
];

impl TooLong {
    /// Reads an error: its status, where it has one, the provider's word for it
    /// and its message.
    pub fn read(status: Option<u16>, kind: &str, message: &str) -> Option<TooLong> {
        if status.is_some_and(|status| !STATUSES.contains(&status)) {
            return None;
        }
        let has_word = word(kind).is_some_and(|word| is_word(&word));
        let numbers = sentence(message);
        (has_word || numbers.is_some()).then(|| {
            let numbers = numbers.unwrap_or_default();
            let message = message.to_owned();
            TooLong { numbers, message }
        })
    }

    /// The error as the client of an API expects it.
    pub fn body(&self, api: Api, id: &RequestId) -> String {
        match api.family() {
            Family::Anthropic => super::anthropic::error::too_long(&self.message(api), id),
            _ => super::openai::error::too_long(&self.message(api), field(api)),
        }
    }

    /// The message for the client of an API: that API's own sentence, then the
    /// provider's words.
    pub fn message(&self, api: Api) -> String {
        let owns: &[&str] = match api.family() {
            Family::Anthropic => &ANTHROPICS,
            _ => &OPENAIS,
        };
        if owns.iter().any(|own| self.message.starts_with(own)) {
            return self.message.clone();
        }
        let own = match api.family() {
            Family::Anthropic => self.numbers.as_anthropic(),
            _ => self.numbers.as_openai(),
        };
        match self.message.is_empty() {
            true => own,
            false => format!("{own} The provider says: {}", self.message),
        }
    }
}

impl Numbers {
    fn as_openai(&self) -> String {
        match (self.used, self.output, self.limit) {
            (Some(used), _, Some(limit)) if used > limit => format!(
                "This model's maximum context length is {limit} tokens. However, your messages resulted in {used} tokens."
            ),
            (Some(used), Some(output), Some(limit)) => format!(
                "This model's maximum context length is {limit} tokens. However, you requested {} tokens ({used} in the messages, {output} in the completion).",
                used.saturating_add(output)
            ),
            _ => "Your input exceeds the context window of this model.".to_owned(),
        }
    }

    fn as_anthropic(&self) -> String {
        match (self.used, self.output, self.limit) {
            (Some(used), _, Some(limit)) if used > limit => {
                format!("prompt is too long: {used} tokens > {limit} maximum.")
            }
            (Some(used), Some(output), Some(limit)) => format!(
                "input length and `max_tokens` exceed context limit: {used} + {output} > {limit}, decrease input length or `max_tokens` and try again."
            ),
            _ => "prompt is too long: it exceeds the context window.".to_owned(),
        }
    }
}

/// The field that holds the prompt.
pub fn field(api: Api) -> &'static str {
    match api.client() {
        Client::Chat if api == Api::Embeddings => "input",
        Client::Chat if api == Api::Completions => "prompt",
        Client::Responses => "input",
        Client::Chat | Client::Messages => "messages",
    }
}

/// Whether an error code means that the request is too long.
pub fn is_word(word: &str) -> bool {
    WORDS.contains(&word)
}

/// The sentence that a message begins with.
fn sentence(message: &str) -> Option<Numbers> {
    let stripped = BEFORE.iter().find_map(|before| after(message, before));
    let message = stripped.unwrap_or(message);
    SENTENCES.iter().find_map(|known| begins(message, known))
}

/// What follows a text, in whichever case it is written.
fn after<'m>(message: &'m str, text: &str) -> Option<&'m str> {
    let (head, rest) = message.split_at_checked(text.len())?;
    head.eq_ignore_ascii_case(text).then_some(rest)
}

/// Whether a message begins with a sentence, and the numbers in it.
fn begins(message: &str, sentence: &str) -> Option<Numbers> {
    let mut numbers = Numbers::default();
    let mut message = message;
    let mut sentence = sentence;
    while !sentence.is_empty() {
        if let Some((hole, rest)) = sentence
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'))
        {
            let digits = |byte: &u8| byte.is_ascii_digit() || *byte == b',';
            let length = message.bytes().take_while(digits).count();
            // A comma after the number is not part of it.
            let length = message.get(..length)?.trim_end_matches(',').len();
            let (digits, behind) = message.split_at_checked(length)?;
            let number: u64 = digits.replace(',', "").parse().ok()?;
            match hole {
                "u" => numbers.used = Some(number),
                "o" => numbers.output = Some(number),
                "l" => numbers.limit = Some(number),
                _ => {}
            }
            (message, sentence) = (behind, rest);
            continue;
        }
        let skips = sentence.strip_prefix('…');
        let rest = skips.unwrap_or(sentence);
        let end = rest.find(['{', '…']).unwrap_or(rest.len());
        let (literal, next) = rest.split_at_checked(end)?;
        message = match skips {
            Some(_) => skipped(message, literal)?,
            None => after(message, literal)?,
        };
        sentence = next;
    }
    Some(numbers)
}

/// What follows a text that stands within the next few words.
fn skipped<'m>(message: &'m str, text: &str) -> Option<&'m str> {
    let near = message.char_indices().take(SOME_WORDS);
    near.map(|(at, _)| at)
        .find_map(|at| after(message.get(at..)?, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sentence_is_known_with_its_numbers() {
        let filled = |sentence: &str| {
            let text = sentence.replace("{u}", "210,000").replace("{l}", "200000");
            let text = text.replace("{o}", "900").replace("{n}", "7");
            text.replace('…', " and so on: ")
        };
        for known in SENTENCES {
            let message = format!("{}. More is said.", filled(known));
            let Numbers {
                used,
                output,
                limit,
            } = sentence(&message).unwrap();
            assert_eq!(output, known.contains("{o}").then_some(900), "{message}");
            assert_eq!(used, known.contains("{u}").then_some(210_000), "{message}");
            assert_eq!(limit, known.contains("{l}").then_some(200_000), "{message}");
            // A message that only quotes such a sentence does not match.
            let quoted = format!("messages[0]: \"{message}\" is not allowed");
            assert_eq!(sentence(&quoted), None, "{quoted}");
        }
        for other in [
            "",
            "prompt",
            "This model's maximum context length is many",
            "é",
        ] {
            assert_eq!(sentence(other), None, "{other}");
        }
    }
}
