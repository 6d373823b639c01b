//! The runaway rules: from which rate on repeated calls count as a runaway, and what is
//! done about them. `request/runaway/` detects such calls.

use crate::config::timeouts::Span;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// What `[runaway]` in `gateway.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// The number of calls in one chain.
    pub calls: u32,
    /// Within this time.
    pub within: Span,
    /// What is done about them.
    pub action: Action,
    /// The webhook that is called once for each runaway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

/// What is done about a runaway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is flagged in rows and to the webhook.
    #[default]
    Flag,
    /// Its calls also have to wait, longer each time.
    Throttle,
    /// Nothing is detected.
    Off,
}

impl Default for Rules {
    /// An agent that calls every three seconds for a minute is flagged, one
    /// that calls every ten seconds never is.
    fn default() -> Rules {
        Rules {
            calls: 20,
            within: Span::seconds(60),
            action: Action::Flag,
            webhook: None,
        }
    }
}

impl Rules {
    /// The allowed values of `calls`: fewer are an ordinary conversation, and more are
    /// not remembered.
    pub const CALLS: RangeInclusive<u32> = 3..=1_000;
    /// The allowed values of `within`.
    pub const WITHIN: RangeInclusive<Span> = Span::seconds(1)..=Span::minutes(10);
}

#[cfg(not(target_arch = "wasm32"))]
pub use reading::read;

#[cfg(not(target_arch = "wasm32"))]
mod reading {
    //! From `gateway.toml`.

    use super::Rules;
    use crate::config::{limits, timeouts};
    use crate::regions::read::{Notes, Table};

    /// Reads `[runaway]`. Missing fields have their defaults.
    pub fn read(table: &mut Table<'_>, notes: &mut Notes) -> Rules {
        let usual = Rules::default();
        let Some(mut runaway) = table.table("runaway", notes) else {
            return usual;
        };
        let rules = Rules {
            calls: runaway
                .maybe_number("calls", "a whole number such as 20", notes)
                .unwrap_or(usual.calls),
            within: timeouts::read_span(&mut runaway, "within", notes).unwrap_or(usual.within),
            action: runaway
                .maybe_choice("action", notes)
                .unwrap_or(usual.action),
            webhook: limits::read_webhook(&mut runaway, notes),
        };
        runaway.finish(notes);
        rules
    }
}
