//! Publishing a map without a deploy: a draft, approved by somebody else than
//! who wrote it, comes into force. Here is who may do what with a draft, and
//! what may follow on what; `edge/` stores the maps.

use crate::admin::retention;
use crate::admin::{Admin, Denied};
use crate::config::Config;
use crate::regions::check;
use crate::regions::finding::Finding;
use crate::regions::{shown, RegionMap};
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What stands in place of a version where the deployment's own map is in
/// force: that of the next deploy will be, too.
pub const BUILT_IN: &str = "built-in";

/// How far a draft has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It waits for somebody.
    Open,
    /// It came into force.
    Approved,
    /// It was given up.
    Withdrawn,
}

/// A proposed map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub at: Millis,
    /// Who made it.
    pub author: String,
    /// Why.
    pub why: String,
    /// The version that was in force then.
    pub base: String,
    /// The version it proposes.
    pub version: String,
    /// How far it has come.
    pub state: State,
    /// Who approved or withdrew it.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Millis>,
}

/// What is sent for a new draft.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The map.
    pub map: RegionMap,
    /// Why it is to come into force.
    pub why: String,
    /// The version it was made from, if the author gives it: what has come
    /// into force since would be undone otherwise.
    #[serde(default)]
    pub base: Option<String>,
}

/// What is sent to approve a draft.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Why; the draft's own reason, if none is given.
    #[serde(default)]
    pub why: String,
    /// The digest of the map that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// A reason in somebody's own words.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why.
    #[serde(default)]
    pub why: String,
    /// For a rollback, the version to go back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The longest reason that is kept.
const LONGEST_REASON: usize = 2_000;

/// A reason that says something.
pub fn reason(why: &str) -> Result<String, Denied> {
    let why = why.trim();
    match why.is_empty() || why.len() > LONGEST_REASON {
        true => Err(Denied::Invalid(format!(
            "Say why, in 1 to {LONGEST_REASON} characters: it goes into the audit log."
        ))),
        false => Ok(why.to_owned()),
    }
}

/// Whether a map may be proposed or approved; the warnings, if so. Its version
/// must be its whole digest.
pub fn vet_new(map: &RegionMap, deployed: &Config, today: &str) -> Result<Vec<Finding>, Denied> {
    match map.digest() == map.version {
        true => vet(map, deployed, today),
        false => Err(not_its_version()),
    }
}

fn not_its_version() -> Denied {
    let what =
        "the map's version is not the digest of its content: send what `meridian publish` makes";
    Denied::DoesNotCheck(vec![what.to_owned()])
}

/// Whether a map may be in force beside a deployment's own aliases, prices and
/// databases; the warnings, if so.
pub fn vet(map: &RegionMap, deployed: &Config, today: &str) -> Result<Vec<Finding>, Denied> {
    let no = |what: String| Err(Denied::DoesNotCheck(vec![what]));
    if !map.has_its_version() {
        return Err(not_its_version());
    }
    if map.policy.stores != deployed.regions.policy.stores {
        return no("policy.toml's stores differ from the deployed ones: databases are bound by a deploy, so deploy first".to_owned());
    }
    let config = Config {
        regions: map.clone(),
        gateway: deployed.gateway.clone(),
        prices: deployed.prices.clone(),
    };
    let findings = config.check(today);
    match check::may_hold(&findings) {
        true => Ok(findings),
        false => Err(Denied::DoesNotCheck(
            findings
                .iter()
                .filter(|f| !check::may_hold(std::slice::from_ref(f)))
                .map(ToString::to_string)
                .collect(),
        )),
    }
}

/// Whether the map that somebody approves is the draft's.
pub fn is_meant(draft: &Draft, digest: Option<&str>) -> Result<(), Denied> {
    match digest {
        None => Err(Denied::Invalid(format!(
            "Say in `digest` which map you approve: draft {} proposes {}. `meridian approve` shows what it changes.",
            draft.id, draft.version
        ))),
        Some(digest) if digest == draft.version => Ok(()),
        Some(_) => Err(Denied::OtherDigest {
            draft: draft.id.clone(),
            digest: draft.version.clone(),
        }),
    }
}

