//! The published maps, in D1: drafts, their content, and the audit
//! log. The log's number is the lock: what was decided on what the last entry
//! says is written only if it still is the last.

use super::unavailable;
use crate::admin::audit::{Entry, Event};
use crate::admin::publish::{Draft, BUILT_IN};
use crate::admin::Denied;
use crate::config::Config;
use crate::regions::bindings::AUDIT;
use crate::regions::RegionMap;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env};

const DATABASE: &str = "The database of published maps";
/// How often an entry is tried anew because another one was faster.
const TRIES: u32 = 3;
/// How many maps back a rollback can go.
const PAST: u32 = 100;

/// The database of published maps.
pub struct MapStore(D1Database);

/// A map that came into force.
#[derive(Debug, Clone, Deserialize)]
pub struct Past {
    /// Its version, or that it was the built-in one.
    pub version: String,
    /// Whether by a rollback.
    pub rolled_back: u8,
    /// The number of the audit entry.
    pub seq: u64,
}

/// The version in force, given what was, newest first.
pub fn present(past: &[Past], built_in: &Config) -> String {
    match past.first() {
        Some(past) if past.version != BUILT_IN => past.version.clone(),
        _ => built_in.regions.version.clone(),
    }
}

#[derive(Deserialize)]
struct Content {
    map: String,
}

impl MapStore {
    /// Opens them.
    pub fn open(env: &Env) -> Result<MapStore, Denied> {
        env.d1(AUDIT).map(MapStore).map_err(unavailable(DATABASE))
    }

    async fn rows<T: DeserializeOwned>(
        &self,
        sql: &str,
        values: &[JsValue],
    ) -> Result<Vec<T>, Denied> {
        let statement = self.statement(sql, values)?;
        let found = statement.all().await.map_err(unavailable(DATABASE))?;
        found.results().map_err(unavailable(DATABASE))
    }

    fn statement(&self, sql: &str, values: &[JsValue]) -> Result<D1PreparedStatement, Denied> {
        self.0
            .prepare(sql)
            .bind(values)
            .map_err(unavailable(DATABASE))
    }

    /// The audit log from a number on.
    pub async fn entries(&self, after: u64, limit: u32) -> Result<Vec<Entry>, Denied> {
        let sql = "SELECT * FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        self.rows(sql, &[number(after), limit.into()]).await
    }

    /// The last entry.
    pub async fn last(&self) -> Result<Option<Entry>, Denied> {
        let found = self
            .rows("SELECT * FROM audit ORDER BY seq DESC LIMIT 1", &[])
            .await?;
        Ok(found.into_iter().next())
    }

    /// What was in force, newest first.
    pub async fn past(&self) -> Result<Vec<Past>, Denied> {
        let sql = "SELECT CASE subject WHEN ?1 THEN ?1 ELSE version END AS version, \
                   action = 'map.rolled-back' AS rolled_back, seq FROM audit \
                   WHERE action IN ('draft.approved', 'map.rolled-back') ORDER BY seq DESC LIMIT ?2";
        self.rows(sql, &[BUILT_IN.into(), PAST.into()]).await
    }

    /// The entries that put a map into force, newest first.
    pub async fn history(&self, limit: u32) -> Result<Vec<Entry>, Denied> {
        let sql = "SELECT * FROM audit WHERE action IN ('draft.approved', 'map.rolled-back') \
                   ORDER BY seq DESC LIMIT ?1";
        self.rows(sql, &[limit.into()]).await
    }

    /// All drafts, newest first.
    pub async fn drafts(&self, limit: u32) -> Result<Vec<Draft>, Denied> {
        let sql = "SELECT * FROM drafts ORDER BY id DESC LIMIT ?1";
        self.rows(sql, &[limit.into()]).await
    }

    /// One draft.
    pub async fn draft(&self, id: &str) -> Result<Draft, Denied> {
        let found = self
            .rows("SELECT * FROM drafts WHERE id = ?1", &[id.into()])
            .await?;
        let id: String = id.chars().take(40).collect();
        found
            .into_iter()
            .next()
            .ok_or_else(|| Denied::NotFound(format!("There is no draft {id}.")))
    }

