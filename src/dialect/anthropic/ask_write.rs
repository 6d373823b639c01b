//! Writing a messages request.

use super::media::{document_source, image_source};
use crate::dialect::form::{
    Ask, Block, Budget, Choice, Effort, Format, Json, Knob, Lifetime, Losses, Object, Role, Sheet,
    Target, Tool, What, JSON_TOOL,
};
use crate::dialect::Api;
use crate::regions::{Dialect, ThinkingStyle};
use serde_json::Number;

/// The least that may be given for thinking.
const LEAST_THINKING: u64 = 1_024;

/// Writes the body, and what it could not say.
pub fn write<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses) {
    let mut sheet = Sheet::new(ask, target);
    sheet.set("model", target.model);
    let limit = thinking(ask, &mut sheet);
    sheet.set("max_tokens", limit);
    conversation(ask, &mut sheet);
    tools(ask, &mut sheet);
    knobs(ask, &mut sheet);
    if ask.stream {
        sheet.set("stream", true);
    }
    sheet.extras(ask, ask.client.native() == Dialect::AnthropicMessages);
    sheet.finish()
}

/// Writes what is to be counted: the same without what only an answer needs.
pub fn write_count<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses) {
    let mut sheet = Sheet::new(ask, target);
    sheet.set("model", target.model);
    conversation(ask, &mut sheet);
    tools(ask, &mut sheet);
    sheet.extras(ask, ask.client.native() == Dialect::AnthropicMessages);
    sheet.finish()
}

fn conversation<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let mut system: Vec<Json<'a>> = Vec::new();
    for block in ask.instructions() {
        match &block.what {
            What::Text(text) => system.extend(text_block(text, block.cache)),
            _ => sheet.losses.note(block.path.as_str()),
        }
    }
    if !system.is_empty() {
        sheet.set("system", system);
    }
    let messages = ask.merged(|turn| {
        let blocks = turn.blocks.iter();
        blocks.filter_map(|block| content(block, sheet)).collect()
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
}

fn knobs<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let knobs = &ask.knobs;
    let thinks = ask.thinks();
    let value = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    match value(&knobs.temperature) {
        // Thinking knows no temperature but 1.
        Some(heat) if thinks => sheet.lose_if(heat != 1.0, Knob::Temperature),
        Some(heat) if heat > 1.0 => {
            sheet.lose(Knob::Temperature);
            sheet.set("temperature", 1.0);
        }
        _ => sheet.put(Knob::Temperature, "temperature", knobs.temperature.as_ref()),
    }
    match value(&knobs.top_p) {
        Some(share) if thinks && share < 0.95 => sheet.lose(Knob::TopP),
        _ => sheet.put(Knob::TopP, "top_p", knobs.top_p.as_ref()),
    }
    match thinks {
        true => sheet.lose_if(knobs.top_k.is_some(), Knob::TopK),
        false => sheet.put(Knob::TopK, "top_k", knobs.top_k),
    }
    if !knobs.stop.is_empty() {
        let stops: Vec<Json<'a>> = knobs.stop.iter().map(|s| Json::from(s.as_ref())).collect();
        sheet.set("stop_sequences", stops);
    }
    if let Some(user) = knobs.user.as_deref() {
        sheet.set("metadata", Object::new().with("user_id", user));
    }
    match knobs.tier.as_deref() {
        Some("default" | "standard_only") => sheet.set("service_tier", "standard_only"),
        other => sheet.lose_if(other.is_some(), Knob::Tier),
    }
    sheet.lose_if(knobs.seed.is_some(), Knob::Seed);
    sheet.lose_if(knobs.presence_penalty.is_some(), Knob::PresencePenalty);
    sheet.lose_if(knobs.frequency_penalty.is_some(), Knob::FrequencyPenalty);
    sheet.lose_if(knobs.logprobs, Knob::Logprobs);
    sheet.lose_if(knobs.verbosity.is_some(), Knob::Verbosity);
    sheet.lose_if(!knobs.labels.is_empty(), Knob::Labels);
}

/// Writes thinking and the form of the answer; gives the limit of tokens,
/// which thinking counts towards.
fn thinking<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) -> u64 {
    let mut config = Object::new();
    let asked = ask.knobs.max_output;
    let mut limit = asked.unwrap_or(sheet.target().max_output);
    let style = sheet.target().thinking.unwrap_or(ThinkingStyle::Adaptive);
    if let Some(wanted) = ask.thinking.filter(|thinking| thinking.is_on()) {
        let display = wanted
            .show
            .map(|show| if show { "summarized" } else { "omitted" });
        match style {
            ThinkingStyle::None => sheet.lose(Knob::Thinking),
            ThinkingStyle::Budget => {
                let tokens = budget(wanted.budget, wanted.effort);
                match asked {
                    Some(most) if most <= LEAST_THINKING => sheet.lose(Knob::Thinking),
                    Some(most) => enable(tokens.min(most - 1), display, sheet),
                    None => {
                        limit = limit.saturating_add(tokens);
                        enable(tokens, display, sheet);
                    }
                }
            }
            ThinkingStyle::Adaptive | ThinkingStyle::Effort => {
                let object = Object::new().with("type", "adaptive");
                sheet.set("thinking", object.with_some("display", display));
                config = config.with_some("effort", wanted.hardness().map(word));
            }
        }
    }
    if let Some(format @ Format::Schema { .. }) = &ask.format {
        let schema = Object::new()
            .with("type", "json_schema")
            .with("schema", described(format));
        config.set("format", schema);
    }
    if !config.is_empty() {
        sheet.set("output_config", config);
    }
    limit
}

