//! Bedrock's Converse.

pub mod answer_read;
pub mod request_write;
pub mod error;
mod media;
pub(super) mod usage;
