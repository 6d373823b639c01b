//! Writing a Converse request. The model is in the path.

use super::media::{document_block, image_block};
use crate::dialect::anthropic::claude::{claudes, described, thought, tool_schema, word, Thought};
use crate::dialect::neutral::{
    Block, BodyWriter, ChatRequest, Choice, Format, Ids, Json, Lifetime, Object, Param, Role,
    Target, Tool, UnsupportedFields, What, JSON_TOOL,
};
use crate::regions::{Dialect, ThinkingStyle};
use serde_json::Number;
use std::borrow::Cow;

/// The ids of calls that it accepts.
const IDS: Ids = Ids {
    longest: 64,
    shortest: 1,
    marks: "_-.:",
};

/// The most labels that Bedrock accepts, and their longest length.
const MOST_LABELS: usize = 16;
const LONGEST_LABEL: usize = 256;

/// Writes the body, and lists what the dialect does not support.
pub fn write<'a>(
    request: &'a ChatRequest<'_>,
    target: Target<'a>,
) -> (Json<'a>, UnsupportedFields<'a>) {
    let mut writer = BodyWriter::new(request, target);
    conversation(request, &mut writer);
    params(request, &mut writer);
    labels(request, &mut writer);
    writer.extras(request, false);
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
    let (body, unsupported) = writer.finish();
    let input = Object::new().with("converse", body);
    (Object::new().with("input", input).into(), unsupported)
}

fn conversation<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    let mut system: Vec<Json<'a>> = Vec::new();
    for block in request.instructions() {
        match &block.what {
            What::Text(text) if text.is_empty() => {}
            What::Text(text) => system.push(Object::new().with("text", text.as_ref()).into()),
            _ => writer.unsupported_block(block),
        }
        system.extend(block.cache.map(cache_point));
    }
    if !system.is_empty() {
        writer.set("system", system);
    }
    let tools_there = has_tools(request);
    let messages = request.merged(|turn| {
        let mut blocks = Vec::new();
        for block in &turn.blocks {
            let Some(said) = content(block, tools_there, writer) else {
                continue;
            };
            blocks.push(said);
            blocks.extend(block.cache.map(cache_point));
        }
        blocks
    });
    let messages = messages.into_iter().map(|(role, said)| {
        let role = if role == Role::Assistant {
            "assistant"
        } else {
            "user"
        };
        Object::new()
            .with("role", role)
            .with("content", said)
            .into()
    });
    writer.set("messages", messages.collect::<Vec<Json<'a>>>());
    tools(request, writer);
}

fn cache_point<'a>(lifetime: Lifetime) -> Json<'a> {
    let point = Object::new().with("type", "default");
    let point = point.with_some("ttl", (lifetime == Lifetime::Hour).then_some("1h"));
    Object::new().with("cachePoint", point).into()
}

/// The text of a call or its result. Converse accepts neither where there are no tools.
fn as_text(block: &Block<'_>) -> String {
    match &block.what {
        What::Call {
            id, name, input, ..
        } => format!("Call {id} of the tool {name}: {}", input.to_text()),
        What::Result { id, content, error } => {
            let said = content.iter().filter_map(|inner| match &inner.what {
                What::Text(text) => Some(text.as_ref()),
                _ => None,
            });
            let failed = if *error { " (failed)" } else { "" };
            let said: String = said.collect();
            format!("Result of the call {id}{failed}: {said}")
        }
        _ => String::new(),
    }
}

