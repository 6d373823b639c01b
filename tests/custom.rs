//! Custom tools, which OpenAI's models call with text: every other model is given
//! a function in their place, and the client gets the text back, whole or as a
//! stream.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::answer::relay::{End, Passage, Relay};
use meridian::dialect::neutral::{Json, Object, ReplyContext, Signers, Target};
use meridian::dialect::{self, Api, Reading};
use meridian::frame::sse;
use meridian::regions::{Dialect, Quirks};
use meridian::units::{Millis, RequestId};
use serde_json::{json, Value};

const PATCH: &str = "*** Begin Patch\n+\"é\" \\ 😀\n*** End Patch";
const OTHERS: [Dialect; 4] = [
    Dialect::OpenAiChat,
    Dialect::AnthropicMessages,
    Dialect::BedrockConverse,
    Dialect::Gemini,
];

fn context() -> ReplyContext {
    ReplyContext {
        id: RequestId::new(Millis(0), 0),
        at: Millis(0),
        endpoint: "there".to_owned(),
        model: "asked".to_owned(),
        reports_usage: false,
        reports_logprobs: false,
        echo: Object::new(),
        custom: ["apply_patch".to_owned()].into(),
        namespaces: [(
            "agents__close".to_owned(),
            ("agents".to_owned(), "close".to_owned()),
        )]
        .into(),
    }
}

/// A request as a provider gets it, what is refused of it and what is left out.
fn written(api: Api, body: &Value, dialect: Dialect) -> (Value, Vec<String>, Vec<String>) {
    let text = body.to_string();
    let tree = Json::parse_request(&text).unwrap();
    let ask = dialect::read_request(api, &tree).unwrap();
    let target = Target {
        endpoint: "there",
        model: "m",
        name: "m",
        quirks: &Quirks::default(),
        thinking: None,
        without: &[],
        signers: &Signers::default(),
        max_output: 16_384,
        longest: 128_000,
        asks_for_usage: false,
    };
    let (written, unsupported) = dialect::write_request(dialect, &ask, target).unwrap();
    let body = serde_json::from_str(&written.to_text()).unwrap();
    (body, unsupported.refused(), unsupported.left_out())
}

/// The function in a request, as each dialect declares it: name, description, schema.
fn function(dialect: Dialect, body: &Value) -> [Value; 3] {
    let (tool, schema) = match dialect {
        Dialect::OpenAiChat => (&body["tools"][0]["function"], "parameters"),
        Dialect::AnthropicMessages => (&body["tools"][0], "input_schema"),
        Dialect::BedrockConverse => (&body["toolConfig"]["tools"][0]["toolSpec"], "inputSchema"),
        _ => (
            &body["tools"][0]["functionDeclarations"][0],
            "parametersJsonSchema",
        ),
    };
    let schema = match dialect {
        Dialect::BedrockConverse => &tool[schema]["json"],
        _ => &tool[schema],
    };
    [
        tool["name"].clone(),
        tool["description"].clone(),
        schema.clone(),
    ]
}

fn grammar(definition: &str) -> Value {
    json!({"type": "custom", "name": "apply_patch", "description": "Edits files.",
        "format": {"type": "grammar", "syntax": "lark", "definition": definition}})
}

#[test]
fn a_custom_tool_is_a_function_where_there_are_none() {
    let body = json!({"model": "m", "input": "hi", "tools": [grammar("start: /.+/")]});
    for dialect in OTHERS {
        let (body, refused, left_out) = written(Api::Responses, &body, dialect);
        assert_eq!(refused, [""; 0], "{dialect}");
        assert_eq!(left_out, ["tools[0].format"], "{dialect}");
        let [name, description, schema] = function(dialect, &body);
        assert_eq!(name, "apply_patch", "{dialect}");
        assert_eq!(
            description,
            "Edits files.\n\nThe input has to match this Lark grammar:\nstart: /.+/",
        );
        assert_eq!(schema["required"], json!(["input"]), "{dialect}");
        assert_eq!(schema["additionalProperties"], false, "{dialect}");
        assert_eq!(schema["properties"]["input"]["type"], "string", "{dialect}");
    }
}

