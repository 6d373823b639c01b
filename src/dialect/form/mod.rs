//! The form between the dialects. What a client asks for is read into an
//! [`Ask`], what a provider answers into [`Delta`]s, whatever the dialect; each
//! dialect reads and writes these and knows of no other dialect.
//!
//! Nothing is lost on the way without a word: what an ask holds and a dialect
//! cannot say goes to the [`Losses`], by the name the client gave it.

mod answer;
mod ask;
mod blob;
mod delta;
mod json;
mod losses;
mod node;
mod order;
mod target;
mod thinking;
mod voice;

pub use answer::{Answer, Part};
pub use ask::{
    Ask, Block, Choice, Extra, Format, Knobs, Label, Lifetime, Media, Role, Source, Tool, Turn,
    What, JSON_TOOL,
};
pub use blob::{Blob, Kind as BlobKind, MARK as BLOB_MARK};
pub use delta::{Citation, Delta, Malformed, Stop, Usage};
pub use json::{Json, Object};
pub use losses::{Knob, Losses};
pub use node::{Fields, Node};
pub use order::{Ordered, Ordering};
pub use target::{Sheet, Target};
pub use thinking::{Budget, Effort, Thinking};
pub use voice::Voice;
