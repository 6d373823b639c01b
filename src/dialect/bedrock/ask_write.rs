//! Writing a Converse request. The model stands in the address.

use super::media::{document_block, image_block};
use crate::dialect::anthropic::claude::{claudes, described, thought, tool_schema, word, Thought};
use crate::dialect::form::{
    Ask, Block, Choice, Format, Ids, Json, Knob, Lifetime, Losses, Object, Role, Sheet, Target,
    Tool, What, JSON_TOOL,
};
use crate::regions::{Dialect, ThinkingStyle};
use serde_json::Number;
use std::borrow::Cow;

/// What it takes for the id of a call.
const IDS: Ids = Ids {
    longest: 64,
    shortest: 1,
    marks: "_-.:",
};

/// As many labels as Bedrock takes, and as long.
const MOST_LABELS: usize = 16;
const LONGEST_LABEL: usize = 256;

/// Writes the body, and what it could not say.
pub fn write<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses<'a>) {
    let mut sheet = Sheet::new(ask, target);
    conversation(ask, &mut sheet);
    knobs(ask, &mut sheet);
    labels(ask, &mut sheet);
    sheet.extras(ask, false);
    sheet.finish()
}

/// Writes what is to be counted.
pub fn write_count<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses<'a>) {
    let mut sheet = Sheet::new(ask, target);
    conversation(ask, &mut sheet);
    sheet.extras(ask, false);
    let (body, losses) = sheet.finish();
    let input = Object::new().with("converse", body);
    (Object::new().with("input", input).into(), losses)
}