#[test]
fn guard_a_grammar_that_is_too_long_is_not_told_and_refused() {
    let definition = "a".repeat(32 * 1024 + 1);
    let body = json!({"model": "m", "input": "hi", "tools": [grammar(&definition)]});
    for dialect in OTHERS {
        let (body, refused, _) = written(Api::Responses, &body, dialect);
        assert_eq!(refused, ["tools[0].format"], "{dialect}");
        assert_eq!(function(dialect, &body)[1], "Edits files.", "{dialect}");
    }
    // OpenAI has such tools itself.
    let (same, refused, left_out) = written(Api::Responses, &body, Dialect::OpenAiResponses);
    assert_eq!((refused, left_out), (vec![], vec![]));
    assert_eq!(same["tools"], body["tools"]);
}

#[test]
fn calls_results_and_choices_of_custom_tools_are_those_of_functions() {
    let body = json!({"model": "m",
        "tools": [{"type": "custom", "name": "apply_patch"}, {"type": "function", "name": "f", "parameters": {}}],
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "apply_patch"}]},
        "input": [{"role": "user", "content": "hi"},
            {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": PATCH},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "Done!"}]}]});
    let (chat, refused, left_out) = written(Api::Responses, &body, Dialect::OpenAiChat);
    assert_eq!((refused, left_out), (vec![], vec![]));
    assert_eq!(chat["tools"].as_array().unwrap().len(), 1);
    assert_eq!(chat["tool_choice"], "required");
    let call = &chat["messages"][1]["tool_calls"][0];
    assert_eq!(call["type"], "function");
    let arguments: Value =
        serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({"input": PATCH}));
    assert_eq!(chat["messages"][2]["content"], "Done!");

    let (claude, ..) = written(Api::Responses, &body, Dialect::AnthropicMessages);
    let call = &claude["messages"][1]["content"][0];
    assert_eq!(call["input"], json!({"input": PATCH}));
    assert_eq!(
        claude["messages"][2]["content"][0]["tool_use_id"],
        call["id"]
    );

    let mut named = body.clone();
    named["tool_choice"] = json!({"type": "custom", "name": "apply_patch"});
    let (claude, ..) = written(Api::Responses, &named, Dialect::AnthropicMessages);
    assert_eq!(
        claude["tool_choice"],
        json!({"type": "tool", "name": "apply_patch"})
    );
}