/// Whether somebody may put a draft into force, given what is in force now.
pub fn may_approve(draft: &Draft, admin: &Admin, in_force: &str) -> Result<(), Denied> {
    open(draft)?;
    if draft.author == admin.who {
        return Err(Denied::OwnDraft(admin.who.clone()));
    }
    if draft.base != in_force {
        return Err(Denied::Conflict(format!(
            "Draft {} was made when map {} was in force; now it is {}. Make the draft anew, so that nothing is undone unseen.",
            draft.id, shown(&draft.base), shown(in_force)
        )));
    }
    Ok(())
}

/// The zones of which a map would delete records that are kept `now`, with what
/// they keep then; the zone of callers of whom none was decided is the default
/// one. Where it is not known what holds now, whatever is deleted counts.
pub fn deletes(now: Option<&RegionMap>, then: &RegionMap) -> Vec<String> {
    let default = String::new();
    let zones = then.zones.keys().chain([&default]);
    let shorter = zones.filter_map(|zone| {
        let days = retention::days(then, zone)?;
        let kept = now.and_then(|now| retention::days(now, zone));
        let is_shorter = kept.is_none_or(|kept| days < kept);
        let zone = match zone.as_str() {
            "" => "of callers without a zone",
            zone => zone,
        };
        is_shorter.then(|| format!("{zone}: {days} days"))
    });
    shorter.collect()
}

/// Whether a draft can still be decided.
pub fn open(draft: &Draft) -> Result<(), Denied> {
    let decision = match draft.state {
        State::Open => return Ok(()),
        State::Approved => "approved",
        State::Withdrawn => "withdrawn",
    };
    let by = draft.decided_by.as_deref().unwrap_or("somebody");
    Err(Denied::Conflict(format!(
        "Draft {} was {decision} by {by} already.",
        draft.id
    )))
}

/// The version that a rollback leads to: the one that is named, or the one
/// that was in force before. `past` is what was in force, newest first, the
/// present one among it; `built_in` is the deployment's own map. After a
/// rollback the next one must be named: before it was what had to go. The
/// deployment's own map has a fixed name, [`BUILT_IN`].
pub fn rollback_to(
    asked: Option<&str>,
    past: &[String],
    rolled_back: bool,
    built_in: &str,
) -> Result<String, Denied> {
    let present = past.first().map_or(BUILT_IN, String::as_str);
    let target = match asked {
        Some(asked) => named(asked, past, built_in)?,
        None if rolled_back => {
            return Err(Denied::Conflict(format!(
                "Map {} came into force by a rollback. Name the version to go to; `meridian history` lists them.", shown(present)
            )))
        }
        None => {
            let before = past.iter().find(|version| *version != present);
            before.map_or(BUILT_IN, String::as_str).to_owned()
        }
    };
    match target == present {
        true => Err(Denied::Conflict(format!(
            "Map {} is in force already.",
            shown(&target)
        ))),
        false => Ok(target),
    }
}

/// The fewest digits a version is named by.
const FEWEST_DIGITS: usize = 12;

/// The version that somebody names, in full or by its first digits, if only one
/// begins so.
fn named(asked: &str, past: &[String], built_in: &str) -> Result<String, Denied> {
    if asked == BUILT_IN || asked == built_in {
        return Ok(BUILT_IN.to_owned());
    }
    if past.iter().any(|known| known == asked) {
        return Ok(asked.to_owned());
    }
    let begins = |known: &str| asked.len() >= FEWEST_DIGITS && known.starts_with(asked);
    let mut found: BTreeSet<&str> = past
        .iter()
        .map(String::as_str)
        .filter(|v| begins(v))
        .collect();
    if begins(built_in) {
        found.remove(built_in);
        found.insert(BUILT_IN);
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.to_owned()),
        (Some(_), Some(_)) => Err(Denied::Conflict(format!(
            "More than one map begins with {asked}; name it in full."
        ))),
        (None, _) => Err(Denied::NotFound(format!(
            "Map {asked} was never in force; `meridian history` lists those that were."
        ))),
    }
}

/// The KV entry that names the map in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The number of the audit entry that put it in force.
    pub seq: u64,
    /// The version in force, then those before it, newest first.
    pub versions: Vec<String>,
}

#[cfg(test)]
mod tests;
