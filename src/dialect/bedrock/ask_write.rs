//! Writing a Converse request. The model stands in the address.

use super::media::{document_block, image_block};
use crate::dialect::anthropic::ask_write::{budget, described, word};
use crate::dialect::form::{
    Ask, Block, Choice, Format, Json, Knob, Lifetime, Losses, Object, Role, Sheet, Target, Tool,
    What, JSON_TOOL,
};
use crate::regions::{Dialect, ThinkingStyle};
use serde_json::Number;
use std::borrow::Cow;

/// As many labels as Bedrock takes, and as long.
const MOST_LABELS: usize = 16;
const LONGEST_LABEL: usize = 256;

/// Writes the body, and what it could not say.
pub fn write<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses) {
    let mut sheet = Sheet::new(ask, target);
    conversation(ask, &mut sheet);
    knobs(ask, &mut sheet);
    labels(ask, &mut sheet);
    sheet.extras(ask, false);
    sheet.finish()
}

/// Writes what is to be counted.
pub fn write_count<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses) {
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
            _ => sheet.losses.note(block.path.as_str()),
        }
        system.extend(block.cache.map(cache_point));
    }
    if !system.is_empty() {
        sheet.set("system", system);
    }
    let messages = ask.merged(|turn| {
        let mut blocks = Vec::new();
        for block in &turn.blocks {
            blocks.extend(content(block, sheet));
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

fn content<'a>(block: &'a Block<'_>, sheet: &mut Sheet<'a>) -> Option<Json<'a>> {
    let part = match &block.what {
        What::Text(text) | What::Refusal(text) => {
            let part = Object::new().with("text", text.as_ref());
            return (!text.is_empty()).then(|| part.into());
        }
        What::Image(image) => Object::new().with("image", image_block(image, block, sheet)?),
        What::Document(document) => {
            Object::new().with("document", document_block(document, block, sheet)?)
        }
        What::Call {
            id,
            name,
            input,
            blob,
        } => {
            sheet.losses.note_if(blob.is_some(), &block.path);
            let call = Object::new()
                .with("toolUseId", id.as_ref())
                .with("name", name.as_ref())
                .with("input", input);
            Object::new().with("toolUse", call)
        }
        What::Result {
            id,
            content: said,
            error,
        } => {
            let said = said.iter().filter_map(|block| content(block, sheet));
            let mut said: Vec<Json<'a>> = said.collect();
            if said.is_empty() {
                said.push(Object::new().with("text", " ").into());
            }
            let result = Object::new()
                .with("toolUseId", id.as_ref())
                .with("content", said)
                .with("status", if *error { "error" } else { "success" });
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
            sheet.losses.note(block.path.as_str());
            return None;
        }
    };
    Some(part.into())
}

fn tools<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let mut tools: Vec<Json<'a>> = Vec::new();
    for tool in &ask.tools {
        tools.push(tool_spec(tool));
        tools.extend(tool.cache.map(cache_point));
    }
    let mut choice = ask.choice_with_json();
    if ask.format == Some(Format::Json) {
        tools.push(json_tool());
    }
    if tools.is_empty() {
        return;
    }
    let forced = matches!(choice, Some(Choice::Any | Choice::Named(_)));
    if ask.thinks() && forced && sheet.target().is_claude() {
        // Anthropic's models take no forced calls together with thinking.
        sheet.lose(match ask.format {
            Some(Format::Json) => Knob::Format,
            _ => Knob::Choice,
        });
        choice = None;
    }
    sheet.lose_if(ask.parallel == Some(false), Knob::Parallel);
    let mut config = Object::new().with("tools", tools);
    match choice {
        None => {}
        Some(Choice::Auto) => config.set("toolChoice", Object::new().with("auto", Object::new())),
        Some(Choice::Any) => config.set("toolChoice", Object::new().with("any", Object::new())),
        Some(Choice::Named(name)) => {
            let name: Cow<'a, str> = Cow::Owned(name.into_owned());
            let tool = Object::new().with("name", name);
            config.set("toolChoice", Object::new().with("tool", tool));
        }
        Some(Choice::None) => sheet.lose(Knob::Choice),
    }
    sheet.set("toolConfig", config);
}

fn tool_spec<'a>(tool: &'a Tool<'_>) -> Json<'a> {
    let spec = Object::new()
        .with("name", tool.name.as_ref())
        .with_some(
            "description",
            tool.description.as_deref().filter(|d| !d.is_empty()),
        )
        .with("inputSchema", Object::new().with("json", tool.schema()))
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
    match knobs.temperature.as_ref().and_then(Number::as_f64) {
        Some(heat) if heat > 1.0 => {
            sheet.lose(Knob::Temperature);
            config.set("temperature", 1.0);
        }
        _ => config = config.with_some("temperature", knobs.temperature.as_ref()),
    }
    config = config.with_some("topP", knobs.top_p.as_ref());
    if !knobs.stop.is_empty() {
        let stops: Vec<Json<'a>> = knobs.stop.iter().map(|s| Json::from(s.as_ref())).collect();
        config.set("stopSequences", stops);
    }
    if !config.is_empty() {
        sheet.set("inferenceConfig", config);
    }
    match sheet.target().is_claude() {
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
    let Some(wanted) = ask.thinking.filter(|thinking| thinking.is_on()) else {
        return asked;
    };
    let usual = match sheet.target().is_claude() {
        true => ThinkingStyle::Adaptive,
        false => ThinkingStyle::None,
    };
    match sheet.target().thinking.unwrap_or(usual) {
        ThinkingStyle::None => sheet.lose(Knob::Thinking),
        ThinkingStyle::Effort => {
            more.0.extend(
                wanted
                    .hardness()
                    .map(|hard| ("reasoning_effort".into(), word(hard).into())),
            );
        }
        ThinkingStyle::Adaptive => {
            more.set("thinking", Object::new().with("type", "adaptive"));
            if let Some(hard) = wanted.hardness() {
                more.set("output_config", Object::new().with("effort", word(hard)));
            }
        }
        ThinkingStyle::Budget => {
            let tokens = budget(wanted.budget, wanted.effort);
            let room = asked.map_or(tokens, |most| tokens.min(most.saturating_sub(1)));
            if asked.is_some_and(|most| most <= 1_024) {
                sheet.lose(Knob::Thinking);
                return asked;
            }
            let enabled = Object::new()
                .with("type", "enabled")
                .with("budget_tokens", room);
            more.set("thinking", enabled);
            return asked.or(Some(sheet.target().max_output.saturating_add(tokens)));
        }
    }
    asked
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
        labels.set(name.as_ref(), value.as_ref());
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
