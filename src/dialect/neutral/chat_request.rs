//! A chat request in the neutral form.

use super::blob::Blob;
use super::custom::Custom;
use super::json::{Json, Object};
use super::namespace::Namespace;
use super::params::{Param, Params};
use super::place::Place;
use super::thinking::Thinking;
use crate::dialect::Api;
use std::borrow::Cow;

/// A request, free of any dialect. It borrows from the client's body.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest<'b> {
    /// The operation that the client called.
    pub client: Api,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The system instructions.
    pub system: Vec<Block<'b>>,
    /// The conversation. Neighbours may have the same role.
    pub turns: Vec<Turn<'b>>,
    /// The tools the model may call.
    pub tools: Vec<Tool<'b>>,
    /// Whether the model must, may or must not call tools.
    pub choice: Option<Choice<'b>>,
    /// Whether the model may call several tools at once.
    pub parallel: Option<bool>,
    /// The response format.
    pub format: Option<Format<'b>>,
    /// How much to think.
    pub thinking: Option<Thinking>,
    /// The parameters with one value each.
    pub params: Params<'b>,
    /// Parameters that the client gave by an older name.
    pub older: Vec<(Param, &'static str)>,
    /// Fields that only the client's own dialect has.
    pub extras: Vec<Extra<'b>>,
}

/// A field that only the client's dialect has.
#[derive(Debug, Clone, PartialEq)]
pub struct Extra<'b> {
    /// Where it stands.
    pub path: Place<'b>,
    /// Its name, if it stands at the top of the body.
    pub name: Option<Cow<'b, str>>,
    /// Its value.
    pub value: Json<'b>,
    /// It is a hint: leaving it out does not change the response.
    pub hint: bool,
}

/// The author of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user; tool results are in this role too.
    User,
    /// The model.
    Assistant,
    /// Instructions inside the conversation.
    System,
}

/// A turn of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn<'b> {
    /// The author of a turn.
    pub role: Role,
    /// The content.
    pub blocks: Vec<Block<'b>>,
}

/// A block of content.
#[derive(Debug, Clone, PartialEq)]
pub struct Block<'b> {
    /// Where it stands in the client's body.
    pub path: Place<'b>,
    /// What it is.
    pub what: What<'b>,
    /// The prompt up to and with it is to be cached.
    pub cache: Option<Lifetime>,
}

impl<'b> Block<'b> {
    /// A block without a cache mark.
    pub fn new(path: Place<'b>, what: What<'b>) -> Block<'b> {
        Block {
            path,
            what,
            cache: None,
        }
    }
}

/// How long a cache lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Five minutes.
    Short,
    /// An hour.
    Hour,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq)]
