//! What the dialects have had since 2026: blocks and items that no other dialect
//! knows do not break an answer, what is lost with them is named, and what they
//! used is counted.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::answer::relay::{End, Passage, Relay};
use meridian::dialect::neutral::{Object, ReplyContext};
use meridian::dialect::{self, Api, Reading, Translator};
use meridian::regions::Dialect::{
    self, AnthropicMessages, BedrockConverse, Gemini, OpenAiChat, OpenAiResponses,
};
use meridian::units::{Millis, RequestId};
use serde_json::{json, Value};

fn context() -> ReplyContext {
    ReplyContext {
        id: RequestId::new(Millis(0), 0),
        at: Millis(0),
        endpoint: "there".to_owned(),
        model: "asked".to_owned(),
        reports_usage: true,
        reports_logprobs: false,
        echo: Object::new(),
        custom: Default::default(),
        namespaces: Default::default(),
    }
}

fn told(from: Dialect, api: Api, events: &[Value]) -> (String, Reading) {
    let translator = Translator::new(from, api, context(), false).unwrap();
    let passage = Passage::Translated(Box::new(translator));
    let mut relay = Relay::new(api, passage, "text/event-stream", context().id);
    let mut out = Vec::new();
    for event in events {
        relay.push(format!("data: {event}\n\n").as_bytes(), &mut out);
    }
    let reading = relay.finish(End::Closed, &mut out);
    (String::from_utf8(out).unwrap(), reading)
}

fn whole(from: Dialect, api: Api, body: &Value) -> (Value, Reading) {
    let mut reading = Reading::default();
    let body = body.to_string();
    let told = dialect::whole(from, api, body.as_bytes(), context(), false, &mut reading);
    let told = told.unwrap_or_else(|| panic!("{:?}: {body}", reading.fault));
    (serde_json::from_str(&told).unwrap(), reading)
}

fn left_out(reading: &Reading) -> Vec<&str> {
    reading.left_out.iter().map(String::as_str).collect()
}

/// Items of the Responses API, and what of them is lost in another dialect.
fn items() -> [(Value, Option<&'static str>); 13] {
    let item = |kind: &str| json!({"type": kind, "id": "x_1", "status": "completed"});
    let mut hosted = item("shell_call");
    hosted["environment"] = json!({"type": "container_reference"});
    let mut local = item("shell_call");
    local["environment"] = json!({"type": "local"});
    [
        (item("program"), None),
        (item("program_output"), None),
        (item("tool_search_call"), None),
        (item("tool_search_output"), None),
        (item("x_search_call"), None),
        (item("web_search_call"), None),
        (item("mcp_list_tools"), None),
        (hosted, None),
        (local, Some("output.shell_call")),
        (item("apply_patch_call"), Some("output.apply_patch_call")),
        (item("compaction"), Some("output.compaction")),
        (
            item("image_generation_call"),
            Some("output.image_generation_call"),
        ),
        (item("hologram"), Some("output.hologram")),
    ]
}

#[test]
fn items_that_no_other_dialect_knows_are_left_out_and_named() {
    let message = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "so", "annotations": []}]});
    for (item, lost) in items() {
        let response = json!({"id": "resp_1", "model": "m", "status": "completed",
            "output": [item, message], "usage": {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8}});
        for api in [Api::Chat, Api::Messages] {
            let (told, reading) = whole(OpenAiResponses, api, &response);
            assert!(told.to_string().contains("\"so\""), "{told}");
            assert_eq!(left_out(&reading), Vec::from_iter(lost), "{item}");
        }
        let events = [
            json!({"type": "response.created", "response": {"model": "m"}}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
            json!({"type": "response.shiny.delta", "output_index": 0, "delta": "?"}),
            json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
            json!({"type": "response.output_text.delta", "output_index": 1, "delta": "so"}),
            json!({"type": "response.completed", "response": response}),
        ];
        for api in [Api::Chat, Api::Messages] {
            let (out, reading) = self::told(OpenAiResponses, api, &events);
            assert_eq!(reading.fault, None, "{item}");
            assert!(out.contains("\"so\""), "{out}");
            assert_eq!(left_out(&reading), Vec::from_iter(lost), "{item}");
            let comments = out.matches("\n: meridian-dropped: ").count()
                + usize::from(out.starts_with(": meridian-dropped: "));
            assert_eq!(comments, lost.iter().count(), "{out}");
            if let Some(lost) = lost {
                assert!(
                    out.contains(&format!(": meridian-dropped: {lost}\n\n")),
                    "{out}"
                );
            }
        }
    }
}

