//! The admin API, apart from the platform: its requests, and who may send
//! it. Three roles: viewers read, compliance decides about maps, operators
//! keep things running.

pub mod audit;
pub mod access;
pub mod retention;
pub mod publish;
pub mod budget;
pub mod drill;

use crate::request::head::Head;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;

/// What every admin key begins with.
pub const KEY_PREFIX: &str = "ma_";

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything, changes nothing.
    Viewer,
    /// Proposes and approves maps.
    Compliance,
    /// Rolls a map back and holds drills; proposes, but does not approve.
    Operator,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Compliance, Role::Operator];

    /// As records and `gateway.toml` have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Compliance => "compliance",
            Role::Operator => "operator",
        }
    }
}

/// What the key store holds about somebody: under the hash of their admin key,
/// or under their address, for those who come through Cloudflare Access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminRecord {
    /// The public part of the key; empty for those without one.
    pub id: String,
    /// The owner's mail address, the same as in Cloudflare Access.
    pub who: String,
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

impl AdminRecord {
    /// The name of the record of an admin key.
    pub fn name_of_key(key: &str) -> String {
        let digest = Sha256::digest(key.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("admin:key:{hex}")
    }

    /// The name of the record of somebody who comes through Access.
    pub fn name_of_person(who: &str) -> String {
        format!("admin:person:{}", who.trim().to_lowercase())
    }

    /// Whom it speaks of, unless it was revoked.
    pub fn admin(self, via: &str) -> Option<Admin> {
        self.revoked.is_none().then(|| Admin {
            who: self.who.trim().to_lowercase(),
            via: via.to_owned(),
            roles: self.roles,
        })
    }
}

/// Somebody who is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Admin {
    /// Their mail address, in lower case: one person is one address, however
    /// they came.
    pub who: String,
    /// How they are known.
    pub via: String,
    /// What they may do.
    pub roles: BTreeSet<Role>,
}

/// A request to the admin API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Who am I?
    WhoAmI,
    /// The map in force.
    Map,
    /// What would happen to a request?
    Explain,
    /// All drafts.
    Drafts,
    /// A new draft.
    NewDraft,
    /// One draft, with what it changes.
    Draft(String),
    /// One draft over the recorded requests.
    Replay(String),
    /// A draft is to come into force.
    Approve(String),
    /// A draft is to be given up.
    Withdraw(String),
    /// An earlier map is to be in force again.
    Rollback,
    /// The maps that were in force.
    History,
    /// The audit log.
    Audit,
    /// Recorded requests, grouped by what a map decides by.
    Requests,
    /// Where requests went.
    Transfers,
    /// What was spent, and on what.
    Usage,
    /// The limits, and how they stand.
    Budgets,
    /// A limit is to be set.
    SetBudget,
    /// A limit that was set is to be removed.
    RemoveBudget,
    /// What is held for a team's lost calls is to be released.
    ReleaseHeld,
    /// How endpoints fare.
    Health,
    /// What is known of how endpoints fare is to be forgotten.
    Forget,
    /// The drills that go on.
    Drills,
    /// How long records are kept, and how old the oldest are.
    Retention,
    /// What is no longer kept is to be deleted now.
    Delete,
    /// An endpoint is to be treated as failing.
    BeginDrill,
    /// It no longer is to be.
    EndDrill,
}

/// Why the admin API says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// There is nothing at this path.
    NoRoute,
    /// There is, but for another method.
    WrongMethod(&'static str),
    /// Nobody is known by what came with the request.
    Unknown(String),
    /// Their role does not allow it.
    Role {
        /// Who.
        who: String,
        /// The roles that do.
        needs: Vec<Role>,
    },
    /// What was sent makes no sense.
    Invalid(String),
    /// There is no such thing.
    NotFound(String),
    /// It does not fit the state of things.
    Conflict(String),
    /// They wrote the draft themselves.
    OwnDraft(String),
    /// What they approve is not what the draft proposes.
    OtherDigest {
        /// The draft.
        draft: String,
        /// The digest of the map that it proposes.
        digest: String,
    },
    /// The map does not check.
    DoesNotCheck(Vec<String>),
    /// A store did not answer.
    Unavailable(String),
}

