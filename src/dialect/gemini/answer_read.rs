//! Reads a generateContent response, whole or as a stream. There is no last event: the
//! response is complete once a stop reason was received.

use super::usage;
use crate::dialect::neutral::{
    Blob, BlobKind, Citation, Delta, Json, Malformed, Object, Stop, Usage,
};
use crate::dialect::Beyond;
use crate::units::Tokens;

/// The state of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    calls: u32,
    modelled: bool,
    thinking: bool,
    /// Text was received.
    said: bool,
    grounded: usize,
    /// The latest usage: each chunk reports the usage so far.
    counted: Option<Tokens>,
    /// A stop reason was received.
    stopped: bool,
}

impl Reader {
    /// Takes an event.
    pub fn event(&mut self, data: &[u8], on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        let chunk = Json::parse_bytes(data).map_err(|_| Malformed)?;
        self.chunk(&chunk, on)
    }

    /// Takes a whole reply: one, or a stream that came as a list.
    pub fn whole(
        &mut self,
        body: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        match body {
            Json::List(chunks) => {
                for chunk in chunks {
                    self.chunk(chunk, on)?;
                }
            }
            one => self.chunk(one, on)?,
        }
        self.usage(true, on);
        // As in a stream: without a reason the model has not stopped.
        if self.stopped {
            on(Delta::End);
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        if !matches!(chunk, Json::Object(_)) {
            return Err(Malformed);
        }
        if let Some(error) = chunk.get("error") {
            on(failure(error));
            return Ok(());
        }
        if let (Some(model), false) = (chunk.filled("modelVersion"), self.modelled) {
            self.modelled = true;
            on(Delta::Model(model.into()));
        }
        let candidate = chunk.list("candidates").first();
        let blocked = chunk.get("promptFeedback");
        let blocked = blocked.is_some_and(|feedback| feedback.text("blockReason").is_some());
        let reason = candidate.and_then(|candidate| candidate.get("finishReason"));
        let stops = reason.is_some_and(|why| reason_name(why) != "FINISH_REASON_UNSPECIFIED");
        self.stopped |= stops || blocked;
        if let Some(counts) = chunk.get("usageMetadata") {
            if let Some(tier) = counts.filled("serviceTier") {
                on(Delta::Tier(tier.into()));
            }
            on(Delta::Beyond(Box::new(Beyond::of(&counts.to_text()))));
            self.counted = Some(usage::tokens(counts));
            self.usage(self.stopped, on);
        } else if stops || blocked {
            self.usage(true, on);
        }
        if let Some(candidate) = candidate {
            self.candidate(candidate, on)?;
        }
        if blocked {
            on(Delta::Stop(Stop::Filtered));
        }
        Ok(())
    }

    /// Reports the usage. Until there is a stop reason, it may grow, and may not cover
    /// thinking.
    fn usage(&self, complete: bool, on: &mut dyn FnMut(Delta<'_>)) {
        if let Some(tokens) = self.counted {
            on(Delta::Usage(Usage { tokens, complete }));
        }
    }

    fn candidate(
        &mut self,
        candidate: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        if let Some(content) = candidate.get("content") {
            for part in content.list("parts") {
                self.part(part, on)?;
            }
        }
        self.grounding(candidate, on);
        let logprobs = candidate.get("logprobsResult").map(logprobs);
        if let Some(tokens) = logprobs.filter(|tokens| !tokens.is_empty()) {
            on(Delta::Logprobs(tokens));
        }
        let Some(reason) = candidate.get("finishReason") else {
            return Ok(());
        };
        self.stop_thinking(on);
        match reason_name(reason) {
            "STOP" if self.calls > 0 => on(Delta::Stop(Stop::Tool)),
            "STOP" => on(Delta::Stop(Stop::Done)),
            "MAX_TOKENS" => on(Delta::Stop(Stop::Length)),
            kind @ ("MALFORMED_FUNCTION_CALL"
            | "UNEXPECTED_TOOL_CALL"
            | "OTHER"
            | "MALFORMED_RESPONSE"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE") => {
                let message = candidate.text("finishMessage").unwrap_or_default();
                on(Delta::Failed {
                    kind: kind.to_ascii_lowercase(),
                    message: message.to_owned(),
                });
            }
            "FINISH_REASON_UNSPECIFIED" => {}
            _ => on(Delta::Stop(Stop::Filtered)),
        }
        Ok(())
    }

    fn part(&mut self, part: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        let signature = part.filled("thoughtSignature");
        if let Some(call) = part.get("functionCall") {
            self.stop_thinking(on);
            let number = self.calls;
            self.calls += 1;
            on(Delta::Call {
                call: number,
                id: call.text("id").unwrap_or_default().into(),
                name: call.text("name").ok_or(Malformed)?.into(),
                blob: signature.map(|data| Blob::new(BlobKind::Call, data)),
            });
            let args = call.get("args").map_or("{}".to_owned(), Json::to_text);
            on(Delta::Input {
                call: number,
                json: args.into(),
            });
            return Ok(());
        }
        match part.get("text") {
            Some(Json::Text(text)) if part.is_true("thought") => {
                if !text.is_empty() {
                    self.thinking = true;
                    on(Delta::Thinking(text.as_ref().into()));
                }
            }
            Some(Json::Text(text)) if !text.is_empty() => {
                // A signature on the first text belongs to the thinking before it.
                let proof = signature.filter(|_| !self.said);
                if let Some(data) = proof {
                    self.thought(data, on);
                }
                self.said = true;
                self.stop_thinking(on);
                on(Delta::Text(text.as_ref().into()));
                if proof.is_some() {
                    return Ok(());
                }
            }
            Some(Json::Text(_)) => {}
            Some(_) => return Err(Malformed),
            None => on(wordless(part)),
        }
        if let Some(data) = signature {
            self.thought(data, on);
        }
        Ok(())
    }

    fn thought(&mut self, proof: &str, on: &mut dyn FnMut(Delta<'_>)) {
        self.thinking = false;
        on(Delta::Thought(Blob::new(BlobKind::Signature, proof)));
    }

    fn stop_thinking(&mut self, on: &mut dyn FnMut(Delta<'_>)) {
        if std::mem::take(&mut self.thinking) {
            on(Delta::ThinkingEnds);
        }
    }

    /// Sources are repeated in each chunk: only new ones count.
    fn grounding(&mut self, candidate: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        let Some(grounding) = candidate.get("groundingMetadata") else {
            return;
        };
        let sources = grounding.list("groundingChunks");
        for source in sources.iter().skip(self.grounded) {
            if let Some(web) = source.get("web") {
                on(Delta::Cited(Citation {
                    url: web.text("uri").map(str::to_owned),
                    title: web.text("title").map(str::to_owned),
                    ..Citation::default()
                }));
            }
        }
        self.grounded = self.grounded.max(sources.len());
    }
}

/// A part without text: the work of a server tool, or something that no other dialect
/// supports, such as a picture.
fn wordless(part: &Json<'_>) -> Delta<'static> {
    const PLAIN: [&str; 9] = [
        "thought",
        "thoughtSignature",
        "videoMetadata",
        "mediaResolution",
        "partMetadata",
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse",
    ];
    let Json::Object(fields) = part.plain() else {
        return Delta::Aside;
    };
    let lost = fields.names().find(|name| !PLAIN.contains(name));
    match lost.filter(|_| !part.is_true("thought")) {
        Some(name) => Delta::Unsupported(format!("parts.{name}").into()),
        None => Delta::Aside,
    }
}

/// Some libraries write the number instead of the name.
fn reason_name<'r>(reason: &'r Json<'_>) -> &'r str {
    match reason {
        Json::Text(name) => name,
        Json::Number(number) => match number.as_u64() {
            Some(1) => "STOP",
            Some(2) => "MAX_TOKENS",
            Some(0) | None => "FINISH_REASON_UNSPECIFIED",
            Some(5) => "OTHER",
            Some(10) => "MALFORMED_FUNCTION_CALL",
            Some(_) => "SAFETY",
        },
        _ => "FINISH_REASON_UNSPECIFIED",
    }
}

/// As OpenAI's chat completions list them.
fn logprobs(result: &Json<'_>) -> Vec<Json<'static>> {
    let one = |candidate: &Json<'_>| -> Object<'static> {
        let token = candidate.text("token").unwrap_or_default();
        let bytes = token.bytes().map(|b| Json::from(u64::from(b))).collect();
        let logprob = match candidate.get("logProbability") {
            Some(Json::Number(number)) => Json::Number(number.clone()),
            _ => Json::from(0_u64),
        };
        Object::new()
            .with("token", token.to_owned())
            .with("logprob", logprob)
            .with("bytes", Json::List(bytes))
    };
    let tops = result.list("topCandidates");
    let chosen = result.list("chosenCandidates").iter().enumerate();
    let tokens = chosen.map(|(at, candidate)| {
        let top = tops.get(at).map_or(&[][..], |top| top.list("candidates"));
        let top = top.iter().map(|other| one(other).into()).collect();
        one(candidate).with("top_logprobs", Json::List(top)).into()
    });
    tokens.collect()
}

/// An error, in a body or in a stream.
pub fn failure(error: &Json<'_>) -> Delta<'static> {
    let kind = error.text("status").unwrap_or("error");
    Delta::Failed {
        kind: kind.to_ascii_lowercase(),
        message: error.text("message").unwrap_or_default().to_owned(),
    }
}
