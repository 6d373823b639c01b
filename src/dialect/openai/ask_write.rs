//! Writing a chat completion request.

use super::messages_write::messages;
use super::schema::user;
use crate::dialect::form::{
    Ask, Budget, Choice, Effort, Format, Json, Knob, Losses, Object, Sheet, Target, Tool,
};
use crate::dialect::Api;
use crate::regions::ThinkingStyle;
use serde_json::Number;
use std::borrow::Cow;

/// As many stop sequences as OpenAI takes.
const MOST_STOPS: usize = 4;

/// Writes the body, and what it could not say.
pub fn write<'a>(ask: &'a Ask<'_>, target: Target<'a>) -> (Json<'a>, Losses<'a>) {
    let mut sheet = Sheet::new(ask, target);
    sheet.set("model", target.model);
    let messages = messages(ask, &mut sheet);
    sheet.set("messages", messages);
    if ask.stream {
        sheet.set("stream", true);
        if target.asks_for_usage {
            sheet.set("stream_options", Object::new().with("include_usage", true));
        }
    }
    tools(ask, &mut sheet);
    sheet.put(
        Knob::Format,
        "response_format",
        ask.format.as_ref().map(format),
    );
    thinking(ask, &mut sheet);
    knobs(ask, &mut sheet);
    sheet.leave_marks(ask);
    sheet.extras(ask, ask.client == Api::Chat);
    sheet.finish()
}

/// What is wanted, or the most that the endpoint takes.
fn temperature<'a>(wanted: Option<&'a Number>, sheet: &mut Sheet<'a>) -> Option<&'a Number> {
    let most = sheet.target().quirks.max_temperature.as_ref();
    let above = wanted.zip(most);
    let above = above.filter(|(wanted, most)| wanted.as_f64() > most.as_f64());
    sheet.leave_out_if(above.is_some(), Knob::Temperature);
    above.map_or(wanted, |(_, most)| Some(most))
}

fn knobs<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    let knobs = &ask.knobs;
    sheet.put(Knob::MaxOutput, "max_completion_tokens", knobs.max_output);
    let heat = temperature(knobs.temperature.as_ref(), sheet);
    sheet.put(Knob::Temperature, "temperature", heat);
    sheet.put(Knob::TopP, "top_p", knobs.top_p.as_ref());
    sheet.beyond(Knob::TopK, "top_k", knobs.top_k);
    if !knobs.stop.is_empty() {
        sheet.lose_if(knobs.stop.len() > MOST_STOPS, Knob::Stop);
        let stops = knobs.stop.iter().take(MOST_STOPS);
        let stops: Vec<Json<'a>> = stops.map(|s| Json::from(s.as_ref())).collect();
        sheet.put(Knob::Stop, "stop", Some(stops));
    }
    sheet.put(Knob::Seed, "seed", knobs.seed);
    sheet.put(
        Knob::PresencePenalty,
        "presence_penalty",
        knobs.presence_penalty.as_ref(),
    );
    sheet.put(
        Knob::FrequencyPenalty,
        "frequency_penalty",
        knobs.frequency_penalty.as_ref(),
    );
    sheet.put(Knob::Logprobs, "logprobs", knobs.logprobs.then_some(true));
    sheet.put(
        Knob::Logprobs,
        "top_logprobs",
        knobs.top_logprobs.filter(|n| *n > 0),
    );
    sheet.put(Knob::User, "user", knobs.user.as_deref().map(user));
    if sheet.knows("prompt_cache_key") {
        // A hint that changes no answer: left out where it means nothing.
        sheet.put(
            Knob::User,
            "prompt_cache_key",
            knobs.cache_key.as_deref().map(user),
        );
    }
    sheet.put(Knob::Verbosity, "verbosity", knobs.verbosity.as_deref());
    let tier = knobs.tier.as_deref().map(|tier| match tier {
        "standard_only" => "default",
        other => other,
    });
    sheet.put(Knob::Tier, "service_tier", tier);
    if !knobs.labels.is_empty() {
        let labels = knobs.labels.iter();
        let labels = labels.map(|(k, v)| (Cow::Borrowed(k.as_ref()), Json::from(v.as_ref())));
        sheet.put(Knob::Labels, "metadata", Some(Object(labels.collect())));
    }
}

fn thinking<'a>(ask: &Ask<'_>, sheet: &mut Sheet<'a>) {
    let Some(thinking) = &ask.thinking else {
        return;
    };
    let unable = sheet.target().thinking == Some(ThinkingStyle::None);
    match thinking.budget {
        Budget::Off if unable => {}
        Budget::Off => sheet.put(Knob::Thinking, "reasoning_effort", Some("none")),
        _ if unable => sheet.lose_if(thinking.is_on(), Knob::Thinking),
        _ => {
            let word = thinking.hardness().map(word);
            sheet.put(Knob::Thinking, "reasoning_effort", word);
        }
    }
}

/// OpenAI's word for an effort.
pub fn word(effort: Effort) -> &'static str {
    match effort {
        Effort::Max => "xhigh",
        other => other.as_str(),
    }
}

fn format<'a>(format: &'a Format<'_>) -> Object<'a> {
    match format {
        Format::Json => Object::new().with("type", "json_object"),
        Format::Schema { .. } => Object::new()
            .with("type", "json_schema")
            .with("json_schema", schema(format, Object::new())),
    }
}

/// The fields of a schema; OpenAI demands a name.
pub fn schema<'a>(format: &'a Format<'_>, object: Object<'a>) -> Object<'a> {
    match format {
        Format::Json => object,
        Format::Schema {
            name,
            description,
            schema,
            strict,
        } => object
            .with("name", name.as_deref().unwrap_or("answer"))
            .with_some("description", description.as_deref())
            .with("schema", schema)
            // Other dialects hold to their schemas always.
            .with("strict", strict.unwrap_or(true)),
    }
}

fn tools<'a>(ask: &'a Ask<'_>, sheet: &mut Sheet<'a>) {
    if !ask.tools.is_empty() {
        sheet.tools_as_functions(ask);
        let tools: Vec<Json<'a>> = ask.tools.iter().map(tool).collect();
        sheet.set("tools", tools);
        sheet.put(Knob::Parallel, "parallel_tool_calls", ask.parallel);
    }
    let choice = ask.choice.as_ref().map(|choice| match choice {
        Choice::Auto => Json::from("auto"),
        Choice::None => "none".into(),
        Choice::Any => "required".into(),
        Choice::Named(name) => Object::new()
            .with("type", "function")
            .with("function", Object::new().with("name", name.as_ref()))
            .into(),
    });
    sheet.put(Knob::Choice, "tool_choice", choice);
}

fn tool<'a>(tool: &'a Tool<'_>) -> Json<'a> {
    let function = Object::new()
        .with("name", tool.name.as_ref())
        .with_some("description", tool.description.as_deref())
        .with_some("parameters", tool.schema.as_ref())
        .with_some("strict", tool.strict);
    Object::new()
        .with("type", "function")
        .with("function", function)
        .into()
}
