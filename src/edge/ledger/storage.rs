//! What an object keeps in its own storage: its accounts, rows on their way to the
//! database with the ids of those that are there, and messages for webhooks.

use super::super::host;
use crate::ledger::object::{Hook, Host, Waiting};
use crate::ledger::{Address, Change, Stored};
use crate::units::{Millis, RequestId};
use serde::Deserialize;
use worker::{Result, SqlStorage, State};

/// How long an id is remembered after its row came, if the row is in the database:
/// nobody reports a call again so late.
const REMEMBER_MS: u64 = 3_600_000;

/// The tables.
pub struct Storage(SqlStorage);

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Pair {
    key: String,
    value: String,
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, at INTEGER NOT NULL, row TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS event_waiting ON event (id) WHERE row IS NOT NULL;
CREATE INDEX IF NOT EXISTS event_written ON event (at) WHERE row IS NULL;
CREATE TABLE IF NOT EXISTS hook (id INTEGER PRIMARY KEY, url TEXT NOT NULL, body TEXT NOT NULL, tries INTEGER NOT NULL);
";

impl Storage {
    /// An object's.
    pub fn of(state: &State) -> Storage {
        Storage(state.storage().sql())
    }

    /// Makes the tables.
    pub fn prepare(&self) -> Result<()> {
        self.0.exec(TABLES, None).map(|_| ())
    }

    /// Who the object is.
    pub fn remember(&self, address: &Address) -> Result<()> {
        let text = serde_json::to_string(address)?;
        let sql = "INSERT INTO state (key, value) VALUES ('address', ?) ON CONFLICT DO NOTHING";
        self.0.exec(sql, vec![text.into()]).map(|_| ())
    }

    /// Who the object is, if it ever had a request.
    pub fn address(&self) -> Result<Option<Address>> {
        let sql = "SELECT value AS text FROM state WHERE key = 'address'";
        let found: Vec<Text> = self.0.exec(sql, None)?.to_array()?;
        Ok(found
            .first()
            .and_then(|found| serde_json::from_str(&found.text).ok()))
    }
}

impl Host for Storage {
    type Error = worker::Error;

    fn stored(&self) -> Result<Vec<Stored>> {
        let sql = "SELECT key, value FROM state WHERE key <> 'address'";
        let found: Vec<Pair> = self.0.exec(sql, None)?.to_array()?;
        Ok(found
            .into_iter()
            .map(|pair| (pair.key, pair.value))
            .collect())
    }

    fn write(&mut self, changes: &[Change]) -> Result<()> {
        for Change { key, value } in changes {
            let key = key.as_str().into();
            match value {
                Some(value) => self.0.exec(
                    "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                    vec![key, value.as_str().into()],
                )?,
                None => self.0.exec("DELETE FROM state WHERE key = ?", vec![key])?,
            };
        }
        Ok(())
    }

    fn add_rows(&mut self, now: Millis, rows: &str) -> Result<Vec<String>> {
        let cursor = self.0.exec(
            "INSERT INTO event (id, at, row) SELECT value->>'id', ?2, value \
             FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING RETURNING id AS text",
            vec![rows.into(), i64::try_from(now.0).unwrap_or_default().into()],
        )?;
        let new: Vec<Text> = cursor.to_array()?;
        Ok(new.into_iter().map(|found| found.text).collect())
    }

    fn waiting(&self, most: usize) -> Result<Waiting> {
        let sql = format!(
            "SELECT count(*) AS count, json_group_array(json(row)) AS rows, json_group_array(id) AS ids \
             FROM (SELECT id, row FROM event WHERE row IS NOT NULL ORDER BY id LIMIT {most})"
        );
        self.0.exec(&sql, None)?.one()
    }

    fn written(&mut self, ids: &str) -> Result<()> {
        let sql = "UPDATE event SET row = NULL WHERE id IN (SELECT value FROM json_each(?))";
        self.0.exec(sql, vec![ids.into()]).map(|_| ())
    }

    fn forget_rows(&mut self, now: Millis) -> Result<()> {
        let before = i64::try_from(now.0.saturating_sub(REMEMBER_MS)).unwrap_or_default();
        let sql = "DELETE FROM event WHERE row IS NULL AND at < ?";
        self.0.exec(sql, vec![before.into()]).map(|_| ())
    }

    fn keep_hook(&mut self, url: &str, body: &str) -> Result<()> {
        let sql = "INSERT INTO hook (url, body, tries) VALUES (?, ?, 0)";
        self.0.exec(sql, vec![url.into(), body.into()]).map(|_| ())
    }

    fn hooks(&self) -> Result<Vec<Hook>> {
        let sql = "SELECT id, url, body, tries FROM hook ORDER BY id LIMIT 10";
        self.0.exec(sql, None)?.to_array()
    }

    fn tried_hook(&mut self, id: i64, taken: bool, most: u32) -> Result<()> {
        match taken {
            true => self
                .0
                .exec("DELETE FROM hook WHERE id = ?", vec![id.into()])?,
            false => {
                self.0.exec(
                    "UPDATE hook SET tries = tries + 1 WHERE id = ?",
                    vec![id.into()],
                )?;
                self.0.exec(
                    "DELETE FROM hook WHERE tries >= ?",
                    vec![i64::from(most).into()],
                )?
            }
        };
        Ok(())
    }

    fn new_id(&mut self, now: Millis) -> RequestId {
        host::request_id(now)
    }
}
