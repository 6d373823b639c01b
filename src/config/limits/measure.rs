//! What limits measure, and how amounts are written.

use crate::units::NanoUsd;
use serde::{Deserialize, Serialize};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Billionths of a dollar.
    Money,
    /// Calls that begin.
    Requests,
    /// Tokens, in and out.
    Tokens,
    /// Calls in progress.
    Concurrent,
}

impl Measure {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Measure::Money => "budget",
            Measure::Requests => "requests",
            Measure::Tokens => "tokens",
            Measure::Concurrent => "concurrent",
        }
    }

    /// An amount of it, for people.
    pub fn show(self, amount: i64) -> String {
        match self {
            Measure::Money => NanoUsd(amount).rounded(),
            Measure::Requests => format!("{amount} requests"),
            Measure::Tokens => format!("{amount} tokens"),
            Measure::Concurrent => format!("{amount} requests at once"),
        }
    }
}
