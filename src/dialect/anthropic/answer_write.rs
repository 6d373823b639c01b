//! Writing a message as a stream.

use super::usage;
use crate::dialect::neutral::{
    Blob, CallOrder, Citation, Delta, Json, Object, Ordered, ReplyContext, Stop, Usage,
};
use crate::dialect::{Api, Fault, TooLong};
use std::collections::BTreeMap;

/// Writes a stream to a client.
#[derive(Debug)]
pub struct Writer {
    context: ReplyContext,
    started: bool,
    model: Option<String>,
    usage: Option<Usage>,
    stop: Option<Stop>,
    /// The explanation of a refusal.
    explained: Option<String>,
    refused: bool,
    open: Option<Open>,
    index: u64,
    ordering: CallOrder,
    /// The calls that have not started yet.
    calls: BTreeMap<u32, (String, String, Option<Blob<'static>>)>,
}

/// The block that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
    Call,
}

impl Writer {
    /// An empty stream.
    pub fn new(context: ReplyContext) -> Writer {
        Writer {
            context,
            started: false,
            model: None,
            usage: None,
            stop: None,
            explained: None,
            refused: false,
            open: None,
            index: 0,
            ordering: CallOrder::default(),
            calls: BTreeMap::new(),
        }
    }

    /// Writes a piece, or holds it back until a call is complete.
    pub fn take(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        if !self.ordering.holds(delta) {
            self.tell(delta, out);
        }
    }

