//! What clients send and other providers refuse: what an answer needs is kept or
//! refused, and what it does not need is left out and named.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::dialect::neutral::{Json, Signers, Target};
use meridian::dialect::{self, Api};
use meridian::regions::{Dialect, Quirks, ThinkingStyle};
use serde_json::{json, Number, Value};

/// A request as a provider gets it.
#[derive(Debug)]
struct Asked {
    body: Value,
    refused: Vec<String>,
    left_out: Vec<String>,
}

/// A model that thinks in some way behind a dialect.
#[derive(Clone, Copy)]
struct Model {
    name: &'static str,
    dialect: Dialect,
    thinking: Option<ThinkingStyle>,
}

const fn model(name: &'static str, dialect: Dialect, thinking: ThinkingStyle) -> Model {
    Model {
        name,
        dialect,
        thinking: Some(thinking),
    }
}

const CLAUDE: Model = model(
    "claude-sonnet-4-6",
    Dialect::AnthropicMessages,
    ThinkingStyle::Adaptive,
);
const HAIKU: Model = model(
    "claude-haiku-4-5",
    Dialect::AnthropicMessages,
    ThinkingStyle::Budget,
);
const CONVERSE: Model = model(
    "claude-haiku-4-5",
    Dialect::BedrockConverse,
    ThinkingStyle::Budget,
);
const NOVA: Model = model("nova-lite", Dialect::BedrockConverse, ThinkingStyle::None);
const GEMINI: Model = model("gemini-3", Dialect::Gemini, ThinkingStyle::Effort);
const CHAT: Model = model("mistral-small", Dialect::OpenAiChat, ThinkingStyle::None);
const RESPONSES: Model = model(
    "gpt-5.4-mini",
    Dialect::OpenAiResponses,
    ThinkingStyle::Effort,
);
const ALL: [Model; 7] = [CLAUDE, HAIKU, CONVERSE, NOVA, GEMINI, CHAT, RESPONSES];

fn ask(api: Api, body: &Value, model: Model) -> Asked {
    ask_at(api, body, model, &[], &Quirks::default())
}

/// The same of a model that does not take some fields.
fn ask_without(api: Api, body: &Value, model: Model, without: &[String]) -> Asked {
    ask_at(api, body, model, without, &Quirks::default())
}

/// The same at an endpoint with quirks.
fn ask_at(api: Api, body: &Value, model: Model, without: &[String], quirks: &Quirks) -> Asked {
    let text = body.to_string();
    let tree = Json::parse_request(&text).unwrap();
    let ask = dialect::read_request(api, &tree).unwrap();
    let target = Target {
        endpoint: "there",
        model: model.name,
        name: model.name,
        quirks,
        thinking: model.thinking,
        without,
        signers: &Signers::default(),
        max_output: 16_384,
        longest: 128_000,
        asks_for_usage: false,
    };
    let (written, unsupported) = dialect::write_request(model.dialect, &ask, target).unwrap();
    Asked {
        body: serde_json::from_str(&written.to_text()).unwrap(),
        refused: unsupported.refused(),
        left_out: unsupported.left_out(),
    }
}

/// Nothing is refused, and this is left out.
fn leaves_out(asked: &Asked, hints: &[&str]) {
    assert_eq!(asked.refused, [""; 0], "{asked:?}");
    assert_eq!(asked.left_out, hints, "{asked:?}");
}

/// A chat request with further fields.
fn chat(more: Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

fn function(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}})
}

/// A conversation in which a tool was called, and its result.
fn called(id: &str) -> Value {
    json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]},
        {"role": "tool", "tool_call_id": id, "content": "done"},
    ])
}

#[test]
fn hints_are_left_out_and_named() {
    let body = chat(json!({
        "metadata": {"ticket": "7"}, "user": "u", "prompt_cache_key": "k", "client_metadata": {"a": "b"},
        "prediction": {"type": "content", "content": "x"}, "store": true, "verbosity": "low",
        "prompt_cache_retention": "24h", "reasoning_effort": "high", "parallel_tool_calls": false,
        "messages": [{"role": "user", "name": "ann", "content": "hi"}],
    }));
    for model in ALL {
        let asked = ask(Api::Chat, &body, model);
        assert_eq!(asked.refused, [""; 0], "{}", model.name);
        if model.dialect != Dialect::OpenAiChat {
            for name in ["client_metadata", "prediction", "store", "messages[0].name"] {
                assert!(
                    asked.left_out.contains(&name.to_owned()),
                    "{name}: {asked:?}"
                );
            }
        }
    }
    let body = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}],
        "context_management": {"edits": []}, "metadata": {"user_id": "u"}});
    let asked = ask(Api::Messages, &body, GEMINI);
    assert_eq!(asked.refused, [""; 0]);
    assert_eq!(asked.left_out, ["metadata.user_id", "context_management"]);
}

