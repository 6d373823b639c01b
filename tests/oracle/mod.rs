//! What a recorded answer says, read a second time and independently of the
//! code: by walking plain JSON, without any of the project's readers.

use meridian::regions::Dialect;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an answer says.
#[derive(Debug, Default, PartialEq)]
pub struct Said {
    pub text: String,
    pub thoughts: String,
    pub calls: Vec<(String, Value)>,
    /// The provider said that it failed.
    pub failed: bool,
}

/// Pieces of calls, by whatever tells them apart.
#[derive(Default)]
struct Calls {
    order: Vec<String>,
    names: BTreeMap<String, String>,
    inputs: BTreeMap<String, String>,
}

impl Calls {
    fn begin(&mut self, key: String, name: &str) {
        self.order.push(key.clone());
        self.names.insert(key, name.to_owned());
    }

    fn more(&mut self, key: &str, json: &str) {
        self.inputs
            .entry(key.to_owned())
            .or_default()
            .push_str(json);
    }

    fn finish(self) -> Vec<(String, Value)> {
        let one = |key: String| {
            let text = self.inputs.get(&key).map_or("", String::as_str);
            let text = if text.trim().is_empty() { "{}" } else { text };
            let input = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
            (self.names[&key].clone(), input)
        };
        self.order.clone().into_iter().map(one).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A whole reply.
pub fn whole(dialect: Dialect, bytes: &[u8]) -> Said {
    let body: Value = serde_json::from_slice(bytes).unwrap();
    let mut said = Said {
        failed: body["error"].is_object(),
        ..Said::default()
    };
    match dialect {
        Dialect::OpenAiChat => chat(&[body["choices"][0]["message"].clone()], &mut said),
        Dialect::OpenAiResponses => {
            responses(&body, &mut said);
            said.failed = body["status"] == "failed";
        }
        Dialect::AnthropicMessages => anthropic(&body, &mut said),
        Dialect::BedrockConverse => converse(&body, &mut said),
        Dialect::Gemini => {
            let chunks = match body.as_array() {
                Some(chunks) => chunks.clone(),
                None => vec![body],
            };
            gemini(&chunks, &mut said);
        }
        Dialect::CohereEmbed => {}
    }
    said
}

fn chat(messages: &[Value], said: &mut Said) {
    let mut calls = Calls::default();
    for message in messages {
        match &message["content"] {
            Value::String(content) => said.text.push_str(content),
            Value::Array(parts) => {
                for part in parts {
                    said.text.push_str(text(&part["text"]));
                    for thought in list(&part["thinking"]) {
                        said.thoughts.push_str(text(&thought["text"]));
                    }
                }
            }
            _ => {}
        }
        said.text.push_str(text(&message["refusal"]));
        let plain = [&message["reasoning_content"], &message["reasoning"]];
        match plain
            .into_iter()
            .find(|spelling| !text(spelling).is_empty())
        {
            Some(thoughts) => said.thoughts.push_str(text(thoughts)),
            None => {
                for detail in list(&message["reasoning_details"]) {
                    said.thoughts.push_str(text(&detail["text"]));
                    said.thoughts.push_str(text(&detail["summary"]));
                }
            }
        }
        for call in list(&message["tool_calls"]) {
            // A new id is a new call; without one it goes on.
            let id = text(&call["id"]);
            let index = call["index"].to_string();
            let key = match calls.order.iter().rev().find(|key| **key == index) {
                Some(_) => index,
                None if !id.is_empty() => {
                    let key = if call["index"].is_null() {
                        id.to_owned()
                    } else {
                        index
                    };
                    calls.begin(key.clone(), text(&call["function"]["name"]));
                    key
                }
                None => continue,
            };
            match &call["function"]["arguments"] {
                Value::String(json) => calls.more(&key, json),
                Value::Null => {}
                object => calls.more(&key, &object.to_string()),
            }
        }
    }
    said.calls = calls.finish();
}

fn responses(response: &Value, said: &mut Said) {
    for item in list(&response["output"]) {
        match text(&item["type"]) {
            "message" => {
                for part in list(&item["content"]) {
                    said.text.push_str(text(&part["text"]));
                    said.text.push_str(text(&part["refusal"]));
                }
            }
            "reasoning" => {
                for part in list(&item["summary"]).iter().chain(list(&item["content"])) {
                    said.thoughts.push_str(text(&part["text"]));
                    said.thoughts.push('\n');
                }
            }
            "function_call" => {
                let input = text(&item["arguments"]);
                let input = if input.is_empty() { "{}" } else { input };
                let input = serde_json::from_str(input).unwrap();
                said.calls.push((text(&item["name"]).to_owned(), input));
            }
            _ => {}
        }
    }
}

fn anthropic(message: &Value, said: &mut Said) {
    for block in list(&message["content"]) {
        match text(&block["type"]) {
            "text" => said.text.push_str(text(&block["text"])),
            "thinking" => said.thoughts.push_str(text(&block["thinking"])),
            "tool_use" => {
                let name = text(&block["name"]).to_owned();
                said.calls.push((name, block["input"].clone()));
            }
            _ => {}
        }
    }
}

fn converse(body: &Value, said: &mut Said) {
    for block in list(&body["output"]["message"]["content"]) {
        said.text.push_str(text(&block["text"]));
        for part in list(&block["citationsContent"]["content"]) {
            said.text.push_str(text(&part["text"]));
        }
        said.thoughts
            .push_str(text(&block["reasoningContent"]["reasoningText"]["text"]));
        let call = &block["toolUse"];
        if call.is_object() && call["type"] != "server_tool_use" {
            let name = text(&call["name"]).to_owned();
            said.calls.push((name, call["input"].clone()));
        }
    }
}

fn gemini(chunks: &[Value], said: &mut Said) {
    const BROKEN: [&str; 3] = ["UNEXPECTED_TOOL_CALL", "MALFORMED_FUNCTION_CALL", "OTHER"];
    for chunk in chunks {
        let candidate = &chunk["candidates"][0];
        said.failed |= chunk["error"].is_object();
        said.failed |= BROKEN.contains(&text(&candidate["finishReason"]));
        for part in list(&candidate["content"]["parts"]) {
            match part["thought"] == true {
                true => said.thoughts.push_str(text(&part["text"])),
                false => said.text.push_str(text(&part["text"])),
            }
            let call = &part["functionCall"];
            if call.is_object() {
                let name = text(&call["name"]).to_owned();
                let args = match &call["args"] {
                    Value::Null => serde_json::json!({}),
                    args => args.clone(),
                };
                said.calls.push((name, args));
            }
        }
    }
}

/// A stream.
pub fn stream(dialect: Dialect, bytes: &[u8], kind: &str) -> Said {
    let mut said = Said::default();
    if !kind.starts_with("text") {
        return frames(dialect, bytes);
    }
    let events: Vec<Value> = String::from_utf8_lossy(bytes)
        .replace("\r\n", "\n")
        .split("\n\n")
        .filter_map(|block| {
            let lines = block.lines().filter_map(|line| line.strip_prefix("data:"));
            serde_json::from_str(lines.collect::<Vec<_>>().join("\n").trim()).ok()
        })
        .collect();
    said.failed = events.iter().any(|event| event["error"].is_object());
    match dialect {
        Dialect::OpenAiChat => {
            let deltas: Vec<Value> = events
                .iter()
                .flat_map(|event| list(&event["choices"]))
                .filter(|choice| choice["index"].as_u64().unwrap_or(0) == 0)
                .map(|choice| choice["delta"].clone())
                .collect();
            chat(&deltas, &mut said);
        }
        Dialect::OpenAiResponses => {
            let last = events
                .iter()
                .rev()
                .find(|event| event["response"].is_object());
            let last = last.map_or(Value::Null, |event| event["response"].clone());
            said.failed |= last["status"] == "failed" || last["status"] == "in_progress";
            // Some hosts leave the output out at the end.
            let items = events
                .iter()
                .filter(|e| e["type"] == "response.output_item.done");
            let items: Vec<Value> = items.map(|event| event["item"].clone()).collect();
            responses(&serde_json::json!({ "output": items }), &mut said);
        }
        Dialect::AnthropicMessages => anthropic_events(&events, &mut said),
        Dialect::Gemini => gemini(&events, &mut said),
        Dialect::BedrockConverse | Dialect::CohereEmbed => {}
    }
    said
}

fn anthropic_events(events: &[Value], said: &mut Said) {
    let mut calls = Calls::default();
    for event in events {
        let (delta, key) = (&event["delta"], event["index"].to_string());
        let block = &event["content_block"];
        if block["type"] == "tool_use" {
            calls.begin(key.clone(), text(&block["name"]));
            if block["input"]
                .as_object()
                .is_some_and(|input| !input.is_empty())
            {
                calls.more(&key, &block["input"].to_string());
            }
        }
        if block["type"] == "text" {
            said.text.push_str(text(&block["text"]));
        }
        said.text.push_str(text(&delta["text"]));
        said.thoughts.push_str(text(&delta["thinking"]));
        calls.more(&key, text(&delta["partial_json"]));
    }
    said.calls = calls.finish();
}

/// AWS's frames, taken apart by hand.
fn frames(dialect: Dialect, bytes: &[u8]) -> Said {
    let mut said = Said::default();
    let mut calls = Calls::default();
    let mut inner = Vec::new();
    let mut rest = bytes;
    while rest.len() > 16 {
        let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap()) as usize;
        let (length, headers) = (number(0), number(4));
        said.failed |= String::from_utf8_lossy(&rest[12..12 + headers]).contains("exception");
        let payload: Value = serde_json::from_slice(&rest[12 + headers..length - 4]).unwrap();
        rest = &rest[length..];
        if let Some(wrapped) = payload["bytes"].as_str() {
            use base64::Engine;
            let bytes = base64::engine::general_purpose::STANDARD.decode(wrapped);
            inner.push(serde_json::from_slice(&bytes.unwrap()).unwrap());
            continue;
        }
        let (delta, key) = (&payload["delta"], payload["contentBlockIndex"].to_string());
        let call = &payload["start"]["toolUse"];
        if call.is_object() && call["type"] != "server_tool_use" {
            calls.begin(key.clone(), text(&call["name"]));
        }
        said.text.push_str(text(&delta["text"]));
        said.thoughts
            .push_str(text(&delta["reasoningContent"]["text"]));
        calls.more(&key, text(&delta["toolUse"]["input"]));
    }
    said.calls = calls.finish();
    if dialect == Dialect::AnthropicMessages {
        anthropic_events(&inner, &mut said);
    }
    said
}
