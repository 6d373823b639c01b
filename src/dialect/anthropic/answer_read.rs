//! Reading a message, whole or as a stream.

use super::usage::Counts;
use crate::dialect::neutral::{Blob, BlobKind, Citation, Delta, Json, Malformed, Stop, Usage};
use crate::dialect::Beyond;

/// Blocks of server tools, whose results are in the text.
const HOSTED: [&str; 11] = [
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "advisor_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    // Where the text of one model ends and that of another starts.
    "fallback",
];

/// The state of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    counts: Counts,
    block: Block,
    calls: u32,
    signature: String,
    /// A stop reason was received.
    stopped: bool,
}

/// The block that is open.
#[derive(Debug, Default)]
enum Block {
    /// None, or one whose end changes nothing.
    #[default]
    Plain,
    Thinking,
    /// A call, and whether anything of its arguments came.
    Call(u32, bool),
    /// The work of a server tool.
    Aside,
}

impl Reader {
    /// Takes an event.
    pub fn event(&mut self, data: &[u8], on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        // Some gateways in front of Anthropic end with OpenAI's marker.
        if data == b"[DONE]" {
            return Ok(());
        }
        let event = Json::parse_bytes(data).map_err(|_| Malformed)?;
        match event.text("type").ok_or(Malformed)? {
            "message_start" => {
                let message = event.get("message").ok_or(Malformed)?;
                self.head(message, on);
            }
            "content_block_start" => self.open(event.get("content_block").ok_or(Malformed)?, on)?,
            "content_block_delta" => self.delta(event.get("delta").ok_or(Malformed)?, on)?,
            "content_block_stop" => self.close(on),
            "message_delta" => {
                if let Some(delta) = event.get("delta") {
                    self.stop(delta, on);
                }
                self.usage(event.get("usage"), true, on);
            }
            "message_stop" => self.end(on),
            "error" => on(failure(&event)),
            "ping" => on(Delta::KeepAlive),
            _ => {}
        }
        Ok(())
    }

    /// Takes a whole message.
    pub fn whole(
        &mut self,
        body: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        if body.text("type") == Some("error") {
            on(failure(body));
            return Ok(());
        }
        if !matches!(body.get("content"), Some(Json::List(_))) {
            return Err(Malformed);
        }
        self.head(body, on);
        for block in body.list("content") {
            self.open(block, on)?;
            for citation in block.list("citations") {
                on(Delta::Cited(cited(citation)));
            }
            self.close(on);
        }
        self.stop(body, on);
        self.usage(body.get("usage"), true, on);
        self.end(on);
        Ok(())
    }

    fn stop(&mut self, told: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        if let Some(stop) = stopped(told) {
            self.stopped = true;
            on(Delta::Stop(stop));
        }
        let details = told.get("stop_details");
        let why = |name: &str| details.and_then(|details| details.filled(name));
        if let Some(why) = why("explanation").or_else(|| why("category")) {
            on(Delta::RefusalReason(why.into()));
        }
    }

    /// The message is complete. Some hosts give no stop reason; then it follows from
    /// the content.
    fn end(&mut self, on: &mut dyn FnMut(Delta<'_>)) {
        if !self.stopped {
            on(Delta::Stop(match self.calls {
                0 => Stop::Done,
                _ => Stop::Tool,
            }));
        }
        on(Delta::End);
    }

    fn head(&mut self, message: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        if let Some(model) = message.filled("model") {
            on(Delta::Model(model.into()));
        }
        self.usage(message.get("usage"), false, on);
    }

    /// Takes a usage object. One that cannot be read is named, and counts nothing.
    fn usage(&mut self, usage: Option<&Json<'_>>, complete: bool, on: &mut dyn FnMut(Delta<'_>)) {
        let Some(usage) = usage else { return };
        let text = usage.to_text();
        let mut beyond = Beyond::of(&text);
        let counts = serde_json::from_str::<Counts>(&text);
        if counts.is_err() {
            beyond.mark("usage");
        }
        on(Delta::Beyond(Box::new(beyond)));
        let Ok(counts) = counts else { return };
        if let Some(tier) = &counts.service_tier {
            on(Delta::Tier(tier.clone().into()));
        }
        self.counts.merge(counts);
        on(Delta::Usage(Usage {
            tokens: self.counts.tokens(),
            complete,
        }));
    }

