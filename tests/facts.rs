//! Facts about providers' formats that are easily got wrong, each quoted from
//! the notes they were gathered in and shown to hold here. Where those notes lie
//! beside the project (`../shared/FIELD.md`), the quotes are compared.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod recorded;

use meridian::answer::relay::{End, Passage, Relay};
use meridian::dialect::neutral::{Json, Object, ReplyContext, Signers, Target};
use meridian::dialect::{self, Api, Fault, Reading, Translator};
use meridian::regions::{Dialect, Quirks, ThinkingStyle};
use meridian::units::{Millis, RequestId, Tokens};
use std::fs;
use std::path::Path;

/// A quote from the notes.
fn fact(quote: &str) {
    let notes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/FIELD.md");
    if let Ok(text) = fs::read_to_string(notes) {
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            plain(&text).contains(&plain(quote)),
            "not in the notes: {quote}"
        );
    }
}

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

/// Events of a provider, told to a client.
fn told(from: Dialect, api: Api, events: &[&str]) -> (String, Reading) {
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

fn whole(from: Dialect, body: &str) -> Reading {
    let mut reading = Reading::default();
    dialect::whole(
        from,
        Api::Chat,
        body.as_bytes(),
        context(),
        false,
        &mut reading,
    );
    reading
}

fn chat_usage(usage: &str) -> Tokens {
    let body = format!(
        r#"{{"model":"m","choices":[{{"message":{{"content":"a"}},"finish_reason":"stop"}}],"usage":{usage}}}"#
    );
    whole(Dialect::OpenAiChat, &body).tokens
}

fn written(api: Api, body: &str, to: Dialect, quirks: &Quirks) -> (String, Vec<String>) {
    let tree = Json::parse(body).unwrap();
    let ask = dialect::read_request(api, &tree).unwrap();
    let target = Target {
        endpoint: "there",
        model: "m",
        name: "m",
        quirks,
        thinking: (to == Dialect::Gemini).then_some(ThinkingStyle::Effort),
        without: &[],
        signers: &Signers::default(),
        max_output: 16_384,
        longest: 128_000,
        asks_for_usage: true,
    };
    let (body, unsupported) = dialect::write_request(to, &ask, target).unwrap();
    (body.to_text(), unsupported.into_names())
}

#[test]
fn field_08_usage_of_anthropic_merges_key_by_key() {
    fact("Merge per key, never sum. `message_start` already counts some output tokens.");
    fact("`message_delta.usage` is cumulative and *replaces* `message_start`'s, input included");
    let start = r#"{"type":"message_start","message":{"model":"m","usage":{"input_tokens":2049,"output_tokens":3,"cache_read_input_tokens":7}}}"#;
    let stop = r#"{"type":"message_stop"}"#;
    let only = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":90}}"#;
    let (_, reading) = told(Dialect::AnthropicMessages, Api::Chat, &[start, only, stop]);
    let tokens = reading.tokens;
    assert_eq!(
        (tokens.input, tokens.output, tokens.cache_read),
        (2_049, 90, 7)
    );
    let all = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":13520,"output_tokens":90}}"#;
    let (_, reading) = told(Dialect::AnthropicMessages, Api::Chat, &[start, all, stop]);
    assert_eq!(
        (reading.tokens.input, reading.tokens.cache_read),
        (13_520, 7)
    );
}

#[test]
fn field_09_cached_tokens_stand_inside_or_beside_the_input() {
    fact("Anthropic and Bedrock: `input_tokens` excludes cached tokens. OpenAI and Gemini: the prompt count includes them.");
    fact("the cache counts appear under two names (`cacheReadInputTokens`, `cacheReadInputTokenCount`): adding both bills twice");
    let openai = chat_usage(
        r#"{"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,"prompt_tokens_details":{"cached_tokens":40}}"#,
    );
    assert_eq!((openai.input, openai.cache_read), (60, 40));
    let gemini = whole(Dialect::Gemini, r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":5}}"#).tokens;
    assert_eq!((gemini.input, gemini.cache_read), (60, 40));
    let bedrock = whole(Dialect::BedrockConverse, r#"{"output":{"message":{"content":[{"text":"a"}]}},"stopReason":"end_turn","usage":{"inputTokens":60,"outputTokens":5,"totalTokens":105,"cacheReadInputTokens":40,"cacheReadInputTokenCount":40}}"#).tokens;
    assert_eq!((bedrock.input, bedrock.cache_read), (60, 40));
}

#[test]
fn field_09_hosts_count_reasoning_and_audio_each_their_way() {
    fact("xAI chat: `completion_tokens` excludes reasoning.");
    let xai = chat_usage(
        r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}}"#,
    );
    assert_eq!((xai.output, xai.reasoning), (25, 20));
    fact("Gemini's own OpenAI endpoint shows thinking only as the gap to the total.");
    let gap = chat_usage(r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":35}"#);
    assert_eq!((gap.output, gap.reasoning), (25, 20));
    fact("Mistral audio tokens stand outside the prompt count.");
    let audio = chat_usage(
        r#"{"prompt_tokens":11,"completion_tokens":15,"total_tokens":401,"prompt_tokens_details":{"audio_tokens":375}}"#,
    );
    assert_eq!(
        (audio.input, audio.audio_input, audio.output),
        (11, 375, 15)
    );
    fact("OpenRouter's `reasoning_tokens` may exceed `completion_tokens`.");
    let odd = chat_usage(
        r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"completion_tokens_details":{"reasoning_tokens":9}}"#,
    );
    assert_eq!((odd.output, odd.reasoning), (5, 9));
}

#[test]
fn field_08_geminis_last_usage_counts() {
    fact("Gemini: output = candidates + thoughts; input = prompt + toolUsePrompt. Usage is in every chunk: the last one counts; counts can change or vanish on the way; a blocked reply carries none.");
    let chunk = |usage: &str, stop: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}}{stop}}}],"usageMetadata":{usage}}}"#
        )
    };
    let first = chunk(r#"{"promptTokenCount":9,"candidatesTokenCount":1}"#, "");
    let last = chunk(
        r#"{"promptTokenCount":10,"toolUsePromptTokenCount":5,"candidatesTokenCount":7,"thoughtsTokenCount":3}"#,
        r#","finishReason":"STOP""#,
    );
    let (_, reading) = told(Dialect::Gemini, Api::Chat, &[&first, &last]);
    assert_eq!(
        (
            reading.tokens.input,
            reading.tokens.output,
            reading.tokens.reasoning
        ),
        (15, 10, 3)
    );
    let blocked = r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#;
    let (out, reading) = told(Dialect::Gemini, Api::Chat, &[blocked]);
    assert!(out.contains("content_filter") && !reading.has_usage && reading.fault.is_none());
}

