//! Reading a response, whole or as a stream.

use super::usage;
use crate::dialect::neutral::{
    Blob, BlobKind, Citation, Delta, Json, Malformed, Stop, TextWriter, Usage,
};
use crate::dialect::openai::error_read::failure;
use crate::dialect::Beyond;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Items of server tools, whose results are in the text.
const HOSTED: [&str; 14] = [
    "web_search_call",
    "x_search_call",
    "file_search_call",
    "code_interpreter_call",
    "mcp_call",
    "mcp_list_tools",
    "tool_search_call",
    "tool_search_output",
    "program",
    "program_output",
    "shell_call_output",
    "function_call_output",
    "custom_tool_call_output",
    "additional_tools",
];

/// The state of a stream.
#[derive(Debug, Default)]
pub struct Reader {
    /// Each call, by its output index.
    calls: BTreeMap<u64, Called>,
    called: u32,
    modelled: bool,
    /// The reasoning item that is open has words.
    thinking: bool,
}

/// A call that has started.
#[derive(Debug)]
enum Called {
    /// Our number of it, and whether arguments of it came.
    Function(u32, bool),
    /// A custom tool's.
    Custom(u32, TextWriter),
}

impl Reader {
    /// Takes an event.
    pub fn event(&mut self, data: &[u8], on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
        // OpenRouter ends with chat completions' marker.
        if data == b"[DONE]" {
            return Ok(());
        }
        let event = Json::parse_bytes(data).map_err(|_| Malformed)?;
        let text = |name: &str| event.text(name).ok_or(Malformed);
        let index = event.count("output_index").unwrap_or(0);
        match text("type")? {
            "response.created" | "response.in_progress" => {
                self.model(event.get("response").ok_or(Malformed)?, on);
            }
            "response.output_item.added" => {
                self.opened(event.get("item").ok_or(Malformed)?, index, on)?;
            }
            "response.output_text.delta" => {
                on(Delta::Text(text("delta")?.into()));
                let logprobs = event.list("logprobs");
                if !logprobs.is_empty() {
                    on(Delta::Logprobs(logprobs.to_vec()));
                }
            }
            "response.refusal.delta" => on(Delta::Refusal(text("delta")?.into())),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.thinking = true;
                on(Delta::Thinking(text("delta")?.into()));
            }
            "response.reasoning_summary_part.added" if self.thinking => {
                on(Delta::Thinking("\n\n".into()));
            }
            "response.custom_tool_call_input.delta" => {
                self.input(index, text("delta")?, false, on);
            }
            "response.custom_tool_call_input.done" => {
                self.input(index, event.text("input").unwrap_or_default(), true, on);
            }
            "response.function_call_arguments.delta" => {
                self.input(index, text("delta")?, false, on);
            }
            "response.function_call_arguments.done" => {
                self.input(index, event.text("arguments").unwrap_or("{}"), true, on);
            }
            "response.output_text.annotation.added" => {
                cited(event.get("annotation").ok_or(Malformed)?, on);
            }
            "response.output_item.done" => {
                self.done(event.get("item").ok_or(Malformed)?, index, on)?;
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.over(event.get("response").ok_or(Malformed)?, on);
            }
            "error" => on(failure(event.get("error").unwrap_or(&event))),
            _ => {}
        }
        Ok(())
    }

    /// Takes a whole response.
    pub fn whole(
        &mut self,
        body: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        if !matches!(body.get("output"), Some(Json::List(_))) {
            return match body.get("error") {
                Some(error) => {
                    on(failure(error));
                    Ok(())
                }
                None => Err(Malformed),
            };
        }
        self.model(body, on);
        for (index, item) in body.list("output").iter().enumerate() {
            let index = index as u64;
            self.opened(item, index, on)?;
            if item.text("type") == Some("message") {
                said(item, on)?;
            }
            if item.text("type") == Some("reasoning") {
                self.thoughts(item, on);
            }
            self.done(item, index, on)?;
        }
        self.over(body, on);
        Ok(())
    }

    fn model(&mut self, response: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        if let (Some(model), false) = (response.filled("model"), self.modelled) {
            self.modelled = true;
            on(Delta::Model(model.into()));
        }
    }

    fn opened(
        &mut self,
        item: &Json<'_>,
        index: u64,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        match item.text("type").ok_or(Malformed)? {
            kind @ ("function_call" | "custom_tool_call") => {
                let call = self.called;
                self.called = call.saturating_add(1);
                self.calls.entry(index).or_insert(match kind {
                    "function_call" => Called::Function(call, false),
                    _ => Called::Custom(call, TextWriter::default()),
                });
                on(Delta::Call {
                    call,
                    id: item.text("call_id").ok_or(Malformed)?.into(),
                    name: item.text("name").ok_or(Malformed)?.into(),
                    blob: None,
                });
            }
            "reasoning" => self.thinking = false,
            "message" => {}
            "shell_call" if usage::ran_in_container(item) => on(Delta::Aside),
            kind if HOSTED.contains(&kind) => on(Delta::Aside),
            kind => on(Delta::Unsupported(format!("output.{kind}").into())),
        }
        Ok(())
    }

    /// Arguments in pieces, or all of them if no piece came.
    fn input(&mut self, index: u64, piece: &str, whole: bool, on: &mut dyn FnMut(Delta<'_>)) {
        let (call, json) = match self.calls.get_mut(&index) {
            Some(Called::Function(call, any)) => match piece.is_empty() || whole && *any {
                true => return,
                false => {
                    *any = true;
                    (*call, Cow::Borrowed(piece))
                }
            },
            Some(Called::Custom(call, text)) => (*call, custom_input(text, piece, whole).into()),
            None => return,
        };
        if !json.is_empty() {
            on(Delta::Input { call, json });
        }
    }

    fn thoughts(&mut self, item: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        for part in item.list("summary").iter().chain(item.list("content")) {
            if let Some(text) = part.filled("text") {
                if self.thinking {
                    on(Delta::Thinking("\n\n".into()));
                }
                self.thinking = true;
                on(Delta::Thinking(text.into()));
            }
        }
    }

    fn done(
        &mut self,
        item: &Json<'_>,
        index: u64,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        match item.text("type").ok_or(Malformed)? {
            "function_call" => {
                let arguments = item.filled("arguments").unwrap_or("{}");
                self.input(index, arguments, true, on);
            }
            "custom_tool_call" => {
                self.input(index, item.text("input").unwrap_or_default(), true, on);
            }
            "reasoning" => {
                match hidden(item) {
                    Some(proof) => on(Delta::Thought(proof)),
                    None if self.thinking => on(Delta::ThinkingEnds),
                    None => {}
                }
                self.thinking = false;
            }
            "compaction" => hidden(item)
                .into_iter()
                .for_each(|made| on(Delta::Compacted(made))),
            _ => {}
        }
        Ok(())
    }

    /// The response is over.
    fn over(&mut self, response: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
        self.model(response, on);
        if let Some(tier) = response.filled("service_tier") {
            on(Delta::Tier(tier.into()));
        }
        if let Some(counts) = response.get("usage") {
            let mut beyond = Beyond::of(&counts.to_text());
            usage::tools_that_ran(response, &mut beyond);
            on(Delta::Beyond(Box::new(beyond)));
            on(Delta::Usage(Usage {
                tokens: usage::tokens(counts),
                complete: true,
            }));
        }
        if let (Some(id), true) = (response.filled("id"), response.is_true("store")) {
            on(Delta::Stored(id.into()));
        }
        let why = response.get("incomplete_details");
        let why = why.and_then(|details| details.text("reason"));
        match (response.text("status"), why) {
            (Some("queued" | "in_progress"), _) => return on(Delta::InBackground),
            (Some("failed" | "cancelled"), _) => {
                let nothing = Json::Null;
                on(failure(response.get("error").unwrap_or(&nothing)));
                return;
            }
            (_, Some("content_filter")) => on(Delta::Stop(Stop::Filtered)),
            (Some("incomplete"), _) => on(Delta::Stop(Stop::Length)),
            _ if !self.calls.is_empty() => on(Delta::Stop(Stop::Tool)),
            _ => on(Delta::Stop(Stop::Done)),
        }
        on(Delta::End);
    }
}

