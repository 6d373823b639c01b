//! Writing a chat completion request.

use super::messages_write::messages;
use super::schema::user;
use crate::dialect::neutral::{
    BodyWriter, Budget, ChatRequest, Choice, Effort, Format, Json, Object, Param, Target, Tool,
    UnsupportedFields,
};
use crate::dialect::Api;
use crate::regions::ThinkingStyle;
use serde_json::Number;
use std::borrow::Cow;

/// The most stop sequences that OpenAI accepts.
const MOST_STOPS: usize = 4;

/// Writes the body, and lists what the dialect does not support.
pub fn write<'a>(
    request: &'a ChatRequest<'_>,
    target: Target<'a>,
) -> (Json<'a>, UnsupportedFields<'a>) {
    let mut writer = BodyWriter::new(request, target);
    writer.set("model", target.model);
    let messages = messages(request, &mut writer);
    writer.set("messages", messages);
    if request.stream {
        writer.set("stream", true);
        if target.asks_for_usage {
            writer.set("stream_options", Object::new().with("include_usage", true));
        }
    }
    tools(request, &mut writer);
    writer.put(
        Param::Format,
        "response_format",
        request.format.as_ref().map(format),
    );
    thinking(request, &mut writer);
    params(request, &mut writer);
    writer.leave_out_cache_marks(request);
    writer.extras(request, request.client == Api::Chat);
    writer.finish()
}

/// The requested value, or the most that the endpoint accepts.
fn temperature<'a>(wanted: Option<&'a Number>, writer: &mut BodyWriter<'a>) -> Option<&'a Number> {
    let most = writer.target().quirks.max_temperature.as_ref();
    let above = wanted.zip(most);
    let above = above.filter(|(wanted, most)| wanted.as_f64() > most.as_f64());
    writer.leave_out_if(above.is_some(), Param::Temperature);
    above.map_or(wanted, |(_, most)| Some(most))
}

fn params<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    let params = &request.params;
    writer.put(Param::MaxOutput, "max_completion_tokens", params.max_output);
    let heat = temperature(params.temperature.as_ref(), writer);
    writer.put(Param::Temperature, "temperature", heat);
    writer.put(Param::TopP, "top_p", params.top_p.as_ref());
    writer.put_if_known(Param::TopK, "top_k", params.top_k);
    if !params.stop.is_empty() {
        writer.unsupported_if(params.stop.len() > MOST_STOPS, Param::Stop);
        let stops = params.stop.iter().take(MOST_STOPS);
        let stops: Vec<Json<'a>> = stops.map(|s| Json::from(s.as_ref())).collect();
        writer.put(Param::Stop, "stop", Some(stops));
    }
    writer.put(Param::Seed, "seed", params.seed);
    writer.put(
        Param::PresencePenalty,
        "presence_penalty",
        params.presence_penalty.as_ref(),
    );
    writer.put(
        Param::FrequencyPenalty,
        "frequency_penalty",
        params.frequency_penalty.as_ref(),
    );
    writer.put(Param::Logprobs, "logprobs", params.logprobs.then_some(true));
    writer.put(
        Param::Logprobs,
        "top_logprobs",
        params.top_logprobs.filter(|n| *n > 0),
    );
    writer.put(Param::User, "user", params.user.as_deref().map(user));
    if writer.endpoint_takes("prompt_cache_key") {
        // A hint that changes no answer: left out where it means nothing.
        writer.put(
            Param::User,
            "prompt_cache_key",
            params.cache_key.as_deref().map(user),
        );
    }
    writer.put(Param::Verbosity, "verbosity", params.verbosity.as_deref());
    let tier = params.tier.as_deref().map(|tier| match tier {
        "standard_only" => "default",
        other => other,
    });
    writer.put(Param::Tier, "service_tier", tier);
    if !params.labels.is_empty() {
        let labels = params.labels.iter();
        let labels = labels.map(|(k, v)| (Cow::Borrowed(k.as_ref()), Json::from(v.as_ref())));
        writer.put(Param::Labels, "metadata", Some(Object(labels.collect())));
    }
}

fn thinking<'a>(request: &ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    let Some(thinking) = &request.thinking else {
        return;
    };
    let unable = writer.target().thinking == Some(ThinkingStyle::None);
    match thinking.budget {
        Budget::Off if unable => {}
        Budget::Off => writer.put(Param::Thinking, "reasoning_effort", Some("none")),
        _ if unable => writer.unsupported_if(thinking.is_on(), Param::Thinking),
        _ => {
            let word = thinking.hardness().map(word);
            writer.put(Param::Thinking, "reasoning_effort", word);
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
            // Other dialects always enforce their schemas.
            .with("strict", strict.unwrap_or(true)),
    }
}

fn tools<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) {
    if !request.tools.is_empty() {
        writer.tools_as_functions(request);
        let tools: Vec<Json<'a>> = request.tools.iter().map(tool).collect();
        writer.set("tools", tools);
        writer.put(Param::Parallel, "parallel_tool_calls", request.parallel);
    }
    let choice = request.choice.as_ref().map(|choice| match choice {
        Choice::Auto => Json::from("auto"),
        Choice::None => "none".into(),
        Choice::Any => "required".into(),
        Choice::Named(name) => Object::new()
            .with("type", "function")
            .with("function", Object::new().with("name", name.as_ref()))
            .into(),
    });
    writer.put(Param::Choice, "tool_choice", choice);
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
