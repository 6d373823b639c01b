//! The neutral form between the dialects. A client's request is read into a
//! [`ChatRequest`], a provider's response into [`Delta`]s. Each dialect reads and
//! writes these and names no other dialect.
//!
//! Nothing is dropped in silence: what a dialect does not support goes to the
//! [`UnsupportedFields`], under the client's name for it.

mod answer;
mod blob;
mod body_writer;
mod chat_request;
mod custom;
mod delta;
mod ids;
mod json;
mod namespace;
mod node;
mod call_order;
mod params;
mod place;
mod read;
mod reply_context;
mod request_tree;
mod schema_fit;
mod target;
mod text_input;
mod thinking;
mod unsupported;

pub use answer::{Answer, Part};
pub use blob::{Blob, Kind as BlobKind, Signers, MARK as BLOB_MARK};
pub use body_writer::BodyWriter;
pub use call_order::{CallOrder, Ordered};
pub use chat_request::{
    Block, ChatRequest, Choice, Extra, Format, Lifetime, Media, Role, Source, Tool, Turn, What,
    JSON_TOOL,
};
pub use custom::{arguments as custom_arguments, Custom, Grammar, INPUT as CUSTOM_INPUT};
pub use delta::{Citation, Delta, Malformed, Stop, Usage};
pub use ids::Ids;
pub use json::{Json, Object};
pub use namespace::{full_name, Named};
pub use node::{Fields, Node};
pub use params::{Label, Param, Params};
pub use place::Place;
pub use read::{with_field, Key};
pub use reply_context::ReplyContext;
pub use schema_fit::fit as fit_schema;
pub use target::{Target, LONGEST_OUTPUT, USUAL_MAX_OUTPUT};
pub use text_input::{read_text, TextReader, TextWriter};
pub use thinking::{Budget, Effort, Thinking};
pub use unsupported::UnsupportedFields;