pub enum What<'b> {
    /// Text.
    Text(Cow<'b, str>),
    /// A refusal of the model.
    Refusal(Cow<'b, str>),
    /// A picture.
    Image(Media<'b>),
    /// A document.
    Document(Media<'b>),
    /// Audio.
    Audio(Media<'b>),
    /// The model calls a tool.
    Call {
        /// The call's id.
        id: Cow<'b, str>,
        /// The tool.
        name: Cow<'b, str>,
        /// Its arguments, an object.
        input: Json<'b>,
        /// The tool is a custom one: its arguments hold the text.
        custom: bool,
        /// The provider's blob that belongs to it.
        blob: Option<Blob<'b>>,
    },
    /// The result of a tool call.
    Result {
        /// The call's id.
        id: Cow<'b, str>,
        /// Its content.
        content: Vec<Block<'b>>,
        /// The tool failed.
        error: bool,
    },
    /// Thinking of the model. Without a blob it cannot be verified.
    Thinking {
        /// Its text, as far as it is shown.
        text: Cow<'b, str>,
        /// The provider's signature of it.
        blob: Option<Blob<'b>>,
    },
    /// A block that only the client's own dialect has.
    Foreign(Json<'b>),
}

/// A picture, a document, a sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Media<'b> {
    /// Where it is.
    pub source: Source<'b>,
    /// Its media type, such as `image/png`, if it is given.
    pub kind: Option<Cow<'b, str>>,
    /// Its name or title.
    pub name: Option<Cow<'b, str>>,
    /// How closely to look at a picture.
    pub detail: Option<Cow<'b, str>>,
    /// Whether a document's passages are to be cited.
    pub cite: bool,
}

/// Where a picture or a document is.
#[derive(Debug, Clone, PartialEq)]
pub enum Source<'b> {
    /// Here, in base64.
    Base64(Cow<'b, str>),
    /// Here, as plain text.
    Text(Cow<'b, str>),
    /// At an address that the provider fetches.
    Url(Cow<'b, str>),
    /// At the provider that the client's dialect belongs to.
    File(Cow<'b, str>),
}

/// A tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool<'b> {
    /// Where it stands in the client's body.
    pub path: Place<'b>,
    /// Its name.
    pub name: Cow<'b, str>,
    /// What it is for.
    pub description: Option<Cow<'b, str>>,
    /// The JSON schema of its arguments.
    pub schema: Option<Json<'b>>,
    /// Arguments must fit the schema.
    pub strict: Option<bool>,
    /// The prompt up to and with it is to be cached.
    pub cache: Option<Lifetime>,
    /// What makes it a custom tool, if it is one.
    pub custom: Option<Custom<'b>>,
    /// The namespace it stands in; its name begins with that.
    pub namespace: Option<Namespace<'b>>,
}

/// Whether tools are called.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice<'b> {
    /// As the model likes.
    Auto,
    /// None.
    None,
    /// At least one.
    Any,
    /// This one.
    Named(Cow<'b, str>),
}

/// The tool that stands in for JSON mode where a dialect has none: its arguments are
/// the response.
pub const JSON_TOOL: &str = "answer_in_json";

/// The response format.
#[derive(Debug, Clone, PartialEq)]
pub enum Format<'b> {
    /// Some JSON object.
    Json,
    /// JSON that fits a schema.
    Schema {
        /// Its name.
        name: Option<Cow<'b, str>>,
        /// What it is for.
        description: Option<Cow<'b, str>>,
        /// The schema.
        schema: Json<'b>,
        /// It must fit.
        strict: Option<bool>,
    },
}

impl<'b> ChatRequest<'b> {
    /// All instructions, for dialects that have them only at the top.
    pub fn instructions(&self) -> impl Iterator<Item = &Block<'b>> {
        let later = self.turns.iter().filter(|turn| turn.role == Role::System);
        self.system
            .iter()
            .chain(later.flat_map(|turn| &turn.blocks))
    }

    /// The turns of user and model, with neighbours of one role merged.
    pub fn merged<'a, T>(
        &'a self,
        mut write: impl FnMut(&'a Turn<'b>) -> Vec<T>,
    ) -> Vec<(Role, Vec<T>)> {
        let mut merged: Vec<(Role, Vec<T>)> = Vec::new();
        for turn in self.turns.iter().filter(|turn| turn.role != Role::System) {
            let mut said = write(turn);
            // No provider accepts an empty message.
            if said.is_empty() {
                continue;
            }
            match merged.last_mut() {
                Some((role, before)) if *role == turn.role => before.append(&mut said),
                _ => merged.push((turn.role, said)),
            }
        }
        merged
    }

    /// Whether the model has to call one named tool; parallel calls cannot happen then.
    pub fn forces_one(&self) -> bool {
        matches!(self.choice, Some(Choice::Named(_)))
    }

    /// Whether the model is to think.
    pub fn thinks(&self) -> bool {
        self.thinking.is_some_and(|thinking| thinking.is_on())
    }

    /// Whether the request ends with tool results, and the model's turn before them has
    /// no thinking that can be sent back.
    pub fn lacks_thought(&self, can_show: impl Fn(&Blob<'_>) -> bool) -> bool {
        let turns = || {
            self.turns
                .iter()
                .rev()
                .filter(|turn| turn.role != Role::System)
        };
        let is_result = |block: &Block<'_>| matches!(block.what, What::Result { .. });
        let is_thought = |block: &Block<'_>| match &block.what {
            What::Thinking { blob, .. } => blob.as_ref().is_some_and(&can_show),
            _ => false,
        };
        let mut after = turns().take_while(|turn| turn.role == Role::User);
        let before = turns().find(|turn| turn.role == Role::Assistant);
        after.any(|turn| turn.blocks.iter().any(is_result))
            && before.is_some_and(|turn| !turn.blocks.iter().any(is_thought))
    }

    /// The tool choice where a tool stands in for JSON mode.
    pub fn choice_with_json(&self) -> Option<Choice<'b>> {
        if self.format != Some(Format::Json) {
            return self.choice.clone();
        }
        Some(match &self.choice {
            Some(Choice::Named(name)) => Choice::Named(name.clone()),
            None | Some(Choice::Auto | Choice::Any) if !self.tools.is_empty() => Choice::Any,
            _ => Choice::Named(JSON_TOOL.into()),
        })
    }
}

impl<'b> Tool<'b> {
    /// The schema, for dialects that require one.
    pub fn schema(&self) -> Json<'b> {
        let nothing = || {
            let object = Object::new().with("type", "object");
            object.with("properties", Object::new()).into()
        };
        self.schema.clone().unwrap_or_else(nothing)
    }
}
