//! The region map: which countries form a zone, where a zone's requests may be
//! processed, and what is claimed of each provider endpoint. Compliance staff
//! write it as TOML in `regions/`; `read.rs` turns that into the types here,
//! which is all the gateway ever sees.

pub mod bindings;
pub mod check;
pub mod country;
pub mod egress;
pub mod claim;
pub mod endpoint;
pub mod finding;
#[cfg(not(target_arch = "wasm32"))]
pub mod problem;
#[cfg(not(target_arch = "wasm32"))]
pub mod read;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

pub use claim::Claim;
pub use country::Country;
pub use egress::{Allowance, EgressClaim, EgressKind, EgressRules};
pub use endpoint::{
    Auth, Dialect, Endpoint, Guarantee, Hosting, Paths, Quirks, Sku, StreamUsage, ThinkingStyle,
};

/// The place of endpoints that promise none.
pub const GLOBAL: &str = "global";

/// What wins when the key's zone and the caller's country differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precedence {
    /// Both apply: the request may go only where each of them allows it.
    Strictest,
    /// The key's zone applies alone.
    Key,
}

/// The few choices that hold for the whole map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The zone of callers whose country is unknown, missing, Tor, or in no
    /// other zone.
    pub default_zone: String,
    /// Which side wins when a key's zone and a caller's country differ.
    pub when_key_and_country_differ: Precedence,
    /// The zones in which the gateway itself must have run: a request that
    /// reached it in a data center elsewhere is refused.
    #[serde(default)]
    pub colo_in_zone: BTreeSet<String>,
    /// The usage databases, by binding name, with the jurisdiction each has.
    pub stores: BTreeMap<String, Store>,
}

/// One usage database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The Cloudflare jurisdiction its data stays in, if it is bound to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
}

/// One compliance zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Short id, the name of its file: `eu`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The rule it answers to.
    pub basis: String,
    /// The countries it covers, groups resolved.
    pub countries: BTreeSet<Country>,
    /// Where its requests may be processed.
    pub hosting: BTreeSet<Hosting>,
    /// The weakest claim accepted of an endpoint.
    pub guarantee: Guarantee,
    /// The usage database its rows are written to.
    pub usage_store: String,
    /// When somebody has to look at it again, `YYYY-MM-DD`.
    pub review_by: String,
    /// How many days its records are kept; none: for good. Maps that were
    /// published before there was this have the version they had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// What a request may make a provider do beyond answering it.
    #[serde(default, skip_serializing_if = "Allowance::is_empty")]
    pub egress: Allowance,
}

/// What a word in `hosting` means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What people call it.
    pub name: String,
    /// The countries it takes in; none where it is the world.
    pub countries: BTreeSet<Country>,
}

/// The whole map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionMap {
    /// A digest of the map's content, shown with every answer.
    pub version: String,
    /// The global choices.
    pub policy: Policy,
    /// The places that zones and claims speak of.
    pub places: BTreeMap<Hosting, Place>,
    /// The countries of Cloudflare's data centers.
    pub colos: BTreeMap<String, Country>,
    /// All zones, by id.
    pub zones: BTreeMap<String, Zone>,
    /// All endpoints, in order of preference.
    pub endpoints: Vec<Endpoint>,
    /// What requests can ask of a provider. Empty in maps that are older than
    /// this: the deployment's own rules hold for them.
    #[serde(default, skip_serializing_if = "EgressRules::is_empty")]
    pub egress: EgressRules,
}

/// As many digits of a version are shown where people read it.
const SHOWN: usize = 12;

/// A version, short, for people. Nothing is looked up or compared by it.
pub fn shown(version: &str) -> &str {
    let is_digest = version.len() > SHOWN && version.bytes().all(|b| b.is_ascii_hexdigit());
    match version.get(..SHOWN).filter(|_| is_digest) {
        Some(short) => short,
        None => version,
    }
}

impl RegionMap {
    /// The content's SHA-256 in hex: what its version must be. Equal maps have
    /// equal versions.
    pub fn digest(&self) -> String {
        let mut unnamed = self.clone();
        unnamed.version = String::new();
        let text = serde_json::to_string(&unnamed).unwrap_or_default();
        let digest = Sha256::digest(text);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether its version is its digest, or was by the rules of a release that
    /// took the first twelve digits of it. Such a map can be in force and can be
    /// gone back to; a new one must have the whole digest.
    pub fn has_its_version(&self) -> bool {
        let digest = self.digest();
        let earlier = self.version.len() == SHOWN && digest.starts_with(&self.version);
        self.version == digest || earlier
    }

    /// The zone that names this country, if one does.
    pub fn zone_of(&self, country: Country) -> Option<&Zone> {
        self.zones
            .values()
            .find(|zone| zone.countries.contains(&country))
    }

    /// The zone of callers of whom nothing is known.
    pub fn default_zone(&self) -> Option<&Zone> {
        self.zones.get(&self.policy.default_zone)
    }

    /// By model, the endpoints that can serve a zone, in order of preference.
    pub fn served(&self, zone: &Zone) -> BTreeMap<&str, Vec<&str>> {
        let mut served: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for endpoint in self.endpoints.iter().filter(|one| one.off.is_none()) {
            for claim in &endpoint.models {
                if zone.hosting.contains(&claim.hosting) && claim.guarantee >= zone.guarantee {
                    served.entry(&claim.model).or_default().push(&endpoint.name);
                }
            }
        }
        served
    }

    /// Every model that at least one endpoint serves.
    pub fn models(&self) -> BTreeSet<&str> {
        self.endpoints
            .iter()
            .flat_map(|endpoint| endpoint.models.iter().map(|claim| claim.model.as_str()))
            .collect()
    }
}
