//! The engineers' config, `gateway.toml`: the names applications may use for a
//! model instead of its own, and who may use the admin API through Cloudflare
//! Access.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `gateway.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gateway {
    /// Alias to model name.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// Cloudflare Access, if the admin API is behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
}

/// Whose tokens of Cloudflare Access are taken, and who may do what with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The team's domain: `example.cloudflareaccess.com`.
    pub team: String,
    /// The application's audience tag.
    pub audience: String,
    /// Mail addresses by role: `viewer`, `compliance`, `operator`.
    pub roles: BTreeMap<String, Vec<String>>,
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

    use super::{Access, BTreeMap, Gateway};
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
        gateway.access = table
            .table("access", notes)
            .and_then(|table| access(table, notes));
        table.finish(notes);
        gateway
    }

    fn access(mut table: Table<'_>, notes: &mut Notes) -> Option<Access> {
        let team = table.words("team", "\"example.cloudflareaccess.com\"", notes);
        let audience = table.words("audience", "\"the application's AUD tag\"", notes);
        let mut roles = BTreeMap::new();
        for role in ["viewer", "compliance", "operator"] {
            let people = table.maybe_list(role, notes).unwrap_or_default();
            let people = people.into_iter().map(|person| person.text.to_lowercase());
            roles.insert(role.to_owned(), people.collect());
        }
        table.finish(notes);
        Some(Access {
            team: team?,
            audience: audience?,
            roles,
        })
    }
}
