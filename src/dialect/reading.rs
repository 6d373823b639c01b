//! What has been learnt so far of an answer: which model served it, what was
//! used, whether it ended and how. Filled event by event or from one JSON
//! reply.

use crate::units::Tokens;

/// What went wrong inside an answer that had begun with a good status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The provider said so in the stream; the kind it named.
    Said {
        /// The provider's own word for it, as `overloaded_error`.
        kind: String,
    },
    /// The stream stopped before its end.
    Cut,
    /// The stream held what is no stream, such as an event without end.
    Garbled,
}

impl Fault {
    /// A word for rows and metrics.
    pub fn as_str(&self) -> &str {
        match self {
            Fault::Said { kind } => kind,
            Fault::Cut => "cut",
            Fault::Garbled => "garbled",
        }
    }
}

/// The reading of one answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Usage as counted so far.
    pub tokens: Tokens,
    /// The provider reported usage that covers the output.
    pub has_usage: bool,
    /// The model that the provider says has served it.
    pub served_model: Option<String>,
    /// The service tier that the provider says has served it.
    pub tier: Option<String>,
    /// Why the model stopped, in the provider's words.
    pub stopped: Option<String>,
    /// The provider said that the answer is complete.
    pub ended: bool,
    /// Bytes of visible output so far: what an estimate is made from.
    pub output_bytes: u64,
    /// This event only carries usage, no content.
    pub usage_only: bool,
    /// What went wrong.
    pub fault: Option<Fault>,
    /// Anthropic's usage merges field by field; its parts are kept here.
    pub(super) anthropic: super::anthropic::usage::Counts,
}
