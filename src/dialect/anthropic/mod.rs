//! Anthropic's messages.

pub mod error;
pub mod reply;
pub mod request;
pub mod stream;
pub(super) mod usage;