#[test]
fn what_changes_an_answer_is_refused() {
    for (field, value) in [
        ("seed", json!(7)),
        ("logit_bias", json!({"5": 3})),
        ("n", json!(2)),
    ] {
        let asked = ask(Api::Chat, &chat(json!({field: value})), CLAUDE);
        assert_eq!(asked.refused, [field]);
        assert_eq!(asked.left_out, [""; 0]);
    }
}

#[test]
fn sampling_that_a_claude_refuses_is_brought_into_its_range() {
    for model in [CLAUDE, CONVERSE] {
        let asked = ask(Api::Chat, &chat(json!({"temperature": 1.5})), model);
        leaves_out(&asked, &["temperature"]);
        let heat = asked
            .body
            .get("temperature")
            .or(asked.body.pointer("/inferenceConfig/temperature"));
        assert_eq!(heat, Some(&json!(1.0)));
        let both = json!({"temperature": 0.5, "top_p": 0.9});
        let asked = ask(Api::Chat, &chat(both), model);
        leaves_out(&asked, &["top_p"]);
        assert!(!asked.body.to_string().contains("0.9"), "{asked:?}");
        let thinks =
            json!({"temperature": 0.5, "reasoning_effort": "high", "max_completion_tokens": 9_000});
        let asked = ask(Api::Chat, &chat(thinks), model);
        leaves_out(&asked, &["temperature"]);
        assert!(!asked.body.to_string().contains("0.5"), "{asked:?}");
    }
}

#[test]
fn a_temperature_above_an_endpoints_range_is_its_highest() {
    let quirks = Quirks {
        max_temperature: Number::from_f64(1.5),
        ..Quirks::default()
    };
    for (wanted, sent, left_out) in [
        (1.4, 1.4, [].as_slice()),
        (1.5, 1.5, &[]),
        (2.0, 1.5, &["temperature"]),
    ] {
        let body = chat(json!({"temperature": wanted}));
        let asked = ask_at(Api::Chat, &body, CHAT, &[], &quirks);
        leaves_out(&asked, left_out);
        assert_eq!(asked.body["temperature"], json!(sent));
    }
}

#[test]
fn sampling_that_a_model_does_not_take_is_left_out() {
    let without = ["temperature", "top_p", "topP", "top_k"].map(str::to_owned);
    let body = chat(json!({"temperature": 1.5, "top_p": 0.9, "top_k": 5}));
    for model in [CLAUDE, CONVERSE] {
        let asked = ask_without(Api::Chat, &body, model, &without);
        leaves_out(&asked, &["temperature", "top_p", "top_k"]);
        assert!(!asked.body.to_string().contains("0.9"), "{asked:?}");
    }
}

#[test]
fn thoughts_that_another_model_had_are_left_out_and_leave_no_empty_message() {
    let messages = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "", "reasoning_content": "hm"},
        {"role": "user", "content": "and?"},
    ]);
    for model in ALL {
        let asked = ask(Api::Chat, &chat(json!({"messages": messages})), model);
        assert_eq!(asked.refused, [""; 0], "{}", model.name);
        let text = asked.body.to_string();
        for empty in [r#""content":[]"#, r#""parts":[]"#, r#""content":null"#] {
            assert!(!text.contains(empty), "{}: {text}", model.name);
        }
        // Gemini takes thoughts without a proof.
        if model.dialect != Dialect::Gemini {
            assert_eq!(asked.left_out, ["messages[1].reasoning_content"]);
            assert!(!text.contains("hm"), "{text}");
        }
    }
    let items = json!([{"role": "user", "content": "hi"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "x"},
        {"type": "message", "role": "assistant", "content": []}]);
    let asked = ask(
        Api::Responses,
        &json!({"model": "m", "input": items}),
        CLAUDE,
    );
    leaves_out(&asked, &["input[1]"]);
    assert_eq!(asked.body["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn a_tool_loop_whose_thoughts_did_not_come_back_goes_on_without_thinking() {
    let thinks =
        json!({"messages": called("c1"), "tools": [function("f")], "reasoning_effort": "high"});
    for model in [HAIKU, CONVERSE] {
        let asked = ask(Api::Chat, &chat(thinks.clone()), model);
        leaves_out(&asked, &["reasoning_effort"]);
        assert!(
            !asked.body.to_string().contains("budget_tokens"),
            "{asked:?}"
        );
    }
    // Others do not insist on them, and a new turn begins anew.
    let asked = ask(Api::Chat, &chat(thinks.clone()), CLAUDE);
    assert_eq!(
        (asked.left_out.len(), &asked.body["thinking"]["type"]),
        (0, &json!("adaptive"))
    );
    let mut later = thinks;
    let messages = later["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": "ok"}));
    messages.push(json!({"role": "user", "content": "more"}));
    let asked = ask(Api::Chat, &chat(later), HAIKU);
    assert_eq!(
        (asked.left_out.len(), &asked.body["thinking"]["type"]),
        (0, &json!("enabled"))
    );
}

