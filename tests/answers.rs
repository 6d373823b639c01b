//! What providers answer in ways of their own, and what every client is told of
//! it: missing and misplaced fields, counts, errors inside of good answers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::answer::relay::{End, Passage, Relay};
use meridian::dialect::neutral::{Answer, Delta, Object, Part, ReplyContext};
use meridian::dialect::{self, Api, Fault, Reader, Reading, Translator};
use meridian::frame::sse;
use meridian::regions::Dialect::{self, AnthropicMessages, Gemini, OpenAiChat, OpenAiResponses};
use meridian::units::{Millis, RequestId, Tokens};
use serde_json::{json, Value};

const CLIENTS: [Api; 3] = [Api::Chat, Api::Responses, Api::Messages];

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

fn relayed(passage: Passage, api: Api, events: &[&str]) -> (String, Reading) {
    let mut relay = Relay::new(api, passage, "text/event-stream", context().id);
    let mut out = Vec::new();
    for event in events {
        relay.push(format!("data: {event}\n\n").as_bytes(), &mut out);
    }
    let reading = relay.finish(End::Closed, &mut out);
    (String::from_utf8(out).unwrap(), reading)
}

/// Events of a provider, told to a client.
fn told(from: Dialect, api: Api, events: &[&str]) -> (String, Reading) {
    let translator = Translator::new(from, api, context(), false).unwrap();
    relayed(Passage::Translated(Box::new(translator)), api, events)
}

/// Events that go on to the client as they are.
fn seen(dialect: Dialect, events: &[&str]) -> Reading {
    let passage = Passage::AsIs {
        dialect,
        hide_usage: false,
    };
    let api = match dialect {
        AnthropicMessages => Api::Messages,
        OpenAiResponses => Api::Responses,
        _ => Api::Chat,
    };
    relayed(passage, api, events).1
}

/// A whole reply, told to a client.
fn whole(from: Dialect, api: Api, body: &str) -> (Option<Value>, Reading) {
    let mut reading = Reading::default();
    let told = dialect::whole(from, api, body.as_bytes(), context(), false, &mut reading);
    let told = told.map(|text| serde_json::from_str(&text).unwrap());
    (told, reading)
}

/// A whole reply that goes on to the client as it is.
fn kept(dialect: Dialect, body: &str) -> Reading {
    let mut reading = Reading::default();
    dialect::read_reply(dialect, body.as_bytes(), &mut reading);
    reading
}

/// What a client makes of a stream.
fn heard(api: Api, stream: &str) -> Answer {
    let mut reader = Reader::of(api.native()).unwrap();
    let mut answer = Answer::default();
    let mut splitter = sse::Splitter::default();
    splitter
        .push(stream.as_bytes(), |event| {
            let Some(data) = event.data else { return };
            let mut on = |delta: Delta<'_>| answer.take(delta);
            reader.event("", &data, &mut on).unwrap();
        })
        .unwrap();
    answer
}

/// What an answer says, part by part.
fn parts(answer: &Answer) -> Vec<String> {
    let part = |part: &Part| match part {
        Part::Text(text, _) => format!("says {text}"),
        Part::Refusal(text) => format!("refuses {text}"),
        Part::Thinking { text, .. } => format!("thinks {text}"),
        Part::Call {
            id, name, input, ..
        } => format!("calls {name} {id} {input}"),
    };
    answer.parts.iter().map(part).collect()
}

fn chat_chunk(delta: &str, reason: &str) -> String {
    format!(r#"{{"model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]}}"#)
}

fn said(fault: Option<&Fault>) -> Option<&str> {
    match fault {
        Some(Fault::Reported { .. }) => fault.map(Fault::as_str),
        _ => None,
    }
}

const CALL: &str = r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"look","arguments":"{}"}}]}"#;

