//! Anthropic's messages.

pub mod answer_read;
pub mod answer_whole;
pub mod answer_write;
pub mod request_read;
pub mod request_write;
pub mod claude;
pub mod error;
mod media;
pub mod reply;
pub mod request_fields;
pub mod stream;
pub(super) mod usage;
