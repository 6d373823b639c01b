//! Writing a generateContent request. The model is in the path.

use crate::dialect::neutral::{
    Blob, BlobKind, Block, BodyWriter, Budget, ChatRequest, Choice, Effort, Format, Json, Media,
    Object, Param, Role, Source, Target, Tool, UnsupportedFields, What,
};
use crate::dialect::openai::schema::kind_by_name;
use crate::dialect::Family;
use crate::regions::{Dialect, ThinkingStyle};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The placeholder that Google accepts for the signature of calls that another model
/// made.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Writes the body, and lists what the dialect does not support.
pub fn write<'a>(
    request: &'a ChatRequest<'_>,
    target: Target<'a>,
) -> (Json<'a>, UnsupportedFields<'a>) {
    let mut writer = BodyWriter::new(request, target);
    conversation(request, &mut writer);
    let config = config(request, &mut writer);
    if !config.is_empty() {
        writer.set("generationConfig", config);
    }
    writer.unsupported_if(request.params.user.is_some(), Param::User);
    writer.unsupported_if(!request.params.labels.is_empty(), Param::Labels);
    writer.unsupported_if(request.params.verbosity.is_some(), Param::Verbosity);
    let tier = request.params.tier.as_deref();
    let usual = matches!(tier, None | Some("default" | "standard_only"));
    writer.unsupported_if(!usual, Param::Tier);
    writer.leave_out_cache_marks(request);
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
    let (mut body, unsupported) = writer.finish();
    if let Json::Object(fields) = &mut body {
        fields.set("model", format!("models/{}", target.model));
    }
    let body = Object::new().with("generateContentRequest", body);
    (body.into(), unsupported)
}

fn conversation<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    let mut system: Vec<Json<'a>> = Vec::new();
    for block in request.instructions() {
        match &block.what {
            What::Text(text) => system.push(Object::new().with("text", text.as_ref()).into()),
            _ => writer.unsupported_block(block),
        }
    }
    if !system.is_empty() {
        writer.set("systemInstruction", Object::new().with("parts", system));
    }
    let names = called(request);
    let contents = request.merged(|turn| {
        let mut parts = Vec::new();
        for block in &turn.blocks {
            write_part(block, &names, &mut parts, writer);
        }
        parts
    });
    let contents = contents.into_iter().map(|(role, parts)| {
        let role = if role == Role::Assistant {
            "model"
        } else {
            "user"
        };
        Object::new().with("role", role).with("parts", parts).into()
    });
    writer.set("contents", contents.collect::<Vec<Json<'a>>>());
    tools(request, writer);
}

/// The tool of each call: results name the tool here, not the call.
fn called<'a>(request: &'a ChatRequest<'_>) -> BTreeMap<&'a str, &'a str> {
    let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    let calls = blocks.filter_map(|block| match &block.what {
        What::Call { id, name, .. } => Some((id.as_ref(), name.as_ref())),
        _ => None,
    });
    calls.collect()
}

fn write_part<'a>(
    block: &'a Block<'_>,
    names: &BTreeMap<&'a str, &'a str>,
    parts: &mut Vec<Json<'a>>,
    writer: &mut BodyWriter<'a>,
) {
    let part = match &block.what {
        What::Text(text) | What::Refusal(text) => match text.is_empty() {
            true => return,
            false => Object::new().with("text", text.as_ref()),
        },
        What::Image(media) | What::Document(media) | What::Audio(media) => {
            match media_part(media, block, writer) {
                Some(part) => part,
                None => return,
            }
        }
        What::Call {
            name, input, blob, ..
        } => {
            let call = Object::new()
                .with("name", name.as_ref())
                .with("args", input);
            let part = Object::new().with("functionCall", call);
            // Only the first of parallel calls is signed.
            let parallel = parts
                .last()
                .is_some_and(|part| part.get("functionCall").is_some());
            part.with_some(
                "thoughtSignature",
                signature(blob.as_ref(), parallel, block, writer),
            )
        }
        What::Result { id, content, error } => {
            match names.get(id.as_ref()) {
                Some(name) => result(name, content, *error, parts, writer),
                None => writer.unsupported_block(block),
            }
            return;
        }
        What::Thinking {
            text,
            blob: Some(blob),
        } if writer.owns(blob, Dialect::Gemini) => {
            if !text.is_empty() {
                let thought = Object::new().with("text", text.as_ref());
                parts.push(thought.with("thought", true).into());
            }
            Object::new()
                .with("text", "")
                .with("thoughtSignature", blob.data.as_ref())
        }
        // Google's thinking has no signature of its own.
        What::Thinking { text, blob: None } => Object::new()
            .with("text", text.as_ref())
            .with("thought", true),
        What::Thinking { .. } | What::Foreign(_) => {
            writer.unsupported_block(block);
            return;
        }
    };
    parts.push(part.into());
}

