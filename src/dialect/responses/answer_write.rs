//! Writing a response as a stream. Its last event holds the whole
//! answer once more, so the answer is put together on the way.

use super::calls::OpenCall;
use super::items::{
    annotation, incomplete, message_item, reasoning_item, response, spot, summary, summary_text,
    MessagePart,
};
use crate::dialect::neutral::{
    Answer, Blob, CallOrder, Citation, Delta, Json, Object, Ordered, ReplyContext,
};
use crate::dialect::openai::error::{broken, TOO_LONG};
use crate::dialect::{Api, Fault, TooLong};
use std::collections::BTreeMap;

/// Writes a stream to a client.
#[derive(Debug)]
pub struct Writer {
    context: ReplyContext,
    started: bool,
    sequence: u64,
    /// Items that are whole.
    done: Vec<Json<'static>>,
    open: Option<Open>,
    ordering: CallOrder,
    calls: BTreeMap<u32, (String, String, Option<Blob<'static>>)>,
    /// What stands beside the items.
    answer: Answer,
}

/// The item that is open.
#[derive(Debug)]
enum Open {
    Message(Vec<MessagePart>),
    Reasoning { id: String, text: String },
    Call(OpenCall),
}

impl Writer {
    /// An empty stream.
    pub fn new(context: ReplyContext) -> Writer {
        Writer {
            context,
            started: false,
            sequence: 0,
            done: Vec::new(),
            open: None,
            ordering: CallOrder::default(),
            calls: BTreeMap::new(),
            answer: Answer::default(),
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
            Delta::Text(text) => self.say(text, false, out),
            Delta::Refusal(text) | Delta::RefusalReason(text) => self.say(text, true, out),
            Delta::Thinking(text) => self.think(text, out),
            Delta::Thought(blob) => self.thought(Some(blob), out),
            Delta::ThinkingEnds => self.thought(None, out),
            Delta::Call {
                call,
                id,
                name,
                blob,
            } => {
                let blob = blob.clone().map(Blob::into_owned);
                self.calls
                    .insert(*call, (id.to_string(), name.to_string(), blob));
                let mut ordered = Vec::new();
                self.ordering.begin(*call, &mut ordered);
                self.ordered(ordered, out);
            }
            Delta::Input { call, json } => {
                let mut ordered = Vec::new();
                self.ordering.input(*call, json, &mut ordered);
                self.ordered(ordered, out);
            }
            Delta::Cited(citation) => self.cite(citation, out),
            Delta::Logprobs(tokens) if self.context.reports_logprobs => {
                if let Some(Open::Message(parts)) = &mut self.open {
                    if let Some(last) = parts.last_mut() {
                        last.logprobs
                            .extend(tokens.iter().cloned().map(Json::into_owned));
                    }
                }
            }
            Delta::End => self.end(out),
            Delta::Model(_) | Delta::Tier(_) | Delta::Usage(_) | Delta::Stop(_) => {
                self.answer.take(delta.clone());
            }
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
        self.begin(out);
        let (code, message) = match too_long {
            Some(too_long) => (TOO_LONG, too_long.message(Api::Responses)),
            None => ("server_error", broken(fault)),
        };
        let error = Object::new().with("code", code).with("message", message);
        let mut response = self.response("failed", self.done.clone());
        response.set("error", error);
        self.event(
            "response.failed",
            Object::new().with("response", response),
            out,
        );
    }

    fn event(&mut self, name: &'static str, fields: Object<'static>, out: &mut Vec<u8>) {
        let mut object = Object::new().with("type", name);
        object.0.extend(fields.0);
        object.set("sequence_number", self.sequence);
        self.sequence += 1;
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(&mut *out, &Json::Object(object));
        out.extend_from_slice(b"\n\n");
    }

    fn response(&self, status: &'static str, output: Vec<Json<'static>>) -> Object<'static> {
        response(&self.context, &self.answer, status, output)
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        for name in ["response.created", "response.in_progress"] {
            let response = self.response("in_progress", Vec::new());
            self.event(name, Object::new().with("response", response), out);
        }
    }

