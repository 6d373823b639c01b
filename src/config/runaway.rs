//! From which pace on calls that each have the one before in them are taken
//! for a loop that nobody stops, and what is done about it. Whether calls are
//! of that kind is seen in `runaway/`.

use crate::config::timeouts::Span;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// What `[runaway]` in `gateway.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// So many calls of one chain.
    pub calls: u32,
    /// Within this time.
    pub within: Span,
    /// What becomes of them.
    pub action: Action,
    /// Who is told once of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

/// What becomes of calls of a chain that goes too fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// They are told about.
    #[default]
    Flag,
    /// They wait too, longer and longer.
    Throttle,
    /// Nobody looks.
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
    /// Two calls that follow each other are a conversation, and more than this
    /// are not remembered.
    pub const CALLS: RangeInclusive<u32> = 3..=1_000;
    /// What is longer ago has nothing to do with a loop.
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

    /// Reads `[runaway]`. What is not said is as usual.
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
