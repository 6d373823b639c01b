//! The items of a response, and the response around them.

use super::usage;
use crate::dialect::neutral::{Answer, Citation, Json, Object, ReplyContext, Stop};
use crate::dialect::openai::schema::tier;

/// A part of a message.
#[derive(Debug)]
pub struct MessagePart {
    /// Its text.
    pub text: String,
    /// It is a refusal.
    pub refusal: bool,
    /// Its citations.
    pub citations: Vec<Json<'static>>,
    /// Its log probabilities.
    pub logprobs: Vec<Json<'static>>,
    /// How many characters the citations so far reach to.
    pub cited: usize,
    /// The characters of its text.
    length: usize,
}

impl MessagePart {
    /// An empty part.
    pub fn new(refusal: bool) -> MessagePart {
        MessagePart {
            text: String::new(),
            refusal,
            citations: Vec::new(),
            logprobs: Vec::new(),
            cited: 0,
            length: 0,
        }
    }

    /// Adds text. Returns its length in characters.
    pub fn say(&mut self, text: &str) -> usize {
        self.text.push_str(text);
        self.length += text.chars().count();
        self.length
    }

    /// The characters it has.
    pub fn length(&self) -> usize {
        self.length
    }

    /// As it stands in its message.
    pub fn part(&self) -> Object<'static> {
        match self.refusal {
            true => Object::new()
                .with("type", "refusal")
                .with("refusal", self.text.clone()),
            false => Object::new()
                .with("type", "output_text")
                .with("annotations", self.citations.clone())
                .with("logprobs", self.logprobs.clone())
                .with("text", self.text.clone()),
        }
    }
}

/// Where in which item an event belongs.
pub fn spot(id: &str, place: u64, at: u64) -> Object<'static> {
    Object::new()
        .with("item_id", id.to_owned())
        .with("output_index", place)
        .with("content_index", at)
}

/// The same for thoughts.
pub fn summary(id: &str, place: u64) -> Object<'static> {
    Object::new()
        .with("item_id", id.to_owned())
        .with("output_index", place)
        .with("summary_index", 0_u64)
}

/// Thinking, as text.
pub fn summary_text(text: &str) -> Object<'static> {
    Object::new()
        .with("type", "summary_text")
        .with("text", text.to_owned())
}

/// A message.
pub fn message_item(
    id: &str,
    status: &'static str,
    content: Vec<Json<'static>>,
) -> Object<'static> {
    Object::new()
        .with("id", id.to_owned())
        .with("type", "message")
        .with("status", status)
        .with("role", "assistant")
        .with("content", content)
}

/// Thinking, and its signature.
pub fn reasoning_item(id: &str, text: &str, proof: Option<String>) -> Object<'static> {
    let mut parts: Vec<Json<'static>> = Vec::new();
    if !text.is_empty() {
        parts.push(summary_text(text).into());
    }
    Object::new()
        .with("id", id.to_owned())
        .with("type", "reasoning")
        .with("summary", parts)
        .with_some("encrypted_content", proof)
}

/// A citation.
pub fn annotation(citation: &Citation, from: usize, to: usize) -> Object<'static> {
    let title = citation.title.clone().unwrap_or_default();
    match &citation.url {
        Some(url) => Object::new()
            .with("type", "url_citation")
            .with("start_index", from as u64)
            .with("end_index", to as u64)
            .with("url", url.clone())
            .with("title", title),
        None => Object::new()
            .with("type", "file_citation")
            .with("index", to as u64)
            .with(
                "file_id",
                format!("document_{}", citation.document.unwrap_or(0)),
            )
            .with("filename", title),
    }
}

/// Why an answer is not complete, if it is not.
pub fn incomplete(stop: Option<&Stop>) -> Option<&'static str> {
    match stop {
        Some(Stop::Length) => Some("max_output_tokens"),
        Some(Stop::Filtered) => Some("content_filter"),
        _ => None,
    }
}

/// Fields of a response that repeat the request, and their defaults.
const ECHOED: [(&str, &str); 14] = [
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("reasoning", "{\"effort\":null,\"summary\":null}"),
    ("temperature", "1.0"),
    ("text", "{\"format\":{\"type\":\"text\"}}"),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_p", "1.0"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
    ("max_tool_calls", "null"),
];

/// The fields of its request that a response repeats.
pub fn echo(request: &Json<'_>) -> Object<'static> {
    let mut echo = Object::new();
    for (name, usual) in ECHOED {
        let said = request.get(name).map(|json| json.clone().into_owned());
        let json = said.or_else(|| Json::parse(usual).ok());
        echo.set(name, json.unwrap_or(Json::Null));
    }
    echo
}

/// A response, whole or as far as it has come.
pub fn response(
    context: &ReplyContext,
    answer: &Answer,
    status: &'static str,
    output: Vec<Json<'static>>,
) -> Object<'static> {
    let why = incomplete(answer.stop.as_ref()).filter(|_| status == "incomplete");
    let why = why.map_or(Json::Null, |why| Object::new().with("reason", why).into());
    let model = answer.model.as_ref().unwrap_or(&context.model);
    let told = matches!(status, "completed" | "incomplete" | "failed");
    let tokens = answer.tokens.filter(|_| told);
    let mut response = Object::new()
        .with("id", context.mint("resp_"))
        .with("object", "response")
        .with("created_at", context.seconds())
        .with("status", status)
        .with("background", false)
        .with("error", Json::Null)
        .with("incomplete_details", why)
        .with("model", model.clone())
        .with("output", output)
        .with(
            "service_tier",
            tier(answer.tier.as_deref().unwrap_or("default")).to_owned(),
        )
        .with("store", false)
        .with(
            "usage",
            tokens.map_or(Json::Null, |tokens| usage::object(&tokens).into()),
        );
    response.0.extend(context.echo.0.iter().cloned());
    response
}