impl Denied {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Denied::NoRoute | Denied::NotFound(_) => 404,
            Denied::WrongMethod(_) => 405,
            Denied::Unknown(_) => 401,
            Denied::Role { .. } | Denied::OwnDraft(_) => 403,
            Denied::Invalid(_) => 400,
            Denied::Conflict(_) | Denied::OtherDigest { .. } => 409,
            Denied::DoesNotCheck(_) => 422,
            Denied::Unavailable(_) => 503,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Denied::NoRoute => "unknown_route",
            Denied::WrongMethod(_) => "method_not_allowed",
            Denied::Unknown(_) => "not_known",
            Denied::Role { .. } => "role_missing",
            Denied::Invalid(_) => "invalid",
            Denied::NotFound(_) => "not_found",
            Denied::Conflict(_) => "conflict",
            Denied::OwnDraft(_) => "own_draft",
            Denied::OtherDigest { .. } => "other_digest",
            Denied::DoesNotCheck(_) => "map_does_not_check",
            Denied::Unavailable(_) => "unavailable",
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::NoRoute => f.write_str("There is nothing at this path of the admin API."),
            Denied::WrongMethod(allowed) => write!(f, "This path takes {allowed}."),
            Denied::Unknown(why) => f.write_str(why),
            Denied::Role { who, needs } => {
                let needs: Vec<&str> = needs.iter().map(|role| role.as_str()).collect();
                write!(
                    f,
                    "{who} may not do this: it takes the role {}.",
                    needs.join(" or ")
                )
            }
            Denied::Invalid(what) | Denied::NotFound(what) | Denied::Conflict(what) => {
                f.write_str(what)
            }
            Denied::OwnDraft(who) => write!(
                f,
                "{who} wrote this draft: somebody else has to approve it."
            ),
            Denied::OtherDigest { draft, digest } => write!(
                f,
                "Draft {draft} proposes map {digest}, which is not the one that you approve. Nothing was changed; look at what it changes before you approve it."
            ),
            Denied::DoesNotCheck(findings) => {
                write!(
                    f,
                    "The map does not check, so nothing was changed: {}",
                    findings.join("; ")
                )
            }
            Denied::Unavailable(what) => write!(f, "{what} did not answer; try again in a moment."),
        }
    }
}

/// Whether a path belongs to the admin API.
pub fn is_admin(path: &str) -> bool {
    path == "/admin/v1" || path.starts_with("/admin/v1/")
}

/// What a request asks for.
pub fn ask(head: &Head) -> Result<Ask, Denied> {
    let path = head.path.strip_prefix("/admin/v1/").unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let post = head.method == "POST";
    let (ask, method) = match (parts.as_slice(), post) {
        (["whoami"], _) => (Ask::WhoAmI, "GET"),
        (["map"], _) => (Ask::Map, "GET"),
        (["explain"], _) => (Ask::Explain, "POST"),
        (["drafts"], true) => (Ask::NewDraft, "POST"),
        (["drafts"], false) => (Ask::Drafts, "GET"),
        (["drafts", id], _) => (Ask::Draft((*id).to_owned()), "GET"),
        (["drafts", id, "replay"], _) => (Ask::Replay((*id).to_owned()), "GET"),
        (["drafts", id, "approve"], _) => (Ask::Approve((*id).to_owned()), "POST"),
        (["drafts", id, "withdraw"], _) => (Ask::Withdraw((*id).to_owned()), "POST"),
        (["rollback"], _) => (Ask::Rollback, "POST"),
        (["history"], _) => (Ask::History, "GET"),
        (["audit"], _) => (Ask::Audit, "GET"),
        (["requests"], _) => (Ask::Requests, "GET"),
        (["transfers"], _) => (Ask::Transfers, "GET"),
        (["usage"], _) => (Ask::Usage, "GET"),
        (["health"], _) => (Ask::Health, "GET"),
        (["health", "forget"], _) => (Ask::Forget, "POST"),
        (["budgets"], true) => (Ask::SetBudget, "POST"),
        (["budgets"], false) => (Ask::Budgets, "GET"),
        (["budgets", "remove"], _) => (Ask::RemoveBudget, "POST"),
        (["budgets", "release"], _) => (Ask::ReleaseHeld, "POST"),
        (["retention"], true) => (Ask::Delete, "POST"),
        (["retention"], false) => (Ask::Retention, "GET"),
        (["drills"], true) => (Ask::BeginDrill, "POST"),
        (["drills"], false) => (Ask::Drills, "GET"),
        (["drills", "end"], _) => (Ask::EndDrill, "POST"),
        _ => return Err(Denied::NoRoute),
    };
    if head.method != method {
        return Err(Denied::WrongMethod(method));
    }
    // A browser sends this type across origins only after asking first.
    let json = head
        .header("content-type")
        .is_some_and(|t| t.starts_with("application/json"));
    if post && !json {
        return Err(Denied::Invalid(
            "Send the body as `content-type: application/json`.".to_owned(),
        ));
    }
    Ok(ask)
}

impl Ask {
    /// The roles any of which suffices.
    fn needs(&self) -> &'static [Role] {
        match self {
            Ask::WhoAmI
            | Ask::Map
            | Ask::Explain
            | Ask::Drafts
            | Ask::Draft(_)
            | Ask::Replay(_)
            | Ask::History
            | Ask::Audit
            | Ask::Requests
            | Ask::Transfers
            | Ask::Usage
            | Ask::Health
            | Ask::Budgets
            | Ask::Retention
            | Ask::Drills => &Role::ALL,
            Ask::NewDraft | Ask::Withdraw(_) => &[Role::Compliance, Role::Operator],
            Ask::Forget
            | Ask::BeginDrill
            | Ask::EndDrill
            | Ask::SetBudget
            | Ask::RemoveBudget
            | Ask::ReleaseHeld
            | Ask::Delete => &[Role::Operator],
            Ask::Approve(_) => &[Role::Compliance],
            Ask::Rollback => &[Role::Compliance, Role::Operator],
        }
    }

    /// Whether somebody may ask it.
    pub fn allowed_to(&self, admin: &Admin) -> Result<(), Denied> {
        let needs = self.needs();
        match needs.iter().any(|role| admin.roles.contains(role)) {
            true => Ok(()),
            false => Err(Denied::Role {
                who: admin.who.clone(),
                needs: needs.to_vec(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
