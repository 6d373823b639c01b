//! The languages clients and providers speak, one folder each: what a request
//! must look like, what a reply or a stream says was used, and how a refusal
//! is written so that the client's own SDK understands it.

pub mod anthropic;
pub mod openai;

mod call;
mod edit;
mod reading;

pub use call::{Call, Value, Wanted};
pub use edit::Edits;
pub use reading::{Fault, Reading};

use crate::refusal::{Invalid, Refusal};
use crate::regions::Dialect;
use crate::units::RequestId;

/// Reads a request body in the client's dialect.
pub fn read_call(dialect: Dialect, body: &str) -> Result<Call<'_>, Invalid> {
    match dialect {
        Dialect::OpenAiChat => openai::request::read(body),
        Dialect::AnthropicMessages => anthropic::request::read(body),
    }
}

/// Takes one event of a provider's stream into the reading.
pub fn read_event(dialect: Dialect, data: &[u8], reading: &mut Reading) {
    match dialect {
        Dialect::OpenAiChat => openai::stream::read(data, reading),
        Dialect::AnthropicMessages => anthropic::stream::read(data, reading),
    }
}

/// Takes a provider's whole JSON reply into the reading.
pub fn read_reply(dialect: Dialect, body: &[u8], reading: &mut Reading) {
    match dialect {
        Dialect::OpenAiChat => openai::reply::read(body, reading),
        Dialect::AnthropicMessages => anthropic::reply::read(body, reading),
    }
}

/// A refusal as the body the client's SDK expects.
pub fn refusal_body(dialect: Dialect, refusal: &Refusal, id: &RequestId) -> String {
    match dialect {
        Dialect::OpenAiChat => openai::error::body(refusal),
        Dialect::AnthropicMessages => anthropic::error::body(refusal, id),
    }
}

/// The last event of a stream that broke after content went out.
pub fn broken_stream_event(dialect: Dialect, fault: &Fault, id: &RequestId) -> String {
    match dialect {
        Dialect::OpenAiChat => openai::error::event(fault),
        Dialect::AnthropicMessages => anthropic::error::event(fault, id),
    }
}

/// What closes an event that broke off halfway, so that the one after it is
/// read. Anthropic's clients pass over a `ping`, whatever it holds; OpenAI's
/// know no such event and report the broken one.
pub fn abandon_event(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenAiChat => "\n\n",
        Dialect::AnthropicMessages => "\nevent: ping\n\n",
    }
}
