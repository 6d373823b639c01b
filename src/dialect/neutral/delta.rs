//! A provider's response, piece by piece. A whole response becomes the same pieces as a
//! stream, only larger ones.

use super::blob::Blob;
use super::json::Json;
use crate::dialect::Beyond;
use crate::units::Tokens;
use std::borrow::Cow;

/// The body is not a response of the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// One piece of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta<'d> {
    /// The response starts; only its model is known.
    Model(Cow<'d, str>),
    /// Text.
    Text(Cow<'d, str>),
    /// The text of a refusal.
    Refusal(Cow<'d, str>),
    /// Thinking.
    Thinking(Cow<'d, str>),
    /// Ends a block of thinking: the provider's signature of it, or all of it
    /// encrypted.
    Thought(Blob<'d>),
    /// A compaction of the conversation, which the provider takes back.
    Compacted(Blob<'d>),
    /// Ends a block of thinking that has no signature.
    ThinkingEnds,
    /// A tool is called.
    Call {
        /// Which of the answer's calls it is, from 0.
        call: u32,
        /// Its id; empty where the provider gives none.
        id: Cow<'d, str>,
        /// The tool.
        name: Cow<'d, str>,
        /// The provider's blob that belongs to it.
        blob: Option<Blob<'d>>,
    },
    /// More of a call's arguments.
    Input {
        /// Which call.
        call: u32,
        /// A piece of JSON text.
        json: Cow<'d, str>,
    },
    /// A citation.
    Cited(Citation),
    /// Log probabilities, as OpenAI's chat completions list them.
    Logprobs(Vec<Json<'d>>),
    /// The provider stores the response under this id.
    Stored(Cow<'d, str>),
    /// The provider continues in the background.
    InBackground,
    /// The usage so far; it replaces earlier ones.
    Usage(Usage),
    /// What was used beyond tokens.
    Beyond(Box<Beyond>),
    /// The class of service that served it.
    Tier(Cow<'d, str>),
    /// Why the model stopped.
    Stop(Stop),
    /// The answer is complete.
    End,
    /// The provider reported a failure.
    Failed {
        /// Its word for it.
        kind: String,
        /// Its message.
        message: String,
    },
    /// A keep-alive of the provider.
    KeepAlive,
    /// A part that only the provider's dialect has, such as a server tool's work. It
    /// changes nothing for the client.
    Aside,
    /// A part that the client may miss and that only the provider's dialect supports,
    /// by its name there.
    Unsupported(Cow<'d, str>),
    /// The provider's explanation of a refusal.
    RefusalReason(Cow<'d, str>),
}

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// By kind.
    pub tokens: Tokens,
    /// It covers the output.
    pub complete: bool,
}

/// Where something comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Citation {
    /// Its address, if it is on the web.
    pub url: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// The passage that is cited.
    pub passage: Option<String>,
    /// Which of the request's documents it is.
    pub document: Option<u64>,
    /// The characters, pages or blocks of that document.
    pub span: Option<(u64, u64)>,
}

/// Why a model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The model was done.
    Done,
    /// At a stop sequence, if it is named.
    Sequence(Option<String>),
    /// The token limit or the context was reached.
    Length,
    /// It waits for tool results.
    Tool,
    /// It refused, or was filtered.
    Filtered,
    /// It paused, and continues with the same conversation.
    Paused,
}
