//! Publishing a map without a deploy: a draft, approved by somebody else than
//! who wrote it, comes into force. Here is who may do what with a draft, and
//! what may follow on what; `edge/` keeps the books.

use crate::admin::{Admin, Denied};
use crate::config::Config;
use crate::regions::check;
use crate::regions::finding::Finding;
use crate::regions::RegionMap;
use crate::units::Millis;
use serde::{Deserialize, Serialize};

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
    /// The version it was made from, if the author knows it: what has come
    /// into force since would be undone otherwise.
    #[serde(default)]
    pub base: Option<String>,
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

/// Whether a map may come into force beside a deployment's own aliases, prices
/// and databases; the warnings, if so.
pub fn vet(map: &RegionMap, deployed: &Config, today: &str) -> Result<Vec<Finding>, Denied> {
    let no = |what: String| Err(Denied::DoesNotCheck(vec![what]));
    if map.digest() != map.version {
        return no("the map's version is not the digest of its content: send what `meridian publish` makes".to_owned());
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

/// Whether somebody may put a draft into force, given what is in force now.
pub fn may_approve(draft: &Draft, admin: &Admin, in_force: &str) -> Result<(), Denied> {
    open(draft)?;
    if draft.author == admin.who {
        return Err(Denied::OwnDraft(admin.who.clone()));
    }
    if draft.base != in_force {
        return Err(Denied::Conflict(format!(
            "Draft {} was made when map {} was in force; now it is {in_force}. Make the draft anew, so that nothing is undone unseen.",
            draft.id, draft.base
        )));
    }
    Ok(())
}

/// Whether a draft can still be decided.
pub fn open(draft: &Draft) -> Result<(), Denied> {
    let said = match draft.state {
        State::Open => return Ok(()),
        State::Approved => "approved",
        State::Withdrawn => "withdrawn",
    };
    let by = draft.decided_by.as_deref().unwrap_or("somebody");
    Err(Denied::Conflict(format!(
        "Draft {} was {said} by {by} already.",
        draft.id
    )))
}

/// The version that a rollback leads to: the one that is named, or the one
/// that was in force before. `past` is what was in force, newest first, the
/// present one among it; `built_in` is the deployment's own map. After a
/// rollback the next one must be named: before it was what had to go. The
/// deployment's own map is told by its name, [`BUILT_IN`].
pub fn rollback_to(
    asked: Option<&str>,
    past: &[String],
    rolled_back: bool,
    built_in: &str,
) -> Result<String, Denied> {
    let present = past.first().map_or(BUILT_IN, String::as_str);
    let target = match asked {
        Some(version) if version == BUILT_IN || version == built_in => BUILT_IN.to_owned(),
        Some(version) if past.iter().any(|known| known == version) => version.to_owned(),
        Some(version) => {
            return Err(Denied::NotFound(format!(
                "Map {version} was never in force; `meridian history` lists those that were."
            )))
        }
        None if rolled_back => {
            return Err(Denied::Conflict(format!(
                "Map {present} came into force by a rollback. Name the version to go to; `meridian history` lists them."
            )))
        }
        None => {
            let before = past.iter().find(|version| *version != present);
            before.map_or(BUILT_IN, String::as_str).to_owned()
        }
    };
    match target == present {
        true => Err(Denied::Conflict(format!(
            "Map {target} is in force already."
        ))),
        false => Ok(target),
    }
}

/// What tells every edge which map is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The number of the audit entry that put it in force.
    pub seq: u64,
    /// The version in force, then those before it, newest first.
    pub versions: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn draft() -> Draft {
        Draft {
            id: "d1".into(),
            at: Millis(0),
            author: "anna@example.com".into(),
            why: "because".into(),
            base: "v1".into(),
            version: "v2".into(),
            state: State::Open,
            decided_by: None,
            decided_at: None,
        }
    }

    fn admin(who: &str) -> Admin {
        Admin {
            who: who.into(),
            via: "key".into(),
            roles: BTreeSet::new(),
        }
    }

    #[test]
    fn nobody_approves_their_own_draft_nor_a_stale_or_decided_one() {
        let bert = admin("bert@example.com");
        assert!(may_approve(&draft(), &bert, "v1").is_ok());
        let own = may_approve(&draft(), &admin("anna@example.com"), "v1");
        assert!(matches!(own, Err(Denied::OwnDraft(_))));
        assert!(matches!(
            may_approve(&draft(), &bert, "v9"),
            Err(Denied::Conflict(_))
        ));
        for state in [State::Approved, State::Withdrawn] {
            let decided = Draft { state, ..draft() };
            assert!(matches!(
                may_approve(&decided, &bert, "v1"),
                Err(Denied::Conflict(_))
            ));
        }
    }

    #[test]
    fn a_rollback_goes_to_a_map_that_was_in_force() {
        let past: Vec<String> = ["v3", "v2", "v3", "v1"].map(str::to_owned).to_vec();
        assert_eq!(rollback_to(None, &past, false, "v0"), Ok("v2".into()));
        assert!(rollback_to(None, &past, true, "v0").is_err());
        assert_eq!(rollback_to(Some("v1"), &past, true, "v0"), Ok("v1".into()));
        assert_eq!(
            rollback_to(Some("built-in"), &past, false, "v0"),
            Ok(BUILT_IN.into())
        );
        assert!(matches!(
            rollback_to(Some("v9"), &past, false, "v0"),
            Err(Denied::NotFound(_))
        ));
        assert!(matches!(
            rollback_to(Some("v3"), &past, false, "v0"),
            Err(Denied::Conflict(_))
        ));
        assert!(matches!(
            rollback_to(None, &[], false, "v0"),
            Err(Denied::Conflict(_))
        ));
        assert_eq!(
            rollback_to(None, &["v1".to_owned()], false, "v0"),
            Ok(BUILT_IN.into())
        );
    }
}
