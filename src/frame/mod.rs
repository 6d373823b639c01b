//! From bytes to frames: how a stream of bytes, cut anywhere, becomes events.

pub mod eventstream;
pub mod sse;
