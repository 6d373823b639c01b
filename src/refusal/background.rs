//! Why a request cannot run in the background.

use std::fmt;

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoBackground {
    /// Only `/v1/responses` has an operation to fetch it.
    OtherOperation,
    /// It is to be streamed as well.
    Stream,
    /// No endpoint may keep it until it is fetched.
    NotKept,
}

impl fmt::Display for NoBackground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoBackground::OtherOperation => "only `/v1/responses` has responses that can be fetched later; remove `background`",
            NoBackground::Stream => "a background response cannot be streamed; remove `stream` and fetch the response by its id, or remove `background`",
            NoBackground::NotKept => "the zone allows no endpoint for this model that stores responses until they are fetched (`stored-response` in `[egress]`); remove `background`, and use `stream` for long responses",
        })
    }
}
