//! Writing a responses request. Nothing is to be stored at the provider: the
//! conversation comes from the client each time.

use super::tools_write::{choice, tools, Calls};
use crate::dialect::form::{
    Ask, Blob, Block, Budget, Format, Json, Knob, Losses, Media, Object, Role, Sheet, Source,
    Target, Turn, What,
};
use crate::dialect::openai::ask_write::{self, word};
use crate::dialect::openai::schema::{data_url, user};
use crate::dialect::{Api, Family};
use crate::regions::{Dialect, ThinkingStyle};
use std::borrow::Cow;

/// The least that may be asked for; a smaller limit is written as this.
pub const LEAST_OUTPUT: u64 = 16;

/// Writes the body, and what it could not say.
pub fn write<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses<'a>) {
    let mut sheet = Sheet::new(ask, target);
    conversation(ask, &mut sheet);
    sheet.set("store", false);
    if ask.stream {
        sheet.set("stream", true);
    }
    let thinks = thinking(ask, &mut sheet);
    let mut include: Vec<Json<'a>> = Vec::new();
    if thinks {
        include.push("reasoning.encrypted_content".into());
    }
    if ask.knobs.logprobs {
        include.push("message.output_text.logprobs".into());
    }
    if !include.is_empty() {
        sheet.set("include", include);
    }
    knobs(ask, &mut sheet);
    sheet.leave_marks(ask);
    sheet.extras(ask, ask.client == Api::Responses);
    sheet.finish()
}

/// Writes what is to be counted.
pub fn write_count<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses<'a>) {
    let mut sheet = Sheet::new(ask, target);
    conversation(ask, &mut sheet);
    sheet.extras(ask, false);
    sheet.finish()
}

fn conversation<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    sheet.set("model", sheet.target().model);
    let mut instructions: Vec<&'a str> = Vec::new();
    for block in &ask.system {
        match &block.what {
            What::Text(text) => instructions.push(text),
            _ => sheet.leave_block(block),
        }
    }
    if !instructions.is_empty() {
        sheet.set("instructions", instructions.join("\n\n"));
    }
    let (mut items, calls) = (Vec::new(), Calls::of(ask));
    for turn in &ask.turns {
        write_turn(turn, &calls, &mut items, sheet);
    }
    sheet.set("input", items);
    if !ask.tools.is_empty() {
        sheet.set("tools", tools(ask));
        sheet.put(Knob::Parallel, "parallel_tool_calls", ask.parallel);
    }
    sheet.put(Knob::Choice, "tool_choice", choice(ask));
    text(ask, sheet);
}

fn text<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let mut text = Object::new();
    if let Some(format) = &ask.format {
        let kind = match format {
            Format::Json => "json_object",
            Format::Schema { .. } => "json_schema",
        };
        text.set(
            "format",
            ask_write::schema(format, Object::new().with("type", kind)),
        );
    }
    text = text.with_some("verbosity", ask.knobs.verbosity.as_deref());
    if !text.is_empty() {
        sheet.set("text", text);
    }
}

/// Whether the model thinks, as far as it is known.
fn thinking<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) -> bool {
    let style = sheet.target().thinking;
    let Some(thinking) = ask.thinking else {
        return style == Some(ThinkingStyle::Effort);
    };
    if style == Some(ThinkingStyle::None) {
        sheet.lose_if(thinking.is_on(), Knob::Thinking);
        return false;
    }
    if thinking.budget == Budget::Off {
        sheet.set("reasoning", Object::new().with("effort", "none"));
        return style == Some(ThinkingStyle::Effort);
    }
    // Who asks Anthropic's way to think is shown the thoughts, unless told not.
    let shown = ask.client.family() == Family::Anthropic && thinking.is_on();
    let show = thinking.show.unwrap_or(shown);
    let object = Object::new()
        .with_some("effort", thinking.hardness().map(word))
        .with_some("summary", show.then_some("auto"));
    if !object.is_empty() {
        sheet.set("reasoning", object);
    }
    true
}