fn content<'a>(block: &'a Block<'_>, tools: bool, writer: &mut BodyWriter<'a>) -> Option<Json<'a>> {
    let part = match &block.what {
        What::Text(text) | What::Refusal(text) => {
            let part = Object::new().with("text", text.as_ref());
            return (!text.is_empty()).then(|| part.into());
        }
        What::Image(image) => Object::new().with("image", image_block(image, block, writer)?),
        What::Document(document) => {
            Object::new().with("document", document_block(document, block, writer)?)
        }
        What::Call { blob, .. } if !tools => {
            writer.unsupported.leave_out_if(blob.is_some(), block.path);
            Object::new().with("text", as_text(block))
        }
        What::Result { content, .. } if !tools => {
            for inner in content {
                if !matches!(inner.what, What::Text(_)) {
                    writer.unsupported_block(inner);
                }
            }
            Object::new().with("text", as_text(block))
        }
        What::Call {
            id,
            name,
            input,
            blob,
            ..
        } => {
            writer.unsupported.leave_out_if(blob.is_some(), block.path);
            let call = Object::of([
                ("toolUseId", IDS.fit(id).into()),
                ("name", name.as_ref().into()),
                ("input", input.into()),
            ]);
            Object::new().with("toolUse", call)
        }
        What::Result {
            id,
            content: said,
            error,
        } => {
            let said = said
                .iter()
                .filter_map(|block| content(block, tools, writer));
            let mut said: Vec<Json<'a>> = said.collect();
            if said.is_empty() {
                said.push(Object::new().with("text", " ").into());
            }
            let status = if *error { "error" } else { "success" };
            let result = Object::of([
                ("toolUseId", IDS.fit(id).into()),
                ("content", said.into()),
                ("status", status.into()),
            ]);
            Object::new().with("toolResult", result)
        }
        What::Thinking {
            text,
            blob: Some(blob),
        } if writer.owns(blob, Dialect::BedrockConverse) => {
            let thought = match text.is_empty() {
                true => Object::new().with("redactedContent", blob.data.as_ref()),
                false => {
                    let text = Object::new().with("text", text.as_ref());
                    let text = text.with("signature", blob.data.as_ref());
                    Object::new().with("reasoningText", text)
                }
            };
            Object::new().with("reasoningContent", thought)
        }
        What::Thinking { .. } | What::Audio(_) | What::Foreign(_) => {
            writer.unsupported_block(block);
            return None;
        }
    };
    Some(part.into())
}

/// Whether there are tools for the model. Converse cannot forbid calls: then the tools
/// are left out, as are earlier calls.
fn has_tools(request: &ChatRequest<'_>) -> bool {
    let declared = !request.tools.is_empty() && request.choice != Some(Choice::None);
    declared || request.format == Some(Format::Json)
}

fn tools<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    if !has_tools(request) {
        return;
    }
    writer.tools_as_functions(request);
    let mut tools: Vec<Json<'a>> = Vec::new();
    for tool in &request.tools {
        tools.push(tool_spec(tool, writer));
        tools.extend(tool.cache.map(cache_point));
    }
    if request.format == Some(Format::Json) {
        tools.push(json_tool());
    }
    let one_call = request.parallel == Some(false) && !request.forces_one();
    writer.unsupported_if(one_call, Param::Parallel);
    let mut config = Object::new().with("tools", tools);
    match request.choice_with_json() {
        None | Some(Choice::None) => {}
        Some(Choice::Auto) => config.set("toolChoice", Object::new().with("auto", Object::new())),
        Some(Choice::Any) => config.set("toolChoice", Object::new().with("any", Object::new())),
        Some(Choice::Named(name)) => {
            let name: Cow<'a, str> = Cow::Owned(name.into_owned());
            let tool = Object::new().with("name", name);
            config.set("toolChoice", Object::new().with("tool", tool));
        }
    }
    writer.set("toolConfig", config);
}

fn tool_spec<'a>(tool: &'a Tool<'_>, writer: &mut BodyWriter<'a>) -> Json<'a> {
    let schema = match writer.target().is_claude() {
        true => tool_schema(tool, writer),
        false => tool.schema(),
    };
    let spec = Object::new()
        .with("name", tool.name.as_ref())
        .with_some(
            "description",
            tool.description.as_deref().filter(|d| !d.is_empty()),
        )
        .with("inputSchema", Object::new().with("json", schema))
        .with_some("strict", tool.strict.filter(|strict| *strict));
    Object::new().with("toolSpec", spec).into()
}

/// Stands in for JSON mode: the model must call it with its answer.
fn json_tool<'a>() -> Json<'a> {
    let schema = Object::new().with("type", "object");
    let spec = Object::new()
        .with("name", JSON_TOOL)
        .with("description", "Give the answer: one JSON object.")
        .with("inputSchema", Object::new().with("json", schema));
    Object::new().with("toolSpec", spec).into()
}

