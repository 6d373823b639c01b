//! Tools in a namespace. Only OpenAI's responses have namespaces; in other dialects the
//! namespace becomes the prefix of a tool's name.

use super::chat_request::{ChatRequest, Tool};
use super::ids::Ids;
use super::place::Place;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Names that every provider accepts.
const NAMES: Ids = Ids {
    longest: 64,
    shortest: 1,
    marks: "_-",
};

/// The namespace of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Namespace<'b> {
    /// Where it stands in the client's body.
    pub path: Place<'b>,
    /// Its name.
    pub name: Cow<'b, str>,
    /// What it is for.
    pub description: Option<Cow<'b, str>>,
    /// The tool's name within it.
    pub within: Cow<'b, str>,
}

/// A namespace's name, and the name of a tool within it.
pub type Named = (String, String);

/// The name of a tool where there are no namespaces.
pub fn full_name(namespace: &str, name: &str) -> String {
    let gap = if namespace.ends_with("__") { "" } else { "__" };
    NAMES.fit(&[namespace, gap, name].concat()).into_owned()
}

impl<'b> Tool<'b> {
    /// The tool within a namespace.
    pub fn within(self, path: Place<'b>, name: &'b str, description: Option<&'b str>) -> Tool<'b> {
        Tool {
            name: full_name(name, &self.name).into(),
            namespace: Some(Namespace {
                path,
                name: name.into(),
                description: description.map(Cow::Borrowed),
                within: self.name,
            }),
            ..self
        }
    }
}

impl ChatRequest<'_> {
    /// The tools that stand in namespaces, by their full names.
    pub fn namespaces(&self) -> BTreeMap<String, Named> {
        let tools = self.tools.iter().filter_map(|tool| {
            let namespace = tool.namespace.as_ref()?;
            let named = (namespace.name.to_string(), namespace.within.to_string());
            Some((tool.name.to_string(), named))
        });
        tools.collect()
    }
}