    fn tell(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        match delta {
            Delta::Model(model) => self.model = Some(model.to_string()),
            Delta::Usage(usage) => self.usage = Some(*usage),
            Delta::Stop(stop) => self.stop = Some(stop.clone()),
            Delta::RefusalReason(why) => self.explained = Some(why.to_string()),
            Delta::Text(text) => self.text(text, out),
            Delta::Refusal(text) => {
                self.refused = true;
                self.text(text, out);
            }
            Delta::Thinking(text) => {
                self.enter(Open::Thinking, out);
                let delta = Object::new()
                    .with("type", "thinking_delta")
                    .with("thinking", text.as_ref());
                self.delta(delta, out);
            }
            Delta::Thought(blob) => self.thought(blob, out),
            Delta::ThinkingEnds => {
                if self.open == Some(Open::Thinking) {
                    self.close(out);
                }
            }
            Delta::Call {
                call,
                id,
                name,
                blob,
            } => {
                let blob = blob.clone().map(Blob::into_owned);
                let known = (id.to_string(), name.to_string(), blob);
                self.calls.insert(*call, known);
                let mut ordered = Vec::new();
                self.ordering.begin(*call, &mut ordered);
                self.ordered(ordered, out);
            }
            Delta::Input { call, json } => {
                let mut ordered = Vec::new();
                self.ordering.input(*call, json, &mut ordered);
                self.ordered(ordered, out);
            }
            Delta::Cited(citation) => {
                if self.open == Some(Open::Text) {
                    let delta = Object::new()
                        .with("type", "citations_delta")
                        .with("citation", cited(citation));
                    self.delta(delta, out);
                }
            }
            Delta::End => self.end(out),
            Delta::Logprobs(_)
            | Delta::Tier(_)
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
        let id = &self.context.id;
        let event = match too_long {
            Some(too_long) => {
                let body = too_long.body(Api::Messages, id);
                format!("event: error\ndata: {body}\n\n")
            }
            None => super::error::event(fault, id),
        };
        out.extend_from_slice(event.as_bytes());
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        self.enter(Open::Text, out);
        let delta = Object::new().with("type", "text_delta").with("text", text);
        self.delta(delta, out);
    }

    fn thought(&mut self, blob: &Blob<'_>, out: &mut Vec<u8>) {
        let proof = blob.for_client(&self.context.endpoint);
        if self.open == Some(Open::Thinking) {
            let delta = Object::new()
                .with("type", "signature_delta")
                .with("signature", proof);
            self.delta(delta, out);
        } else {
            self.start(hidden(proof), out);
        }
        self.close(out);
    }

    fn ordered(&mut self, ordered: Vec<Ordered>, out: &mut Vec<u8>) {
        for one in ordered {
            match one {
                Ordered::Content(said) => self.tell(&said, out),
                Ordered::Begin(call) => {
                    let Some((id, name, blob)) = self.calls.remove(&call) else {
                        continue;
                    };
                    if let Some(blob) = blob {
                        self.start(hidden(blob.for_client(&self.context.endpoint)), out);
                    }
                    let block = Object::new()
                        .with("type", "tool_use")
                        .with("id", id)
                        .with("name", name)
                        .with("input", Object::new());
                    self.start(block, out);
                    self.open = Some(Open::Call);
                }
                Ordered::Input(json) => {
                    let delta = Object::new()
                        .with("type", "input_json_delta")
                        .with("partial_json", json);
                    self.delta(delta, out);
                }
            }
        }
    }

    /// Opens a block of a kind, unless it is open.
    fn enter(&mut self, kind: Open, out: &mut Vec<u8>) {
        if self.open == Some(kind) {
            return;
        }
        let block = match kind {
            Open::Thinking => Object::new()
                .with("type", "thinking")
                .with("thinking", "")
                .with("signature", ""),
            _ => Object::new().with("type", "text").with("text", ""),
        };
        self.start(block, out);
        self.open = Some(kind);
    }

    /// Opens a block; the one before it is over.
    fn start(&mut self, block: Object<'_>, out: &mut Vec<u8>) {
        self.begin(out);
        self.close(out);
        let object = Object::new()
            .with("type", "content_block_start")
            .with("index", self.index)
            .with("content_block", block);
        event("content_block_start", object, out);
        // A block without deltas still has to be closed.
        self.open = Some(Open::Call);
    }

    fn delta(&mut self, delta: Object<'_>, out: &mut Vec<u8>) {
        let object = Object::new()
            .with("type", "content_block_delta")
            .with("index", self.index)
            .with("delta", delta);
        event("content_block_delta", object, out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            let object = Object::new()
                .with("type", "content_block_stop")
                .with("index", self.index);
            event("content_block_stop", object, out);
            self.index += 1;
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let tokens = self.usage.map(|usage| usage.tokens).unwrap_or_default();
        let message = Object::new()
            .with("model", self.model.as_ref().unwrap_or(&self.context.model))
            .with("id", self.context.mint("msg_"))
            .with("type", "message")
            .with("role", "assistant")
            .with("content", Vec::new())
            .with("stop_reason", Json::Null)
            .with("stop_sequence", Json::Null)
            .with("usage", usage::object(&tokens));
        let object = Object::new()
            .with("type", "message_start")
            .with("message", message);
        event("message_start", object, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let mut ordered = Vec::new();
        self.ordering.finish(&mut ordered);
        self.ordered(ordered, out);
        self.begin(out);
        self.close(out);
        let (reason, sequence) = stop_reason(self.stop.as_ref(), self.refused);
        let delta = Object::new()
            .with("stop_reason", reason)
            .with("stop_sequence", sequence.map_or(Json::Null, Json::from))
            .with_some("stop_details", self.explained.as_deref().map(explained));
        let tokens = self.usage.map(|usage| usage.tokens).unwrap_or_default();
        let object = Object::new()
            .with("type", "message_delta")
            .with("delta", delta)
            .with("usage", usage::object(&tokens));
        event("message_delta", object, out);
        event(
            "message_stop",
            Object::new().with("type", "message_stop"),
            out,
        );
    }
}

fn event(name: &str, object: Object<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(&mut *out, &Json::Object(object));
    out.extend_from_slice(b"\n\n");
}

pub(super) fn hidden(proof: String) -> Object<'static> {
    Object::new()
        .with("type", "redacted_thinking")
        .with("data", proof)
}

pub(super) fn cited(citation: &Citation) -> Object<'_> {
    let passage = citation.passage.as_deref().unwrap_or_default();
    match (&citation.url, citation.span) {
        (Some(url), _) => Object::new()
            .with("type", "web_search_result_location")
            .with("cited_text", passage)
            .with("url", url)
            .with(
                "title",
                citation.title.as_deref().map_or(Json::Null, Json::from),
            )
            .with("encrypted_index", ""),
        (None, span) => {
            let (from, to) = span.unwrap_or_default();
            Object::new()
                .with("type", "char_location")
                .with("cited_text", passage)
                .with("document_index", citation.document.unwrap_or(0))
                .with(
                    "document_title",
                    citation.title.as_deref().map_or(Json::Null, Json::from),
                )
                .with("start_char_index", from)
                .with("end_char_index", to)
        }
    }
}

pub(super) fn stop_reason(stop: Option<&Stop>, refused: bool) -> (&'static str, Option<&str>) {
    match stop {
        _ if refused => ("refusal", None),
        Some(Stop::Length) => ("max_tokens", None),
        Some(Stop::Tool) => ("tool_use", None),
        Some(Stop::Filtered) => ("refusal", None),
        Some(Stop::Paused) => ("pause_turn", None),
        Some(Stop::Sequence(sequence)) => ("stop_sequence", sequence.as_deref()),
        Some(Stop::Done) | None => ("end_turn", None),
    }
}

/// The explanation of a refusal.
pub(super) fn explained(why: &str) -> Object<'_> {
    Object::new()
        .with("type", "refusal")
        .with("category", Json::Null)
        .with("explanation", why)
}
