//! The key store, reached through wrangler, which knows how to log in and which
//! environment is which.

use super::wrangler;
use meridian::caller::KeyRecord;
use serde::Deserialize;

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

/// A stored key: the name it is stored under and its record.
#[derive(Debug, Deserialize)]
pub struct Stored {
    /// `key:` and the hash.
    pub name: String,
    /// Its record.
    #[serde(rename = "metadata")]
    pub record: Option<KeyRecord>,
}

impl Place {
    /// All keys.
    pub fn list(&self) -> Result<Vec<Stored>, String> {
        let text = self.wrangler(&["list", "--prefix", "key:"])?;
        // wrangler may print notices before the list.
        let start = text.find('[').ok_or("wrangler printed no list of keys")?;
        let json = text.get(start..).unwrap_or_default();
        serde_json::from_str(json)
            .map_err(|e| format!("wrangler's list of keys cannot be read: {e}"))
    }

    /// Stores records by their names.
    pub fn put(&self, records: &[(String, KeyRecord)]) -> Result<(), String> {
        for (name, record) in records {
            let json = serde_json::to_string(record).map_err(|e| e.to_string())?;
            if json.len() > LARGEST_METADATA {
                return Err(format!(
                    "the record of key {} takes {} bytes; at most {LARGEST_METADATA} are stored: use fewer or shorter tags and models",
                    record.id,
                    json.len()
                ));
            }
            self.wrangler(&["put", name, &json, "--metadata", &json])?;
        }
        Ok(())
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
