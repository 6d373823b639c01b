//! What of a limit holds for one call: the account that it goes from.

use super::{Authority, Measure, Window};
use serde::{Deserialize, Serialize};

/// One measure of a limit that holds for a call: an account and how much may
/// go from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The account: limit, measure, whom it is for, and when it began.
    pub account: String,
    /// Where it is kept; one without an end, with whoever is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// The limit's name.
    pub limit: String,
    /// Whom it is for, in words; empty for all.
    pub whom: String,
    /// What is measured.
    pub measure: Measure,
    /// How much there is in all.
    pub cap: i64,
    /// From when to when.
    pub window: Window,
    /// Each call of a team goes from some account of this limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_all: bool,
    /// The model that answers instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downgrade: Option<String>,
    /// Where it is told how much is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

impl Applied {
    /// What calls go from that no budget is about: it never ends, but their
    /// object knows of them, should nobody tell any more what became of them.
    pub fn endless() -> Applied {
        Applied {
            account: "endless".to_owned(),
            authority: None,
            limit: String::new(),
            whom: String::new(),
            measure: Measure::Money,
            cap: i64::MAX,
            window: Window::EVER,
            takes_all: false,
            downgrade: None,
            webhook: None,
        }
    }

    /// Whether it never ends.
    pub fn is_endless(&self) -> bool {
        self.authority.is_none()
    }
}