fn knobs<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let knobs = &ask.knobs;
    let most = knobs.max_output;
    sheet.leave_out_if(
        most.is_some_and(|most| most < LEAST_OUTPUT),
        Knob::MaxOutput,
    );
    let most = most.map(|most| most.max(LEAST_OUTPUT));
    sheet.put(Knob::MaxOutput, "max_output_tokens", most);
    sheet.put(Knob::Temperature, "temperature", knobs.temperature.as_ref());
    sheet.put(Knob::TopP, "top_p", knobs.top_p.as_ref());
    sheet.put(
        Knob::Logprobs,
        "top_logprobs",
        knobs.top_logprobs.filter(|n| *n > 0),
    );
    sheet.put(
        Knob::User,
        "safety_identifier",
        knobs.user.as_deref().map(user),
    );
    sheet.put(
        Knob::User,
        "prompt_cache_key",
        knobs.cache_key.as_deref().map(user),
    );
    let tier = knobs.tier.as_deref().map(|tier| match tier {
        "standard_only" => "default",
        other => other,
    });
    sheet.put(Knob::Tier, "service_tier", tier);
    if !knobs.labels.is_empty() {
        let labels = knobs.labels.iter();
        let labels = labels.map(|(k, v)| (Cow::Borrowed(k.as_ref()), Json::from(v.as_ref())));
        sheet.set("metadata", Object(labels.collect()));
    }
    sheet.lose_if(knobs.top_k.is_some(), Knob::TopK);
    sheet.lose_if(!knobs.stop.is_empty(), Knob::Stop);
    sheet.lose_if(knobs.seed.is_some(), Knob::Seed);
    sheet.lose_if(knobs.presence_penalty.is_some(), Knob::PresencePenalty);
    sheet.lose_if(knobs.frequency_penalty.is_some(), Knob::FrequencyPenalty);
}

fn write_turn<'a>(
    turn: &'a Turn<'_>,
    calls: &Calls<'a>,
    items: &mut Vec<Json<'a>>,
    sheet: &mut Sheet<'a>,
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
                sheet.losses.leave_out_if(blob.is_some(), block.path);
                calls.call(id, name, input)
            }
            What::Result { id, content, error } => Object::of([
                ("type", calls.result_kind(id).into()),
                ("call_id", id.as_ref().into()),
                ("output", output(content, *error, sheet)),
            ]),
            What::Thinking {
                text,
                blob: Some(blob),
            } if sheet.owns(blob, Dialect::OpenAiResponses) => reasoning(text, blob),
            _ => {
                said.extend(part(block, turn.role, sheet));
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

fn output<'a>(content: &'a [Block<'_>], error: bool, sheet: &mut Sheet<'a>) -> Json<'a> {
    // There is no field for a failure, so the words say it.
    let mut parts: Vec<Json<'a>> = Vec::new();
    if error {
        let part = Object::new().with("type", "input_text");
        parts.push(part.with("text", "Error:").into());
    }
    parts.extend(
        content
            .iter()
            .filter_map(|block| part(block, Role::User, sheet)),
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

fn part<'a>(block: &'a Block<'_>, role: Role, sheet: &mut Sheet<'a>) -> Option<Json<'a>> {
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
            .with("image_url", image_url(image, block, sheet)?)
            .with("detail", image.detail.as_deref().unwrap_or("auto")),
        What::Document(document) => file(document, block, sheet)?,
        _ => {
            sheet.leave_block(block);
            return None;
        }
    };
    Some(part.into())
}

fn image_url<'a>(
    image: &'a Media<'_>,
    block: &Block<'a>,
    sheet: &mut Sheet<'a>,
) -> Option<Cow<'a, str>> {
    match &image.source {
        Source::Url(url) => Some(Cow::Borrowed(url.as_ref())),
        Source::Base64(data) => Some(data_url(image.kind.as_deref(), "image/png", data).into()),
        Source::Text(_) | Source::File(_) => {
            sheet.leave_block(block);
            None
        }
    }
}

fn file<'a>(
    document: &'a Media<'_>,
    block: &Block<'a>,
    sheet: &mut Sheet<'a>,
) -> Option<Object<'a>> {
    sheet
        .losses
        .note_if(document.cite, block.path.field("citations"));
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
            sheet.leave_block(block);
            return None;
        }
    };
    Some(object.with("filename", name).with("file_data", data))
}