    fn open(&mut self, block: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        self.block = match block.text("type").ok_or(Malformed)? {
            "text" => {
                let text = block.text("text").unwrap_or_default();
                if !text.is_empty() {
                    on(Delta::Text(text.into()));
                }
                Block::Plain
            }
            "thinking" => {
                let text = block.text("thinking").unwrap_or_default();
                if !text.is_empty() {
                    on(Delta::Thinking(text.into()));
                }
                self.signature = block.text("signature").unwrap_or_default().to_owned();
                Block::Thinking
            }
            "redacted_thinking" => {
                let data = block.text("data").ok_or(Malformed)?;
                on(Delta::Thought(Blob::new(BlobKind::Hidden, data)));
                Block::Plain
            }
            "tool_use" => {
                let call = self.calls;
                self.calls += 1;
                on(Delta::Call {
                    call,
                    id: block.text("id").ok_or(Malformed)?.into(),
                    name: block.text("name").ok_or(Malformed)?.into(),
                    blob: None,
                });
                // Mostly empty here, but it may be the whole text.
                let filled = match block.get("input") {
                    Some(input @ Json::Object(fields)) if !fields.is_empty() => {
                        let json = input.to_text().into();
                        on(Delta::Input { call, json });
                        true
                    }
                    _ => false,
                };
                Block::Call(call, filled)
            }
            kind => {
                on(match HOSTED.contains(&kind) {
                    true => Delta::Aside,
                    false => Delta::Unsupported(format!("content.{kind}").into()),
                });
                Block::Aside
            }
        };
        Ok(())
    }

    fn delta(&mut self, delta: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        match delta.text("type").ok_or(Malformed)? {
            "text_delta" => on(Delta::Text(delta.text("text").ok_or(Malformed)?.into())),
            "thinking_delta" => on(Delta::Thinking(
                delta.text("thinking").ok_or(Malformed)?.into(),
            )),
            "signature_delta" => {
                self.signature
                    .push_str(delta.text("signature").ok_or(Malformed)?);
            }
            "citations_delta" => on(Delta::Cited(cited(delta.get("citation").ok_or(Malformed)?))),
            "input_json_delta" => {
                let json = delta.text("partial_json").ok_or(Malformed)?;
                if let (Block::Call(call, any), false) = (&mut self.block, json.is_empty()) {
                    *any = true;
                    on(Delta::Input {
                        call: *call,
                        json: json.into(),
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, on: &mut dyn FnMut(Delta<'_>)) {
        match std::mem::take(&mut self.block) {
            Block::Thinking => {
                let signature = std::mem::take(&mut self.signature);
                on(match signature.is_empty() {
                    true => Delta::ThinkingEnds,
                    false => Delta::Thought(Blob::new(BlobKind::Signature, signature)),
                });
            }
            // Clients parse the arguments, and an empty string is not JSON.
            Block::Call(call, false) => on(Delta::Input {
                call,
                json: "{}".into(),
            }),
            Block::Call(_, true) | Block::Plain | Block::Aside => {}
        }
    }
}

fn stopped(delta: &Json<'_>) -> Option<Stop> {
    Some(match delta.text("stop_reason")? {
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "stop_sequence" => Stop::Sequence(delta.text("stop_sequence").map(str::to_owned)),
        "tool_use" => Stop::Tool,
        "refusal" => Stop::Filtered,
        "pause_turn" | "compaction" => Stop::Paused,
        _ => Stop::Done,
    })
}

fn cited(citation: &Json<'_>) -> Citation {
    let text = |name: &str| citation.text(name).map(str::to_owned);
    let pair = |from: &str, to: &str| Some((citation.count(from)?, citation.count(to)?));
    Citation {
        url: text("url").or_else(|| text("source")),
        title: text("title").or_else(|| text("document_title")),
        passage: text("cited_text"),
        document: citation.count("document_index"),
        span: pair("start_char_index", "end_char_index")
            .or_else(|| pair("start_page_number", "end_page_number"))
            .or_else(|| pair("start_block_index", "end_block_index")),
    }
}

/// An error, in a body or in a stream.
pub fn failure(event: &Json<'_>) -> Delta<'static> {
    let error = event.get("error").unwrap_or(event);
    let kind = error.text("type").unwrap_or("error");
    Delta::Failed {
        kind: kind.to_owned(),
        message: error.text("message").unwrap_or_default().to_owned(),
    }
}
