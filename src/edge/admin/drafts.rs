//! Maps on their way into force: proposed, looked at, approved by somebody
//! else. First the books, then KV, from where every edge reads
//! it; whatever breaks in between is mended by doing it again.

use super::super::{host, keys, map};
use super::map_store::{present, MapStore};
use super::{built_in, evidence, unavailable, AdminCall};
use crate::admin::audit::{Action, Entry, Event};
use crate::admin::publish::{self, Approval, Draft, Pointer, Proposal, Reason, State, BUILT_IN};
use crate::admin::Denied;
use crate::config::Config;
use crate::regions::check::Rule;
use crate::regions::finding::{Finding, Severity, Spot};
use crate::regions::RegionMap;
use crate::report::diff;
use crate::report::replay::Replay;
use serde_json::{json, Value};

/// How often a change is tried anew because another one was faster.
pub const TRIES: usize = 5;
const LISTED: u32 = 100;
/// How many versions the pointer names, for an edge that cannot use the first.
const POINTED_AT: usize = 5;

/// A map by its version, built-in or published.
pub async fn map_of(
    maps: &MapStore,
    version: &str,
    built_in: &Config,
) -> Result<RegionMap, Denied> {
    match version == built_in.regions.version {
        true => Ok(built_in.regions.clone()),
        false => maps.map(version).await,
    }
}

fn with(map: RegionMap, built_in: &Config) -> Config {
    Config {
        regions: map,
        gateway: built_in.gateway.clone(),
        prices: built_in.prices.clone(),
    }
}

pub async fn in_force(call: &AdminCall) -> Result<Value, Denied> {
    let (maps, built_in) = (MapStore::open(&call.env)?, built_in()?);
    let past = maps.past().await?;
    let version = present(&past, built_in);
    let map = map_of(&maps, &version, built_in).await?;
    // What this instance goes by, freshly looked up, should be the same.
    let served = map::look(&call.env)
        .await
        .map(|config| config.regions.version.clone());
    let published = past.first().is_some_and(|past| past.version != BUILT_IN);
    Ok(json!({
        "version": version,
        "published": published,
        "built_in": built_in.regions.version,
        "served_here": served.ok(),
        "map": map,
    }))
}

pub async fn list(call: &AdminCall) -> Result<Value, Denied> {
    let drafts = MapStore::open(&call.env)?.drafts(LISTED).await?;
    Ok(json!({"drafts": drafts}))
}

pub async fn create(call: &AdminCall) -> Result<Value, Denied> {
    let proposal: Proposal = call.body().await?;
    let why = publish::reason(&proposal.why)?;
    let (maps, built_in) = (MapStore::open(&call.env)?, built_in()?);
    publish::vet_new(&proposal.map, built_in, &call.at.date())?;
    for _ in 0..TRIES {
        let last = maps.last().await?;
        let base = present(&maps.past().await?, built_in);
        if proposal.base.as_ref().is_some_and(|known| *known != base) {
            return Err(Denied::Conflict(format!(
                "Map {base} is in force, and this draft was made from {}: take in what has changed first.",
                proposal.base.unwrap_or_default()
            )));
        }
        if base == proposal.map.version {
            return Err(Denied::Conflict(format!(
                "Map {base} is in force already; the draft changes nothing."
            )));
        }
        let proposed = Proposed {
            map: &proposal.map,
            base,
            why: &why,
        };
        if let Some(draft) = proposed.write(call, &maps, last.as_ref()).await? {
            return proposed.shown(call, &maps, &draft).await;
        }
    }
    Err(busy())
}

/// A map that is being proposed.
pub struct Proposed<'a> {
    pub map: &'a RegionMap,
    pub base: String,
    pub why: &'a str,
}

