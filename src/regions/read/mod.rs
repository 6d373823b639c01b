//! From the TOML files of `regions/` to a [`RegionMap`], noting everything that
//! is wrong with them and where everything stands. `build.rs` and the command
//! line use it; the worker never sees TOML.

mod countries;
mod endpoints;
mod table;
mod zones;

pub use table::{Notes, Table, Text};

use super::finding::Spot;
use super::problem::Source;
use super::RegionMap;
use sha2::{Digest, Sha256};

/// The files of `regions/`, by what they are.
pub struct RegionFiles<'a> {
    /// `policy.toml`.
    pub policy: &'a Source,
    /// `groups.toml`.
    pub groups: &'a Source,
    /// `places.toml`.
    pub places: &'a Source,
    /// `colos.toml`.
    pub colos: &'a Source,
    /// `zones/*.toml`.
    pub zones: &'a [Source],
    /// `endpoints/*.toml`, in the order of their names.
    pub endpoints: &'a [Source],
}

/// Reads the whole map, as far as it can be read. What it means is not looked
/// at here: that is for `check`.
pub fn read(files: &RegionFiles<'_>, notes: &mut Notes) -> RegionMap {
    let groups = countries::groups(files.groups, notes);
    let mut map = RegionMap {
        version: String::new(),
        policy: zones::policy(files.policy, notes),
        places: countries::places(files.places, &groups, notes),
        colos: countries::colos(files.colos, notes),
        zones: zones::zones(files.zones, &groups, notes),
        endpoints: endpoints::endpoints(files.endpoints, notes),
    };
    map.version = version_of(&map);
    map
}

/// Twelve hex digits of the content's SHA-256: equal maps have equal versions.
pub fn version_of(map: &RegionMap) -> String {
    let mut unnamed = map.clone();
    unnamed.version = String::new();
    let text = serde_json::to_string(&unnamed).unwrap_or_default();
    let hex: String = Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    hex.chars().take(12).collect()
}

/// The table of a whole file.
fn file<'s>(source: &'s Source, keys: &[&str], notes: &mut Notes) -> Table<'s> {
    Table::of(source, Spot::at(keys), notes)
}
