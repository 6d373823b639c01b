//! Reads a chat completion, whole or as a stream, in the variants of its many hosts.

use super::custom_calls::CustomCalls;
use super::error_read::failure;
use super::usage::{self, Usage as Counts};
use crate::dialect::neutral::{Blob, BlobKind, Citation, Delta, Json, Malformed, Stop, Usage};
use crate::dialect::Beyond;
use crate::units::Tokens;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Fields beside the text that no other dialect supports.
const MEDIA: [(&str, &str); 2] = [("audio", "message.audio"), ("images", "message.images")];

/// The state of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    /// The call at each index of the provider's.
    calls: BTreeMap<u64, Call>,
    /// How many calls there were.
    called: u32,
    custom: CustomCalls,
    modelled: bool,
    thinking: bool,
    /// Thinking comes in a field of its own; details repeat it.
    thinks_plainly: bool,
    ended: bool,
    /// The latest usage: some hosts report the usage so far in each chunk.
    counted: Option<Tokens>,
    /// A stop reason was received.
    stopped: bool,
}

/// A call that has started.
#[derive(Debug)]
struct Call {
    /// Our number of it.
    number: u32,
    /// Its id; empty where the provider gave none.
    id: String,
}

impl Reader {
    /// Takes an event.
    pub fn event(&mut self, data: &[u8], on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        if data == b"[DONE]" {
            self.end(on);
            return Ok(());
        }
        let chunk = Json::parse_bytes(data).map_err(|_| Malformed)?;
        // Perplexity's way of ending.
        if chunk.text("object") == Some("chat.completion.done") {
            self.common(&chunk, on)?;
            self.end(on);
            return Ok(());
        }
        self.common(&chunk, on)?;
        for choice in chunk.list("choices") {
            if choice.count("index").unwrap_or(0) > 0 {
                continue;
            }
            if let Some(error) = choice.get("error") {
                on(failure(error));
            }
            if let Some(delta) = choice.get("delta") {
                self.said(delta, on)?;
            }
            self.rest(choice, on);
        }
        Ok(())
    }

    /// Takes a whole reply.
    pub fn whole(
        &mut self,
        body: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let failed = body.get("error").is_some();
        self.common(body, on)?;
        let choices = body.list("choices");
        let Some(choice) = choices.first() else {
            return if failed { Ok(()) } else { Err(Malformed) };
        };
        if let Some(error) = choice.get("error") {
            on(failure(error));
            return Ok(());
        }
        // Azure leaves the message out where it filtered all of it.
        let filtered = choice.text("finish_reason") == Some("content_filter");
        match choice.get("message") {
            Some(message) => self.said(message, on)?,
            None if filtered => {}
            None => return Err(Malformed),
        }
        self.rest(choice, on);
        self.end(on);
        Ok(())
    }

