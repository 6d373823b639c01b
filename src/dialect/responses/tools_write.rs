//! Writing the tools of a responses request, and their calls and results.

use crate::dialect::neutral::{
    ChatRequest, Choice, Custom, Json, Named, Object, Tool, What, CUSTOM_INPUT,
};
use std::collections::{BTreeMap, BTreeSet};

/// The tools; neighbours of one namespace stand in it.
pub fn tools<'a>(request: &'a ChatRequest<'_>) -> Vec<Json<'a>> {
    let groups = request
        .tools
        .chunk_by(|one, next| place(one) == place(next));
    let groups = groups.map(
        |group| match group.first().and_then(|one| one.namespace.as_ref()) {
            None => group.iter().map(tool).collect(),
            Some(namespace) => {
                let within: Vec<Json<'a>> = group.iter().map(tool).collect();
                let namespace = Object::new()
                    .with("type", "namespace")
                    .with("name", namespace.name.as_ref())
                    .with_some("description", namespace.description.as_deref())
                    .with("tools", within);
                vec![namespace.into()]
            }
        },
    );
    groups.flatten().collect()
}

fn place<'a>(tool: &'a Tool<'_>) -> Option<&'a str> {
    tool.namespace.as_ref().map(|one| one.name.as_ref())
}

fn tool<'a>(tool: &'a Tool<'_>) -> Json<'a> {
    let namespace = tool.namespace.as_ref();
    let name = namespace.map_or(tool.name.as_ref(), |one| one.within.as_ref());
    if let Some(custom) = &tool.custom {
        return custom_tool(name, custom);
    }
    Object::new()
        .with("type", "function")
        .with("name", name)
        .with_some("description", tool.description.as_deref())
        .with("parameters", tool.schema())
        // The default here is strict, which most schemas do not fit.
        .with("strict", tool.strict.unwrap_or(false))
        .into()
}

fn custom_tool<'a>(name: &'a str, custom: &'a Custom<'_>) -> Json<'a> {
    let format = custom.grammar.as_ref().map(|grammar| {
        Object::new()
            .with("type", "grammar")
            .with("syntax", grammar.syntax.as_ref())
            .with("definition", grammar.definition.as_ref())
    });
    Object::new()
        .with("type", "custom")
        .with("name", name)
        .with_some("description", custom.description.as_deref())
        .with_some("format", format)
        .into()
}

/// Which tool is called, if any.
pub fn choice<'a>(request: &'a ChatRequest<'_>) -> Option<Json<'a>> {
    Some(match request.choice.as_ref()? {
        Choice::Auto => "auto".into(),
        Choice::None => "none".into(),
        Choice::Any => "required".into(),
        Choice::Named(name) => {
            let tool = request.tools.iter().find(|tool| tool.name == *name);
            let custom = tool.is_some_and(|tool| tool.custom.is_some());
            let namespace = tool.and_then(|tool| tool.namespace.as_ref());
            let within = namespace.map_or(name.as_ref(), |one| one.within.as_ref());
            Object::new()
                .with("type", if custom { "custom" } else { "function" })
                .with_some("namespace", namespace.map(|one| one.name.as_ref()))
                .with("name", within)
                .into()
        }
    })
}

/// What is needed to write calls and results.
pub struct Calls<'a> {
    /// The ids of calls of custom tools: their results are items of another type.
    custom: BTreeSet<&'a str>,
    namespaces: BTreeMap<String, Named>,
}

impl<'a> Calls<'a> {
    /// Those of a request.
    pub fn of(request: &'a ChatRequest<'_>) -> Calls<'a> {
        let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
        let custom = blocks.filter_map(|block| match &block.what {
            What::Call {
                id, custom: true, ..
            } => Some(id.as_ref()),
            _ => None,
        });
        Calls {
            custom: custom.collect(),
            namespaces: request.namespaces(),
        }
    }

    /// A call.
    pub fn call(&self, id: &'a str, name: &'a str, input: &'a Json<'_>) -> Object<'a> {
        let text = input.text(CUSTOM_INPUT);
        let text = text.filter(|_| self.custom.contains(id));
        let (kind, field, said): (_, _, Json<'a>) = match text {
            Some(text) => ("custom_tool_call", "input", text.into()),
            None => ("function_call", "arguments", input.to_text().into()),
        };
        let call = Object::new().with("type", kind).with("call_id", id);
        let call = match self.namespaces.get(name) {
            Some((namespace, name)) => call
                .with("namespace", namespace.clone())
                .with("name", name.clone()),
            None => call.with("name", name),
        };
        call.with(field, said)
    }

    /// What a result is, by the id of its call.
    pub fn result_kind(&self, id: &str) -> &'static str {
        match self.custom.contains(id) {
            true => "custom_tool_call_output",
            false => "function_call_output",
        }
    }
}
