//! Writing a chat completion, whole or as a stream.

use super::custom_calls::{kind, CustomTexts};
use super::schema::tier;
use super::usage;
use crate::dialect::neutral::{
    read_text, Answer, Blob, Citation, Delta, Json, Object, Part, ReplyContext, Stop, Usage,
};
use crate::dialect::{Api, Fault, TooLong};
use std::borrow::Cow;

/// The number of signatures up to which the whole list is sent again with each new one.
const FEW_THOUGHTS: usize = 32;

/// Writes a stream to a client.
#[derive(Debug)]
pub struct Writer {
    context: ReplyContext,
    started: bool,
    model: Option<String>,
    tier: Option<String>,
    usage: Option<Usage>,
    stop: Option<Stop>,
    /// Characters of text so far: citations say where they stand.
    written: usize,
    /// The thinking since the last signature, and all signatures so far. Clients keep
    /// only the last list that they receive.
    thoughts: String,
    details: Vec<Json<'static>>,
    /// The number of signatures that the client has.
    sent_details: usize,
    /// There was thinking.
    thought: bool,
    /// Calls of custom tools: clients get the text that is in the arguments.
    custom: CustomTexts,
}

impl Writer {
    /// An empty stream.
    pub fn new(context: ReplyContext) -> Writer {
        Writer {
            context,
            started: false,
            model: None,
            tier: None,
            usage: None,
            stop: None,
            written: 0,
            thoughts: String::new(),
            details: Vec::new(),
            sent_details: 0,
            thought: false,
            custom: CustomTexts::default(),
        }
    }

    /// Passes a piece on.
    pub fn take(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        match delta {
            Delta::Model(model) => self.model = Some(model.to_string()),
            Delta::Tier(tier) => self.tier = Some(tier.to_string()),
            Delta::Usage(usage) => self.usage = Some(*usage),
            Delta::Stop(stop) => self.stop = Some(stop.clone()),
            Delta::Text(text) => {
                self.written += text.chars().count();
                self.say(Object::new().with("content", text.as_ref()), out);
            }
            Delta::Refusal(text) | Delta::RefusalReason(text) => {
                self.say(Object::new().with("refusal", text.as_ref()), out)
            }
            Delta::Thinking(text) => self.think(text, out),
            Delta::Thought(blob) => {
                let text = std::mem::take(&mut self.thoughts);
                self.details
                    .push(detail(text, blob, &self.context.endpoint));
                // A longer list is sent again only when it has doubled.
                let count = self.details.len();
                if count <= FEW_THOUGHTS || count.is_power_of_two() {
                    self.tell_thoughts(out);
                }
            }
            Delta::Call {
                call,
                id,
                name,
                blob,
            } => {
                let (kind, field) = self.custom.begin(*call, name, &self.context);
                let called = Object::new().with("name", name.as_ref()).with(field, "");
                let mut one = Object::new()
                    .with("index", u64::from(*call))
                    .with("id", id.as_ref())
                    .with("type", kind)
                    .with(kind, called);
                if let Some(blob) = blob {
                    one.set(
                        "extra_content",
                        signed(blob.for_client(&self.context.endpoint)),
                    );
                }
                self.say(Object::new().with("tool_calls", vec![one.into()]), out);
            }
            Delta::Input { call, json } => {
                let (kind, field, said) = self.custom.said(*call, json);
                if said.is_empty() {
                    return;
                }
                let one = Object::new()
                    .with("index", u64::from(*call))
                    .with(kind, Object::new().with(field, said.as_ref()));
                self.say(Object::new().with("tool_calls", vec![one.into()]), out);
            }
            Delta::Cited(citation) => {
                let cited = annotation(citation, 0, self.written);
                if let Some(cited) = cited {
                    self.say(Object::new().with("annotations", vec![cited]), out);
                }
            }
            Delta::Logprobs(tokens) if self.context.reports_logprobs => {
                let logprobs = Object::new()
                    .with("content", Json::List(tokens.clone()))
                    .with("refusal", Json::Null);
                self.chunk(Object::new(), Some(logprobs), None, out);
            }
            Delta::End => self.end(out),
            Delta::ThinkingEnds => self.thoughts.clear(),
            Delta::Logprobs(_)
            | Delta::Failed { .. }
            | Delta::Stored(_)
            | Delta::InBackground
            | Delta::Compacted(_)
            | Delta::Beyond(_)
            | Delta::KeepAlive
            | Delta::Aside
            | Delta::Unsupported(_) => {}
        }
    }

