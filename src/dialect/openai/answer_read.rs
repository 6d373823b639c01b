//! Reading a chat completion, whole or as a stream, in the spellings of the
//! many hosts that speak it.

use super::usage::Usage as Counts;
use crate::dialect::form::{Blob, BlobKind, Citation, Delta, Json, Malformed, Stop, Usage};
use std::borrow::Cow;

/// What has come of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    /// The index each call had at the provider; its place is ours.
    calls: Vec<u64>,
    modelled: bool,
    thinking: bool,
    /// Thoughts come in a field of their own: details say them once more.
    thinks_plainly: bool,
    ended: bool,
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
            on(Delta::End);
        }
    }

    /// What stands beside the choices.
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
        // Groq tells usage in a field of its own besides.
        if let Some(usage) = chunk.get("usage") {
            let counts: Counts = serde_json::from_str(&usage.to_text()).map_err(|_| Malformed)?;
            on(Delta::Usage(Usage {
                tokens: counts.tokens(),
                complete: true,
            }));
        }
        Ok(())
    }

    fn said(&mut self, delta: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        self.thoughts(delta, on);
        match delta.get("content") {
            Some(Json::Text(text)) if !text.is_empty() => self.text(text, on),
            Some(Json::List(parts)) => self.parts(parts, on)?,
            Some(Json::Text(_)) | None => {}
            Some(_) => return Err(Malformed),
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
        for (place, call) in delta.list("tool_calls").iter().enumerate() {
            self.call(call, place as u64, on)?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str, on: &mut dyn FnMut(Delta<'_>)) {
        self.stop_thinking(on);
        on(Delta::Text(text.into()));
    }

    /// Mistral's content as a list.
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
                Some("refusal") => on(Delta::Refusal(
                    part.text("refusal").unwrap_or_default().into(),
                )),
                Some(_) => on(Delta::Aside),
                None => return Err(Malformed),
            }
        }
        Ok(())
    }

    /// Thinking has four spellings.
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
        let function = call.get("function").ok_or(Malformed)?;
        let id = call.filled("id");
        // Some hosts leave the index out, and some send a call in one piece.
        let index = call.count("index").unwrap_or(match id {
            Some(_) => self.calls.len() as u64,
            None => place,
        });
        let known = self.calls.iter().position(|known| *known == index);
        let number = match (known, function.filled("name")) {
            (Some(known), _) => known,
            (None, Some(name)) => {
                self.stop_thinking(on);
                let number = self.calls.len();
                self.calls.push(index);
                on(Delta::Call {
                    call: number as u32,
                    id: id.unwrap_or_default().into(),
                    name: name.into(),
                    blob: signature(call),
                });
                number
            }
            (None, None) => return Err(Malformed),
        };
        let json = match function.get("arguments") {
            Some(Json::Text(text)) => Cow::Borrowed(text.as_ref()),
            Some(object @ Json::Object(_)) => Cow::Owned(object.to_text()),
            None => return Ok(()),
            Some(_) => return Err(Malformed),
        };
        if !json.is_empty() {
            on(Delta::Input {
                call: number as u32,
                json,
            });
        }
        Ok(())
    }

    /// What stands beside a choice's words.
    fn rest(&mut self, choice: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        if let Some(logprobs) = choice.get("logprobs") {
            let content = logprobs.list("content");
            if !content.is_empty() {
                on(Delta::Logprobs(content.to_vec()));
            }
        }
        if let Some(reason) = choice.filled("finish_reason") {
            self.stop_thinking(on);
            on(Delta::Stop(match reason {
                "length" | "model_length" => Stop::Length,
                "tool_calls" | "function_call" => Stop::Tool,
                "content_filter" => Stop::Filtered,
                "error" => return,
                // Some hosts say `stop` also where tools are called.
                _ if !self.calls.is_empty() => Stop::Tool,
                _ => Stop::Done,
            }));
        }
    }
}

fn signature<'d>(call: &'d Json<'_>) -> Option<Blob<'d>> {
    let google = call.get("extra_content")?.get("google")?;
    Some(Blob::new(
        BlobKind::Call,
        google.filled("thought_signature")?,
    ))
}

/// An error, in a body or in a stream.
pub fn failure(error: &Json<'_>) -> Delta<'static> {
    let code = |name: &str| match error.get(name) {
        Some(Json::Text(text)) => Some(text.to_string()),
        Some(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let kind = code("type").or_else(|| code("code"));
    let message = error.as_text().or_else(|| error.text("message"));
    // Mistral's.
    let message = message.or_else(|| error.text("detail"));
    Delta::Failed {
        kind: kind.unwrap_or_else(|| "error".to_owned()),
        message: message.unwrap_or_default().to_owned(),
    }
}