#[test]
fn field_07_usage_is_read_wherever_it_sits_and_told_where_the_client_looks() {
    fact("Where a stream's usage sits: OpenAI, Azure, x.ai: an extra chunk with `choices: []`, only if asked for. Mistral, DeepSeek: in the finish chunk. Groq: both, so twice.");
    fact("`@ai-sdk/mistral` crashes on a usage chunk with empty choices: the client's dialect decides where usage may go.");
    let text = r#"{"model":"m","choices":[{"index":0,"delta":{"content":"a"}}]}"#;
    let usage = r#""usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}"#;
    let finish =
        r#"{"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#.to_owned();
    let both = finish.replace("}]}", &format!("}}],{usage}}}"));
    let extra = format!(r#"{{"choices":[],{usage}}}"#);
    fact("OpenRouter: the finish chunk comes a second time with it. Databricks, Perplexity: in every chunk.");
    let early = text.replace(
        "]}",
        r#"],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#,
    );
    for events in [
        vec![text, &finish, &extra, "[DONE]"],
        vec![text, &both, "[DONE]"],
        vec![text, &both, &extra, "[DONE]"],
        vec![text, &finish, &both, "[DONE]"],
        vec![&early, &both, "[DONE]"],
    ] {
        let (out, reading) = told(Dialect::OpenAiChat, Api::Messages, &events);
        assert_eq!((reading.tokens.input, reading.tokens.output), (3, 5));
        assert_eq!(out.matches("\"output_tokens\":5").count(), 1, "{out}");
    }
}

#[test]
fn field_22_responses_end_without_a_marker_and_may_be_incomplete() {
    fact("Responses API: usage in `response.completed` and in `response.incomplete`; no `[DONE]` (OpenRouter adds one).");
    for (status, stop) in [("completed", "end_turn"), ("incomplete", "max_tokens")] {
        let last = format!(
            r#"{{"type":"response.{status}","response":{{"status":"{status}","model":"m","output":[],"usage":{{"input_tokens":3,"output_tokens":5}}}}}}"#
        );
        for events in [vec![last.as_str()], vec![last.as_str(), "[DONE]"]] {
            let (out, reading) = told(Dialect::OpenAiResponses, Api::Messages, &events);
            assert!(out.contains(stop) && reading.fault.is_none(), "{out}");
            assert_eq!((reading.tokens.input, reading.tokens.output), (3, 5));
        }
    }
}

#[test]
fn bedrock_frames_come_in_their_own_order() {
    fact("Bedrock: `messageStop` comes before `metadata`: closing there loses the usage. `contentBlockStart` is absent for text. Payloads carry a padding key `p`.");
    let mut translator =
        Translator::new(Dialect::BedrockConverse, Api::Messages, context(), false).unwrap();
    let (mut reading, mut out) = (Reading::default(), Vec::new());
    for (name, payload) in [
        ("messageStart", r#"{"role":"assistant","p":"abc"}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"text":"a"},"p":"a"}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("messageStop", r#"{"stopReason":"end_turn"}"#),
    ] {
        translator.event(name, payload.as_bytes(), &mut reading, &mut out);
    }
    assert!(!reading.ended, "the usage is still to come");
    let usage = br#"{"usage":{"inputTokens":3,"outputTokens":5}}"#;
    translator.event("metadata", usage, &mut reading, &mut out);
    assert!(reading.ended && reading.tokens.output == 5);
    fact("A guardrail-blocked Converse reports zero tokens.");
    let blocked = whole(
        Dialect::BedrockConverse,
        r#"{"output":{"message":{"content":[{"text":"Blocked."}]}},"stopReason":"guardrail_intervened","usage":{"inputTokens":0,"outputTokens":0}}"#,
    );
    assert!(blocked.has_usage && blocked.tokens == Tokens::default());
}

#[test]
fn invoke_model_and_exceptions_are_unwrapped() {
    fact("InvokeModel streams wrap `{\"bytes\": base64}`. An error can come as HTTP 200 with one frame of `:message-type` exception and no `:event-type`");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(
        "../shared/vectors/recorded-handpicked/req_llm-bedrock-exception/response.eventstream.bin",
    );
    let Ok(frame) = fs::read(path) else {
        return println!("skipped: the recorded exception is not here");
    };
    let translator =
        Translator::new(Dialect::BedrockConverse, Api::Chat, context(), false).unwrap();
    let passage = Passage::Translated(Box::new(translator));
    let mut relay = Relay::new(
        Api::Chat,
        passage,
        meridian::answer::relay::AWS_FRAMES,
        context().id,
    );
    let mut out = Vec::new();
    relay.push(&frame, &mut out);
    let reading = relay.finish(End::Closed, &mut out);
    assert!(
        matches!(reading.fault, Some(Fault::Reported { .. })),
        "{:?}",
        reading.fault
    );
    assert!(!String::from_utf8(out).unwrap().contains("[DONE]"));
}

#[test]
fn field_22_streams_have_their_own_frames_and_ends() {
    fact("Gemini SSE is CRLF, without `[DONE]`; without `alt=sse` it is a JSON array. Perplexity ends with `chat.completion.done`. Comment lines: `: OPENROUTER PROCESSING`, `: keepalive`.");
    let array = r#"[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]}]"#;
    let mut reading = Reading::default();
    let told_whole = dialect::whole(
        Dialect::Gemini,
        Api::Chat,
        array.as_bytes(),
        context(),
        false,
        &mut reading,
    );
    assert!(told_whole.unwrap().contains("\"content\":\"ab\""));
    let perplexity = r#"{"object":"chat.completion.done","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let text =
        r#"{"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    let (out, reading) = told(Dialect::OpenAiChat, Api::Messages, &[text, perplexity]);
    assert!(reading.fault.is_none() && out.contains("message_stop"));
    fact("Azure's first chunk: `choices: []`, empty id and model, `created: 0`: do not copy the id from the first chunk.");
    let azure = r#"{"choices":[],"created":0,"id":"","model":"","prompt_filter_results":[]}"#;
    let (out, reading) = told(Dialect::OpenAiChat, Api::Messages, &[azure, text, "[DONE]"]);
    assert_eq!(reading.served_model.as_deref(), Some("m"));
    assert!(out.contains("\"model\":\"m\""));
}

#[test]
fn anthropics_pings_and_whole_inputs() {
    fact("Anthropic's `ping` mostly follows `content_block_start`. A tool's input may be complete in `content_block_start`.");
    let events = [
        r#"{"type":"message_start","message":{"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"a":1}}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let (out, _) = told(Dialect::AnthropicMessages, Api::Chat, &events);
    assert!(out.contains(r#""arguments":"{\"a\":1}""#), "{out}");
}

#[test]
fn field_14_errors_inside_a_stream_are_never_a_good_end() {
    fact("Errors inside a 200 stream: Groq `event: error` and end; OpenRouter an `error` key in a normal chunk, after the finish reason.");
    let text = r#"{"model":"m","choices":[{"index":0,"delta":{"content":"a"}}]}"#;
    let groq = r#"{"error":{"message":"no","type":"invalid_request_error"}}"#;
    let openrouter = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"error"}],"error":{"code":502,"message":"no"}}"#;
    for error in [groq, openrouter] {
        for api in [Api::Chat, Api::Responses, Api::Messages] {
            let (out, reading) = told(Dialect::OpenAiChat, api, &[text, error, "[DONE]"]);
            assert!(matches!(reading.fault, Some(Fault::Reported { .. })));
            let good = ["data: [DONE]", "message_stop", "response.completed"];
            assert!(!good.iter().any(|end| out.contains(end)), "{out}");
        }
    }
}

#[test]
fn field_14_what_breaks_off_or_fails_has_no_good_end() {
    let good = ["data: [DONE]", "message_stop", "response.completed"];
    let text = r#"{"model":"m","choices":[{"index":0,"delta":{"content":"a"}}]}"#;
    let failed = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#;
    for api in [Api::Chat, Api::Responses, Api::Messages] {
        let (out, reading) = told(Dialect::OpenAiChat, api, &[text]);
        assert_eq!(reading.fault, Some(Fault::Cut));
        assert!(!good.iter().any(|end| out.contains(end)), "{out}");

        // A whole reply, where the client wants a stream.
        let mut translator = Translator::new(Dialect::Gemini, api, context(), false).unwrap();
        let (mut reading, mut out) = (Reading::default(), Vec::new());
        translator.whole(failed.as_bytes(), &mut reading, &mut out);
        let out = String::from_utf8(out).unwrap();
        assert!(matches!(reading.fault, Some(Fault::Reported { .. })));
        assert!(!good.iter().any(|end| out.contains(end)), "{out}");
    }
}

#[test]
fn error_bodies_have_many_shapes() {
    fact("Error bodies: OpenAI `{error}`; Anthropic `{type, error, request_id}`; Bedrock `{message}` with `x-amzn-errortype`; Mistral flat `{object, message, code}` or `{detail}`; Gemini sometimes `[{error}]`.");
    for (dialect, body) in [
        (
            Dialect::OpenAiChat,
            r#"{"error":{"message":"no","type":"t"}}"#,
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"error","error":{"type":"t","message":"no"},"request_id":"r"}"#,
        ),
        (Dialect::BedrockConverse, r#"{"message":"no"}"#),
        (
            Dialect::OpenAiChat,
            r#"{"object":"error","message":"no","code":"1"}"#,
        ),
        (Dialect::OpenAiChat, r#"{"detail":"no"}"#),
        (
            Dialect::Gemini,
            r#"[{"error":{"code":400,"message":"no","status":"S"}}]"#,
        ),
    ] {
        let (_, message) = dialect::read_error(dialect, "Kind", body.as_bytes());
        assert_eq!(message, "no", "{body}");
    }
}

#[test]
fn field_20_tool_calls_come_in_many_shapes() {
    fact("Tool calls: Mistral, Groq, x.ai send id, name and all arguments in one chunk; some chunks lack `index`; a tool-only reply can start at index 1;");
    let finish = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#;
    let chunk = |calls: &str| {
        format!(r#"{{"model":"m","choices":[{{"index":0,"delta":{{"tool_calls":{calls}}}}}]}}"#)
    };
    let one = chunk(
        r#"[{"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","function":{"name":"g","arguments":"{}"}}]"#,
    );
    let late = chunk(r#"[{"index":1,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]"#);
    let (out, _) = told(
        Dialect::OpenAiChat,
        Api::Messages,
        &[&one, finish, "[DONE]"],
    );
    assert!(out.contains(r#""id":"a""#) && out.contains(r#""id":"b""#));
    assert!(out.contains(r#""index":0"#) && out.contains(r#""index":1"#));
    let (out, _) = told(
        Dialect::OpenAiChat,
        Api::Messages,
        &[&late, finish, "[DONE]"],
    );
    assert!(
        out.contains(r#""index":0"#) && !out.contains(r#""index":1"#),
        "{out}"
    );
}

#[test]
fn field_21_geminis_calls_have_no_id_and_a_signature() {
    fact("Gemini mostly sends no id (mint one) and a `thoughtSignature` that must come back next turn, sometimes on an empty text part; its finish reason is STOP also for tools.");
    let call = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"c2ln"}]},"finishReason":"STOP"}]}"#;
    let (out, _) = told(Dialect::Gemini, Api::Chat, &[call]);
    assert!(out.contains("\"id\":\"call_") && out.contains("\"finish_reason\":\"tool_calls\""));
    assert!(out.contains("meridian.c.there.c2ln"));
    let back = r#"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"meridian.c.there.c2ln"}}}]},{"role":"tool","tool_call_id":"1","content":"b"}]}"#;
    let quirks = Quirks::default();
    let (body, unsupported) = written(Api::Chat, back, Dialect::Gemini, &quirks);
    assert!(body.contains(r#""thoughtSignature":"c2ln""#) && unsupported.is_empty());
    let elsewhere = back.replace("there", "elsewhere");
    let (body, unsupported) = written(Api::Chat, &elsewhere, Dialect::Gemini, &quirks);
    assert!(!body.contains("c2ln"));
    assert_eq!(unsupported, ["messages[1].tool_calls[0]"]);
    let empty = r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"c2ln"}]},"finishReason":"STOP"}]}"#;
    assert!(told(Dialect::Gemini, Api::Messages, &[empty])
        .0
        .contains("meridian.s.there.c2ln"));
}

