//! Bedrock's Converse.

pub mod answer_read;
pub mod ask_write;
mod media;
pub(super) mod usage;