    /// The last event of a stream that failed.
    pub fn fail(&mut self, fault: &Fault, too_long: Option<&TooLong>, out: &mut Vec<u8>) {
        let event = match too_long {
            Some(too_long) => format!("data: {}\n\n", too_long.body(Api::Chat, &self.context.id)),
            None => super::error::event(fault),
        };
        out.extend_from_slice(event.as_bytes());
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let reason = finish_reason(self.stop.as_ref());
        if self.sent_details < self.details.len() {
            self.tell_thoughts(out);
        }
        self.begin(out);
        self.chunk(Object::new(), None, Some(reason), out);
        if let (true, Some(usage)) = (self.context.reports_usage, self.usage) {
            let mut chunk = self.frame(Vec::new());
            chunk.set("usage", usage::object(&usage.tokens));
            event(chunk, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn think(&mut self, text: &str, out: &mut Vec<u8>) {
        // Consecutive blocks of thinking.
        if self.thoughts.is_empty() && self.thought {
            self.say(Object::new().with("reasoning_content", "\n\n"), out);
        }
        self.thought = true;
        self.thoughts.push_str(text);
        self.say(Object::new().with("reasoning_content", text), out);
    }

    fn tell_thoughts(&mut self, out: &mut Vec<u8>) {
        let details = std::mem::take(&mut self.details);
        let list = details.iter().map(Json::lend).collect::<Vec<_>>();
        self.say(Object::new().with("reasoning_details", list), out);
        self.sent_details = details.len();
        self.details = details;
    }

    fn say(&mut self, delta: Object<'_>, out: &mut Vec<u8>) {
        self.begin(out);
        self.chunk(delta, None, None, out);
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.started, true) {
            let delta = Object::new().with("role", "assistant").with("content", "");
            self.chunk(delta, None, None, out);
        }
    }

    fn chunk(
        &self,
        delta: Object<'_>,
        logprobs: Option<Object<'_>>,
        reason: Option<&'static str>,
        out: &mut Vec<u8>,
    ) {
        let choice = Object::new()
            .with("index", 0_u64)
            .with("delta", delta)
            .with("logprobs", logprobs.map_or(Json::Null, Json::Object))
            .with("finish_reason", reason.map_or(Json::Null, Json::from));
        let mut chunk = self.frame(vec![choice.into()]);
        if self.context.reports_usage {
            chunk.set("usage", Json::Null);
        }
        event(chunk, out);
    }

    fn frame<'w>(&'w self, choices: Vec<Json<'w>>) -> Object<'w> {
        let model = self.model.as_ref().unwrap_or(&self.context.model);
        Object::new()
            .with("id", self.context.mint("chatcmpl-"))
            .with("object", "chat.completion.chunk")
            .with("created", self.context.seconds())
            .with("model", model)
            .with_some("service_tier", self.tier.as_deref().map(tier))
            .with("system_fingerprint", Json::Null)
            .with("choices", choices)
    }
}

fn event(chunk: Object<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(&mut *out, &Json::Object(chunk));
    out.extend_from_slice(b"\n\n");
}

/// Thinking as clients send it back: its text and its signature.
fn detail(text: String, blob: &Blob<'_>, endpoint: &str) -> Json<'static> {
    let proof = blob.for_client(endpoint);
    match text.is_empty() {
        false => Object::new()
            .with("type", "reasoning.text")
            .with("text", text)
            .with("signature", proof),
        true => Object::new()
            .with("type", "reasoning.encrypted")
            .with("data", proof),
    }
    .into()
}

fn signed(proof: String) -> Object<'static> {
    Object::new().with("google", Object::new().with("thought_signature", proof))
}

fn annotation<'c>(citation: &'c Citation, from: usize, to: usize) -> Option<Json<'c>> {
    let url = citation.url.as_ref()?;
    let cited = Object::new()
        .with("start_index", from as u64)
        .with("end_index", to as u64)
        .with("title", citation.title.as_deref().unwrap_or_default())
        .with("url", url);
    let cited = Object::new()
        .with("type", "url_citation")
        .with("url_citation", cited);
    Some(cited.into())
}

