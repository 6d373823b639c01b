//! The engineers' config, `gateway.toml`: the names applications may use for a
//! model instead of its own.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `gateway.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Alias to model name.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
}

impl Gateway {
    /// The model's own name for whatever an application calls it.
    pub fn model<'a>(&'a self, asked: &'a str) -> &'a str {
        self.aliases.get(asked).map_or(asked, String::as_str)
    }
}
