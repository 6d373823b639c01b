//! A call of a tool as an item of a response. A custom tool's call has text where a
//! function's has arguments; the namespace is a field beside the name.

use crate::dialect::neutral::{Object, ReplyContext, TextReader};

/// A call of which more may come.
#[derive(Debug)]
pub struct OpenCall {
    id: String,
    call: String,
    namespace: Option<String>,
    name: String,
    input: String,
    /// Takes the text out of the arguments, where the tool is a custom one.
    text: Option<TextReader>,
}

impl OpenCall {
    /// A call without arguments so far, of a tool by its full name.
    pub fn new(context: &ReplyContext, nth: usize, call: String, name: String) -> OpenCall {
        let custom = context.custom.contains(&name);
        let (namespace, name) = match context.namespaces.get(&name) {
            Some((namespace, name)) => (Some(namespace.clone()), name.clone()),
            None => (None, name),
        };
        OpenCall {
            id: context.mint_nth(if custom { "ctc_" } else { "fc_" }, nth),
            call,
            namespace,
            name,
            input: String::new(),
            text: custom.then(TextReader::default),
        }
    }

    /// Takes more arguments; where what they add to the input begins.
    fn take(&mut self, json: &str) -> usize {
        let from = self.input.len();
        match &mut self.text {
            None => self.input.push_str(json),
            Some(text) => text.push(json, &mut self.input),
        }
        from
    }

    /// Adds arguments. Returns their event, if there is one.
    pub fn push(&mut self, json: &str, place: u64) -> Option<(&'static str, Object<'static>)> {
        let from = self.take(json);
        let delta = self.input.get(from..).filter(|delta| !delta.is_empty())?;
        let event = match self.text {
            None => "response.function_call_arguments.delta",
            Some(_) => "response.custom_tool_call_input.delta",
        };
        let fields = self.spot(place).with("delta", delta.to_owned());
        Some((event, fields))
    }

    /// The event with all of its arguments.
    pub fn done(&self, place: u64) -> (&'static str, Object<'static>) {
        let (fields, input) = (self.spot(place), self.input.clone());
        match self.text {
            Some(_) => (
                "response.custom_tool_call_input.done",
                fields.with("input", input),
            ),
            None => {
                let fields = fields.with("name", self.name.clone());
                let fields = fields.with("arguments", input);
                ("response.function_call_arguments.done", fields)
            }
        }
    }

    fn spot(&self, place: u64) -> Object<'static> {
        Object::new()
            .with("item_id", self.id.clone())
            .with("output_index", place)
    }

    /// As it stands in a response.
    pub fn item(&self, status: &'static str) -> Object<'static> {
        let (kind, field) = match self.text {
            Some(_) => ("custom_tool_call", "input"),
            None => ("function_call", "arguments"),
        };
        Object::new()
            .with("id", self.id.clone())
            .with("type", kind)
            .with("status", status)
            .with("call_id", self.call.clone())
            .with_some("namespace", self.namespace.clone())
            .with("name", self.name.clone())
            .with(field, self.input.clone())
    }

    /// With all of its arguments, as it stands in a response.
    pub fn whole(mut self, json: &str) -> Object<'static> {
        let none = json.is_empty() && self.text.is_none();
        self.take(if none { "{}" } else { json });
        self.item("completed")
    }
}
