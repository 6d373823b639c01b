//! Writes a responses request. Nothing is stored at the provider: the client sends the
//! conversation each time.

use super::tools_write::{choice, tools, Calls};
use crate::dialect::neutral::{
    Blob, Block, BodyWriter, Budget, ChatRequest, Format, Json, Media, Object, Param, Role, Source,
    Target, Turn, UnsupportedFields, What,
};
use crate::dialect::openai::request_write::{self, word};
use crate::dialect::openai::schema::{data_url, user};
use crate::dialect::{Api, Family};
use crate::regions::{Dialect, ThinkingStyle};
use std::borrow::Cow;

/// The least output limit; a smaller one is raised to it.
pub const LEAST_OUTPUT: u64 = 16;

/// Writes the body, and lists what the dialect does not support.
pub fn write<'a>(
    request: &'a ChatRequest<'_>,
    target: Target<'a>,
) -> (Json<'a>, UnsupportedFields<'a>) {
    let mut writer = BodyWriter::new(request, target);
    conversation(request, &mut writer);
    writer.set("store", false);
    if request.stream {
        writer.set("stream", true);
    }
    let thinks = thinking(request, &mut writer);
    let mut include: Vec<Json<'a>> = Vec::new();
    if thinks {
        include.push("reasoning.encrypted_content".into());
    }
    if request.params.logprobs {
        include.push("message.output_text.logprobs".into());
    }
    if !include.is_empty() {
        writer.set("include", include);
    }
    params(request, &mut writer);
    writer.leave_out_cache_marks(request);
    writer.extras(request, request.client == Api::Responses);
    writer.finish()
}

/// Writes the request whose tokens are counted.
pub fn write_count<'a>(
    request: &'a ChatRequest<'_>,
    target: Target<'a>,
) -> (Json<'a>, UnsupportedFields<'a>) {
    let mut writer = BodyWriter::new(request, target);
    conversation(request, &mut writer);
    writer.extras(request, false);
    writer.finish()
}

fn conversation<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    writer.set("model", writer.target().model);
    let mut instructions: Vec<&'a str> = Vec::new();
    for block in &request.system {
        match &block.what {
            What::Text(text) => instructions.push(text),
            _ => writer.unsupported_block(block),
        }
    }
    if !instructions.is_empty() {
        writer.set("instructions", instructions.join("\n\n"));
    }
    let (mut items, calls) = (Vec::new(), Calls::of(request));
    for turn in &request.turns {
        write_turn(turn, &calls, &mut items, writer);
    }
    writer.set("input", items);
    if !request.tools.is_empty() {
        writer.set("tools", tools(request));
        writer.put(Param::Parallel, "parallel_tool_calls", request.parallel);
    }
    writer.put(Param::Choice, "tool_choice", choice(request));
    text(request, writer);
}

fn text<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    let mut text = Object::new();
    if let Some(format) = &request.format {
        let kind = match format {
            Format::Json => "json_object",
            Format::Schema { .. } => "json_schema",
        };
        text.set(
            "format",
            request_write::schema(format, Object::new().with("type", kind)),
        );
    }
    text = text.with_some("verbosity", request.params.verbosity.as_deref());
    if !text.is_empty() {
        writer.set("text", text);
    }
}

/// Whether the model thinks, as far as it is known.
fn thinking<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) -> bool {
    let style = writer.target().thinking;
    let Some(thinking) = request.thinking else {
        return style == Some(ThinkingStyle::Effort);
    };
    if style == Some(ThinkingStyle::None) {
        writer.unsupported_if(thinking.is_on(), Param::Thinking);
        return false;
    }
    if thinking.budget == Budget::Off {
        writer.set("reasoning", Object::new().with("effort", "none"));
        return style == Some(ThinkingStyle::Effort);
    }
    // Anthropic's clients see thinking, unless they ask not to.
    let shown = request.client.family() == Family::Anthropic && thinking.is_on();
    let show = thinking.show.unwrap_or(shown);
    let object = Object::new()
        .with_some("effort", thinking.hardness().map(word))
        .with_some("summary", show.then_some("auto"));
    if !object.is_empty() {
        writer.set("reasoning", object);
    }
    true
}

fn params<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    let params = &request.params;
    let most = params.max_output;
    writer.leave_out_if(
        most.is_some_and(|most| most < LEAST_OUTPUT),
        Param::MaxOutput,
    );
    let most = most.map(|most| most.max(LEAST_OUTPUT));
    writer.put(Param::MaxOutput, "max_output_tokens", most);
    writer.put(
        Param::Temperature,
        "temperature",
        params.temperature.as_ref(),
    );
    writer.put(Param::TopP, "top_p", params.top_p.as_ref());
    writer.put(
        Param::Logprobs,
        "top_logprobs",
        params.top_logprobs.filter(|n| *n > 0),
    );
    writer.put(
        Param::User,
        "safety_identifier",
        params.user.as_deref().map(user),
    );
    writer.put(
        Param::User,
        "prompt_cache_key",
        params.cache_key.as_deref().map(user),
    );
    let tier = params.tier.as_deref().map(|tier| match tier {
        "standard_only" => "default",
        other => other,
    });
    writer.put(Param::Tier, "service_tier", tier);
    if !params.labels.is_empty() {
        let labels = params.labels.iter();
        let labels = labels.map(|(k, v)| (Cow::Borrowed(k.as_ref()), Json::from(v.as_ref())));
        writer.set("metadata", Object(labels.collect()));
    }
    writer.unsupported_if(params.top_k.is_some(), Param::TopK);
    writer.unsupported_if(!params.stop.is_empty(), Param::Stop);
    writer.unsupported_if(params.seed.is_some(), Param::Seed);
    writer.unsupported_if(params.presence_penalty.is_some(), Param::PresencePenalty);
    writer.unsupported_if(params.frequency_penalty.is_some(), Param::FrequencyPenalty);
}

