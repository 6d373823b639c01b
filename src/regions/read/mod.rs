//! From the TOML files of `regions/` to a [`RegionMap`], noting everything that
//! is wrong with them and where everything stands. The command line uses it; the
//! worker never sees TOML.

mod countries;
mod egress;
mod endpoints;
mod mend;
mod table;
mod zones;

pub use mend::mend;
pub use table::{Table, Text};

use super::finding::Spot;
use super::problem::{Lines, Problem, Source};
use super::RegionMap;

/// What is learnt besides the values while files are read.
#[derive(Debug, Default)]
pub struct Notes {
    /// Everything that is wrong so far.
    pub problems: Vec<Problem>,
    /// Where everything stands.
    pub lines: Lines,
}

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
    /// `egress.toml`.
    pub egress: &'a Source,
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
        egress: egress::rules(files.egress, notes),
    };
    map.version = map.digest();
    map
}

/// The table of a whole file.
fn file<'s>(source: &'s Source, keys: &[&str], notes: &mut Notes) -> Table<'s> {
    Table::of(source, Spot::at(keys), notes)
}