#[test]
fn a_forced_call_goes_before_thinking() {
    let choice = json!({"type": "function", "function": {"name": "f"}});
    let body = chat(
        json!({"tools": [function("f")], "tool_choice": choice, "reasoning_effort": "low", "parallel_tool_calls": false}),
    );
    for model in [CLAUDE, HAIKU, CONVERSE] {
        let asked = ask(Api::Chat, &body, model);
        // One forced tool is called once, whatever is said of several.
        leaves_out(&asked, &["reasoning_effort"]);
        assert!(
            !asked.body.to_string().contains(r#""thinking""#),
            "{asked:?}"
        );
    }
    assert_eq!(ask(Api::Chat, &body, GEMINI).left_out, [""; 0]);
}

#[test]
fn converse_gets_no_blocks_of_tools_that_it_does_not_have() {
    let history = json!({"messages": called("c1")});
    let none = json!({"messages": called("c1"), "tools": [function("f")], "tool_choice": "none"});
    for body in [history, none] {
        for model in [CONVERSE, NOVA] {
            let asked = ask(Api::Chat, &chat(body.clone()), model);
            assert_eq!(
                (asked.refused.len(), asked.left_out.len()),
                (0, 0),
                "{asked:?}"
            );
            assert!(asked.body.get("toolConfig").is_none());
            let text = asked.body.to_string();
            assert!(
                !text.contains("toolUse") && text.contains("Result of the call c1: done"),
                "{text}"
            );
        }
    }
}

#[test]
fn converse_loses_no_part_of_a_result_without_a_word() {
    let picture = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}});
    let result = json!({"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "seen"}, picture]});
    let body = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]},
        {"role": "user", "content": [result]}]});
    let asked = ask(Api::Messages, &body, NOVA);
    assert_eq!(asked.refused, ["messages[2].content[0].content[1]"]);
    assert!(asked
        .body
        .to_string()
        .contains("Result of the call c1: seen"));
}

#[test]
fn a_mark_on_nothing_makes_no_message() {
    let mark = json!({"type": "ephemeral"});
    let messages = json!([{"role": "user", "content": "hi"},
        {"role": "assistant", "content": "", "cache_control": mark}, {"role": "user", "content": "and?"}]);
    for model in [CLAUDE, CONVERSE] {
        let asked = ask(Api::Chat, &chat(json!({"messages": messages})), model);
        assert_eq!(
            asked.body["messages"].as_array().unwrap().len(),
            1,
            "{asked:?}"
        );
    }
}

#[test]
fn ids_of_calls_are_as_the_provider_takes_them() {
    for (model, id) in [(CLAUDE, "functions.f:0"), (CONVERSE, "a b"), (CLAUDE, "é")] {
        let body = chat(json!({"messages": called(id), "tools": [function("f")]}));
        let text = ask(Api::Chat, &body, model).body.to_string();
        assert!(!text.contains(id), "{text}");
        let asked: Value = serde_json::from_str(&text).unwrap();
        let ids = [
            "/messages/1/content/0/id",
            "/messages/2/content/0/tool_use_id",
            "/messages/1/content/0/toolUse/toolUseId",
            "/messages/2/content/0/toolResult/toolUseId",
        ];
        let ids: Vec<&Value> = ids.iter().filter_map(|at| asked.pointer(at)).collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1]);
    }
}