fn signature<'a>(
    blob: Option<&'a Blob<'_>>,
    parallel: bool,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Cow<'a, str>> {
    match blob {
        Some(blob) if blob.kind == BlobKind::Call && writer.owns(blob, Dialect::Gemini) => {
            Some(Cow::Borrowed(blob.data.as_ref()))
        }
        // Models with thinking levels require signatures.
        other => {
            writer.unsupported.leave_out_if(other.is_some(), block.path);
            let insists = writer.target().thinking == Some(ThinkingStyle::Effort);
            (insists && !parallel).then_some(Cow::Borrowed(NO_SIGNATURE))
        }
    }
}

fn result<'a>(
    name: &'a str,
    content: &'a [Block<'_>],
    error: bool,
    parts: &mut Vec<Json<'a>>,
    writer: &mut BodyWriter<'a>,
) {
    let mut said = String::new();
    let mut beside: Vec<Json<'a>> = Vec::new();
    for inner in content {
        match &inner.what {
            What::Text(text) => said.push_str(text),
            What::Image(media) | What::Document(media) => {
                beside.extend(media_part(media, inner, writer).map(Json::Object));
            }
            _ => writer.unsupported.refuse(inner.path),
        }
    }
    let response = Object::new().with(if error { "error" } else { "output" }, said);
    let part = Object::new().with("name", name).with("response", response);
    parts.push(Object::new().with("functionResponse", part).into());
    parts.append(&mut beside);
}

fn media_part<'a>(
    media: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Object<'a>> {
    writer
        .unsupported
        .refuse_if(media.cite, block.path.field("citations"));
    writer
        .unsupported
        .leave_out_if(media.detail.is_some(), block.path.field("detail"));
    let usual = match &block.what {
        What::Image(_) => "image/png",
        _ => "application/pdf",
    };
    match &media.source {
        Source::Base64(data) => {
            let kind = media.kind.as_deref().unwrap_or(usual);
            let inline = Object::new().with("mimeType", kind);
            Some(Object::new().with("inlineData", inline.with("data", data.as_ref())))
        }
        Source::Text(text) => Some(Object::new().with("text", text.as_ref())),
        Source::Url(url) => {
            let told = media.kind.as_deref();
            let kind = told.or_else(|| kind_by_name(url)).unwrap_or(match usual {
                "image/png" => "image/*",
                other => other,
            });
            let file = Object::new()
                .with("fileUri", url.as_ref())
                .with("mimeType", kind);
            Some(Object::new().with("fileData", file))
        }
        Source::File(_) => {
            writer.unsupported_block(block);
            None
        }
    }
}

