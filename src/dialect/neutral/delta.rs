//! What a provider answers, piece by piece. A whole reply is told in the same
//! pieces as a stream, only larger ones.

use super::blob::Blob;
use super::json::Json;
use crate::dialect::Beyond;
use crate::units::Tokens;
use std::borrow::Cow;

/// What a provider answered is none of its dialect's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// One piece of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta<'d> {
    /// The answer begins; nothing of it is known but who gives it.
    Model(Cow<'d, str>),
    /// Words.
    Text(Cow<'d, str>),
    /// Words that say that the model will not.
    Refusal(Cow<'d, str>),
    /// What the model thinks.
    Thinking(Cow<'d, str>),
    /// Ends a stretch of thinking: the provider's proof of it, or all of it.
    Thought(Blob<'d>),
    /// What the provider has made of the conversation so far, and takes back.
    Compacted(Blob<'d>),
    /// Ends a stretch of thinking that has no proof.
    ThinkingEnds,
    /// A tool is called.
    Call {
        /// Which of the answer's calls it is, from 0.
        call: u32,
        /// Its id; empty where the provider gives none.
        id: Cow<'d, str>,
        /// The tool.
        name: Cow<'d, str>,
        /// What the provider wants back with it.
        blob: Option<Blob<'d>>,
    },
    /// More of a call's arguments.
    Input {
        /// Which call.
        call: u32,
        /// A piece of JSON text.
        json: Cow<'d, str>,
    },
    /// Where something that was said comes from.
    Cited(Citation),
    /// How likely the tokens were, as OpenAI's chat completions list them.
    Logprobs(Vec<Json<'d>>),
    /// The provider keeps the answer under this id.
    Kept(Cow<'d, str>),
    /// The provider goes on with the answer, and has said all it can say now.
    GoesOn,
    /// What was used so far; replaces what was told before.
    Usage(Usage),
    /// What was used beyond tokens.
    Beyond(Box<Beyond>),
    /// The class of service that served it.
    Tier(Cow<'d, str>),
    /// Why the model stopped.
    Stop(Stop),
    /// The answer is complete.
    End,
    /// The provider says that it failed.
    Failed {
        /// Its word for it.
        kind: String,
        /// What it says.
        message: String,
    },
    /// The provider lives, and has nothing to say yet.
    Alive,
    /// Something that only the provider's dialect knows, such as the work of a
    /// tool that runs there. It changes nothing for the client.
    Aside,
    /// Something that the client may miss and that only the provider's dialect can
    /// say, by its name there.
    LeftOut(Cow<'d, str>),
    /// Why the model would not, as the provider explains it.
    Explained(Cow<'d, str>),
}

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// By kind.
    pub tokens: Tokens,
    /// It covers what came out, not only the beginning.
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
    /// It was done.
    Done,
    /// At a stop sequence, if it is told at which.
    Sequence(Option<String>),
    /// There were as many tokens as were allowed, or as there is room for.
    Length,
    /// It wants a tool's answer.
    Tool,
    /// It would not, or was kept from it.
    Filtered,
    /// It wants to go on with the same conversation.
    Paused,
}
