//! Google's generateContent, at the Gemini API and at Vertex.

pub mod answer_read;
pub mod request_write;
pub mod error;
pub(super) mod usage;