impl Proposed<'_> {
    /// Writes it as a draft, unless another entry was faster than `last`.
    pub async fn write(
        &self,
        call: &AdminCall,
        maps: &MapStore,
        last: Option<&Entry>,
    ) -> Result<Option<Draft>, Denied> {
        let draft = Draft {
            id: host::request_id(call.at).to_string(),
            at: call.at,
            author: call.admin.who.clone(),
            why: self.why.to_owned(),
            base: self.base.clone(),
            version: self.map.version.clone(),
            state: State::Open,
            decided_by: None,
            decided_at: None,
        };
        let content = serde_json::to_string(self.map);
        let content = content.map_err(|e| Denied::Invalid(e.to_string()))?;
        let event = event(call, Action::Drafted, &draft.id, &draft.version, self.why);
        let also = maps.insert_draft(&draft, &content)?;
        let written = maps.write(last, event, also).await?;
        Ok(written.then_some(draft))
    }

    /// The draft, and what it changes.
    pub async fn shown(
        &self,
        call: &AdminCall,
        maps: &MapStore,
        draft: &Draft,
    ) -> Result<Value, Denied> {
        let built_in = built_in()?;
        let old = with(map_of(maps, &draft.base, built_in).await?, built_in);
        let new = with(self.map.clone(), built_in);
        let (diff, findings) = (diff::diff(&old, &new), new_findings(call, &old, &new));
        Ok(json!({"draft": draft, "diff": diff, "words": diff.words(), "findings": findings}))
    }
}

pub fn busy() -> Denied {
    Denied::Conflict("Others are changing maps at the same time; try again.".to_owned())
}

pub fn event(call: &AdminCall, action: Action, subject: &str, version: &str, why: &str) -> Event {
    Event {
        at: call.at,
        who: call.admin.who.clone(),
        via: call.admin.via.clone(),
        action,
        subject: subject.to_owned(),
        version: version.to_owned(),
        why: why.to_owned(),
    }
}

pub async fn show(call: &AdminCall, id: &str) -> Result<Value, Denied> {
    let (maps, built_in) = (MapStore::open(&call.env)?, built_in()?);
    let draft = maps.draft(id).await?;
    let (old, new) = both(&maps, &draft, built_in).await?;
    let (diff, findings) = (diff::diff(&old, &new), new_findings(call, &old, &new));
    Ok(
        json!({"draft": draft, "diff": diff, "words": diff.words(), "findings": findings, "map": new.regions}),
    )
}

/// What a draft brings that is worth a look and was not there before.
fn new_findings(call: &AdminCall, old: &Config, new: &Config) -> Vec<Finding> {
    let today = call.at.date();
    let known = old.check(&today);
    let mut findings = new.check(&today);
    findings.retain(|finding| !known.contains(finding));
    let used = new.regions.endpoints.iter().filter(|one| one.off.is_none());
    for endpoint in used {
        let secret = endpoint.auth.secret();
        if call.env.secret(secret).is_err() {
            let spot = Spot::endpoint(&endpoint.name, "auth");
            let what = format!(
                "nobody has set the secret {secret}: {} is passed over until somebody does",
                endpoint.name
            );
            let finding = Finding::new(Rule::SecretMissing, spot, what);
            findings.push(Finding {
                severity: Severity::Warning,
                ..finding
            });
        }
    }
    findings
}

/// What was in force when a draft was made, and the draft.
async fn both(
    maps: &MapStore,
    draft: &Draft,
    built_in: &Config,
) -> Result<(Config, Config), Denied> {
    let old = map_of(maps, &draft.base, built_in).await?;
    let new = maps.map(&draft.version).await?;
    Ok((with(old, built_in), with(new, built_in)))
}

