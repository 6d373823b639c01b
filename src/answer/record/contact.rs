//! The endpoints of a call, for its row.

use crate::config::prices::PriceBook;
use crate::regions::Guarantee;
use crate::request::plan::Attempt;
use serde::{Deserialize, Serialize};

/// An endpoint that was contacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Its name in the map.
    pub endpoint: String,
    /// The host.
    pub host: String,
    /// Where it processes.
    pub hosting: String,
    /// What it promises about that.
    pub guarantee: Guarantee,
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The endpoint.
    pub endpoint: String,
    /// Why, in a word.
    pub why: String,
    /// The status it answered, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Milliseconds it took.
    pub ms: u64,
    /// It was a drill: nothing was sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drill: bool,
}

impl Tried {
    /// Whether it may have hidden usage, such as thinking: the attempt was abandoned,
    /// or its response broke or is malformed.
    pub(super) fn may_have_worked_unseen(&self) -> bool {
        matches!(
            self.why.as_str(),
            "client_left" | "timed_out" | "hedged" | "broke_off" | "malformed"
        )
    }
}

/// The endpoint that responded.
#[derive(Debug, Clone, Copy)]
pub struct Served<'c> {
    /// The attempt that responded.
    pub attempt: Attempt<'c>,
    /// The status it answered with.
    pub status: u16,
    /// How long the request's body was: what an input estimate is made from.
    pub request_bytes: u64,
}

/// The possible cost of a failed attempt.
#[derive(Debug, Clone, Copy)]
pub struct Lost<'a> {
    /// The attempt.
    pub attempt: Attempt<'a>,
    /// Whether the provider may charge for it.
    pub may_be_billed: bool,
    /// How long the request's body was.
    pub request_bytes: u64,
    /// What things cost.
    pub prices: &'a PriceBook,
}