/// The encrypted content of an item. Its id belongs to it: the provider takes back both
/// together.
fn hidden<'d>(item: &Json<'_>) -> Option<Blob<'d>> {
    let content = item.filled("encrypted_content")?;
    let id = item.text("id").unwrap_or_default();
    Some(Blob::new(BlobKind::Hidden, format!("{id}~{content}")))
}

/// A piece of a custom tool's text, as arguments: the last one ends them.
fn custom_input(text: &mut TextWriter, piece: &str, whole: bool) -> String {
    let mut json = String::new();
    let known = whole && text.has_started();
    if !piece.is_empty() && !known {
        json.push_str(&text.push(piece));
    }
    if whole {
        json.push_str(&text.finish());
    }
    json
}

fn said(item: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) -> Result<(), Malformed> {
    for part in item.list("content") {
        match part.text("type").ok_or(Malformed)? {
            "output_text" => {
                on(Delta::Text(part.text("text").ok_or(Malformed)?.into()));
                let logprobs = part.list("logprobs");
                if !logprobs.is_empty() {
                    on(Delta::Logprobs(logprobs.to_vec()));
                }
                for annotation in part.list("annotations") {
                    cited(annotation, on);
                }
            }
            "refusal" => on(Delta::Refusal(
                part.text("refusal").ok_or(Malformed)?.into(),
            )),
            kind => on(Delta::Unsupported(format!("output.message.{kind}").into())),
        }
    }
    Ok(())
}

fn cited(annotation: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) {
    let text = |name: &str| annotation.text(name).map(str::to_owned);
    on(Delta::Cited(Citation {
        url: text("url"),
        title: text("title").or_else(|| text("filename")),
        ..Citation::default()
    }));
}