#[test]
fn calls_before_done_without_a_reason_are_told_as_calls() {
    let call = chat_chunk(CALL, "null");
    for (api, wanted) in [
        (Api::Chat, r#""finish_reason":"tool_calls""#),
        (Api::Messages, r#""stop_reason":"tool_use""#),
        (Api::Responses, "response.completed"),
    ] {
        let (out, reading) = told(OpenAiChat, api, &[&call, "[DONE]"]);
        assert_eq!(reading.fault, None, "{api}");
        assert_eq!(reading.stopped.as_deref(), Some("tool_calls"), "{api}");
        assert!(out.contains(wanted), "{api}: {out}");
    }
    let words = chat_chunk(r#"{"content":"a"}"#, "null");
    let (out, reading) = told(OpenAiChat, Api::Chat, &[&words, "[DONE]"]);
    assert!(out.contains(r#""finish_reason":"stop""#), "{out}");
    assert_eq!(reading.stopped.as_deref(), Some("stop"));
}

#[test]
fn a_whole_answer_without_a_reason_is_as_good_as_a_stream_that_ended() {
    let message = json!({"role": "assistant", "content": "a"});
    let call = json!({"role": "assistant", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]});
    for (message, chat, messages) in [
        (message, "stop", "end_turn"),
        (call, "tool_calls", "tool_use"),
    ] {
        let body = json!({"model": "m", "choices": [{"index": 0, "message": message}]}).to_string();
        let (told, reading) = whole(OpenAiChat, Api::Messages, &body);
        assert_eq!(reading.fault, None);
        assert_eq!(told.unwrap()["stop_reason"], messages);
        let (told, _) = whole(OpenAiChat, Api::Chat, &body);
        assert_eq!(told.unwrap()["choices"][0]["finish_reason"], chat);
    }
    let body = r#"{"type":"message","model":"m","content":[{"type":"text","text":"a"}],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}"#;
    let (told, reading) = whole(AnthropicMessages, Api::Chat, body);
    assert_eq!(reading.fault, None);
    assert_eq!(told.unwrap()["choices"][0]["finish_reason"], "stop");
    // Google says that it has not stopped then, whole or streamed.
    let body = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#;
    let (told, reading) = whole(Gemini, Api::Chat, body);
    assert!(told.is_none() && reading.fault.is_some());
    let (_, reading) = self::told(Gemini, Api::Chat, &[body]);
    assert_eq!(reading.fault, Some(Fault::Cut));
}

fn stream_with(usages: [&str; 2]) -> [String; 3] {
    let chunk = |delta: &str, reason: &str, usage: &str| {
        format!(
            r#"{{"model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}],{usage}}}"#
        )
    };
    [
        chunk(r#"{"content":"a"}"#, "null", usages[0]),
        chunk("{}", r#""stop""#, usages[1]),
        "[DONE]".to_owned(),
    ]
}

fn counted(tokens: &Tokens) -> (u64, u64, u64, u64, u64, u64) {
    (
        tokens.input,
        tokens.cache_read,
        tokens.audio_input,
        tokens.output,
        tokens.reasoning,
        tokens.audio_output,
    )
}

/// A usage in each of the ways a chat provider can tell it.
fn usages(field: &str, wanted: (u64, u64, u64, u64, u64, u64)) {
    let events = stream_with([r#""usage":null"#, field]);
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let message = r#""choices":[{"message":{"content":"a"},"finish_reason":"stop"}]"#;
    let body = format!(r#"{{"model":"m",{message},{field}}}"#);
    for reading in [
        told(OpenAiChat, Api::Messages, &events).1,
        seen(OpenAiChat, &events),
        whole(OpenAiChat, Api::Messages, &body).1,
        kept(OpenAiChat, &body),
    ] {
        assert_eq!(reading.fault, None, "{field}");
        assert!(reading.has_usage, "{field}");
        assert_eq!(counted(&reading.tokens), wanted, "{field}");
        let unknown = &reading.beyond.unknown;
        assert!(unknown.is_empty(), "{field}: {unknown:?}");
    }
}

#[test]
fn a_count_that_is_still_to_come_does_not_break_a_stream() {
    let open = r#""usage":{"prompt_tokens":13,"completion_tokens":null,"total_tokens":null}"#;
    let last = r#""usage":{"prompt_tokens":13,"completion_tokens":7,"total_tokens":20}"#;
    for (usages, wanted) in [([open, last], Some(7)), ([last, open], Some(7))] {
        let events = stream_with(usages);
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        for reading in [
            told(OpenAiChat, Api::Messages, &events).1,
            seen(OpenAiChat, &events),
        ] {
            assert_eq!(reading.fault, None);
            assert_eq!(Some(reading.tokens.output), wanted);
            assert_eq!((reading.tokens.input, reading.has_usage), (13, true));
        }
    }
    // Where it never comes, what came out is not known, and not nothing.
    let events = stream_with([open, open]);
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    for reading in [
        told(OpenAiChat, Api::Messages, &events).1,
        seen(OpenAiChat, &events),
    ] {
        assert_eq!((reading.tokens.input, reading.has_usage), (13, false));
        assert_eq!(reading.fault, None);
    }
}

#[test]
fn a_usage_that_cannot_be_read_marks_the_row_and_breaks_nothing() {
    let odd = r#""usage":{"prompt_tokens":"many","completion_tokens":7}"#;
    let events = stream_with([r#""usage":null"#, odd]);
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let start =
        r#"{"type":"message_start","message":{"model":"m","usage":{"input_tokens":"many"}}}"#;
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":-1}}"#;
    let messages = [start, stop, r#"{"type":"message_stop"}"#];
    for reading in [
        told(OpenAiChat, Api::Messages, &events).1,
        told(AnthropicMessages, Api::Chat, &messages).1,
    ] {
        assert_eq!(reading.fault, None);
        assert!(reading.beyond.unknown.contains("usage"));
    }
}

#[test]
fn audio_of_the_prompt_is_input() {
    // Voxtral's, as it was recorded, and without the detail.
    usages(
        r#""usage":{"completion_tokens":15,"prompt_audio_seconds":5,"prompt_tokens":11,"prompt_tokens_details":{"audio_tokens":375,"cached_tokens":9},"total_tokens":401}"#,
        (2, 9, 375, 15, 0, 0),
    );
    for details in ["", r#","prompt_tokens_details":null"#] {
        usages(
            &format!(
                r#""usage":{{"completion_tokens":15,"prompt_audio_seconds":5,"prompt_tokens":11,"total_tokens":401{details}}}"#
            ),
            (11, 0, 375, 15, 0, 0),
        );
    }
}

#[test]
fn no_share_is_larger_than_what_it_is_a_share_of() {
    // Grok at Azure tells more cached tokens than the prompt has.
    usages(
        r#""usage":{"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,"prompt_tokens_details":{"cached_tokens":128}}"#,
        (0, 100, 0, 5, 0, 0),
    );
    // Where the total says that they stand beside it, they do.
    usages(
        r#""usage":{"prompt_tokens":100,"completion_tokens":5,"total_tokens":233,"prompt_tokens_details":{"cached_tokens":128}}"#,
        (100, 128, 0, 5, 0, 0),
    );
    let usage = r#"{"input_tokens":100,"output_tokens":5,"total_tokens":105,"input_tokens_details":{"cached_tokens":128,"cache_write_tokens":3}}"#;
    let body = format!(r#"{{"model":"m","status":"completed","output":[],"usage":{usage}}}"#);
    let tokens = kept(OpenAiResponses, &body).tokens;
    assert_eq!((tokens.input_total(), tokens.cache_read), (100, 100));
    let body = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":128,"candidatesTokenCount":5}}"#;
    let tokens = whole(Gemini, Api::Chat, body).1.tokens;
    assert_eq!((tokens.input_total(), tokens.cache_read), (100, 100));
}

#[test]
fn usage_is_found_where_hosts_put_it() {
    let usage = r#"{"prompt_tokens":20,"completion_tokens":7,"total_tokens":27,"queue_time":0.1}"#;
    usages(
        &format!(r#""x_groq":{{"id":"req_1","usage":{usage}}}"#),
        (20, 0, 0, 7, 0, 0),
    );
    // Moonshot's streams have it in the choice.
    let choice = r#"{"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":20,"completion_tokens":7,"total_tokens":27,"cached_tokens":12}}]}"#;
    for reading in [
        told(OpenAiChat, Api::Messages, &[choice, "[DONE]"]).1,
        seen(OpenAiChat, &[choice, "[DONE]"]),
    ] {
        assert!(reading.has_usage);
        assert_eq!(counted(&reading.tokens), (8, 12, 0, 7, 0, 0));
    }
}

#[test]
fn cached_and_reasoning_tokens_are_read_under_every_name() {
    for name in [
        r#""cached_tokens":12"#,
        r#""num_cached_tokens":12"#,
        r#""prompt_cache_hit_tokens":12,"prompt_cache_miss_tokens":8"#,
        r#""prompt_token_details":{"cached_tokens":12}"#,
        r#""cached_tokens":12,"prompt_tokens_details":{"cached_tokens":12}"#,
        r#""cache_read_input_tokens":12"#,
    ] {
        usages(
            &format!(
                r#""usage":{{"prompt_tokens":20,"completion_tokens":7,"total_tokens":27,"reasoning_tokens":5,{name}}}"#
            ),
            (8, 12, 0, 7, 5, 0),
        );
    }
}

#[test]
fn reasoning_that_has_a_count_of_its_own_is_output() {
    let usage = r#"{"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,"reasoning_tokens":73997}"#;
    usages(
        &format!(r#""usage":{usage}"#),
        (33, 0, 0, 81_160, 73_997, 0),
    );
}

#[test]
fn content_that_is_an_object_is_told_as_its_json() {
    let events = [
        chat_chunk(r#"{"content":{"city":"Paris"}}"#, "null"),
        chat_chunk("{}", r#""stop""#),
    ];
    let body = r#"{"model":"m","choices":[{"message":{"role":"assistant","content":{"city":"Paris"}},"finish_reason":"stop"}]}"#;
    for api in CLIENTS {
        let (out, reading) = told(OpenAiChat, api, &[&events[0], &events[1], "[DONE]"]);
        assert_eq!(reading.fault, None, "{api}");
        let wanted = [r#"says {"city":"Paris"}"#];
        assert_eq!(parts(&heard(api, &out)), wanted, "{api}");
        let (told, _) = whole(OpenAiChat, api, body);
        let text = told.unwrap().to_string();
        assert!(text.contains(r#"{\"city\":\"Paris\"}"#), "{api}: {text}");
    }
}

#[test]
fn an_error_in_a_choice_is_an_error() {
    let error = r#"{"code":502,"message":"The provider broke","metadata":{}}"#;
    let chunk = format!(
        r#"{{"model":"m","choices":[{{"index":0,"delta":{{"content":""}},"error":{error},"finish_reason":"error"}}]}}"#
    );
    let body = format!(
        r#"{{"model":"m","choices":[{{"index":0,"message":{{"content":"a"}},"error":{error},"finish_reason":"error"}}]}}"#
    );
    let top = r#"{"error":{"code":502,"message":"The provider broke"}}"#;
    for reading in [
        told(OpenAiChat, Api::Messages, &[&chunk, "[DONE]"]).1,
        seen(OpenAiChat, &[&chunk, "[DONE]"]),
        whole(OpenAiChat, Api::Messages, &body).1,
        kept(OpenAiChat, &body),
        kept(OpenAiChat, top),
    ] {
        assert_eq!(said(reading.fault.as_ref()), Some("502"));
    }
    // Also where nothing is said of it, and where an error is only a text.
    let bare = chat_chunk(r#"{"content":"a"}"#, r#""error""#);
    let text = r#"{"error":"The provider broke"}"#;
    for reading in [
        told(OpenAiChat, Api::Messages, &[&bare, "[DONE]"]).1,
        seen(OpenAiChat, &[&bare, "[DONE]"]),
        seen(OpenAiChat, &[text]),
        kept(OpenAiChat, text),
    ] {
        assert_eq!(said(reading.fault.as_ref()), Some("error"));
    }
}

#[test]
fn an_error_of_anthropics_dialect_in_a_good_answer_is_an_error() {
    let body = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    for reading in [
        kept(AnthropicMessages, body),
        whole(AnthropicMessages, Api::Chat, body).1,
    ] {
        assert_eq!(said(reading.fault.as_ref()), Some("overloaded_error"));
    }
}

#[test]
fn a_chunk_with_null_for_choices_is_none_that_breaks_a_stream() {
    let words = chat_chunk(r#"{"content":"a"}"#, r#""stop""#);
    let last = r#"{"model":"m","choices":null,"usage":{"prompt_tokens":3,"completion_tokens":5}}"#;
    for reading in [
        told(OpenAiChat, Api::Messages, &[&words, last, "[DONE]"]).1,
        seen(OpenAiChat, &[&words, last, "[DONE]"]),
    ] {
        assert_eq!(reading.fault, None);
        assert_eq!(counted(&reading.tokens), (3, 0, 0, 5, 0, 0));
    }
}

#[test]
fn what_mistral_finds_wrong_with_fields_is_told() {
    let body = r#"{"object":"error","detail":[{"type":"missing","loc":["body","messages",0,"content"],"msg":"Field required","input":{}},{"loc":["body","n"],"msg":"Input should be less than 9"}]}"#;
    let (_, message) = dialect::read_error(OpenAiChat, "", body.as_bytes());
    assert_eq!(
        message,
        "body.messages.0.content: Field required; body.n: Input should be less than 9"
    );
    let body = r#"{"detail":"Unauthorized"}"#;
    let (_, message) = dialect::read_error(OpenAiChat, "", body.as_bytes());
    assert_eq!(message, "Unauthorized");
}

#[test]
fn a_new_id_at_the_same_index_is_another_call() {
    let piece = |id: &str, name: &str, arguments: &str| {
        let arguments = serde_json::to_string(arguments).unwrap();
        let call = format!(
            r#"{{"tool_calls":[{{"index":0,{id}"function":{{{name}"arguments":{arguments}}}}}]}}"#
        );
        chat_chunk(&call, "null")
    };
    let events = [
        piece(r#""id":"call_1","#, r#""name":"look","#, r#"{"a":"#),
        piece(r#""id":"call_1","#, r#""name":"look","#, "1"),
        // Some hosts mint an id for each piece, but name the tool only once.
        piece(r#""id":"chatcmpl-tool-7","#, "", "}"),
        piece(r#""id":"call_2","#, r#""name":"look","#, r#"{"b":2}"#),
        chat_chunk("{}", r#""tool_calls""#),
        "[DONE]".to_owned(),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    for api in CLIENTS {
        let (out, reading) = told(OpenAiChat, api, &events);
        assert_eq!(reading.fault, None, "{api}");
        let wanted = [
            r#"calls look call_1 {"a":1}"#,
            r#"calls look call_2 {"b":2}"#,
        ];
        assert_eq!(parts(&heard(api, &out)), wanted, "{api}: {out}");
    }
}

#[test]
fn words_between_pieces_of_a_call_come_after_it_and_are_not_lost() {
    let piece = |call: &str| chat_chunk(&format!(r#"{{"tool_calls":[{call}]}}"#), "null");
    let events = [
        chat_chunk(r#"{"content":"before"}"#, "null"),
        piece(r#"{"index":0,"id":"call_1","function":{"name":"look","arguments":"{\"a\":"}}"#),
        chat_chunk(r#"{"reasoning_content":"hm"}"#, "null"),
        chat_chunk(r#"{"content":"be"}"#, "null"),
        chat_chunk(r#"{"content":"tween"}"#, "null"),
        piece(r#"{"index":1,"id":"call_2","function":{"name":"find","arguments":"{}"}}"#),
        piece(r#"{"index":0,"function":{"arguments":"1}"}}"#),
        chat_chunk(r#"{"content":"after"}"#, r#""tool_calls""#),
        "[DONE]".to_owned(),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    for api in [Api::Responses, Api::Messages] {
        let (out, reading) = told(OpenAiChat, api, &events);
        assert_eq!(reading.fault, None, "{api}");
        let wanted = [
            "says before",
            r#"calls look call_1 {"a":1}"#,
            "thinks hm",
            "says between",
            "calls find call_2 {}",
            "says after",
        ];
        assert_eq!(parts(&heard(api, &out)), wanted, "{api}: {out}");
    }
}

#[test]
fn what_is_still_open_at_the_end_is_told_with_the_words_that_waited() {
    let events = [
        chat_chunk(
            r#"{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"look","arguments":""}}]}"#,
            "null",
        ),
        chat_chunk(r#"{"content":"so"}"#, "null"),
        chat_chunk("{}", r#""tool_calls""#),
        "[DONE]".to_owned(),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let (out, _) = told(OpenAiChat, Api::Messages, &events);
    let got = parts(&heard(Api::Messages, &out));
    assert_eq!(got, ["calls look call_1 {}", "says so"], "{out}");
}

/// How providers say that a request is too long: dialect, status, what stands
/// beside the body, the body.
const TOO_LONG: [(Dialect, u16, &str, &str); 17] = [
    // OpenAI, Azure.
    (
        OpenAiChat,
        400,
        "",
        r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 137500 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
    ),
    (
        OpenAiResponses,
        400,
        "",
        r#"{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"#,
    ),
    (
        OpenAiChat,
        400,
        "",
        r#"{"error":{"message":"Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300018 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
    ),
    // Anthropic, its hosts, Converse.
    (
        AnthropicMessages,
        400,
        "",
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 137500 tokens > 128000 maximum"}}"#,
    ),
    (
        AnthropicMessages,
        400,
        "ValidationException",
        r#"{"message":"Input is too long for requested model."}"#,
    ),
    (
        Dialect::BedrockConverse,
        400,
        "ValidationException",
        r#"{"message":"The model returned the following errors: Input is too long for requested model."}"#,
    ),
    (
        Dialect::BedrockConverse,
        400,
        "ValidationException",
        r#"{"message":"The model returned the following errors: prompt is too long: 137500 tokens > 128000 maximum"}"#,
    ),
    (
        Dialect::BedrockConverse,
        400,
        "ValidationException",
        r#"{"message":"This model's maximum context length is 128000 tokens. Please reduce the length of the prompt"}"#,
    ),
    // Google.
    (
        Gemini,
        400,
        "",
        r#"{"error":{"code":400,"message":"The input token count (137500) exceeds the maximum number of tokens allowed (128000).","status":"INVALID_ARGUMENT"}}"#,
    ),
    (
        Gemini,
        400,
        "",
        r#"[{"error":{"code":400,"message":"Unable to submit request because the input token count is 137500 but model only supports up to 128000. Reduce the input token count and try again.","status":"INVALID_ARGUMENT"}}]"#,
    ),
    // Mistral, xAI, vLLM, Cohere, Together, Groq, Moonshot.
    (
        OpenAiChat,
        400,
        "",
        r#"{"object":"error","message":"Prompt contains 137500 tokens and 0 draft tokens, too large for model with 128000 maximum context length","type":"invalid_request_error","param":null,"code":"3051"}"#,
    ),
    (
        OpenAiChat,
        400,
        "",
        r#"{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 128000 but the request contains 137500 tokens."}"#,
    ),
    (
        OpenAiChat,
        400,
        "",
        r#"{"object":"error","message":"This model's maximum context length is 128000 tokens. However, you requested 137500 tokens (137000 in the messages, 500 in the completion). Please reduce the length of the messages or completion.","type":"BadRequestError","param":null,"code":400}"#,
    ),
    (
        OpenAiChat,
        400,
        "",
        r#"{"message":"too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer inputs."}"#,
    ),
    (
        OpenAiChat,
        422,
        "",
        r#"{"error":{"message":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 128000. Given: 137500 `inputs` tokens and 512 `max_new_tokens`","type":"invalid_request_error","param":null,"code":null}}"#,
    ),
    (
        OpenAiChat,
        413,
        "",
        r#"{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
    ),
    (
        OpenAiChat,
        400,
        "",
        r#"{"error":{"message":"Invalid request: Your request exceeded model token limit: 128000 (requested: 137500)","type":"invalid_request_error"}}"#,
    ),
];

#[test]
fn too_long_is_told_in_the_clients_own_terms_whoever_says_it() {
    let id = context().id;
    for (dialect, status, beside, body) in TOO_LONG {
        let (kind, message) = dialect::read_error(dialect, beside, body.as_bytes());
        for api in CLIENTS {
            let told = dialect::failure_body(api, status, &kind, &message, &id);
            let told: Value = serde_json::from_str(&told).unwrap();
            let error = &told["error"];
            let text = error["message"].as_str().unwrap();
            assert!(text.ends_with(&message), "{api}: {text}");
            assert_eq!(error["type"], "invalid_request_error", "{api}: {body}");
            if api == Api::Messages {
                let long = text.starts_with("prompt is too long: ");
                assert!(long, "{text}");
                let numbers = message.contains("137500") && message.contains("128000");
                let numbers = numbers && !message.contains("Given: ");
                // What is to come out as well is no part of the prompt.
                let prompt = if message.contains("137000 in") {
                    137_000
                } else {
                    137_500
                };
                let wanted = format!("prompt is too long: {prompt} tokens > 128000 maximum");
                assert_eq!(text.starts_with(&wanted), numbers, "{text}");
            } else {
                assert_eq!(error["code"], "context_length_exceeded", "{body}");
                let field = if api == Api::Chat {
                    "messages"
                } else {
                    "input"
                };
                assert_eq!(error["param"], field);
            }
        }
        assert_eq!(dialect::failure_status(status, &kind, &message), 400);
    }
}

#[test]
fn a_prompt_that_fits_without_its_answer_is_not_told_to_be_too_long() {
    let message = "This model's maximum context length is 32768 tokens. However, you requested 8192 output tokens and your prompt contains at least 24577 input tokens, for a total of at least 32769 tokens.";
    let anthropics = "input length and `max_tokens` exceed context limit: 24577 + 8192 > 32768, decrease input length or `max_tokens` and try again";
    let told = |api: Api, message: &str| {
        let body = dialect::failure_body(api, 400, "BadRequestError", message, &context().id);
        let body: Value = serde_json::from_str(&body).unwrap();
        body["error"]["message"].as_str().unwrap().to_owned()
    };
    assert!(told(Api::Messages, message).starts_with(anthropics));
    assert_eq!(told(Api::Chat, message), message);
    let wanted = "This model's maximum context length is 32768 tokens. However, you requested 32769 tokens (24577 in the messages, 8192 in the completion).";
    assert!(told(Api::Chat, anthropics).starts_with(wanted));
    assert_eq!(told(Api::Messages, anthropics), anthropics);
}

#[test]
fn too_long_is_told_again_only_to_those_who_would_not_know_it() {
    let id = context().id;
    for (dialect, status, beside, body) in TOO_LONG {
        let api = match dialect {
            OpenAiChat => Api::Chat,
            OpenAiResponses => Api::Responses,
            AnthropicMessages => Api::Messages,
            _ => continue,
        };
        let told = dialect::reworded_error(api, dialect, status, beside, body.as_bytes(), &id);
        let known = match api {
            Api::Messages => body.contains("prompt is too long"),
            _ => body.contains("context_length_exceeded") && status == 400,
        };
        assert_eq!(told.is_none(), known, "{body}");
    }
    // What is something else, or only quotes the caller, stays what it is.
    for (status, body) in [
        (
            400,
            r#"{"error":{"message":"Invalid 'messages[0].content': prompt is too long: 5 tokens > 4 maximum","type":"invalid_request_error","code":null}}"#,
        ),
        (
            429,
            r#"{"error":{"message":"prompt is too long: 5 tokens > 4 maximum","type":"tokens","code":"rate_limit_exceeded"}}"#,
        ),
        (
            500,
            r#"{"error":{"message":"This model's maximum context length is 4 tokens","type":"server_error"}}"#,
        ),
        (400, "null"),
        (400, ""),
    ] {
        for api in [Api::Chat, Api::Messages] {
            let told = dialect::reworded_error(api, api.native(), status, "", body.as_bytes(), &id);
            assert_eq!(told, None, "{body}");
            let (kind, message) = dialect::read_error(OpenAiChat, "", body.as_bytes());
            assert_eq!(dialect::failure_status(status, &kind, &message), status);
        }
    }
}

#[test]
fn too_long_in_a_stream_is_told_in_the_clients_own_terms() {
    let failed = r#"{"type":"response.failed","response":{"id":"resp_1","status":"failed","error":{"code":"context_length_exceeded","message":"Your input exceeds the context window of this model. Please adjust your input and try again."}}}"#;
    let chat = r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, you requested 137500 tokens","type":"BadRequestError","code":400}}"#;
    for (from, event) in [(OpenAiResponses, failed), (OpenAiChat, chat)] {
        for (api, wanted) in [
            (Api::Chat, r#""code":"context_length_exceeded""#),
            (Api::Responses, r#""code":"context_length_exceeded""#),
            (Api::Messages, r#""message":"prompt is too long: "#),
        ] {
            let (out, reading) = told(from, api, &[event]);
            assert!(out.contains(wanted), "{api}: {out}");
            assert!(reading.fault.is_some() && !out.contains("[DONE]"));
            if api == Api::Messages {
                assert!(out.contains(r#""type":"invalid_request_error""#), "{out}");
            }
        }
    }
    // Converse has an exception instead of an event.
    let mut translator =
        Translator::new(Dialect::BedrockConverse, Api::Messages, context(), false).unwrap();
    let (mut reading, mut out) = (Reading::default(), Vec::new());
    let body = br#"{"message":"Input is too long for requested model."}"#;
    translator.exception("validationException", body, &mut reading, &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains(r#""message":"prompt is too long: "#), "{out}");
}

/// A frame of AWS's that is an exception.
fn exception(kind: &str, payload: &[u8]) -> Vec<u8> {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let mut headers = Vec::new();
    for (name, value) in [(":message-type", "exception"), (":exception-type", kind)] {
        headers.push(name.len() as u8);
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let mut bytes = Vec::new();
    let length = 16 + headers.len() + payload.len();
    bytes.extend((length as u32).to_be_bytes());
    bytes.extend((headers.len() as u32).to_be_bytes());
    bytes.extend(crc.checksum(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload);
    bytes.extend(crc.checksum(&bytes).to_be_bytes());
    bytes
}

#[test]
fn too_long_in_a_frame_of_claudes_host_is_told_as_claude_says_it() {
    let body = br#"{"message":"Input is too long for requested model."}"#;
    let passage = Passage::AsIs {
        dialect: AnthropicMessages,
        hide_usage: false,
    };
    let kind = "application/vnd.amazon.eventstream";
    let mut relay = Relay::new(Api::Messages, passage, kind, context().id);
    let mut out = Vec::new();
    relay.push(&exception("validationException", body), &mut out);
    let reading = relay.finish(End::Closed, &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains(r#""message":"prompt is too long: "#), "{out}");
    assert!(out.contains(r#""type":"invalid_request_error""#), "{out}");
    assert_eq!(said(reading.fault.as_ref()), Some("validationException"));
}