#[test]
fn a_schema_is_made_to_fit_claude() {
    let schema =
        json!({"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    for model in [CLAUDE, CONVERSE] {
        let asked = ask(Api::Chat, &chat(json!({"response_format": format})), model);
        leaves_out(&asked, &["response_format"]);
        let text = asked.body.to_string().replace('\\', "");
        assert!(text.contains(r#""additionalProperties":false"#), "{text}");
        assert!(
            text.contains(r#""description":"minimum: 0""#) && !text.contains(r#""minimum":0"#),
            "{text}"
        );
    }
    // Where it is not strict, it does not become so.
    let asked = ask(
        Api::Chat,
        &chat(json!({"response_format": format})),
        RESPONSES,
    );
    assert_eq!(
        asked.body.pointer("/text/format/strict"),
        Some(&json!(false))
    );
    assert_eq!(asked.left_out, [""; 0]);
}

#[test]
fn small_limits_and_long_names_are_as_openai_takes_them() {
    let asked = ask(
        Api::Chat,
        &chat(json!({"max_completion_tokens": 3})),
        RESPONSES,
    );
    assert_eq!(asked.body["max_output_tokens"], 16);
    assert_eq!(asked.left_out, ["max_completion_tokens"]);
    let body = json!({"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}], "metadata": {"user_id": "u".repeat(80)}});
    for (model, at) in [(CHAT, "user"), (RESPONSES, "safety_identifier")] {
        let user = ask(Api::Messages, &body, model).body[at]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(user.len(), 64);
        assert_eq!(user, ask(Api::Messages, &body, model).body[at]);
    }
}

#[test]
fn spellings_that_providers_take_are_taken() {
    let picture = json!([{"role": "user", "content": [{"type": "image_url", "image_url": "https://a.example/b.png"}]}]);
    let asked = ask(Api::Chat, &chat(json!({"messages": picture})), CLAUDE);
    assert_eq!(
        asked.body.pointer("/messages/0/content/0/source/url"),
        Some(&json!("https://a.example/b.png"))
    );
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]}});
    let asked = ask(
        Api::Chat,
        &chat(json!({"tools": [function("f"), function("g")], "tool_choice": allowed})),
        CLAUDE,
    );
    assert_eq!(
        (
            asked.body["tools"].as_array().unwrap().len(),
            &asked.body["tools"][0]["name"]
        ),
        (1, &json!("g"))
    );
    assert_eq!(asked.body["tool_choice"]["type"], "any");
    let thought = json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "ok"}]}]);
    let asked = ask(Api::Chat, &chat(json!({"messages": thought})), CLAUDE);
    leaves_out(&asked, &["messages[1].content[0]"]);
}

#[test]
fn documents_go_as_the_provider_takes_them() {
    let file = json!([{"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}}]}]);
    let quirks = Quirks {
        document_urls: true,
        ..Quirks::default()
    };
    let body = chat(json!({"messages": file}));
    let Asked { body: written, .. } = ask_at(Api::Chat, &body, CHAT, &[], &quirks);
    let part = json!({"type": "document_url", "document_url": "data:application/pdf;base64,QUJD", "document_name": "a.pdf"});
    assert_eq!(written["messages"][0]["content"][0], part);
    // What only Claude has goes to Claude.
    let parts = json!({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}});
    let body =
        json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [parts]}]});
    let asked = ask(Api::Messages, &body, CLAUDE);
    assert_eq!(
        (
            asked.refused.len(),
            &asked.body["messages"][0]["content"][0]
        ),
        (0, &parts)
    );
    assert_eq!(
        ask(Api::Messages, &body, GEMINI).refused,
        ["messages[0].content[0]"]
    );
}

#[test]
fn marks_for_a_cache_are_kept_where_they_can_be_said() {
    let mark = json!({"type": "ephemeral"});
    let mut tool = function("f");
    tool["cache_control"] = mark.clone();
    let body = chat(
        json!({"tools": [tool], "messages": [{"role": "user", "content": "hi", "cache_control": mark}]}),
    );
    let asked = ask(Api::Chat, &body, CLAUDE);
    assert_eq!(
        asked.body.pointer("/messages/0/content/0/cache_control"),
        Some(&json!({"type": "ephemeral"}))
    );
    assert_eq!(
        asked.body.pointer("/tools/0/cache_control"),
        Some(&json!({"type": "ephemeral"}))
    );
    assert_eq!(asked.left_out, [""; 0]);
    for model in [GEMINI, RESPONSES] {
        let asked = ask(Api::Chat, &body, model);
        assert_eq!(asked.refused, [""; 0]);
        assert_eq!(
            asked.left_out,
            [
                "messages[0].content.cache_control",
                "tools[0].cache_control"
            ]
        );
    }
}