    fn place(&self) -> u64 {
        self.done.len() as u64
    }

    fn added(&mut self, item: Object<'static>, out: &mut Vec<u8>) {
        let fields = Object::new()
            .with("output_index", self.place())
            .with("item", item);
        self.event("response.output_item.added", fields, out);
    }

    fn say(&mut self, text: &str, refusal: bool, out: &mut Vec<u8>) {
        if !matches!(self.open, Some(Open::Message(_))) {
            self.close(out);
            self.begin(out);
            self.open = Some(Open::Message(Vec::new()));
            let item = message_item(&self.item_id("msg_"), "in_progress", Vec::new());
            self.added(item, out);
        }
        let (id, place) = (self.item_id("msg_"), self.place());
        let Some(Open::Message(parts)) = &mut self.open else {
            return;
        };
        let fits = parts.last().is_some_and(|last| last.refusal == refusal);
        if !fits {
            parts.push(MessagePart::new(refusal));
        }
        let at = parts.len().saturating_sub(1) as u64;
        let mut part = None;
        if let Some(last) = parts.last_mut() {
            part = (!fits).then(|| last.part());
            last.say(text);
        }
        if let Some(part) = part {
            self.finish_part(at.checked_sub(1), out);
            let fields = spot(&id, place, at).with("part", part);
            self.event("response.content_part.added", fields, out);
        }
        let fields = spot(&id, place, at).with("delta", text.to_owned());
        match refusal {
            true => self.event("response.refusal.delta", fields, out),
            false => {
                let fields = fields.with("logprobs", Vec::new());
                self.event("response.output_text.delta", fields, out);
            }
        }
    }

    fn item_id(&self, prefix: &str) -> String {
        self.context.mint_nth(prefix, self.done.len())
    }

    /// Ends a part of the open message.
    fn finish_part(&mut self, at: Option<u64>, out: &mut Vec<u8>) {
        let (id, place) = (self.item_id("msg_"), self.place());
        let (Some(at), Some(Open::Message(parts))) = (at, &self.open) else {
            return;
        };
        let Some(said) = usize::try_from(at).ok().and_then(|at| parts.get(at)) else {
            return;
        };
        let (refusal, text, part) = (said.refusal, said.text.clone(), said.part());
        let logprobs = said.logprobs.clone();
        let fields = spot(&id, place, at);
        match refusal {
            true => self.event("response.refusal.done", fields.with("refusal", text), out),
            false => {
                let fields = fields.with("text", text).with("logprobs", logprobs);
                self.event("response.output_text.done", fields, out);
            }
        }
        let fields = spot(&id, place, at).with("part", part);
        self.event("response.content_part.done", fields, out);
    }

    fn cite(&mut self, citation: &Citation, out: &mut Vec<u8>) {
        let (id, place) = (self.item_id("msg_"), self.place());
        let Some(Open::Message(parts)) = &mut self.open else {
            return;
        };
        let at = parts.len().saturating_sub(1) as u64;
        let Some(last) = parts.last_mut() else { return };
        let end = last.length();
        let annotation = annotation(citation, last.cited, end);
        last.cited = end;
        let nth = last.citations.len() as u64;
        last.citations.push(annotation.clone().into());
        let fields = spot(&id, place, at)
            .with("annotation_index", nth)
            .with("annotation", annotation);
        self.event("response.output_text.annotation.added", fields, out);
    }