fn enable<'a>(tokens: u64, display: Option<&'static str>, sheet: &mut Sheet<'a>) {
    let object = Object::new()
        .with("type", "enabled")
        .with("budget_tokens", tokens);
    sheet.set("thinking", object.with_some("display", display));
}

/// How many tokens to think.
pub fn budget(budget: Budget, effort: Option<Effort>) -> u64 {
    let tokens = match budget {
        Budget::Tokens(tokens) => tokens,
        _ => effort.unwrap_or(Effort::Medium).tokens(),
    };
    tokens.max(LEAST_THINKING)
}

/// Anthropic's word for an effort.
pub fn word(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal => "low",
        other => other.as_str(),
    }
}

/// A format's schema. Its description has no place beside it, so it goes in.
pub fn described<'a>(format: &'a Format<'_>) -> Json<'a> {
    let Format::Schema {
        description,
        schema,
        ..
    } = format
    else {
        return Object::new().into();
    };
    let mut schema: Json<'a> = schema.clone();
    if let (Some(text), Json::Object(fields)) = (description, &mut schema) {
        if fields.get("description").is_none() {
            fields.set("description", text.as_ref());
        }
    }
    schema
}

fn tools<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let mut tools: Vec<Json<'a>> = ask.tools.iter().map(tool).collect();
    let mut choice = ask.choice_with_json();
    if ask.format == Some(Format::Json) {
        tools.push(json_tool());
    }
    let thinks = ask.thinks();
    if thinks && matches!(choice, Some(Choice::Any | Choice::Named(_))) {
        // Anthropic takes no forced calls together with thinking.
        let knob = match ask.format {
            Some(Format::Json) => Knob::Format,
            _ => Knob::Choice,
        };
        sheet.lose(knob);
        choice = None;
    }
    let one_call = ask.parallel == Some(false) && !tools.is_empty();
    if !tools.is_empty() {
        sheet.set("tools", tools);
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
    let may = !matches!(ask.choice, Some(Choice::None));
    if one_call && may {
        object.set("disable_parallel_tool_use", true);
    }
    sheet.set("tool_choice", object);
}

/// Stands in for JSON mode, which Anthropic does not have: the model must call
/// it with its answer.
fn json_tool<'a>() -> Json<'a> {
    Object::new()
        .with("name", JSON_TOOL)
        .with("description", "Give the answer: one JSON object.")
        .with("input_schema", Object::new().with("type", "object"))
        .into()
}

fn tool<'a>(tool: &'a Tool<'_>) -> Json<'a> {
    Object::new()
        .with("name", tool.name.as_ref())
        .with_some("description", tool.description.as_deref())
        .with("input_schema", tool.schema())
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
    let block = Object::new().with("type", "text").with("text", text);
    (!text.is_empty()).then(|| block.with_some("cache_control", cache.map(mark)).into())
}

fn content<'a>(block: &'a Block<'_>, sheet: &mut Sheet<'a>) -> Option<Json<'a>> {
    let object = match &block.what {
        What::Text(text) | What::Refusal(text) => return text_block(text, block.cache),
        What::Image(image) => Object::new()
            .with("type", "image")
            .with("source", image_source(image, block, sheet)?),
        What::Document(document) => Object::new()
            .with("type", "document")
            .with("source", document_source(document, block, sheet)?)
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
        } => {
            // What another provider wants back with a call, no Claude made.
            sheet.losses.note_if(blob.is_some(), &block.path);
            Object::new()
                .with("type", "tool_use")
                .with("id", id.as_ref())
                .with("name", name.as_ref())
                .with("input", input)
        }
        What::Result {
            id,
            content: said,
            error,
        } => {
            let said = said.iter().filter_map(|block| content(block, sheet));
            let said: Vec<Json<'a>> = said.collect();
            Object::new()
                .with("type", "tool_result")
                .with("tool_use_id", id.as_ref())
                .with("content", said)
                .with_some("is_error", error.then_some(true))
        }
        What::Thinking {
            text,
            blob: Some(blob),
        } if sheet.owns(blob, Dialect::AnthropicMessages) => match text.is_empty() {
            true => Object::new()
                .with("type", "redacted_thinking")
                .with("data", blob.data.as_ref()),
            false => Object::new()
                .with("type", "thinking")
                .with("thinking", text.as_ref())
                .with("signature", blob.data.as_ref()),
        },
        What::Foreign(json) if sheet.client() == Api::Messages => return Some(json.into()),
        What::Foreign(_) | What::Thinking { .. } | What::Audio(_) => {
            sheet.losses.note(block.path.as_str());
            return None;
        }
    };
    Some(
        object
            .with_some("cache_control", block.cache.map(mark))
            .into(),
    )
}
