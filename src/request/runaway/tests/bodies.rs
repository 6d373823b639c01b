//! Requests as agents send them: the model calls a tool, the tool answers, and
//! the next request has it all.

use serde_json::{json, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    Chat,
    Messages,
    Responses,
}

pub const APIS: [Api; 3] = [Api::Chat, Api::Messages, Api::Responses];

/// A conversation that grows.
#[derive(Debug, Clone)]
pub struct Talk {
    api: Api,
    steps: usize,
    list: Vec<Value>,
}

impl Talk {
    pub fn new(api: Api, who: &str) -> Talk {
        let mut talk = Talk {
            api,
            steps: 0,
            list: Vec::new(),
        };
        if api == Api::Chat {
            let system = "You find things in the shop's catalogue. Be brief.";
            talk.list.push(json!({"role": "system", "content": system}));
        }
        talk.say(&format!(
            "I am {who}. Find \"red\" shoes, size 42\\43.\nThanks!"
        ));
        talk
    }

    /// The user says something.
    pub fn say(&mut self, text: &str) {
        self.list.push(match self.api {
            Api::Chat | Api::Messages => json!({"role": "user", "content": text}),
            Api::Responses => json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}),
        });
    }

    /// The model calls a tool, and the tool answers.
    pub fn go_on(&mut self) {
        self.steps += 1;
        let id = format!("call_{}", self.steps);
        let page = json!({"page": self.steps}).to_string();
        let found = json!({"hits": [{"name": "Läufer \"Rot\"", "price": 89.9}], "more": true})
            .to_string()
            .repeat(5);
        let added = match self.api {
            Api::Chat => [
                json!({"role": "assistant", "content": null, "tool_calls": [
                    {"id": id, "type": "function", "function": {"name": "find", "arguments": page}}]}),
                json!({"role": "tool", "tool_call_id": id, "content": found}),
            ],
            Api::Messages => [
                json!({"role": "assistant", "content": [
                    {"type": "text", "text": "One moment."},
                    {"type": "tool_use", "id": id, "name": "find", "input": {"page": self.steps}}]}),
                json!({"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": id, "content": found}]}),
            ],
            Api::Responses => [
                json!({"type": "function_call", "call_id": id, "name": "find", "arguments": page}),
                json!({"type": "function_call_output", "call_id": id, "output": found}),
            ],
        };
        self.list.extend(added);
    }

    /// The request as it is sent.
    pub fn body(&self) -> String {
        let parameters = json!({"type": "object", "properties": {"page": {"type": "integer"}, "messages": {"type": "array"}}});
        let mut list = self.list.clone();
        if let (Api::Messages, Some(last)) = (self.api, list.last_mut()) {
            // Anthropic's clients mark what is to be cached: always the end.
            if let Some(block) = last.pointer_mut("/content/0") {
                block["cache_control"] = json!({"type": "ephemeral"});
            }
        }
        let list = Value::from(list);
        match self.api {
            Api::Chat => format!(
                r#"{{"messages":{list},"model":"gpt-mini","stream":true,"tools":[{{"type":"function","function":{{"name":"find","parameters":{parameters}}}}}]}}"#
            ),
            Api::Messages => format!(
                r#"{{"max_tokens":4096,"system":[{{"type":"text","text":"Be brief.","cache_control":{{"type":"ephemeral"}}}}],"tools":[{{"name":"find","input_schema":{parameters}}}],"messages":{list},"model":"claude-sonnet"}}"#
            ),
            Api::Responses => format!(
                r#"{{"model":"gpt-mini","instructions":"Be brief.","input":{list},"store":false,"include":["reasoning.encrypted_content"]}}"#
            ),
        }
    }
}
