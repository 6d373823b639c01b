//! What a client asks a model for.

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
    /// What the client called.
    pub client: Api,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// What stands above the conversation.
    pub system: Vec<Block<'b>>,
    /// The conversation. Neighbours may have the same role.
    pub turns: Vec<Turn<'b>>,
    /// The tools the model may call.
    pub tools: Vec<Tool<'b>>,
    /// Whether it must, may or may not call them.
    pub choice: Option<Choice<'b>>,
    /// Whether it may call several at once.
    pub parallel: Option<bool>,
    /// The form of the answer.
    pub format: Option<Format<'b>>,
    /// How much to think.
    pub thinking: Option<Thinking>,
    /// Everything with one value.
    pub params: Params<'b>,
    /// Settings that the client gave an older name.
    pub older: Vec<(Param, &'static str)>,
    /// What only the client's own dialect knows: a field's path, name, value.
    pub extras: Vec<Extra<'b>>,
}

/// A field that only the client's dialect knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Extra<'b> {
    /// Where it stands.
    pub path: Place<'b>,
    /// Its name, if it stands at the top of the body.
    pub name: Option<Cow<'b, str>>,
    /// Its value.
    pub value: Json<'b>,
    /// An answer without it is still what was asked for.
    pub hint: bool,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one who asks; tools' results are this one's.
    User,
    /// The model.
    Assistant,
    /// Instructions in the midst of a conversation.
    System,
}

/// A turn of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn<'b> {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub blocks: Vec<Block<'b>>,
}

/// One thing that is said.
#[derive(Debug, Clone, PartialEq)]
pub struct Block<'b> {
    /// Where it stands in the client's body.
    pub path: Place<'b>,
    /// What it is.
    pub what: What<'b>,
    /// What is before and with it is to be cached.
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
    /// The model said that it will not.
    Refusal(Cow<'b, str>),
    /// A picture.
    Image(Media<'b>),
    /// A document.
    Document(Media<'b>),
    /// Sound.
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
        /// What the model's provider wants back with it.
        blob: Option<Blob<'b>>,
    },
    /// A tool's answer.
    Result {
        /// The call's id.
        id: Cow<'b, str>,
        /// What it says.
        content: Vec<Block<'b>>,
        /// The tool failed.
        error: bool,
    },
    /// What the model thought. Without a blob nobody can tell that it did.
    Thinking {
        /// Its words, as far as they are shown.
        text: Cow<'b, str>,
        /// The provider's proof of it.
        blob: Option<Blob<'b>>,
    },
    /// What only the client's own dialect knows.
    Foreign(Json<'b>),
}

/// A picture, a document, a sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Media<'b> {
    /// Where it is.
    pub source: Source<'b>,
    /// Its type, as `image/png`, if it is told.
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
    /// What is before and with it is to be cached.
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

/// The tool that stands in for JSON mode where a dialect has none: what it is
/// called with is the answer.
pub const JSON_TOOL: &str = "answer_in_json";

/// The form of the answer.
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
    /// All instructions, for dialects where they stand above everything,
    /// wherever they stood before.
    pub fn instructions(&self) -> impl Iterator<Item = &Block<'b>> {
        let later = self.turns.iter().filter(|turn| turn.role == Role::System);
        self.system
            .iter()
            .chain(later.flat_map(|turn| &turn.blocks))
    }

    /// The turns of user and model, neighbours of one role made one.
    pub fn merged<'a, T>(
        &'a self,
        mut write: impl FnMut(&'a Turn<'b>) -> Vec<T>,
    ) -> Vec<(Role, Vec<T>)> {
        let mut merged: Vec<(Role, Vec<T>)> = Vec::new();
        for turn in self.turns.iter().filter(|turn| turn.role != Role::System) {
            let mut said = write(turn);
            // No provider takes a message in which nothing is said.
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

    /// Whether the model has to call one certain tool: several calls at once are no
    /// question then.
    pub fn forces_one(&self) -> bool {
        matches!(self.choice, Some(Choice::Named(_)))
    }

    /// Whether the model is to think.
    pub fn thinks(&self) -> bool {
        self.thinking.is_some_and(|thinking| thinking.is_on())
    }

    /// Whether the request gives results of calls, and the model's turn before them
    /// has no thought that may be shown again.
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

    /// Which tools are called where the answer in JSON mode is one of them.
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
    /// The schema, for dialects that must have one.
    pub fn schema(&self) -> Json<'b> {
        let nothing = || {
            let object = Object::new().with("type", "object");
            object.with("properties", Object::new()).into()
        };
        self.schema.clone().unwrap_or_else(nothing)
    }
}
