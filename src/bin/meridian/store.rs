//! The key store, reached through wrangler, which has the login and the names of
//! the environments.

use super::wrangler;
use meridian::request::caller::KeyRecord;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What KV accepts as metadata; a key's record is kept there too, so that one
/// call lists them all.
const LARGEST_METADATA: usize = 1024;

/// Where the keys are.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// The environment of wrangler.toml; without it the local one.
    #[arg(long)]
    env: Option<String>,
    /// The folder of the local store.
    #[arg(long, hide = true)]
    persist_to: Option<String>,
}

#[derive(Deserialize)]
struct Listed<T> {
    name: String,
    metadata: Option<T>,
}

/// A stored key: the name it is stored under and its record.
#[derive(Debug)]
pub struct Stored {
    /// `key:` and the hash.
    pub name: String,
    /// Its record.
    pub record: Option<KeyRecord>,
}

impl Place {
    /// All keys.
    pub fn list(&self) -> Result<Vec<Stored>, String> {
        let found = self.list_json("key:")?.into_iter();
        Ok(found
            .map(|(name, record)| Stored {
                name,
                record: Some(record),
            })
            .collect())
    }

    /// Stores records by their names.
    pub fn put(&self, records: &[(String, KeyRecord)]) -> Result<(), String> {
        records
            .iter()
            .try_for_each(|(name, record)| self.put_json(name, record))
    }

    /// Every record under names that begin so.
    pub fn list_json<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<(String, T)>, String> {
        let text = self.wrangler(&["list", "--prefix", prefix])?;
        // wrangler may print notices before the list.
        let start = text.find('[').ok_or("wrangler printed no list of keys")?;
        let json = text.get(start..).unwrap_or_default();
        let listed: Vec<Listed<T>> = serde_json::from_str(json)
            .map_err(|e| format!("wrangler's list of keys cannot be read: {e}"))?;
        Ok(listed
            .into_iter()
            .filter_map(|one| Some((one.name, one.metadata?)))
            .collect())
    }

    /// Stores one record.
    pub fn put_json<T: Serialize>(&self, name: &str, record: &T) -> Result<(), String> {
        let json = serde_json::to_string(record).map_err(|e| e.to_string())?;
        if json.len() > LARGEST_METADATA {
            return Err(format!(
                "the record takes {} bytes; at most {LARGEST_METADATA} are stored: use fewer or shorter tags and models",
                json.len()
            ));
        }
        self.wrangler(&["put", name, &json, "--metadata", &json])
            .map(|_| ())
    }

    fn wrangler(&self, arguments: &[&str]) -> Result<String, String> {
        let mut all = vec!["kv", "key"];
        all.extend(arguments);
        all.extend(["--binding", "KEYS"]);
        match &self.env {
            Some(env) => all.extend(["--env", env, "--remote"]),
            None => all.push("--local"),
        };
        if let Some(folder) = &self.persist_to {
            all.extend(["--persist-to", folder]);
        }
        wrangler::run(&all)
    }
}