fn params<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    let params = &request.params;
    let mut more = Object::new();
    let limit = thinking(request, &mut more, writer);
    let mut config = Object::new().with_some("maxTokens", limit);
    let thinks = more.get("thinking").is_some();
    match params.temperature.as_ref().and_then(Number::as_f64) {
        Some(_) if !writer.model_takes("temperature") => writer.leave_out(Param::Temperature),
        // With thinking, Claude accepts only a temperature of 1.
        Some(heat) if thinks => writer.leave_out_if(heat != 1.0, Param::Temperature),
        Some(heat) if heat > 1.0 => {
            writer.leave_out(Param::Temperature);
            config.set("temperature", 1.0);
        }
        _ => config = config.with_some("temperature", params.temperature.as_ref()),
    }
    let both = params.temperature.is_some() && writer.target().is_claude();
    match params.top_p.is_some() && (both || !writer.model_takes("topP")) {
        // Newer ones take one of the two, and the newest none.
        true => writer.leave_out(Param::TopP),
        false => config = config.with_some("topP", params.top_p.as_ref()),
    }
    if !params.stop.is_empty() {
        let stops: Vec<Json<'a>> = params.stop.iter().map(|s| Json::from(s.as_ref())).collect();
        config.set("stopSequences", stops);
    }
    if !config.is_empty() {
        writer.set("inferenceConfig", config);
    }
    match writer.target().is_claude() {
        true if thinks || !writer.model_takes("top_k") => {
            writer.leave_out_if(params.top_k.is_some(), Param::TopK)
        }
        true => more = more.with_some("top_k", params.top_k),
        false => writer.unsupported_if(params.top_k.is_some(), Param::TopK),
    }
    if !more.is_empty() {
        writer.set("additionalModelRequestFields", more);
    }
    if let Some(Format::Schema {
        name, description, ..
    }) = &request.format
    {
        let schema = match &request.format {
            Some(format) if writer.target().is_claude() => claudes(format, writer).to_text(),
            Some(format) => described(format).to_text(),
            None => String::new(),
        };
        let schema = Object::new()
            .with("schema", schema)
            .with("name", name.as_deref().unwrap_or("answer"))
            .with_some("description", description.as_deref());
        let format = Object::new()
            .with("type", "json_schema")
            .with("structure", Object::new().with("jsonSchema", schema));
        writer.set("outputConfig", Object::new().with("textFormat", format));
    }
    match params.tier.as_deref() {
        None | Some("standard_only") => {}
        Some(tier @ ("default" | "flex" | "priority")) => {
            writer.set("serviceTier", Object::new().with("type", tier.to_owned()));
        }
        Some(_) => writer.unsupported(Param::Tier),
    }
    writer.unsupported_if(params.seed.is_some(), Param::Seed);
    writer.unsupported_if(params.presence_penalty.is_some(), Param::PresencePenalty);
    writer.unsupported_if(params.frequency_penalty.is_some(), Param::FrequencyPenalty);
    writer.unsupported_if(params.logprobs, Param::Logprobs);
    writer.unsupported_if(params.verbosity.is_some(), Param::Verbosity);
}

/// Converse has no fields for thinking: each model has its own.
fn thinking<'a>(
    request: &ChatRequest<'_>,
    more: &mut Object<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<u64> {
    let asked = request.params.max_output;
    let usual = match writer.target().is_claude() {
        true => ThinkingStyle::Adaptive,
        false => ThinkingStyle::None,
    };
    let style = writer.target().thinking.unwrap_or(usual);
    if style == ThinkingStyle::Effort {
        let wanted = request.thinking.filter(|thinking| thinking.is_on());
        let hard = wanted.and_then(|wanted| wanted.hardness());
        more.0
            .extend(hard.map(|hard| ("reasoning_effort".into(), word(hard).into())));
        return asked;
    }
    match thought(request, style, Dialect::BedrockConverse, writer) {
        Thought::Unsaid => asked,
        Thought::Adaptive(hard) => {
            more.set("thinking", Object::new().with("type", "adaptive"));
            if let Some(hard) = hard {
                more.set("output_config", Object::new().with("effort", word(hard)));
            }
            asked
        }
        Thought::Budget { tokens, limit } => {
            let enabled = Object::new()
                .with("type", "enabled")
                .with("budget_tokens", tokens);
            more.set("thinking", enabled);
            Some(limit)
        }
    }
}

/// Labels, and whom the request is for, go into Bedrock's own logs.
fn labels<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    let mut labels = Object::new();
    let fits = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " :_@$#=/+,-.".contains(c);
        text.len() <= LONGEST_LABEL && text.chars().all(allowed)
    };
    let mut all = true;
    for (name, value) in &request.params.labels {
        all &= fits(name) && fits(value);
        // Each name is written once.
        labels.push(name.as_ref(), value.as_ref());
    }
    writer.unsupported_if(!all || labels.0.len() > MOST_LABELS, Param::Labels);
    if !all {
        labels = Object::new();
    }
    match request.params.user.as_deref() {
        Some(user) if fits(user) => labels.set("user_id", user),
        other => writer.unsupported_if(other.is_some(), Param::User),
    }
    if !labels.is_empty() {
        writer.set("requestMetadata", labels);
    }
}