    /// A map's content, as text.
    pub async fn content(&self, version: &str) -> Result<String, Denied> {
        let sql = "SELECT map FROM maps WHERE version = ?1";
        let found: Vec<Content> = self.rows(sql, &[version.into()]).await?;
        let found = found.into_iter().next().map(|content| content.map);
        found.ok_or_else(|| Denied::NotFound(format!("There is no map {version}.")))
    }

    /// A map, if its content is what its version says.
    pub async fn map(&self, version: &str) -> Result<RegionMap, Denied> {
        let text = self.content(version).await?;
        let map: Option<RegionMap> = serde_json::from_str(&text).ok();
        let map = map.filter(|map| map.version == version && map.has_its_version());
        map.ok_or_else(|| {
            Denied::Conflict(format!(
                "What is kept as map {version} is not what its version says, or was written by another release and cannot be read by this one."
            ))
        })
    }

    /// Writes an entry that follows `last`, together with what it is about, or
    /// nothing at all. `false` means that another entry was faster.
    pub async fn write(
        &self,
        last: Option<&Entry>,
        event: Event,
        also: Vec<D1PreparedStatement>,
    ) -> Result<bool, Denied> {
        let entry = Entry::after(last, event);
        let sql =
            "INSERT INTO audit (seq, at, who, via, action, subject, version, why, prev, hash) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let values = [
            number(entry.seq),
            number(entry.at.0),
            JsValue::from_str(&entry.who),
            JsValue::from_str(&entry.via),
            JsValue::from_str(entry.action.as_str()),
            JsValue::from_str(&entry.subject),
            JsValue::from_str(&entry.version),
            JsValue::from_str(&entry.why),
            JsValue::from_str(&entry.prev),
            JsValue::from_str(&entry.hash),
        ];
        let mut all = vec![self.statement(sql, &values)?];
        all.extend(also);
        match self.0.batch(all).await {
            Ok(_) => Ok(true),
            Err(error) => match self.last().await? {
                Some(now) if now.seq >= entry.seq => Ok(false),
                _ => Err(unavailable(DATABASE)(error)),
            },
        }
    }

    /// Writes an entry that no draft belongs to.
    pub async fn note(&self, event: Event) -> Result<(), Denied> {
        for _ in 0..TRIES {
            let last = self.last().await?;
            if self.write(last.as_ref(), event.clone(), Vec::new()).await? {
                return Ok(());
            }
        }
        Err(Denied::Conflict(
            "Others are writing into the log just now; try again.".to_owned(),
        ))
    }

    /// Writes a new draft.
    pub fn insert_draft(
        &self,
        draft: &Draft,
        map: &str,
    ) -> Result<Vec<D1PreparedStatement>, Denied> {
        let content = "INSERT INTO maps (version, map) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let sql = "INSERT INTO drafts (id, at, author, why, base, version, state) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open')";
        let values = [
            JsValue::from_str(&draft.id),
            number(draft.at.0),
            JsValue::from_str(&draft.author),
            JsValue::from_str(&draft.why),
            JsValue::from_str(&draft.base),
            JsValue::from_str(&draft.version),
        ];
        Ok(vec![
            self.statement(content, &[draft.version.as_str().into(), map.into()])?,
            self.statement(sql, &values)?,
        ])
    }

    /// Decides a draft.
    pub fn decide(
        &self,
        id: &str,
        state: &str,
        event: &Event,
    ) -> Result<D1PreparedStatement, Denied> {
        let sql = "UPDATE drafts SET state = ?2, decided_by = ?3, decided_at = ?4 WHERE id = ?1 AND state = 'open'";
        let values = [
            JsValue::from_str(id),
            state.into(),
            event.who.as_str().into(),
            number(event.at.0),
        ];
        self.statement(sql, &values)
    }
}

/// A number as D1 takes it.
pub fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}
