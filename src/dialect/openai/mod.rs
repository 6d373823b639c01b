//! OpenAI's chat completions.

pub mod error;
pub mod reply;
pub mod request;
pub mod stream;
mod usage;
