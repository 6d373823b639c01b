//! Writing a messages request.

use super::claude::{claudes, thought, tool_schema, word, Thought};
use super::media::{document_source, image_source};
use crate::dialect::neutral::{
    Block, BodyWriter, ChatRequest, Choice, Format, Ids, Json, Lifetime, Object, Param, Role,
    Target, Tool, UnsupportedFields, What, JSON_TOOL,
};
use crate::dialect::Api;
use crate::regions::{Dialect, ThinkingStyle};
use serde_json::Number;

/// The ids of calls that it accepts.
const IDS: Ids = Ids {
    longest: 64,
    shortest: 1,
    marks: "_-",
};

/// Writes the body, and lists what the dialect does not support.
pub fn write<'a>(
    request: &'a ChatRequest<'_>,
    target: Target<'a>,
) -> (Json<'a>, UnsupportedFields<'a>) {
    let mut writer = BodyWriter::new(request, target);
    writer.set("model", target.model);
    let (limit, thinks) = thinking(request, &mut writer);
    writer.set("max_tokens", limit);
    conversation(request, &mut writer);
    tools(request, &mut writer);
    params(request, thinks, &mut writer);
    if request.stream {
        writer.set("stream", true);
    }
    writer.extras(
        request,
        request.client.native() == Dialect::AnthropicMessages,
    );
    writer.finish()
}

/// Writes what is to be counted: the same without what only an answer needs.
pub fn write_count<'a>(
    request: &'a ChatRequest<'_>,
    target: Target<'a>,
) -> (Json<'a>, UnsupportedFields<'a>) {
    let mut writer = BodyWriter::new(request, target);
    writer.set("model", target.model);
    conversation(request, &mut writer);
    tools(request, &mut writer);
    writer.extras(
        request,
        request.client.native() == Dialect::AnthropicMessages,
    );
    writer.finish()
}

fn conversation<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    let mut system: Vec<Json<'a>> = Vec::new();
    for block in request.instructions() {
        match &block.what {
            What::Text(text) => system.extend(text_block(text, block.cache)),
            _ => writer.unsupported_block(block),
        }
    }
    if !system.is_empty() {
        writer.set("system", system);
    }
    let messages = request.merged(|turn| {
        let blocks = turn.blocks.iter();
        blocks.filter_map(|block| content(block, writer)).collect()
    });
    let messages = messages.into_iter().map(|(role, said)| {
        let role = if role == Role::Assistant {
            "assistant"
        } else {
            "user"
        };
        Object::of([("role", role.into()), ("content", said.into())]).into()
    });
    writer.set("messages", messages.collect::<Vec<Json<'a>>>());
}

fn params<'a>(request: &'a ChatRequest<'_>, thinks: bool, writer: &mut BodyWriter<'a>) {
    let params = &request.params;
    let value = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    match value(&params.temperature) {
        // With thinking, only a temperature of 1 is accepted.
        Some(heat) if thinks => writer.leave_out_if(heat != 1.0, Param::Temperature),
        Some(heat) if heat > 1.0 && writer.model_takes("temperature") => {
            writer.leave_out(Param::Temperature);
            writer.set("temperature", 1.0);
        }
        _ => writer.put(
            Param::Temperature,
            "temperature",
            params.temperature.as_ref(),
        ),
    }
    match value(&params.top_p) {
        Some(share) if thinks && share < 0.95 => writer.leave_out(Param::TopP),
        // Newer models take one of the two.
        Some(_) if params.temperature.is_some() => writer.leave_out(Param::TopP),
        _ => writer.put(Param::TopP, "top_p", params.top_p.as_ref()),
    }
    match thinks {
        true => writer.leave_out_if(params.top_k.is_some(), Param::TopK),
        false => writer.put(Param::TopK, "top_k", params.top_k),
    }
    if !params.stop.is_empty() {
        let stops: Vec<Json<'a>> = params.stop.iter().map(|s| Json::from(s.as_ref())).collect();
        writer.set("stop_sequences", stops);
    }
    if let Some(user) = params.user.as_deref() {
        writer.set("metadata", Object::new().with("user_id", user));
    }
    match params.tier.as_deref() {
        Some("default" | "standard_only") => writer.set("service_tier", "standard_only"),
        other => writer.unsupported_if(other.is_some(), Param::Tier),
    }
    writer.unsupported_if(params.seed.is_some(), Param::Seed);
    writer.unsupported_if(params.presence_penalty.is_some(), Param::PresencePenalty);
    writer.unsupported_if(params.frequency_penalty.is_some(), Param::FrequencyPenalty);
    writer.unsupported_if(params.logprobs, Param::Logprobs);
    writer.unsupported_if(params.verbosity.is_some(), Param::Verbosity);
    writer.unsupported_if(!params.labels.is_empty(), Param::Labels);
}

