//! Custom tools, which a model calls with text instead of JSON. Dialects without them
//! get a function with one string, `input`; its grammar goes into the description and
//! is not enforced.

use super::body_writer::BodyWriter;
use super::chat_request::{ChatRequest, Tool};
use super::json::{Json, Object};
use super::place::Place;
use crate::dialect::Api;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The function's one argument.
pub const INPUT: &str = "input";

/// A longer grammar is left out.
const LONGEST_GRAMMAR: usize = 32 * 1024;

/// The description of the argument.
const ABOUT_INPUT: &str = "The whole input of the tool, as plain text and not as JSON.";

/// What makes a tool a custom one.
#[derive(Debug, Clone, PartialEq)]
pub struct Custom<'b> {
    /// The description without the grammar.
    pub description: Option<Cow<'b, str>>,
    /// What the input has to fit; any text where there is none.
    pub grammar: Option<Grammar<'b>>,
}

/// A grammar that inputs have to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Grammar<'b> {
    /// The language it is written in: `lark` or `regex`.
    pub syntax: Cow<'b, str>,
    /// The grammar itself.
    pub definition: Cow<'b, str>,
}

impl Grammar<'_> {
    fn is_told(&self) -> bool {
        self.definition.len() <= LONGEST_GRAMMAR
    }
}

impl<'b> Tool<'b> {
    /// A custom tool. Its description and schema are those of the function that
    /// stands for it.
    pub fn custom(path: Place<'b>, name: Cow<'b, str>, custom: Custom<'b>) -> Tool<'b> {
        let input = Object::new()
            .with("type", "string")
            .with("description", ABOUT_INPUT);
        let schema = Object::new()
            .with("type", "object")
            .with("properties", Object::new().with(INPUT, input))
            .with("required", vec![INPUT.into()])
            .with("additionalProperties", false);
        Tool {
            path,
            name,
            description: described(&custom),
            schema: Some(schema.into()),
            strict: None,
            cache: None,
            custom: Some(custom),
            namespace: None,
        }
    }
}

/// The client's description with the grammar behind it.
fn described<'b>(custom: &Custom<'b>) -> Option<Cow<'b, str>> {
    let Some(grammar) = custom.grammar.as_ref().filter(|grammar| grammar.is_told()) else {
        return custom.description.clone();
    };
    let language = match grammar.syntax.as_ref() {
        "lark" => "Lark grammar",
        "regex" => "regular expression",
        _ => "grammar",
    };
    let before = custom.description.as_deref().unwrap_or_default();
    let gap = if before.is_empty() { "" } else { "\n\n" };
    let definition = &grammar.definition;
    let said = format!("{before}{gap}The input has to match this {language}:\n{definition}");
    Some(said.into())
}

/// A custom tool's input as the arguments of the function that stands for it.
pub fn arguments(input: &str) -> Json<'_> {
    Object::of([(INPUT, input.into())]).into()
}

impl ChatRequest<'_> {
    /// The names of the custom tools.
    pub fn custom_tools(&self) -> BTreeSet<String> {
        let custom = self.tools.iter().filter(|tool| tool.custom.is_some());
        custom.map(|tool| tool.name.to_string()).collect()
    }
}

impl<'a> BodyWriter<'a> {
    /// Lists what is left out where all tools are plain functions: the enforcement of
    /// grammars, grammars that are too long, and the descriptions of namespaces.
    pub fn tools_as_functions(&mut self, request: &'a ChatRequest<'_>) {
        let field = match self.client() {
            Api::Chat => "custom.format",
            _ => "format",
        };
        for tool in &request.tools {
            if let Some(namespace) = &tool.namespace {
                let place = namespace.path.field("description");
                let described = namespace.description.is_some();
                self.unsupported.leave_out_if(described, place);
            }
            let Some(grammar) = tool.custom.as_ref().and_then(|one| one.grammar.as_ref()) else {
                continue;
            };
            match grammar.is_told() {
                true => self.unsupported.leave_out(tool.path.field(field)),
                false => self.unsupported.refuse(tool.path.field(field)),
            }
        }
    }
}
