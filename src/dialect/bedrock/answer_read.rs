//! Reads a Converse response, whole or as a stream of frames.

use super::usage;
use crate::dialect::neutral::{Blob, BlobKind, Citation, Delta, Json, Malformed, Stop, Usage};
use crate::dialect::Beyond;
use std::collections::BTreeMap;

/// The state of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    calls: u32,
    blocks: BTreeMap<u64, Block>,
    stopped: bool,
}

/// A block that is open.
#[derive(Debug)]
enum Block {
    /// A call, and whether anything of its arguments came.
    Call(u32, bool),
    /// Thinking, and its signature so far.
    Thinking(String),
    /// The work of a server tool.
    Aside,
}

impl Reader {
    /// Takes a frame: its event's name and payload.
    pub fn event(
        &mut self,
        name: &str,
        payload: &[u8],
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let event = Json::parse_bytes(payload).map_err(|_| Malformed)?;
        let index = event.count("contentBlockIndex").unwrap_or(0);
        match name {
            "contentBlockStart" => self.start(index, event.get("start").ok_or(Malformed)?, on)?,
            "contentBlockDelta" => self.delta(index, event.get("delta").ok_or(Malformed)?, on)?,
            "contentBlockStop" => self.close(index, on),
            "messageStop" => {
                // The usage is still to come.
                self.stopped = true;
                stop(&event, on);
            }
            "metadata" => {
                self.metadata(&event, on);
                if self.stopped {
                    on(Delta::End);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a whole reply.
    pub fn whole(
        &mut self,
        body: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let message = body.get("output").and_then(|output| output.get("message"));
        let message = message.ok_or(Malformed)?;
        for (index, block) in message.list("content").iter().enumerate() {
            self.whole_block(index as u64, block, on)?;
        }
        stop(body, on);
        self.metadata(body, on);
        // As in a stream: it is not complete without a stop reason.
        if body.text("stopReason").is_some() {
            on(Delta::End);
        }
        Ok(())
    }

    fn whole_block(
        &mut self,
        index: u64,
        block: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        if let Some(call) = block.get("toolUse") {
            self.start(index, block, on)?;
            let input = call.get("input").map_or("{}".to_owned(), Json::to_text);
            self.input(index, &input, on);
        } else if let Some(thought) = block.get("reasoningContent") {
            let text = thought.get("reasoningText");
            self.reasoning(index, text.unwrap_or(thought), on);
            if let Some(hidden) = thought.filled("redactedContent") {
                on(Delta::Thought(Blob::new(BlobKind::Hidden, hidden)));
            }
        } else if let Some(cited) = block.get("citationsContent") {
            for part in cited.list("content") {
                if let Some(text) = part.filled("text") {
                    on(Delta::Text(text.into()));
                }
            }
            for citation in cited.list("citations") {
                on(Delta::Cited(self::cited(citation)));
            }
        } else if let Some(text) = block.text("text") {
            if !text.is_empty() {
                on(Delta::Text(text.into()));
            }
        } else {
            on(wordless(block));
        }
        self.close(index, on);
        Ok(())
    }

    fn start(
        &mut self,
        index: u64,
        start: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        let Some(call) = start.get("toolUse") else {
            self.blocks.insert(index, Block::Aside);
            on(wordless(start));
            return Ok(());
        };
        if call.text("type") == Some("server_tool_use") {
            self.blocks.insert(index, Block::Aside);
            on(Delta::Aside);
            return Ok(());
        }
        let number = self.calls;
        self.calls += 1;
        self.blocks.insert(index, Block::Call(number, false));
        on(Delta::Call {
            call: number,
            id: call.text("toolUseId").ok_or(Malformed)?.into(),
            name: call.text("name").ok_or(Malformed)?.into(),
            blob: None,
        });
        Ok(())
    }

    fn delta(
        &mut self,
        index: u64,
        delta: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        if let Some(text) = delta.text("text") {
            if !text.is_empty() {
                on(Delta::Text(text.into()));
            }
        } else if let Some(call) = delta.get("toolUse") {
            let input = call.text("input").ok_or(Malformed)?;
            self.input(index, input, on);
        } else if let Some(thought) = delta.get("reasoningContent") {
            self.reasoning(index, thought, on);
            if let Some(hidden) = thought.filled("redactedContent") {
                on(Delta::Thought(Blob::new(BlobKind::Hidden, hidden)));
            }
        } else if let Some(citation) = delta.get("citation") {
            on(Delta::Cited(cited(citation)));
        }
        Ok(())
    }

    fn input(&mut self, index: u64, json: &str, on: &mut dyn FnMut(Delta<'_>)) {
        if let Some(Block::Call(call, any)) = self.blocks.get_mut(&index) {
            if !json.is_empty() {
                *any = true;
                on(Delta::Input {
                    call: *call,
                    json: json.into(),
                });
            }
        }
    }

    fn reasoning(&mut self, index: u64, thought: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        if let Some(text) = thought.filled("text") {
            on(Delta::Thinking(text.into()));
        }
        if thought.get("text").is_some() || thought.get("signature").is_some() {
            let open = self.blocks.entry(index);
            let open = open.or_insert_with(|| Block::Thinking(String::new()));
            if let (Block::Thinking(proof), Some(piece)) = (open, thought.text("signature")) {
                proof.push_str(piece);
            }
        }
    }

    fn close(&mut self, index: u64, on: &mut dyn FnMut(Delta<'_>)) {
        match self.blocks.remove(&index) {
            Some(Block::Thinking(proof)) if proof.is_empty() => on(Delta::ThinkingEnds),
            Some(Block::Thinking(proof)) => {
                on(Delta::Thought(Blob::new(BlobKind::Signature, proof)));
            }
            // Clients parse the arguments, and an empty string is not JSON.
            Some(Block::Call(call, false)) => on(Delta::Input {
                call,
                json: "{}".into(),
            }),
            Some(Block::Call(_, true) | Block::Aside) | None => {}
        }
    }

    fn metadata(&mut self, event: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        if let Some(tier) = event
            .get("serviceTier")
            .and_then(|tier| tier.filled("type"))
        {
            on(Delta::Tier(tier.into()));
        }
        if let Some(counts) = event.get("usage") {
            on(Delta::Beyond(Box::new(Beyond::of(&counts.to_text()))));
            on(Delta::Usage(Usage {
                tokens: usage::tokens(counts),
                complete: true,
            }));
        }
    }
}

fn stop(event: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
    let Some(reason) = event.text("stopReason") else {
        return;
    };
    on(match reason {
        "tool_use" => Delta::Stop(Stop::Tool),
        "max_tokens" | "model_context_window_exceeded" => Delta::Stop(Stop::Length),
        "stop_sequence" => {
            let fields = event.get("additionalModelResponseFields");
            let sequence = fields.and_then(|fields| fields.text("stop_sequence"));
            Delta::Stop(Stop::Sequence(sequence.map(str::to_owned)))
        }
        "guardrail_intervened" | "content_filtered" => Delta::Stop(Stop::Filtered),
        "malformed_model_output" | "malformed_tool_use" => Delta::Failed {
            kind: reason.to_owned(),
            message: String::new(),
        },
        _ => Delta::Stop(Stop::Done),
    });
}

/// A block without text: the work of a server tool, or something that no other dialect
/// supports.
fn wordless(block: &Json<'_>) -> Delta<'static> {
    const MEDIA: [&str; 4] = ["image", "audio", "video", "document"];
    match MEDIA.iter().find(|name| block.get(name).is_some()) {
        Some(name) => Delta::Unsupported(format!("content.{name}").into()),
        None => Delta::Aside,
    }
}

fn cited(citation: &Json<'_>) -> Citation {
    let place = citation.get("location");
    let span = place.and_then(|place| {
        let kinds = ["documentChar", "documentPage", "documentChunk"];
        kinds.into_iter().find_map(|kind| place.get(kind))
    });
    let web = place.and_then(|place| place.get("web"));
    let passage = citation.list("sourceContent").first();
    Citation {
        url: web.and_then(|web| web.text("url")).map(str::to_owned),
        title: citation.text("title").map(str::to_owned),
        passage: passage.and_then(|p| p.text("text")).map(str::to_owned),
        document: span.and_then(|span| span.count("documentIndex")),
        span: span.and_then(|span| Some((span.count("start")?, span.count("end")?))),
    }
}

/// An error: its kind stands beside the body.
pub fn failure(kind: &str, body: &Json<'_>) -> Delta<'static> {
    let message = body.text("message").or_else(|| body.text("Message"));
    Delta::Failed {
        kind: kind.to_owned(),
        message: message.unwrap_or_default().to_owned(),
    }
}