fn finish_reason(stop: Option<&Stop>) -> &'static str {
    match stop {
        Some(Stop::Length) => "length",
        Some(Stop::Tool) => "tool_calls",
        Some(Stop::Filtered) => "content_filter",
        Some(Stop::Done | Stop::Sequence(_) | Stop::Paused) | None => "stop",
    }
}

/// Writes a whole chat completion.
pub fn whole(answer: &Answer, context: &ReplyContext) -> String {
    let mut said = Message::default();
    for part in &answer.parts {
        said.take(part, context);
    }
    said.refusal = said.refusal.or(answer.explained.as_deref());
    let choice = Object::new()
        .with("index", 0_u64)
        .with("message", said.message())
        .with("logprobs", logprobs(answer, context))
        .with("finish_reason", finish_reason(answer.stop.as_ref()));
    let body = Object::new()
        .with("id", context.mint("chatcmpl-"))
        .with("object", "chat.completion")
        .with("created", context.seconds())
        .with("model", answer.model.as_ref().unwrap_or(&context.model))
        .with("choices", vec![choice.into()])
        .with_some("usage", answer.tokens.as_ref().map(usage::object))
        .with_some("service_tier", answer.tier.as_deref().map(tier))
        .with("system_fingerprint", Json::Null);
    Json::Object(body).to_text()
}

fn logprobs<'a>(answer: &'a Answer, context: &ReplyContext) -> Json<'a> {
    match context.reports_logprobs && !answer.logprobs.is_empty() {
        true => Object::new()
            .with("content", Json::List(answer.logprobs.clone()))
            .with("refusal", Json::Null)
            .into(),
        false => Json::Null,
    }
}

/// A message that is put together.
#[derive(Default)]
struct Message<'a> {
    text: Option<String>,
    /// The characters of the text.
    length: usize,
    refusal: Option<&'a str>,
    thoughts: String,
    details: Vec<Json<'a>>,
    annotations: Vec<Json<'a>>,
    calls: Vec<Json<'a>>,
}

impl<'a> Message<'a> {
    fn take(&mut self, part: &'a Part, context: &ReplyContext) {
        match part {
            Part::Text(words, citations) => {
                let text = self.text.get_or_insert_default();
                let from = self.length;
                text.push_str(words);
                let to = from + words.chars().count();
                self.length = to;
                let cited = citations.iter().filter_map(|c| annotation(c, from, to));
                self.annotations.extend(cited);
            }
            Part::Refusal(words) => self.refusal = Some(words),
            Part::Thinking { text, blob, .. } => {
                if !self.thoughts.is_empty() && !text.is_empty() {
                    self.thoughts.push_str("\n\n");
                }
                self.thoughts.push_str(text);
                let Some(blob) = blob else { return };
                self.details
                    .push(detail(text.clone(), blob, &context.endpoint));
            }
            Part::Call {
                id,
                name,
                input,
                blob,
                ..
            } => {
                let custom = context.custom.contains(name);
                let input: Cow<'a, str> = match custom {
                    true => read_text(input).into(),
                    false if input.is_empty() => "{}".into(),
                    false => input.into(),
                };
                let (kind, field) = kind(custom);
                let called = Object::new().with("name", name).with(field, input);
                let mut call = Object::new()
                    .with("id", id)
                    .with("type", kind)
                    .with(kind, called);
                if let Some(blob) = blob {
                    call.set("extra_content", signed(blob.for_client(&context.endpoint)));
                }
                self.calls.push(call.into());
            }
        }
    }

    fn message(self) -> Object<'a> {
        let mut message = Object::new()
            .with("role", "assistant")
            .with("content", self.text.map_or(Json::Null, Json::from));
        if !self.thoughts.is_empty() {
            message.set("reasoning_content", self.thoughts);
        }
        if !self.details.is_empty() {
            message.set("reasoning_details", self.details);
        }
        if !self.calls.is_empty() {
            message.set("tool_calls", self.calls);
        }
        message.set("refusal", self.refusal.map_or(Json::Null, Json::from));
        message.set("annotations", self.annotations);
        message
    }
}