#[test]
fn openai_s_dialects_say_custom_tools_each_in_its_way() {
    let chat = json!({"model": "m",
        "messages": [{"role": "user", "content": "hi"},
            {"role": "assistant", "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "apply_patch", "input": PATCH}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "Done!"}],
        "tools": [{"type": "custom", "custom": {"name": "apply_patch", "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a+"}}}}],
        "tool_choice": {"type": "custom", "custom": {"name": "apply_patch"}}});
    let (body, refused, left_out) = written(Api::Chat, &chat, Dialect::OpenAiResponses);
    assert_eq!((refused, left_out), (vec![], vec![]));
    let wanted = json!([{"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "regex", "definition": "a+"}}]);
    assert_eq!(body["tools"], wanted);
    assert_eq!(
        body["tool_choice"],
        json!({"type": "custom", "name": "apply_patch"})
    );
    let items = json!([
        {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": PATCH},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "Done!"}]);
    assert_eq!(body["input"][1], items[0]);
    assert_eq!(body["input"][2], items[1]);
    let (body, _, left_out) = written(Api::Chat, &chat, Dialect::Gemini);
    assert_eq!(left_out, ["tools[0].custom.format"]);
    assert_eq!(body["toolConfig"]["functionCallingConfig"]["mode"], "ANY");
}

/// An answer of Claude's that calls a tool with these arguments.
fn claude(name: &str, arguments: &[&str]) -> String {
    let mut events = vec![
        json!({"type": "message_start", "message": {"model": "c", "usage": {"input_tokens": 1, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}}),
    ];
    for piece in arguments {
        events.push(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}));
    }
    events.push(json!({"type": "content_block_stop", "index": 0}));
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}));
    events.push(json!({"type": "message_stop"}));
    let lines = events.iter().map(|event| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    });
    lines.collect()
}

/// What a client of OpenAI's gets of a stream: the events, and the stream itself.
fn streamed(from: Dialect, api: Api, stream: &str) -> (Vec<Value>, String, Reading) {
    let translator = dialect::Translator::new(from, api, context(), false).unwrap();
    let passage = Passage::Translated(Box::new(translator));
    let mut relay = Relay::new(api, passage, "text/event-stream", context().id);
    let mut out = Vec::new();
    for byte in stream.as_bytes() {
        relay.push(std::slice::from_ref(byte), &mut out);
    }
    let reading = relay.finish(End::Closed, &mut out);
    let mut events = Vec::new();
    let mut splitter = sse::Splitter::default();
    splitter
        .push(&out, |event| {
            let data = event.data.unwrap_or_default();
            events.extend(serde_json::from_slice::<Value>(&data).ok());
        })
        .unwrap();
    (events, String::from_utf8(out).unwrap(), reading)
}

/// Arguments, each letter a piece.
fn letters(arguments: &str) -> Vec<String> {
    arguments.chars().map(String::from).collect()
}

fn in_letters(arguments: &str) -> String {
    let letters = letters(arguments);
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    claude("apply_patch", &letters)
}

#[test]
fn responses_clients_get_the_text_of_a_call_as_it_comes() {
    let arguments = json!({"input": PATCH}).to_string();
    let stream = in_letters(&arguments);
    let (events, _, reading) = streamed(Dialect::AnthropicMessages, Api::Responses, &stream);
    assert!(reading.ended && reading.left_out.is_empty());
    let of = |kind: &str| -> Vec<&Value> {
        let kinds = events.iter().filter(|event| event["type"] == kind);
        kinds.collect()
    };
    let item = &of("response.output_item.added")[0]["item"];
    assert_eq!(item["type"], "custom_tool_call");
    assert_eq!(
        (&item["name"], &item["input"], &item["call_id"]),
        (&json!("apply_patch"), &json!(""), &json!("toolu_1"))
    );
    let deltas = of("response.custom_tool_call_input.delta");
    assert!(deltas.len() > 20, "{}", deltas.len());
    let text: String = deltas
        .iter()
        .map(|one| one["delta"].as_str().unwrap())
        .collect();
    assert_eq!(text, PATCH);
    assert!(deltas.iter().all(|one| one["item_id"] == item["id"]));
    assert_eq!(
        of("response.custom_tool_call_input.done")[0]["input"],
        PATCH
    );
    assert_eq!(of("response.output_item.done")[0]["item"]["input"], PATCH);
    let last = &of("response.completed")[0]["response"]["output"][0];
    assert_eq!(
        (&last["type"], &last["input"]),
        (&json!("custom_tool_call"), &json!(PATCH))
    );
    assert!(of("response.function_call_arguments.delta").is_empty());
}

#[test]
fn chat_clients_get_the_text_of_a_call_as_it_comes() {
    let arguments = json!({"input": PATCH}).to_string();
    let stream = in_letters(&arguments);
    let (events, _, _) = streamed(Dialect::AnthropicMessages, Api::Chat, &stream);
    let calls = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["tool_calls"][0].as_object());
    let calls: Vec<_> = calls.collect();
    assert_eq!(calls[0]["type"], "custom");
    assert_eq!(
        calls[0]["custom"],
        json!({"name": "apply_patch", "input": ""})
    );
    let text: String = calls[1..]
        .iter()
        .map(|call| call["custom"]["input"].as_str().unwrap())
        .collect();
    assert_eq!(text, PATCH);
    let reason = events
        .iter()
        .find_map(|event| event["choices"][0]["finish_reason"].as_str());
    assert_eq!(reason, Some("tool_calls"));
}