/// Writes thinking and the form of the answer; gives the limit of tokens,
/// which thinking counts towards, and whether it thinks.
fn thinking<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) -> (u64, bool) {
    let mut config = Object::new();
    let mut limit = request
        .params
        .max_output
        .unwrap_or(writer.target().max_output);
    let style = writer.target().thinking.unwrap_or(ThinkingStyle::Adaptive);
    let show = request.thinking.and_then(|thinking| thinking.show);
    let display = show.map(|show| if show { "summarized" } else { "omitted" });
    let thought = thought(request, style, Dialect::AnthropicMessages, writer);
    let thinks = !matches!(thought, Thought::Unsaid);
    match thought {
        Thought::Unsaid => {}
        Thought::Budget { tokens, limit: all } => {
            limit = all;
            let object = Object::new()
                .with("type", "enabled")
                .with("budget_tokens", tokens);
            writer.set("thinking", object.with_some("display", display));
        }
        Thought::Adaptive(effort) => {
            let object = Object::new().with("type", "adaptive");
            writer.set("thinking", object.with_some("display", display));
            config = config.with_some("effort", effort.map(word));
        }
    }
    if let Some(format @ Format::Schema { .. }) = &request.format {
        let schema = Object::new()
            .with("type", "json_schema")
            .with("schema", claudes(format, writer));
        config.set("format", schema);
    }
    if !config.is_empty() {
        writer.set("output_config", config);
    }
    (limit, thinks)
}

fn tools<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    writer.tools_as_functions(request);
    let tools = request.tools.iter();
    let mut tools: Vec<Json<'a>> = tools.map(|one| tool(one, writer)).collect();
    let choice = request.choice_with_json();
    if request.format == Some(Format::Json) {
        tools.push(json_tool());
    }
    let one_call = request.parallel == Some(false) && !tools.is_empty();
    if !tools.is_empty() {
        writer.set("tools", tools);
    }
    if choice.is_none() && !one_call {
        return;
    }
    let mut object = match choice {
        None | Some(Choice::Auto) => Object::new().with("type", "auto"),
        Some(Choice::Any) => Object::new().with("type", "any"),
        Some(Choice::None) => Object::new().with("type", "none"),
        Some(Choice::Named(name)) => Object::new()
            .with("type", "tool")
            .with("name", name.into_owned()),
    };
    let may = !matches!(request.choice, Some(Choice::None));
    if one_call && may {
        object.set("disable_parallel_tool_use", true);
    }
    writer.set("tool_choice", object);
}

/// The tool that stands in for JSON mode, which Anthropic does not have: the model must
/// call it with its response.
fn json_tool<'a>() -> Json<'a> {
    Object::new()
        .with("name", JSON_TOOL)
        .with("description", "Give the answer: one JSON object.")
        .with("input_schema", Object::new().with("type", "object"))
        .into()
}

fn tool<'a>(tool: &'a Tool<'_>, writer: &mut BodyWriter<'a>) -> Json<'a> {
    Object::new()
        .with("name", tool.name.as_ref())
        .with_some("description", tool.description.as_deref())
        .with("input_schema", tool_schema(tool, writer))
        .with_some("strict", tool.strict.filter(|strict| *strict))
        .with_some("cache_control", tool.cache.map(mark))
        .into()
}

fn mark(lifetime: Lifetime) -> Object<'static> {
    let mark = Object::new().with("type", "ephemeral");
    mark.with_some("ttl", (lifetime == Lifetime::Hour).then_some("1h"))
}

/// Anthropic refuses text that is empty.
fn text_block<'a>(text: &'a str, cache: Option<Lifetime>) -> Option<Json<'a>> {
    let block = Object::of([("type", "text".into()), ("text", text.into())]);
    (!text.is_empty()).then(|| block.with_some("cache_control", cache.map(mark)).into())
}

fn content<'a>(block: &'a Block<'_>, writer: &mut BodyWriter<'a>) -> Option<Json<'a>> {
    let object = match &block.what {
        What::Text(text) | What::Refusal(text) => return text_block(text, block.cache),
        What::Image(image) => Object::new()
            .with("type", "image")
            .with("source", image_source(image, block, writer)?),
        What::Document(document) => Object::new()
            .with("type", "document")
            .with("source", document_source(document, block, writer)?)
            .with_some("title", document.name.as_deref())
            .with_some(
                "citations",
                document.cite.then(|| Object::new().with("enabled", true)),
            ),
        What::Call {
            id,
            name,
            input,
            blob,
            ..
        } => {
            // A blob on a call comes from another provider; Claude has none there.
            writer.unsupported.leave_out_if(blob.is_some(), block.path);
            Object::of([
                ("type", "tool_use".into()),
                ("id", IDS.fit(id).into()),
                ("name", name.as_ref().into()),
                ("input", input.into()),
            ])
        }
        What::Result {
            id,
            content: said,
            error,
        } => {
            let said = said.iter().filter_map(|block| content(block, writer));
            let said: Vec<Json<'a>> = said.collect();
            Object::new()
                .with("type", "tool_result")
                .with("tool_use_id", IDS.fit(id))
                .with("content", said)
                .with_some("is_error", error.then_some(true))
        }
        What::Thinking {
            text,
            blob: Some(blob),
        } if writer.owns(blob, Dialect::AnthropicMessages) => match text.is_empty() {
            true => Object::new()
                .with("type", "redacted_thinking")
                .with("data", blob.data.as_ref()),
            false => Object::new()
                .with("type", "thinking")
                .with("thinking", text.as_ref())
                .with("signature", blob.data.as_ref()),
        },
        What::Foreign(json) if writer.client() == Api::Messages => return Some(json.into()),
        What::Foreign(_) | What::Thinking { .. } | What::Audio(_) => {
            writer.unsupported_block(block);
            return None;
        }
    };
    Some(
        object
            .with_some("cache_control", block.cache.map(mark))
            .into(),
    )
}
