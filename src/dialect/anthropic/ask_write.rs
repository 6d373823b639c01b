//! Writing a messages request.

use super::claude::{claudes, thought, tool_schema, word, Thought};
use super::media::{document_source, image_source};
use crate::dialect::form::{
    Ask, Block, Choice, Format, Ids, Json, Knob, Lifetime, Losses, Object, Role, Sheet, Target,
    Tool, What, JSON_TOOL,
};
use crate::dialect::Api;
use crate::regions::{Dialect, ThinkingStyle};
use serde_json::Number;

/// What it takes for the id of a call.
const IDS: Ids = Ids {
    longest: 64,
    shortest: 1,
    marks: "_-",
};

/// Writes the body, and what it could not say.
pub fn write<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses<'a>) {
    let mut sheet = Sheet::new(ask, target);
    sheet.set("model", target.model);
    let (limit, thinks) = thinking(ask, &mut sheet);
    sheet.set("max_tokens", limit);
    conversation(ask, &mut sheet);
    tools(ask, &mut sheet);
    knobs(ask, thinks, &mut sheet);
    if ask.stream {
        sheet.set("stream", true);
    }
    sheet.extras(ask, ask.client.native() == Dialect::AnthropicMessages);
    sheet.finish()
}

/// Writes what is to be counted: the same without what only an answer needs.
pub fn write_count<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses<'a>) {
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
            _ => sheet.leave_block(block),
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
        Object::of([("role", role.into()), ("content", said.into())]).into()
    });
    sheet.set("messages", messages.collect::<Vec<Json<'a>>>());
}

fn knobs<'a>(ask: &'a Ask<'_>, thinks: bool, sheet: &mut Sheet<'a>) {
    let knobs = &ask.knobs;
    let value = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    match value(&knobs.temperature) {
        // Thinking knows no temperature but 1.
        Some(heat) if thinks => sheet.leave_out_if(heat != 1.0, Knob::Temperature),
        Some(heat) if heat > 1.0 && sheet.takes("temperature") => {
            sheet.leave_out(Knob::Temperature);
            sheet.set("temperature", 1.0);
        }
        _ => sheet.put(Knob::Temperature, "temperature", knobs.temperature.as_ref()),
    }
    match value(&knobs.top_p) {
        Some(share) if thinks && share < 0.95 => sheet.leave_out(Knob::TopP),
        // Newer models take one of the two.
        Some(_) if knobs.temperature.is_some() => sheet.leave_out(Knob::TopP),
        _ => sheet.put(Knob::TopP, "top_p", knobs.top_p.as_ref()),
    }
    match thinks {
        true => sheet.leave_out_if(knobs.top_k.is_some(), Knob::TopK),
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
/// which thinking counts towards, and whether it thinks.
fn thinking<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) -> (u64, bool) {
    let mut config = Object::new();
    let mut limit = ask.knobs.max_output.unwrap_or(sheet.target().max_output);
    let style = sheet.target().thinking.unwrap_or(ThinkingStyle::Adaptive);
    let show = ask.thinking.and_then(|thinking| thinking.show);
    let display = show.map(|show| if show { "summarized" } else { "omitted" });
    let thought = thought(ask, style, Dialect::AnthropicMessages, sheet);
    let thinks = !matches!(thought, Thought::Unsaid);
    match thought {
        Thought::Unsaid => {}
        Thought::Budget { tokens, limit: all } => {
            limit = all;
            let object = Object::new()
                .with("type", "enabled")
                .with("budget_tokens", tokens);
            sheet.set("thinking", object.with_some("display", display));
        }
        Thought::Adaptive(effort) => {
            let object = Object::new().with("type", "adaptive");
            sheet.set("thinking", object.with_some("display", display));
            config = config.with_some("effort", effort.map(word));
        }
    }
    if let Some(format @ Format::Schema { .. }) = &ask.format {
        let schema = Object::new()
            .with("type", "json_schema")
            .with("schema", claudes(format, sheet));
        config.set("format", schema);
    }
    if !config.is_empty() {
        sheet.set("output_config", config);
    }
    (limit, thinks)
}

fn tools<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    sheet.tools_as_functions(ask);
    let tools = ask.tools.iter();
    let mut tools: Vec<Json<'a>> = tools.map(|one| tool(one, sheet)).collect();
    let choice = ask.choice_with_json();
    if ask.format == Some(Format::Json) {
        tools.push(json_tool());
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

fn tool<'a>(tool: &'a Tool<'_>, sheet: &mut Sheet<'a>) -> Json<'a> {
    Object::new()
        .with("name", tool.name.as_ref())
        .with_some("description", tool.description.as_deref())
        .with("input_schema", tool_schema(tool, sheet))
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
            ..
        } => {
            // What another provider wants back with a call, no Claude made.
            sheet.losses.leave_out_if(blob.is_some(), block.path);
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
            let said = said.iter().filter_map(|block| content(block, sheet));
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
            sheet.leave_block(block);
            return None;
        }
    };
    Some(
        object
            .with_some("cache_control", block.cache.map(mark))
            .into(),
    )
}