/// Whole answers of every dialect that has functions alone.
fn wholes(arguments: &Value) -> Vec<(Dialect, Value)> {
    let text = arguments.to_string();
    vec![
        (
            Dialect::OpenAiChat,
            json!({"model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "apply_patch", "arguments": text}}]}}]}),
        ),
        (
            Dialect::AnthropicMessages,
            json!({"type": "message", "model": "m", "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1},
            "content": [{"type": "tool_use", "id": "c1", "name": "apply_patch", "input": arguments}]}),
        ),
        (
            Dialect::BedrockConverse,
            json!({"stopReason": "tool_use", "usage": {"inputTokens": 1, "outputTokens": 1},
            "output": {"message": {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "apply_patch", "input": arguments}}]}}}),
        ),
        (
            Dialect::Gemini,
            json!({"modelVersion": "m", "candidates": [{"finishReason": "STOP", "content": {"role": "model", "parts": [{"functionCall": {"name": "apply_patch", "args": arguments}}]}}]}),
        ),
    ]
}

fn whole(from: Dialect, api: Api, body: &Value) -> (Value, Reading) {
    let mut reading = Reading::default();
    let told = dialect::whole(
        from,
        api,
        body.to_string().as_bytes(),
        context(),
        false,
        &mut reading,
    );
    let told = told.unwrap_or_else(|| panic!("{from} to {api}: {:?}", reading.fault));
    (serde_json::from_str(&told).unwrap(), reading)
}

#[test]
fn whole_answers_hold_the_text_and_are_taken_back() {
    for (from, body) in wholes(&json!({"input": PATCH})) {
        let (told, reading) = whole(from, Api::Responses, &body);
        let item = &told["output"][0];
        assert_eq!(item["type"], "custom_tool_call", "{from}");
        assert_eq!(item["input"], PATCH, "{from}");
        assert!(reading.left_out.is_empty(), "{from}");
        let next = json!({"model": "m", "input": [{"role": "user", "content": "hi"}, item,
            {"type": "custom_tool_call_output", "call_id": item["call_id"], "output": "Done!"}]});
        for to in OTHERS {
            let (_, refused, left_out) = written(Api::Responses, &next, to);
            assert_eq!((refused, left_out), (vec![], vec![]), "{from}, then {to}");
        }

        let (told, _) = whole(from, Api::Chat, &body);
        let call = &told["choices"][0]["message"]["tool_calls"][0];
        assert_eq!(call["type"], "custom", "{from}");
        assert_eq!(
            call["custom"],
            json!({"name": "apply_patch", "input": PATCH}),
            "{from}"
        );
        let next = json!({"model": "m", "messages": [{"role": "user", "content": "hi"},
            told["choices"][0]["message"], {"role": "tool", "tool_call_id": call["id"], "content": "Done!"}]});
        let (_, refused, _) = written(Api::Chat, &next, Dialect::AnthropicMessages);
        assert_eq!(refused, [""; 0], "{from}");
    }
}