    fn end(&mut self, on: &mut dyn FnMut(Delta<'_>)) {
        if !std::mem::replace(&mut self.ended, true) {
            // Some hosts give no stop reason; then it follows from the content.
            if !self.stopped {
                self.stop_thinking(on);
                self.custom.finish(on);
                on(Delta::Stop(self.usual_stop()));
            }
            self.usage(true, on);
            on(Delta::End);
        }
    }

    /// Why an answer stopped that was not cut.
    fn usual_stop(&self) -> Stop {
        match self.called {
            0 => Stop::Done,
            _ => Stop::Tool,
        }
    }

    /// Reports the usage. Until there is a stop reason, it may grow, and may not cover
    /// thinking.
    fn usage(&self, complete: bool, on: &mut dyn FnMut(Delta<'_>)) {
        if let Some(tokens) = self.counted {
            on(Delta::Usage(Usage { tokens, complete }));
        }
    }

    /// The fields beside the choices.
    fn common(&mut self, chunk: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        if !matches!(chunk, Json::Object(_)) {
            return Err(Malformed);
        }
        // Azure's first chunk has an empty model.
        if let Some(model) = chunk.filled("model").filter(|_| !self.modelled) {
            self.modelled = true;
            on(Delta::Model(model.into()));
        }
        if let Some(tier) = chunk.filled("service_tier") {
            on(Delta::Tier(tier.into()));
        }
        if let Some(error) = chunk.get("error") {
            on(failure(error));
        }
        let choices = chunk.list("choices");
        let reason = |choice: &Json<'_>| choice.filled("finish_reason").is_some();
        let stops = choices.iter().any(reason);
        self.stopped |= stops;
        match usage::within(chunk) {
            Some(usage) => self.count(usage, choices.is_empty(), on),
            None if stops => self.usage(true, on),
            None => {}
        }
        Ok(())
    }

    /// Takes a usage object; `alone` where it stands beside no choice. One that
    /// cannot be read is named, and counts nothing.
    fn count(&mut self, usage: &Json<'_>, alone: bool, on: &mut dyn FnMut(Delta<'_>)) {
        let text = usage.to_text();
        let mut beyond = Beyond::of(&text);
        let counts = serde_json::from_str::<Counts>(&text);
        if counts.is_err() {
            beyond.mark("usage");
        }
        on(Delta::Beyond(Box::new(beyond)));
        match counts {
            Ok(counts) if counts.is_open() => {
                let tokens = self.counted.unwrap_or(counts.tokens());
                let complete = false;
                on(Delta::Usage(Usage { tokens, complete }));
            }
            Ok(counts) => {
                self.counted = Some(counts.tokens());
                self.usage(self.stopped || alone, on);
            }
            Err(_) => {}
        }
    }

    fn said(&mut self, delta: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        self.thoughts(delta, on);
        match delta.get("content") {
            Some(Json::Text(text)) if !text.is_empty() => self.text(text, on),
            Some(Json::List(parts)) => self.parts(parts, on)?,
            Some(Json::Text(_)) | None => {}
            // Cloudflare's, where JSON was asked for.
            Some(json) => self.text(&json.to_text(), on),
        }
        if let Some(refusal) = delta.filled("refusal") {
            self.stop_thinking(on);
            on(Delta::Refusal(refusal.into()));
        }
        for annotation in delta.list("annotations") {
            if let Some(cited) = annotation.get("url_citation") {
                on(Delta::Cited(Citation {
                    url: cited.text("url").map(str::to_owned),
                    title: cited.text("title").map(str::to_owned),
                    ..Citation::default()
                }));
            }
        }
        for (field, name) in MEDIA {
            let empty = Json::List(Vec::new());
            if delta.get(field).is_some_and(|media| *media != empty) {
                on(Delta::Unsupported(name.into()));
            }
        }
        for (place, call) in delta.list("tool_calls").iter().enumerate() {
            self.call(call, place as u64, on)?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str, on: &mut dyn FnMut(Delta<'_>)) {
        self.stop_thinking(on);
        on(Delta::Text(text.into()));
    }

    /// Content as a list, as Mistral and Databricks have it.
    fn parts(
        &mut self,
        parts: &[Json<'_>],
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        for part in parts {
            match part.text("type") {
                Some("text") => self.text(part.text("text").unwrap_or_default(), on),
                Some("thinking") => {
                    for thought in part.list("thinking") {
                        self.think(thought.text("text").unwrap_or_default(), on);
                    }
                }
                Some("reasoning") => {
                    for thought in part.list("summary") {
                        self.think(thought.text("text").unwrap_or_default(), on);
                    }
                }
                Some("refusal") => on(Delta::Refusal(
                    part.text("refusal").unwrap_or_default().into(),
                )),
                // Citations.
                Some("reference") => on(Delta::Aside),
                Some(kind) => on(Delta::Unsupported(format!("content.{kind}").into())),
                None => return Err(Malformed),
            }
        }
        Ok(())
    }

    /// Thinking, in one of four formats.
    fn thoughts(&mut self, delta: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        let text = delta
            .filled("reasoning_content")
            .or_else(|| delta.filled("reasoning"));
        if let Some(text) = text {
            self.thinks_plainly = true;
            self.think(text, on);
        }
        for detail in delta.list("reasoning_details") {
            let words = detail.filled("text").or_else(|| detail.filled("summary"));
            if let (Some(words), false) = (words, self.thinks_plainly) {
                self.think(words, on);
            }
            let proof = match detail.filled("signature") {
                Some(signature) => Some((BlobKind::Signature, signature)),
                None => detail.filled("data").map(|data| (BlobKind::Hidden, data)),
            };
            if let Some((kind, data)) = proof {
                self.thinking = false;
                on(Delta::Thought(Blob::new(kind, data)));
            }
        }
    }

    fn think(&mut self, text: &str, on: &mut dyn FnMut(Delta<'_>)) {
        if !text.is_empty() {
            self.thinking = true;
            on(Delta::Thinking(text.into()));
        }
    }

    fn stop_thinking(&mut self, on: &mut dyn FnMut(Delta<'_>)) {
        if std::mem::take(&mut self.thinking) {
            on(Delta::ThinkingEnds);
        }
    }

    fn call(
        &mut self,
        call: &Json<'_>,
        place: u64,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let custom = call.get("custom");
        let function = custom.or_else(|| call.get("function")).ok_or(Malformed)?;
        let id = call.filled("id");
        // Some hosts leave the index out, and some send a call in one piece.
        let index = call.count("index").unwrap_or(match id {
            Some(_) => u64::from(self.called),
            None => place,
        });
        let name = function.filled("name");
        let known = self.calls.get(&index);
        let known = known.filter(|known| name.is_none() || known.is_of(id));
        let number = match (known, name) {
            (Some(known), _) => known.number,
            (None, Some(name)) => {
                self.stop_thinking(on);
                let number = self.called;
                self.called = number.saturating_add(1);
                let id = id.unwrap_or_default();
                let call_id = id.to_owned();
                self.calls.insert(
                    index,
                    Call {
                        number,
                        id: call_id,
                    },
                );
                on(Delta::Call {
                    call: number,
                    id: id.into(),
                    name: name.into(),
                    blob: signature(call),
                });
                if custom.is_some() {
                    self.custom.begin(number);
                }
                number
            }
            (None, None) => return Err(Malformed),
        };
        if self.custom.takes(number, function, on) {
            return Ok(());
        }
        let json = match function.get("arguments") {
            Some(Json::Text(text)) => Cow::Borrowed(text.as_ref()),
            Some(object @ Json::Object(_)) => Cow::Owned(object.to_text()),
            None => return Ok(()),
            Some(_) => return Err(Malformed),
        };
        if !json.is_empty() {
            on(Delta::Input { call: number, json });
        }
        Ok(())
    }

    /// The fields beside a choice's text.
    fn rest(&mut self, choice: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        if let Some(logprobs) = choice.get("logprobs") {
            let content = logprobs.list("content");
            if !content.is_empty() {
                on(Delta::Logprobs(content.to_vec()));
            }
        }
        if let Some(reason) = choice.filled("finish_reason") {
            self.stop_thinking(on);
            self.custom.finish(on);
            on(Delta::Stop(match reason {
                "length" | "model_length" => Stop::Length,
                "tool_calls" | "function_call" => Stop::Tool,
                "content_filter" => Stop::Filtered,
                "error" => {
                    return on(Delta::Failed {
                        kind: reason.to_owned(),
                        message: String::new(),
                    })
                }
                // Some hosts say `stop` also where tools are called.
                _ => self.usual_stop(),
            }));
        }
    }
}

impl Call {
    /// Whether a piece with an id and a name is of this call. Some hosts use an
    /// index again for the next call.
    fn is_of(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.id.is_empty() || self.id == id)
    }
}

fn signature<'d>(call: &'d Json<'_>) -> Option<Blob<'d>> {
    let google = call.get("extra_content")?.get("google")?;
    Some(Blob::new(
        BlobKind::Call,
        google.filled("thought_signature")?,
    ))
}