fn tools<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    if request.tools.is_empty() {
        return;
    }
    writer.tools_as_functions(request);
    let declared: Vec<Json<'a>> = request.tools.iter().map(declare).collect();
    let tools = Object::new().with("functionDeclarations", declared);
    writer.set("tools", vec![tools.into()]);
    let one_call = request.parallel == Some(false) && !request.forces_one();
    writer.unsupported_if(one_call, Param::Parallel);
    // Strict tools are a mode of the tool choice here.
    let strict = request.tools.iter().any(|tool| tool.strict == Some(true));
    let mode = match &request.choice {
        Some(Choice::None) => "NONE",
        Some(Choice::Any | Choice::Named(_)) => "ANY",
        Some(Choice::Auto) | None if strict => "VALIDATED",
        Some(Choice::Auto) => "AUTO",
        None => return,
    };
    let mut config = Object::new().with("mode", mode);
    if let Some(Choice::Named(name)) = &request.choice {
        config.set("allowedFunctionNames", vec![Json::from(name.as_ref())]);
    }
    writer.set(
        "toolConfig",
        Object::new().with("functionCallingConfig", config),
    );
}

fn declare<'a>(tool: &'a Tool<'_>) -> Json<'a> {
    Object::new()
        .with("name", tool.name.as_ref())
        .with_some("description", tool.description.as_deref())
        .with_some("parametersJsonSchema", tool.schema.as_ref())
        .into()
}

fn config<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) -> Object<'a> {
    let params = &request.params;
    let stops: Vec<Json<'a>> = params.stop.iter().map(|s| Json::from(s.as_ref())).collect();
    let mut config = Object::new()
        .with_some("maxOutputTokens", params.max_output)
        .with_some("temperature", params.temperature.as_ref())
        .with_some("topP", params.top_p.as_ref())
        .with_some("topK", params.top_k)
        .with_some("stopSequences", (!stops.is_empty()).then_some(stops))
        .with_some("seed", params.seed)
        .with_some("presencePenalty", params.presence_penalty.as_ref())
        .with_some("frequencyPenalty", params.frequency_penalty.as_ref())
        .with_some("responseLogprobs", params.logprobs.then_some(true))
        .with_some("logprobs", params.top_logprobs.filter(|n| *n > 0));
    match &request.format {
        None => {}
        Some(Format::Json) => config.set("responseMimeType", "application/json"),
        Some(format @ Format::Schema { .. }) => {
            config.set("responseMimeType", "application/json");
            let schema = crate::dialect::anthropic::claude::described(format);
            config.set("responseJsonSchema", schema);
        }
    }
    let thinking = thinking(request, writer);
    if !thinking.is_empty() {
        config.set("thinkingConfig", thinking);
    }
    config
}

fn thinking<'a>(request: &ChatRequest<'_>, writer: &mut BodyWriter<'a>) -> Object<'a> {
    let nothing = Object::new();
    let Some(thinking) = request.thinking else {
        return nothing;
    };
    // Anthropic's clients see thinking, unless they ask not to.
    let shown = request.client.family() == Family::Anthropic;
    let show = thinking.is_on() && thinking.show.unwrap_or(shown);
    let config = match writer.target().thinking {
        Some(ThinkingStyle::None) => {
            writer.unsupported_if(thinking.is_on(), Param::Thinking);
            return nothing;
        }
        Some(ThinkingStyle::Effort) => {
            // Thinking cannot be turned off for these models.
            writer.unsupported_if(thinking.budget == Budget::Off, Param::Thinking);
            nothing.with_some("thinkingLevel", thinking.hardness().map(level))
        }
        Some(ThinkingStyle::Budget | ThinkingStyle::Adaptive) | None => match thinking.budget {
            Budget::Off => nothing.with("thinkingBudget", 0_u64),
            Budget::Tokens(tokens) => nothing.with("thinkingBudget", tokens),
            Budget::Adaptive | Budget::Unsaid => match thinking.effort {
                Some(effort) => nothing.with("thinkingBudget", effort.tokens()),
                None if thinking.is_on() => nothing.with("thinkingBudget", -1_i64),
                None => nothing,
            },
        },
    };
    config.with_some("includeThoughts", show.then_some(true))
}

/// Google's word for an effort; there is none above `high`.
fn level(effort: Effort) -> &'static str {
    match effort {
        Effort::XHigh | Effort::Max => "high",
        other => other.as_str(),
    }
}
