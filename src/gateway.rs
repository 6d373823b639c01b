//! The engineers' config, `gateway.toml`: the names applications may use for a
//! model instead of its own.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `gateway.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

#[cfg(not(target_arch = "wasm32"))]
pub use reading::read;

#[cfg(not(target_arch = "wasm32"))]
mod reading {
    //! From `gateway.toml`.

    use super::Gateway;
    use crate::regions::finding::Spot;
    use crate::regions::problem::Source;
    use crate::regions::read::{Notes, Table};

    /// Reads `gateway.toml`.
    pub fn read(source: &Source, notes: &mut Notes) -> Gateway {
        let mut table = Table::of(source, Spot::at(&["gateway"]), notes);
        let mut gateway = Gateway::default();
        if let Some(mut aliases) = table.table("aliases", notes) {
            for (alias, model) in aliases.words_left(notes) {
                gateway.aliases.insert(alias.text, model.text);
            }
        }
        table.finish(notes);
        gateway
    }
}