#[test]
fn blocks_that_no_other_dialect_knows_are_left_out_and_named() {
    let lost = Some("content.compaction");
    for (block, lost) in [
        (
            json!({"type": "compaction", "content": "the summary"}),
            lost,
        ),
        (
            json!({"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}),
            None,
        ),
        (
            json!({"type": "server_tool_use", "id": "s_1", "name": "advisor", "input": {}}),
            None,
        ),
        (
            json!({"type": "advisor_tool_result", "tool_use_id": "s_1", "content": {"type": "advisor_result", "text": "do it"}}),
            None,
        ),
        (
            json!({"type": "container_upload", "file_id": "f_1"}),
            Some("content.container_upload"),
        ),
        (
            json!({"type": "hologram", "shape": 1}),
            Some("content.hologram"),
        ),
    ] {
        let words = json!({"type": "text", "text": "so"});
        let message = json!({"type": "message", "model": "m", "content": [block, words],
            "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 5}});
        let events = [
            json!({"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 3}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": block}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": "the summary"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "so"}}),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
            json!({"type": "message_stop"}),
        ];
        for api in [Api::Chat, Api::Responses] {
            let (told, reading) = whole(AnthropicMessages, api, &message);
            assert!(told.to_string().contains("\"so\""), "{told}");
            assert_eq!(left_out(&reading), Vec::from_iter(lost), "{block}");
            let (out, reading) = self::told(AnthropicMessages, api, &events);
            assert_eq!(reading.fault, None, "{block}");
            assert!(out.contains("\"so\"") && !out.contains("summary"), "{out}");
            assert_eq!(left_out(&reading), Vec::from_iter(lost), "{block}");
        }
    }
}

#[test]
fn pictures_and_sound_that_are_lost_are_named() {
    let gemini = json!({"candidates": [{"content": {"parts": [
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"executableCode": {"code": "1"}}, {"text": "so"}]}, "finishReason": "STOP"}]});
    let converse = json!({"output": {"message": {"content": [
        {"image": {"format": "png", "source": {"bytes": "AAAA"}}}, {"text": "so"}]}}, "stopReason": "end_turn"});
    let chat = json!({"choices": [{"message": {"content": "so", "audio": {"id": "a_1", "data": "AAAA"},
        "images": [{"type": "image_url"}]}, "finish_reason": "stop"}]});
    let wanted: [(Dialect, &Value, &[&str]); 3] = [
        (Gemini, &gemini, &["parts.inlineData"]),
        (BedrockConverse, &converse, &["content.image"]),
        (OpenAiChat, &chat, &["message.audio", "message.images"]),
    ];
    for (dialect, body, lost) in wanted {
        let (_, reading) = whole(dialect, Api::Messages, body);
        assert_eq!(left_out(&reading), lost, "{dialect}");
    }
}

#[test]
fn a_caller_cannot_write_lines_with_names_that_are_lost() {
    let block = json!({"type": "a\nb: c\r\n\u{2028}é", "text": "x"});
    let many: Vec<Value> = (0..100)
        .map(|at| json!({"type": format!("kind{at}")}))
        .collect();
    let events: Vec<Value> = std::iter::once(&block)
        .chain(&many)
        .map(|block| json!({"type": "content_block_start", "index": 0, "content_block": block}))
        .collect();
    let (out, reading) = told(AnthropicMessages, Api::Chat, &events);
    assert!(
        out.contains(": meridian-dropped: content.a?b:?c??"),
        "{out}"
    );
    assert!(reading.left_out.len() <= 16, "{}", reading.left_out.len());
    assert!(reading.left_out.iter().all(|name| name.len() <= 80));
}

#[test]
fn why_claude_would_not_is_told() {
    let details =
        json!({"type": "refusal", "category": "cyber", "explanation": "No help with that."});
    let body = json!({"type": "message", "model": "m", "content": [], "stop_reason": "refusal",
        "stop_details": details, "usage": {"input_tokens": 3, "output_tokens": 0}});
    let events = [
        json!({"type": "message_start", "message": {"model": "m"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}),
        json!({"type": "message_stop"}),
    ];
    let (told, _) = whole(AnthropicMessages, Api::Chat, &body);
    let choice = &told["choices"][0];
    assert_eq!(choice["finish_reason"], "content_filter");
    assert_eq!(choice["message"]["refusal"], "No help with that.");
    assert_eq!(choice["message"]["content"], Value::Null);
    let (told, _) = whole(AnthropicMessages, Api::Responses, &body);
    assert_eq!(
        told["output"][0]["content"][0]["refusal"],
        "No help with that."
    );
    let (told, _) = whole(AnthropicMessages, Api::Messages, &body);
    assert_eq!(told["stop_reason"], "refusal");
    assert_eq!(told["stop_details"]["explanation"], "No help with that.");
    assert_eq!(told["content"], json!([]));
    for (api, wanted) in [
        (Api::Chat, r#""refusal":"No help with that.""#),
        (Api::Responses, r#""delta":"No help with that.""#),
        (Api::Messages, r#""explanation":"No help with that.""#),
    ] {
        let (out, reading) = self::told(AnthropicMessages, api, &events);
        assert!(out.contains(wanted), "{api}: {out}");
        assert!(!out.contains("text_delta"), "{api}: {out}");
        assert_eq!(reading.stopped.as_deref(), Some("filtered"));
    }
    // A category alone is told by its name.
    let mut bare = body.clone();
    bare["stop_details"]["explanation"] = Value::Null;
    let (told, _) = whole(AnthropicMessages, Api::Chat, &bare);
    assert_eq!(told["choices"][0]["message"]["refusal"], "cyber");
}

#[test]
fn a_pause_for_compaction_is_a_pause() {
    let body = json!({"type": "message", "model": "m", "content": [{"type": "compaction", "content": "a"}],
        "stop_reason": "compaction", "usage": {"input_tokens": 3, "output_tokens": 0}});
    let (_, reading) = whole(AnthropicMessages, Api::Chat, &body);
    assert_eq!(reading.stopped.as_deref(), Some("paused"));
}

#[test]
fn passes_of_other_models_are_counted_each_by_its_own() {
    let usage = json!({"input_tokens": 100, "output_tokens": 10, "iterations": [
        {"type": "message", "model": "claude-a", "input_tokens": 100, "output_tokens": 10},
        {"type": "compaction", "model": "claude-b", "input_tokens": 180_000, "output_tokens": 3_500},
        {"type": "advisor_message", "model": "claude-c", "input_tokens": 2518, "output_tokens": 22},
    ]});
    let body = json!({"type": "message", "model": "claude-a", "content": [{"type": "text", "text": "so"}],
        "stop_reason": "end_turn", "usage": usage});
    let (_, reading) = whole(AnthropicMessages, Api::Chat, &body);
    let mut kept = Reading::default();
    dialect::read_reply(AnthropicMessages, body.to_string().as_bytes(), &mut kept);
    for reading in [reading, kept] {
        let passes = &reading.beyond.passes;
        let models: Vec<_> = passes.iter().map(|pass| pass.model.as_deref()).collect();
        assert_eq!(models, [Some("claude-b"), Some("claude-c")]);
        assert_eq!(
            (passes[0].tokens.input, passes[1].tokens.output),
            (180_000, 22)
        );
        assert_eq!(reading.tokens.input, 100);
        assert!(reading.beyond.unknown.is_empty());
    }
}

#[test]
fn xais_tools_are_counted_and_its_cost_is_no_unknown() {
    let usage = json!({"input_tokens": 12190, "input_tokens_details": {"cached_tokens": 3072},
        "output_tokens": 4801, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 16991,
        "num_sources_used": 0, "num_server_side_tools_used": 6, "cost_in_usd_ticks": 490_144_000,
        "server_side_tool_usage_details": {"web_search_calls": 1, "x_search_calls": 3, "code_interpreter_calls": 1,
            "file_search_calls": 0, "mcp_calls": 0, "document_search_calls": 0, "image_generation_calls": 1},
        "context_details": {"input_tokens": 10600, "output_tokens": 4506}});
    let item = |kind: &str| json!({"type": kind, "id": "x_1", "status": "completed"});
    let output = ["web_search_call", "x_search_call", "code_interpreter_call"].map(item);
    let body = json!({"id": "r", "model": "grok", "status": "completed", "output": output, "usage": usage});
    let mut reading = Reading::default();
    dialect::read_reply(OpenAiResponses, body.to_string().as_bytes(), &mut reading);
    let uses: Vec<(&str, u64)> = reading
        .beyond
        .uses
        .iter()
        .map(|(k, n)| (k.as_str(), *n))
        .collect();
    assert_eq!(
        uses,
        [
            ("code-execution", 1),
            ("image-generation", 1),
            ("web-search", 4)
        ]
    );
    assert!(
        reading.beyond.unknown.is_empty(),
        "{:?}",
        reading.beyond.unknown
    );
    // Posts that were fetched have a price of their own, which nobody knows here.
    let mut more = body.clone();
    more["usage"]["server_side_tool_usage_details"]["x_posts_fetched"] = json!(20);
    let mut reading = Reading::default();
    dialect::read_reply(OpenAiResponses, more.to_string().as_bytes(), &mut reading);
    let unknown = "server_side_tool_usage_details.x_posts_fetched";
    assert!(reading.beyond.unknown.contains(unknown));
}

#[test]
fn a_program_that_ran_marks_the_row() {
    let body = json!({"id": "r", "model": "m", "status": "completed",
        "output": [{"type": "program", "id": "p_1"}, {"type": "program_output", "id": "p_2"}, {"type": "tool_search_call", "id": "t"}],
        "usage": {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8}});
    let mut reading = Reading::default();
    dialect::read_reply(OpenAiResponses, body.to_string().as_bytes(), &mut reading);
    let unknown: Vec<&str> = reading.beyond.unknown.iter().map(String::as_str).collect();
    assert_eq!(unknown, ["output.program"]);
}