fn write_turn<'a>(
    turn: &'a Turn<'_>,
    calls: &Calls<'a>,
    items: &mut Vec<Json<'a>>,
    writer: &mut BodyWriter<'a>,
) {
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System => "developer",
    };
    let mut said: Vec<Json<'a>> = Vec::new();
    for block in &turn.blocks {
        let item = match &block.what {
            What::Call {
                id,
                name,
                input,
                blob,
                ..
            } => {
                writer.unsupported.leave_out_if(blob.is_some(), block.path);
                calls.call(id, name, input)
            }
            What::Result { id, content, error } => Object::of([
                ("type", calls.result_kind(id).into()),
                ("call_id", id.as_ref().into()),
                ("output", output(content, *error, writer)),
            ]),
            What::Thinking {
                text,
                blob: Some(blob),
            } if writer.owns(blob, Dialect::OpenAiResponses) => reasoning(text, blob),
            _ => {
                said.extend(part(block, turn.role, writer));
                continue;
            }
        };
        message(role, &mut said, items);
        items.push(item.into());
    }
    message(role, &mut said, items);
}

fn message<'a>(role: &'a str, said: &mut Vec<Json<'a>>, items: &mut Vec<Json<'a>>) {
    if !said.is_empty() {
        let message = Object::of([
            ("type", "message".into()),
            ("role", role.into()),
            ("content", std::mem::take(said).into()),
        ]);
        items.push(message.into());
    }
}

/// A reasoning item as it was: its id stands before its content.
fn reasoning<'a>(text: &'a str, blob: &'a Blob<'_>) -> Object<'a> {
    let (id, content) = match blob.data.split_once('~') {
        Some((id, content)) => (Some(id), content),
        None => (None, blob.data.as_ref()),
    };
    let mut summary: Vec<Json<'a>> = Vec::new();
    if !text.is_empty() {
        let part = Object::new().with("type", "summary_text");
        summary.push(part.with("text", text).into());
    }
    Object::new()
        .with("type", "reasoning")
        .with_some("id", id)
        .with("summary", summary)
        .with("encrypted_content", content)
}

fn output<'a>(content: &'a [Block<'_>], error: bool, writer: &mut BodyWriter<'a>) -> Json<'a> {
    // There is no field for a failure, so the text says it.
    let mut parts: Vec<Json<'a>> = Vec::new();
    if error {
        let part = Object::new().with("type", "input_text");
        parts.push(part.with("text", "Error:").into());
    }
    parts.extend(
        content
            .iter()
            .filter_map(|block| part(block, Role::User, writer)),
    );
    match content {
        [Block {
            what: What::Text(text),
            ..
        }] if error => format!("Error: {text}").into(),
        [Block {
            what: What::Text(text),
            ..
        }] => Json::from(text.as_ref()),
        [] => if error { "Error" } else { "" }.into(),
        _ => parts.into(),
    }
}

fn part<'a>(block: &'a Block<'_>, role: Role, writer: &mut BodyWriter<'a>) -> Option<Json<'a>> {
    let part = match &block.what {
        What::Text(text) => {
            let kind = if role == Role::Assistant {
                "output_text"
            } else {
                "input_text"
            };
            Object::of([("type", kind.into()), ("text", text.as_ref().into())])
        }
        What::Refusal(text) => Object::new()
            .with("type", "refusal")
            .with("refusal", text.as_ref()),
        What::Image(image) => Object::new()
            .with("type", "input_image")
            .with("image_url", image_url(image, block, writer)?)
            .with("detail", image.detail.as_deref().unwrap_or("auto")),
        What::Document(document) => file(document, block, writer)?,
        _ => {
            writer.unsupported_block(block);
            return None;
        }
    };
    Some(part.into())
}

fn image_url<'a>(
    image: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Cow<'a, str>> {
    match &image.source {
        Source::Url(url) => Some(Cow::Borrowed(url.as_ref())),
        Source::Base64(data) => Some(data_url(image.kind.as_deref(), "image/png", data).into()),
        Source::Text(_) | Source::File(_) => {
            writer.unsupported_block(block);
            None
        }
    }
}

fn file<'a>(
    document: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Object<'a>> {
    writer
        .unsupported
        .refuse_if(document.cite, block.path.field("citations"));
    let object = Object::new().with("type", "input_file");
    let name = document.name.as_deref().unwrap_or("document");
    let data = match &document.source {
        Source::Url(url) => return Some(object.with("file_url", url.as_ref())),
        Source::Base64(data) => data_url(document.kind.as_deref(), "application/pdf", data),
        Source::Text(text) => {
            use base64::Engine;
            let data = base64::engine::general_purpose::STANDARD.encode(text.as_bytes());
            data_url(document.kind.as_deref(), "text/plain", &data)
        }
        Source::File(_) => {
            writer.unsupported_block(block);
            return None;
        }
    };
    Some(object.with("filename", name).with("file_data", data))
}
