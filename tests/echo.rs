//! What the gateway answers is taken back: a client's next request holds the whole
//! answer, as its SDK sends it, and every provider can be asked with it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "recorded/mod.rs"]
mod recorded;

use meridian::dialect::neutral::{Json, Object, ReplyContext, Signers, Target};
use meridian::dialect::{self, Api, Reading};
use meridian::regions::{Dialect, Quirks, ThinkingStyle};
use meridian::units::{Millis, RequestId};
use recorded::{folders, status, Kind, FOLDERS};
use serde_json::{json, Value};
use std::fs;

const CLIENTS: [Api; 3] = [Api::Chat, Api::Responses, Api::Messages];
/// A dialect, a model behind it, and how that thinks.
type Asked = (Dialect, &'static str, Option<ThinkingStyle>);

const TARGETS: [Asked; 7] = [
    (Dialect::OpenAiChat, "mistral", Some(ThinkingStyle::None)),
    (Dialect::OpenAiResponses, "gpt", Some(ThinkingStyle::Effort)),
    (
        Dialect::AnthropicMessages,
        "claude",
        Some(ThinkingStyle::Adaptive),
    ),
    (
        Dialect::AnthropicMessages,
        "claude",
        Some(ThinkingStyle::Budget),
    ),
    (
        Dialect::BedrockConverse,
        "claude",
        Some(ThinkingStyle::Budget),
    ),
    (Dialect::BedrockConverse, "nova", Some(ThinkingStyle::None)),
    (Dialect::Gemini, "gemini", Some(ThinkingStyle::Effort)),
];

/// Every whole answer that was recorded, and those of the goldens.
fn answers() -> Vec<(String, Dialect, Vec<u8>)> {
    let mut answers = Vec::new();
    for dialect in [
        "openai-chat",
        "openai-responses",
        "anthropic-messages",
        "bedrock-converse",
        "gemini",
    ] {
        let path = format!(
            "{}/tests/golden/dialects/{dialect}.answer.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let known = serde_json::from_value(json!(dialect)).unwrap();
        answers.push((dialect.to_owned(), known, fs::read(path).unwrap()));
    }
    for (name, kind, _) in FOLDERS {
        let Kind::Talk(dialect) = kind else { continue };
        for folder in folders(name) {
            let body = folder.join("response.json");
            if body.exists() && status(&folder) == 200 {
                answers.push((
                    folder.display().to_string(),
                    dialect,
                    fs::read(body).unwrap(),
                ));
            }
        }
    }
    answers
}

/// An answer as a client gets it, if it is one.
fn told(from: Dialect, api: Api, body: &[u8]) -> Option<Value> {
    let context = ReplyContext {
        id: RequestId::new(Millis(0), 0),
        at: Millis(1_700_000_000_000),
        endpoint: "maker".to_owned(),
        model: "asked".to_owned(),
        reports_usage: true,
        reports_logprobs: false,
        echo: Object::new(),
        custom: Default::default(),
        namespaces: Default::default(),
    };
    let mut reading = Reading::default();
    let told = dialect::whole(from, api, body, context, false, &mut reading)?;
    reading
        .fault
        .is_none()
        .then(|| serde_json::from_str(&told).unwrap())
}

/// The next request, as clients make it: all of the answer, a result for each call, and
/// thinking.
fn next(api: Api, answer: &Value) -> Value {
    match api {
        Api::Chat => {
            let message = &answer["choices"][0]["message"];
            let mut messages = vec![json!({"role": "user", "content": "hi"}), message.clone()];
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                messages
                    .push(json!({"role": "tool", "tool_call_id": call["id"], "content": "done"}));
            }
            messages.push(json!({"role": "user", "content": "and?"}));
            json!({"model": "m", "reasoning_effort": "high", "messages": messages})
        }
        Api::Responses => {
            let mut input = vec![json!({"role": "user", "content": "hi"})];
            for item in answer["output"].as_array().unwrap() {
                input.push(item.clone());
                if item["type"] == "function_call" {
                    input.push(json!({"type": "function_call_output", "call_id": item["call_id"], "output": "done"}));
                }
            }
            input.push(json!({"role": "user", "content": "and?"}));
            json!({"model": "m", "reasoning": {"effort": "high"}, "store": false, "input": input})
        }
        _ => {
            let content = answer["content"].as_array().unwrap();
            let calls = content.iter().filter(|block| block["type"] == "tool_use");
            let mut said: Vec<Value> = calls
                .map(|call| json!({"type": "tool_result", "tool_use_id": call["id"], "content": "done"}))
                .collect();
            said.push(json!({"type": "text", "text": "and?"}));
            json!({"model": "m", "max_tokens": 9_000, "thinking": {"type": "adaptive"}, "messages": [
                {"role": "user", "content": "hi"}, {"role": "assistant", "content": content}, {"role": "user", "content": said}]})
        }
    }
}

/// What stands against asking a provider with it.
fn wrong(api: Api, request: &Value, one: Asked) -> Option<String> {
    let (dialect, model, thinking) = one;
    let text = request.to_string();
    let tree = Json::parse_request(&text).unwrap();
    let ask = match dialect::read_request(api, &tree) {
        Ok(ask) => ask,
        Err(refusal) => return Some(format!("{refusal:?}")),
    };
    let (quirks, signers) = (Quirks::default(), Signers::default());
    let target = Target {
        endpoint: "other",
        model,
        name: model,
        quirks: &quirks,
        thinking,
        without: &[],
        signers: &signers,
        max_output: 16_384,
        longest: 128_000,
        asks_for_usage: false,
    };
    let (written, unsupported) = dialect::write_request(dialect, &ask, target).unwrap();
    if !unsupported.are_only_hints() {
        return Some(format!("refused: {:?}", unsupported.refused()));
    }
    let text = written.to_text();
    let empty = [
        r#""content":[]"#,
        r#""parts":[]"#,
        r#""text":"""#,
        "meridian.",
    ];
    let empty = empty.into_iter().find(|empty| text.contains(empty));
    // A signature of Google's stands beside a text without words.
    let empty = empty.filter(|empty| dialect != Dialect::Gemini || !empty.starts_with(r#""text""#));
    empty.map(|empty| format!("{empty} is in {text}"))
}

#[test]
fn what_is_answered_is_taken_back_whoever_is_asked_next() {
    let (mut tried, mut against) = (0, Vec::new());
    for (name, from, body) in answers() {
        for api in CLIENTS {
            let Some(answer) = told(from, api, &body) else {
                continue;
            };
            let request = next(api, &answer);
            for one in TARGETS {
                tried += 1;
                let wrong = wrong(api, &request, one);
                against
                    .extend(wrong.map(|wrong| format!("{name} to {api}, then {:?}: {wrong}", one)));
            }
        }
    }
    println!("{tried} next requests, {} refused", against.len());
    let first: Vec<&String> = against.iter().take(20).collect();
    assert!(
        against.is_empty(),
        "{} of {tried}: {first:#?}",
        against.len()
    );
    assert!(tried >= 15 * TARGETS.len(), "{tried}");
}
