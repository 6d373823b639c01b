//! Chat completions of OpenAI and of other hosts.

pub mod answer_read;
pub mod answer_write;
pub mod request_read;
pub mod request_write;
pub mod completions;
mod custom_calls;
pub mod error;
pub mod error_read;
mod messages_write;
pub mod reply;
pub mod request_fields;
pub mod schema;
pub mod stream;
pub(super) mod usage;