    fn think(&mut self, text: &str, out: &mut Vec<u8>) {
        if !matches!(self.open, Some(Open::Reasoning { .. })) {
            self.close(out);
            self.begin(out);
            let id = self.item_id("rs_");
            let item = reasoning_item(&id, "", None);
            self.open = Some(Open::Reasoning {
                id: id.clone(),
                text: String::new(),
            });
            self.added(item, out);
            let fields = summary(&id, self.place()).with("part", summary_text(""));
            self.event("response.reasoning_summary_part.added", fields, out);
        }
        let place = self.place();
        if let Some(Open::Reasoning { id, text: said }) = &mut self.open {
            said.push_str(text);
            let fields = summary(id, place).with("delta", text.to_owned());
            self.event("response.reasoning_summary_text.delta", fields, out);
        }
    }

    fn thought(&mut self, blob: Option<&Blob<'_>>, out: &mut Vec<u8>) {
        let proof = blob.map(|blob| blob.for_client(&self.context.endpoint));
        match self.open.take() {
            Some(Open::Reasoning { id, text }) => self.finish_reasoning(id, text, proof, out),
            other => {
                self.open = other;
                let Some(proof) = proof else { return };
                self.close(out);
                self.begin(out);
                let id = self.item_id("rs_");
                self.added(reasoning_item(&id, "", None), out);
                self.item_done(reasoning_item(&id, "", Some(proof)), out);
            }
        }
    }

    fn finish_reasoning(
        &mut self,
        id: String,
        text: String,
        proof: Option<String>,
        out: &mut Vec<u8>,
    ) {
        let place = self.place();
        let fields = summary(&id, place).with("text", text.clone());
        self.event("response.reasoning_summary_text.done", fields, out);
        let fields = summary(&id, place).with("part", summary_text(&text));
        self.event("response.reasoning_summary_part.done", fields, out);
        self.item_done(reasoning_item(&id, &text, proof), out);
    }

    fn ordered(&mut self, ordered: Vec<Ordered>, out: &mut Vec<u8>) {
        for one in ordered {
            match one {
                Ordered::Content(said) => self.tell(&said, out),
                Ordered::Begin(call) => {
                    let Some((call, name, blob)) = self.calls.remove(&call) else {
                        continue;
                    };
                    self.close(out);
                    self.begin(out);
                    if blob.is_some() {
                        self.thought(blob.as_ref(), out);
                    }
                    let call = OpenCall::new(&self.context, self.done.len(), call, name);
                    let item = call.item("in_progress");
                    self.open = Some(Open::Call(call));
                    self.added(item, out);
                }
                Ordered::Input(json) => {
                    let place = self.place();
                    if let Some(Open::Call(call)) = &mut self.open {
                        if let Some((name, fields)) = call.push(&json, place) {
                            self.event(name, fields, out);
                        }
                    }
                }
            }
        }
    }

    fn item_done(&mut self, item: Object<'static>, out: &mut Vec<u8>) {
        let fields = Object::new()
            .with("output_index", self.place())
            .with("item", item.clone());
        self.event("response.output_item.done", fields, out);
        self.done.push(item.into());
    }

    /// Ends the item that is open.
    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some(Open::Message(parts)) = &self.open {
            let last = (parts.len() as u64).checked_sub(1);
            self.finish_part(last, out);
        }
        match self.open.take() {
            None => {}
            Some(Open::Message(parts)) => {
                let content = parts.iter().map(|said| said.part().into()).collect();
                let item = message_item(&self.item_id("msg_"), "completed", content);
                self.item_done(item, out);
            }
            Some(Open::Reasoning { id, text }) => self.finish_reasoning(id, text, None, out),
            Some(Open::Call(call)) => {
                let (name, fields) = call.done(self.place());
                self.event(name, fields, out);
                self.item_done(call.item("completed"), out);
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let mut ordered = Vec::new();
        self.ordering.finish(&mut ordered);
        self.ordered(ordered, out);
        self.begin(out);
        self.close(out);
        let (status, name) = match incomplete(self.answer.stop.as_ref()) {
            Some(_) => ("incomplete", "response.incomplete"),
            None => ("completed", "response.completed"),
        };
        let output = std::mem::take(&mut self.done);
        let response = self.response(status, output);
        self.event(name, Object::new().with("response", response), out);
    }
}