fn conversation<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let mut system: Vec<Json<'a>> = Vec::new();
    for block in ask.instructions() {
        match &block.what {
            What::Text(text) if text.is_empty() => {}
            What::Text(text) => system.push(Object::new().with("text", text.as_ref()).into()),
            _ => sheet.leave_block(block),
        }
        system.extend(block.cache.map(cache_point));
    }
    if !system.is_empty() {
        sheet.set("system", system);
    }
    let tools_there = has_tools(ask);
    let messages = ask.merged(|turn| {
        let mut blocks = Vec::new();
        for block in &turn.blocks {
            let Some(said) = content(block, tools_there, sheet) else {
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
    sheet.set("messages", messages.collect::<Vec<Json<'a>>>());
    tools(ask, sheet);
}

fn cache_point<'a>(lifetime: Lifetime) -> Json<'a> {
    let point = Object::new().with("type", "default");
    let point = point.with_some("ttl", (lifetime == Lifetime::Hour).then_some("1h"));
    Object::new().with("cachePoint", point).into()
}

/// What a call or its result says. Converse takes neither where there are no tools.
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

fn content<'a>(block: &'a Block<'_>, tools: bool, sheet: &mut Sheet<'a>) -> Option<Json<'a>> {
    let part = match &block.what {
        What::Text(text) | What::Refusal(text) => {
            let part = Object::new().with("text", text.as_ref());
            return (!text.is_empty()).then(|| part.into());
        }
        What::Image(image) => Object::new().with("image", image_block(image, block, sheet)?),
        What::Document(document) => {
            Object::new().with("document", document_block(document, block, sheet)?)
        }
        What::Call { blob, .. } if !tools => {
            sheet.losses.leave_out_if(blob.is_some(), block.path);
            Object::new().with("text", as_text(block))
        }
        What::Result { content, .. } if !tools => {
            for inner in content {
                if !matches!(inner.what, What::Text(_)) {
                    sheet.leave_block(inner);
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
            sheet.losses.leave_out_if(blob.is_some(), block.path);
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
            let said = said.iter().filter_map(|block| content(block, tools, sheet));
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
        } if sheet.owns(blob, Dialect::BedrockConverse) => {
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
            sheet.leave_block(block);
            return None;
        }
    };
    Some(part.into())
}

/// Whether there are tools for the model. Converse cannot say that it calls none of
/// them: then they are left out, as is what was called before.
fn has_tools(ask: &Ask<'_>) -> bool {
    let declared = !ask.tools.is_empty() && ask.choice != Some(Choice::None);
    declared || ask.format == Some(Format::Json)
}

fn tools<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    if !has_tools(ask) {
        return;
    }
    sheet.tools_as_functions(ask);
    let mut tools: Vec<Json<'a>> = Vec::new();
    for tool in &ask.tools {
        tools.push(tool_spec(tool, sheet));
        tools.extend(tool.cache.map(cache_point));
    }
    if ask.format == Some(Format::Json) {
        tools.push(json_tool());
    }
    let one_call = ask.parallel == Some(false) && !ask.forces_one();
    sheet.lose_if(one_call, Knob::Parallel);
    let mut config = Object::new().with("tools", tools);
    match ask.choice_with_json() {
        None | Some(Choice::None) => {}
        Some(Choice::Auto) => config.set("toolChoice", Object::new().with("auto", Object::new())),
        Some(Choice::Any) => config.set("toolChoice", Object::new().with("any", Object::new())),
        Some(Choice::Named(name)) => {
            let name: Cow<'a, str> = Cow::Owned(name.into_owned());
            let tool = Object::new().with("name", name);
            config.set("toolChoice", Object::new().with("tool", tool));
        }
    }
    sheet.set("toolConfig", config);
}

fn tool_spec<'a>(tool: &'a Tool<'_>, sheet: &mut Sheet<'a>) -> Json<'a> {
    let schema = match sheet.target().is_claude() {
        true => tool_schema(tool, sheet),
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

fn knobs<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let knobs = &ask.knobs;
    let mut more = Object::new();
    let limit = thinking(ask, &mut more, sheet);
    let mut config = Object::new().with_some("maxTokens", limit);
    let thinks = more.get("thinking").is_some();
    match knobs.temperature.as_ref().and_then(Number::as_f64) {
        Some(_) if !sheet.takes("temperature") => sheet.leave_out(Knob::Temperature),
        // A Claude that thinks knows no temperature but 1.
        Some(heat) if thinks => sheet.leave_out_if(heat != 1.0, Knob::Temperature),
        Some(heat) if heat > 1.0 => {
            sheet.leave_out(Knob::Temperature);
            config.set("temperature", 1.0);
        }
        _ => config = config.with_some("temperature", knobs.temperature.as_ref()),
    }
    let both = knobs.temperature.is_some() && sheet.target().is_claude();
    match knobs.top_p.is_some() && (both || !sheet.takes("topP")) {
        // Newer ones take one of the two, and the newest none.
        true => sheet.leave_out(Knob::TopP),
        false => config = config.with_some("topP", knobs.top_p.as_ref()),
    }
    if !knobs.stop.is_empty() {
        let stops: Vec<Json<'a>> = knobs.stop.iter().map(|s| Json::from(s.as_ref())).collect();
        config.set("stopSequences", stops);
    }
    if !config.is_empty() {
        sheet.set("inferenceConfig", config);
    }
    match sheet.target().is_claude() {
        true if thinks || !sheet.takes("top_k") => {
            sheet.leave_out_if(knobs.top_k.is_some(), Knob::TopK)
        }
        true => more = more.with_some("top_k", knobs.top_k),
        false => sheet.lose_if(knobs.top_k.is_some(), Knob::TopK),
    }
    if !more.is_empty() {
        sheet.set("additionalModelRequestFields", more);
    }
    if let Some(Format::Schema {
        name, description, ..
    }) = &ask.format
    {
        let schema = match &ask.format {
            Some(format) if sheet.target().is_claude() => claudes(format, sheet).to_text(),
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
        sheet.set("outputConfig", Object::new().with("textFormat", format));
    }
    match knobs.tier.as_deref() {
        None | Some("standard_only") => {}
        Some(tier @ ("default" | "flex" | "priority")) => {
            sheet.set("serviceTier", Object::new().with("type", tier.to_owned()));
        }
        Some(_) => sheet.lose(Knob::Tier),
    }
    sheet.lose_if(knobs.seed.is_some(), Knob::Seed);
    sheet.lose_if(knobs.presence_penalty.is_some(), Knob::PresencePenalty);
    sheet.lose_if(knobs.frequency_penalty.is_some(), Knob::FrequencyPenalty);
    sheet.lose_if(knobs.logprobs, Knob::Logprobs);
    sheet.lose_if(knobs.verbosity.is_some(), Knob::Verbosity);
}

/// Thinking is no matter of Converse: each model has its own fields for it.
fn thinking<'a>(ask: &Ask<'_>, more: &mut Object<'a>, sheet: &mut Sheet<'a>) -> Option<u64> {
    let asked = ask.knobs.max_output;
    let usual = match sheet.target().is_claude() {
        true => ThinkingStyle::Adaptive,
        false => ThinkingStyle::None,
    };
    let style = sheet.target().thinking.unwrap_or(usual);
    if style == ThinkingStyle::Effort {
        let wanted = ask.thinking.filter(|thinking| thinking.is_on());
        let hard = wanted.and_then(|wanted| wanted.hardness());
        more.0
            .extend(hard.map(|hard| ("reasoning_effort".into(), word(hard).into())));
        return asked;
    }
    match thought(ask, style, Dialect::BedrockConverse, sheet) {
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
fn labels<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let mut labels = Object::new();
    let fits = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " :_@$#=/+,-.".contains(c);
        text.len() <= LONGEST_LABEL && text.chars().all(allowed)
    };
    let mut all = true;
    for (name, value) in &ask.knobs.labels {
        all &= fits(name) && fits(value);
        // Each name stands once.
        labels.push(name.as_ref(), value.as_ref());
    }
    sheet.lose_if(!all || labels.0.len() > MOST_LABELS, Knob::Labels);
    if !all {
        labels = Object::new();
    }
    match ask.knobs.user.as_deref() {
        Some(user) if fits(user) => labels.set("user_id", user),
        other => sheet.lose_if(other.is_some(), Knob::User),
    }
    if !labels.is_empty() {
        sheet.set("requestMetadata", labels);
    }
}