#[test]
fn arguments_of_another_shape_are_the_text_and_what_is_beside_it_is_named() {
    for (arguments, text, named) in [
        (json!({}), "", false),
        (json!({"patch": "a"}), r#"{"patch":"a"}"#, false),
        (json!({"input": {"a": 1}}), r#"{"input":{"a":1}}"#, false),
        (json!({"input": "a", "why": "b"}), "a", true),
    ] {
        for (from, body) in wholes(&arguments) {
            let (told, reading) = whole(from, Api::Responses, &body);
            assert_eq!(told["output"][0]["input"], text, "{from} {arguments}");
            let lost = reading.left_out.contains("apply_patch.arguments");
            assert_eq!(lost, named, "{from} {arguments}");
        }
        let stream = in_letters(&arguments.to_string());
        let (events, told, _) = streamed(Dialect::AnthropicMessages, Api::Responses, &stream);
        let done = events
            .iter()
            .find(|event| event["type"] == "response.custom_tool_call_input.done");
        assert_eq!(done.unwrap()["input"], text, "{arguments}");
        let comments = told
            .matches(": meridian-dropped: apply_patch.arguments\n")
            .count();
        assert_eq!(comments, usize::from(named), "{arguments}");
    }
}

#[test]
fn a_function_beside_a_custom_tool_keeps_its_arguments() {
    let stream = claude("look", &["{\"input\":", "\"a\"}"]);
    let (events, ..) = streamed(Dialect::AnthropicMessages, Api::Responses, &stream);
    let done = events
        .iter()
        .find(|event| event["type"] == "response.output_item.done")
        .unwrap();
    assert_eq!(done["item"]["type"], "function_call");
    assert_eq!(done["item"]["arguments"], "{\"input\":\"a\"}");
}

/// OpenAI's own answers, where the request was written anew.
#[test]
fn a_provider_that_has_custom_tools_is_understood() {
    let item = json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "apply_patch", "input": PATCH});
    let body = json!({"id": "r", "model": "m", "status": "completed", "output": [item]});
    let (told, _) = whole(Dialect::OpenAiResponses, Api::Chat, &body);
    let call = &told["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["custom"]["input"], PATCH);

    let mut events = vec![
        json!({"type": "response.created", "response": {"model": "m"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": ""}}),
    ];
    for piece in letters(PATCH) {
        events.push(json!({"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": piece}));
    }
    events.push(
        json!({"type": "response.custom_tool_call_input.done", "output_index": 0, "input": PATCH}),
    );
    events.push(json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
    events.push(json!({"type": "response.output_item.added", "output_index": 1, "item": {"type": "function_call", "call_id": "c2", "name": "f", "arguments": ""}}));
    events.push(json!({"type": "response.output_item.done", "output_index": 1, "item": {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"}}));
    events.push(json!({"type": "response.completed", "response": body}));
    let stream: String = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    let (told, _, reading) = streamed(Dialect::OpenAiResponses, Api::Responses, &stream);
    assert!(reading.ended && reading.fault.is_none());
    let output = &told.last().unwrap()["response"]["output"];
    assert_eq!(output[0]["input"], PATCH);
    assert_eq!(output[1]["arguments"], "{}");
    // Anthropic's clients know functions alone.
    let mut reading = Reading::default();
    let none = ReplyContext {
        custom: Default::default(),
        ..context()
    };
    let told = dialect::whole(
        Dialect::OpenAiResponses,
        Api::Messages,
        body.to_string().as_bytes(),
        none,
        false,
        &mut reading,
    );
    let told: Value = serde_json::from_str(&told.unwrap()).unwrap();
    assert_eq!(told["content"][0]["input"], json!({"input": PATCH}));

    let chat = json!({"model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null,
        "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "apply_patch", "input": PATCH}}]}}]});
    let (told, _) = whole(Dialect::OpenAiChat, Api::Responses, &chat);
    assert_eq!(told["output"][0]["input"], PATCH);
}

/// As Codex offers its agents.
fn agents() -> Value {
    json!({"type": "namespace", "name": "agents", "description": "Tools for agents.", "tools": [
        {"type": "function", "name": "close", "parameters": {"type": "object", "properties": {}}, "strict": false},
        {"type": "custom", "name": "tell"}]})
}

#[test]
fn tools_of_a_namespace_are_functions_whose_names_begin_with_it() {
    let body = json!({"model": "m", "tools": [agents()],
        "tool_choice": {"type": "function", "namespace": "agents", "name": "close"},
        "input": [{"role": "user", "content": "hi"},
            {"type": "function_call", "call_id": "c1", "namespace": "agents", "name": "close", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "Done!"}]});
    for dialect in OTHERS {
        let (_, refused, left_out) = written(Api::Responses, &body, dialect);
        assert_eq!(refused, [""; 0], "{dialect}");
        assert_eq!(left_out, ["tools[0].description"], "{dialect}");
    }
    let (claude, ..) = written(Api::Responses, &body, Dialect::AnthropicMessages);
    assert_eq!(claude["tools"][0]["name"], "agents__close");
    assert_eq!(claude["tools"][1]["name"], "agents__tell");
    assert_eq!(claude["tool_choice"]["name"], "agents__close");
    assert_eq!(claude["messages"][1]["content"][0]["name"], "agents__close");
    // OpenAI has namespaces itself.
    let (same, refused, left_out) = written(Api::Responses, &body, Dialect::OpenAiResponses);
    assert_eq!((refused, left_out), (vec![], vec![]));
    assert_eq!(same["tools"], body["tools"]);
    assert_eq!(same["tool_choice"], body["tool_choice"]);
    assert_eq!(same["input"][1], body["input"][1]);
}

#[test]
fn a_call_of_a_tool_in_a_namespace_comes_back_with_both_names() {
    let stream = claude("agents__close", &["{\"id\":7}"]);
    let (events, ..) = streamed(Dialect::AnthropicMessages, Api::Responses, &stream);
    let item = &events.last().unwrap()["response"]["output"][0];
    let names = (item["namespace"].as_str(), item["name"].as_str());
    assert_eq!(names, (Some("agents"), Some("close")));
    assert_eq!(item["arguments"], "{\"id\":7}");
    let body = json!({"model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "agents__close", "arguments": "{}"}}]}}]});
    let (told, _) = whole(Dialect::OpenAiChat, Api::Responses, &body);
    assert_eq!(told["output"][0]["namespace"], "agents");
}

#[test]
fn a_long_name_in_a_namespace_is_one_that_providers_take() {
    let long = "n".repeat(80);
    let body = json!({"model": "m", "input": "hi", "tools": [
        {"type": "namespace", "name": long, "tools": [{"type": "function", "name": "a"}, {"type": "function", "name": "b"}]}]});
    let (claude, ..) = written(Api::Responses, &body, Dialect::AnthropicMessages);
    let names: Vec<&str> = claude["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert!(
        names[0] != names[1] && names.iter().all(|name| name.len() <= 64),
        "{names:?}"
    );
}

/// What is reserved for a request covers what is written in place of its custom
/// tools and namespaces: no token is shorter than a byte.
#[test]
fn guard_bounds_what_is_written_of_custom_tools_is_within_the_bound() {
    let custom = json!({"type": "custom", "name": "a", "format": {"type": "grammar", "syntax": "lark", "definition": ""}});
    let within =
        |tools: Vec<Value>| json!({"type": "namespace", "name": "n".repeat(40), "tools": tools});
    let function = json!({"type": "function", "name": "b"});
    for tools in [
        vec![custom.clone(); 200],
        vec![within(vec![function.clone(); 200])],
        vec![within(vec![custom.clone(); 200])],
    ] {
        let body = json!({"model": "m", "input": "hi", "tools": tools}).to_string();
        let rules = rules();
        let asks = meridian::request::egress::read(
            &rules,
            Api::Responses,
            &meridian::request::head::Head::default(),
            &body,
        );
        let reserved = body.len() as u64 + asks.bulk.beside();
        let asked = serde_json::from_str(&body).unwrap();
        let (sent, ..) = written(Api::Responses, &asked, Dialect::AnthropicMessages);
        // What the model reads; arguments that nobody declared are none.
        let none = json!({"type": "object", "properties": {}});
        let read = |tool: &Value| {
            let words = [&tool["name"], &tool["description"]];
            let words = words.iter().filter_map(|word| word.as_str()).map(str::len);
            let schema = tool["input_schema"].to_string().len();
            let schema = if tool["input_schema"] == none {
                0
            } else {
                schema
            };
            words.sum::<usize>() + schema
        };
        let tools = sent["tools"].as_array().unwrap();
        let read: usize = tools.iter().map(read).sum();
        assert!(
            tools.len() == 200 && read as u64 <= reserved,
            "{read} of {reserved}"
        );
    }
}

fn rules() -> meridian::regions::EgressRules {
    let files =
        meridian::config::Files::load(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let config = meridian::config::read(&files, "2026-11-27")
        .checked()
        .unwrap();
    config.regions.egress
}