#[test]
fn reasoning_has_four_spellings() {
    fact("Reasoning has four spellings: `reasoning`, `reasoning_content`, `reasoning_details`, and Mistral's content as a list.");
    for delta in [
        r#"{"reasoning":"because"}"#,
        r#"{"reasoning_content":"because"}"#,
        r#"{"reasoning_details":[{"type":"reasoning.text","text":"because"}]}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"because"}]}]}"#,
    ] {
        let chunk = format!(
            r#"{{"model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":"stop"}}]}}"#
        );
        let (out, _) = told(Dialect::OpenAiChat, Api::Messages, &[&chunk, "[DONE]"]);
        assert!(out.contains(r#""thinking":"because""#), "{delta}: {out}");
    }
}

#[test]
fn field_20_results_of_parallel_calls_are_one_turn() {
    fact("Anthropic demands `max_tokens`. Parallel tool results belong into one user turn.");
    let body = r#"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"2","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"x"},{"role":"tool","tool_call_id":"2","content":"y"}]}"#;
    let quirks = Quirks::default();
    let (body, _) = written(Api::Chat, body, Dialect::AnthropicMessages, &quirks);
    let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(sent["messages"].as_array().unwrap().len(), 3);
    assert_eq!(sent["messages"][2]["content"].as_array().unwrap().len(), 2);
    assert_eq!(sent["max_tokens"], 16_384);
}

#[test]
fn what_well_known_clients_send_is_read() {
    fact("`openai` (Python) asks for base64 embeddings by default");
    let tree = Json::parse(r#"{"model":"m","input":["a"],"encoding_format":"base64"}"#).unwrap();
    assert!(dialect::embed::read(&tree).unwrap().base64);
    fact("Codex sends `store: false`, `include`, `namespace` tools to `/v1/responses`.");
    let codex = r#"{"model":"m","store":false,"include":["reasoning.encrypted_content"],"input":"a","tools":[{"type":"namespace","name":"n","description":"d","tools":[{"type":"function","name":"f"}]}]}"#;
    let quirks = Quirks::default();
    let (_, unsupported) = written(Api::Responses, codex, Dialect::AnthropicMessages, &quirks);
    let lost = ["tools[0].description"];
    assert_eq!(unsupported, lost, "the rest says nothing that is lost");
}

#[test]
fn probing_clients_are_answered() {
    fact("Claude Code sends `HEAD /`, `?beta=true`, a 117 KB body with 24 tools;");
    let head = meridian::request::head::Head::read("HEAD\n/\n\n");
    assert_eq!(head.route(), Ok(meridian::request::head::Route::Root));
}

#[test]
fn logprobs_of_google_are_told_as_openais_clients_read_them() {
    let chunk = r#"{"candidates":[{"content":{"parts":[{"text":"ja"}]},"finishReason":"STOP","logprobsResult":{"chosenCandidates":[{"token":"ja","logProbability":-0.25}],"topCandidates":[{"candidates":[{"token":"ja","logProbability":-0.25},{"token":"no","logProbability":-1.5}]}]}}]}"#;
    let wanted = r#"{"token":"ja","logprob":-0.25,"bytes":[106,97],"top_logprobs":[{"token":"ja","logprob":-0.25,"bytes":[106,97]},{"token":"no","logprob":-1.5,"bytes":[110,111]}]}"#;
    let mut context = context();
    context.reports_logprobs = true;
    for api in [Api::Chat, Api::Responses] {
        let mut reading = Reading::default();
        let body = dialect::whole(
            Dialect::Gemini,
            api,
            chunk.as_bytes(),
            context.clone(),
            false,
            &mut reading,
        );
        assert!(body.unwrap().contains(wanted), "{api}");
    }
}

#[test]
fn addresses_of_bedrock_are_signed_encoded_once_more() {
    fact("SigV4: the path is signed as sent with every segment encoded once more (`:` → `%3A` → `%253A`; ARNs need `%2F` → `%252F`); the service is `bedrock` although the host says bedrock-runtime.");
    let id = "arn:aws:bedrock:eu-central-1:1:provisioned-model/x";
    assert_eq!(
        meridian::upstream::translate::segment(id),
        "arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Aprovisioned-model%2Fx"
    );
    // The signatures themselves are in tests/aws.rs, against AWS's own.
}

#[test]
fn invoke_models_own_metrics_are_what_is_read_from_the_body() {
    fact("Bedrock InvokeModel: tokens in `x-amzn-bedrock-*-token-count` headers; streaming: `amazon-bedrock-invocationMetrics` on the last chunk.");
    let mut compared = 0;
    for folder in recorded::folders("bedrock-invoke-with-response-stream") {
        let recorded::Recorded::Stream(bytes, kind) = recorded::answer(&folder) else {
            continue;
        };
        if !recorded::is_claude(&folder) {
            continue;
        }
        let passage = Passage::AsIs {
            dialect: Dialect::AnthropicMessages,
            hide_usage: false,
        };
        let mut relay = Relay::new(Api::Messages, passage, kind, context().id);
        let mut out = Vec::new();
        relay.push(&bytes, &mut out);
        let tokens = relay.finish(End::Closed, &mut out).tokens;
        let text = String::from_utf8(out).unwrap();
        let last = text
            .lines()
            .rfind(|line| line.contains("invocationMetrics"))
            .unwrap();
        let last: serde_json::Value = serde_json::from_str(&last[6..]).unwrap();
        let metrics = &last["amazon-bedrock-invocationMetrics"];
        assert_eq!(
            Some(tokens.input),
            metrics["inputTokenCount"].as_u64(),
            "{folder:?}"
        );
        // In one recording AWS's own count is lower than Anthropic's, which counts.
        assert!(
            Some(tokens.output) >= metrics["outputTokenCount"].as_u64(),
            "{folder:?}"
        );
        compared += 1;
    }
    assert!(
        recorded::vectors("recorded").is_none() || compared >= 3,
        "{compared}"
    );
}

#[test]
fn field_11_the_premium_is_claimed_wherever_it_hides_and_prices_keep_their_source() {
    fact("The residency premium (about 1.1×) hides in five places: Anthropic `usage.inference_geo: \"us\"`, OpenAI's regional host, Vertex's regional endpoint, Azure's data zones, Bedrock's `eu.`/`jp.`/`au.` profiles.");
    fact("a row keeps its source.");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = meridian::config::Files::load(root).unwrap();
    let config = meridian::config::read(&files, "2026-11-27")
        .checked()
        .unwrap();
    for (endpoint, model) in [
        ("anthropic-us", "claude-sonnet-4-6"),
        ("openai-eu", "gpt-5.4-mini"),
        ("vertex-eu", "gemini-2.5-flash"),
        ("azure-eu-datazone", "gpt-4.1"),
        ("bedrock-frankfurt", "claude-sonnet-4-6"),
        ("bedrock-tokyo", "claude-sonnet-4-6"),
        ("bedrock-sydney", "claude-sonnet-4-6"),
    ] {
        let found = config
            .regions
            .endpoints
            .iter()
            .find(|one| one.name == endpoint);
        let claim = found.and_then(|one| one.claim(model)).unwrap();
        assert_eq!(claim.uplift_percent, 10, "{endpoint}");
    }
    let prices = fs::read_to_string(root.join("prices.toml")).unwrap();
    let tables = prices
        .lines()
        .filter(|line| line.starts_with('['))
        .filter(|line| !line.ends_with(".per_use]") && !line.ends_with(".long_input]"));
    let tables = tables.count();
    assert_eq!(prices.matches("\nsource = \"https://").count(), tables);
}

/// The types of the blocks of a message that is streamed.
fn blocks(out: &str) -> Vec<String> {
    let starts = out.split(r#""content_block":{"type":""#).skip(1);
    let kinds = starts.map(|rest| rest.split('"').next().unwrap_or_default().to_owned());
    kinds.collect()
}

/// Claude Code takes the last block of an answer for the answer. Gemini 2.5 signs the
/// first words of a stream, Gemini 3 an empty text behind the last (as recorded), and
/// insists on neither.
#[test]
fn nothing_stands_behind_the_words_of_an_answer() {
    let part = |part: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{part}]}}}}]}}"#);
    let end = r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}"#;
    let (first, words) = (
        part(r#"{"text":"a","thoughtSignature":"c2ln"}"#),
        part(r#"{"text":"b"}"#),
    );
    let (out, _) = told(Dialect::Gemini, Api::Messages, &[&first, &words, end]);
    assert_eq!(blocks(&out), ["redacted_thinking", "text"], "{out}");
    assert!(out.contains("meridian.s.there.c2ln"), "{out}");

    let behind = part(r#"{"text":"","thoughtSignature":"c2ln"}"#);
    let (out, reading) = told(
        Dialect::Gemini,
        Api::Messages,
        &[&words, &behind, &words, end],
    );
    assert_eq!(blocks(&out), ["text"], "{out}");
    assert!(
        out.contains(": meridian-dropped: thought_signature\n") && !out.contains("c2ln"),
        "{out}"
    );
    assert!(reading.left_out.contains("thought_signature") && reading.made.is_empty());

    // A call needs it, and other clients look for the words themselves.
    let call = part(r#"{"functionCall":{"name":"f","args":{}}}"#);
    let (out, reading) = told(
        Dialect::Gemini,
        Api::Messages,
        &[&words, &behind, &call, end],
    );
    assert_eq!(
        blocks(&out),
        ["text", "redacted_thinking", "tool_use"],
        "{out}"
    );
    assert!(reading.left_out.is_empty());
    let (out, _) = told(Dialect::Gemini, Api::Responses, &[&words, &behind, end]);
    assert!(out.contains("meridian.s.there.c2ln"), "{out}");

    let body = r#"{"candidates":[{"content":{"parts":[{"text":"a"},{"text":"","thoughtSignature":"c2ln"}]},"finishReason":"STOP"}]}"#;
    let mut reading = Reading::default();
    let told = dialect::whole(
        Dialect::Gemini,
        Api::Messages,
        body.as_bytes(),
        context(),
        false,
        &mut reading,
    );
    assert!(!told.unwrap().contains("redacted") && reading.left_out.contains("thought_signature"));
}
