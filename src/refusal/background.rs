//! Why an answer cannot be made in the background.

use std::fmt;

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoBackground {
    /// Only `/v1/responses` knows how to fetch it.
    OtherOperation,
    /// It is to be streamed as well.
    Stream,
    /// No endpoint may keep it until it is fetched.
    NotKept,
}

impl fmt::Display for NoBackground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoBackground::OtherOperation => "only `/v1/responses` has answers that are fetched later; leave `background` out",
            NoBackground::Stream => "it cannot be streamed too; leave `stream` out and ask for the answer by its id, or leave `background` out",
            NoBackground::NotKept => "the zone allows no endpoint for the model that keeps answers until they are fetched (`stored-response` in `[egress]`); leave `background` out, and use `stream` for long answers",
        })
    }
}