pub async fn replay(call: &AdminCall, id: &str) -> Result<Value, Denied> {
    let (maps, built_in) = (MapStore::open(&call.env)?, built_in()?);
    let draft = maps.draft(id).await?;
    let (old, new) = both(&maps, &draft, built_in).await?;
    let days = call.number("days")?.unwrap_or(7).clamp(1, 90);
    let from = call.at.0.saturating_sub(days * 86_400_000);
    let mut replay = Replay::default();
    let mut cursor = None;
    // One request looks at so much and no more; the command line asks page by
    // page and has no such bound.
    for _ in 0..evidence::MOST_PAGES {
        let page = evidence::request_page(&call.env, from, call.at.0, cursor.as_deref()).await?;
        page.groups
            .iter()
            .for_each(|group| replay.take(&old, &new, group));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(
        json!({"days": days, "whole": cursor.is_none(), "words": replay.words("  "), "replay": replay}),
    )
}

pub async fn approve(call: &AdminCall, id: &str) -> Result<Value, Denied> {
    let approval: Approval = call.body().await?;
    let (maps, built_in) = (MapStore::open(&call.env)?, built_in()?);
    for _ in 0..TRIES {
        let last = maps.last().await?;
        let (draft, past) = (maps.draft(id).await?, maps.past().await?);
        let here = present(&past, built_in);
        publish::is_meant(&draft, approval.digest.as_deref())?;
        // Approved before, but KV did not take it then: only that is left.
        if draft.state == State::Approved && draft.version == here {
            return put_in_force(call, &maps, built_in).await;
        }
        publish::may_approve(&draft, &call.admin, &here)?;
        publish::vet_new(&maps.map(&draft.version).await?, built_in, &call.at.date())?;
        let why = match approval.why.trim() {
            "" => &draft.why,
            _ => &approval.why,
        };
        let why = publish::reason(why)?;
        let event = event(call, Action::Approved, &draft.id, &draft.version, &why);
        let also = vec![maps.decide(&draft.id, "approved", &event)?];
        if maps.write(last.as_ref(), event, also).await? {
            return put_in_force(call, &maps, built_in).await;
        }
    }
    Err(busy())
}

pub async fn withdraw(call: &AdminCall, id: &str) -> Result<Value, Denied> {
    let reason: Reason = call.body().await?;
    let why = publish::reason(&reason.why)?;
    let maps = MapStore::open(&call.env)?;
    for _ in 0..TRIES {
        let last = maps.last().await?;
        let draft = maps.draft(id).await?;
        publish::open(&draft)?;
        let event = event(call, Action::Withdrawn, &draft.id, &draft.version, &why);
        let also = vec![maps.decide(&draft.id, "withdrawn", &event)?];
        if maps.write(last.as_ref(), event, also).await? {
            return Ok(json!({"draft": maps.draft(id).await?}));
        }
    }
    Err(busy())
}

/// Writes the map in force to KV, where every edge reads it.
pub async fn put_in_force(
    call: &AdminCall,
    maps: &MapStore,
    built_in: &Config,
) -> Result<Value, Denied> {
    const STORE: &str =
        "The map was approved and is in the map database, but the store that the edges read";
    let unanswered = |_| Denied::Unavailable(STORE.to_owned());
    let store = call.env.kv(keys::BINDING).map_err(unavailable("KV"))?;
    let mut past = maps.past().await?;
    loop {
        let mut versions: Vec<String> = Vec::new();
        for one in &past {
            if versions.len() < POINTED_AT && !versions.contains(&one.version) {
                versions.push(one.version.clone());
            }
        }
        let Some(first) = past.first() else {
            return Err(Denied::Conflict("No map was ever published.".to_owned()));
        };
        if first.version != BUILT_IN {
            let content = maps.content(&first.version).await?;
            let put = store
                .put(&map::name_of(&first.version), content)
                .map_err(unanswered)?;
            put.execute().await.map_err(unanswered)?;
        }
        let pointer = json!(Pointer {
            seq: first.seq,
            versions
        })
        .to_string();
        let put = store.put(map::POINTER, pointer).map_err(unanswered)?;
        put.execute().await.map_err(unanswered)?;
        // Two that are put in force at once may arrive in the wrong order: the
        // books say which was last.
        let now = maps.past().await?;
        if now.first().map(|past| past.seq) == Some(first.seq) {
            break;
        }
        past = now;
    }
    let _ = map::look(&call.env).await;
    Ok(json!({"version": present(&past, built_in), "everywhere_within_seconds": 60}))
}

pub async fn history(call: &AdminCall) -> Result<Value, Denied> {
    let (maps, built_in) = (MapStore::open(&call.env)?, built_in()?);
    let past = maps.past().await?;
    Ok(json!({
        "in_force": present(&past, built_in),
        "built_in": built_in.regions.version,
        "history": maps.history(LISTED).await?,
    }))
}

pub async fn audit(call: &AdminCall) -> Result<Value, Denied> {
    let after = call.number("after")?.unwrap_or(0);
    let entries: Vec<Entry> = MapStore::open(&call.env)?.entries(after, LISTED).await?;
    let full = entries.len() == LISTED as usize;
    let next = entries.last().filter(|_| full).map(|entry| entry.seq);
    Ok(json!({"entries": entries, "next": next}))
}
