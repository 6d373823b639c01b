//! `zones/*.toml` and `policy.toml`.

use super::countries::{countries, Groups};
use super::egress;
use super::table::Table;
use super::{file, Notes};
use crate::regions::problem::Source;
use crate::regions::{Guarantee, Hosting, Policy, Precedence, Store, Zone};
use std::collections::{BTreeMap, BTreeSet};

pub fn zones(sources: &[Source], groups: &Groups, notes: &mut Notes) -> BTreeMap<String, Zone> {
    let mut zones = BTreeMap::new();
    for source in sources {
        let id = source.stem().to_owned();
        let mut table = file(source, &["zones", &id], notes);
        let zone = Zone {
            id: id.clone(),
            name: table.words("name", "\"Japan\"", notes).unwrap_or_default(),
            basis: table
                .words("basis", "\"APPI Art. 28\"", notes)
                .unwrap_or_default(),
            countries: countries(&mut table, groups, notes),
            hosting: hosting(&mut table, notes),
            guarantee: table
                .choice("guarantee", "\"processing\"", notes)
                .unwrap_or(Guarantee::ProcessingAndStorage),
            usage_store: table
                .words("usage_store", "\"USAGE_EU\"", notes)
                .unwrap_or_default(),
            review_by: table.date("review_by", notes).unwrap_or_default(),
            retention_days: table.maybe_number(
                "retention_days",
                "a whole number of days such as 90, without quotes",
                notes,
            ),
            egress: egress::allowance(&mut table, notes),
        };
        zones.insert(id, zone);
        table.finish(notes);
    }
    zones
}

fn hosting(table: &mut Table<'_>, notes: &mut Notes) -> BTreeSet<Hosting> {
    let places = table.list("hosting", "[\"eu\"]", notes);
    places
        .into_iter()
        .map(|place| Hosting(place.text))
        .collect()
}

pub fn policy(source: &Source, notes: &mut Notes) -> Policy {
    let mut table = file(source, &["policy"], notes);
    let policy = Policy {
        default_zone: table
            .words("default_zone", "\"default\"", notes)
            .unwrap_or_default(),
        when_key_and_country_differ: table
            .choice("when_key_and_country_differ", "\"strictest\"", notes)
            .unwrap_or(Precedence::Strictest),
        colo_in_zone: table
            .list("colo_in_zone", "[]", notes)
            .into_iter()
            .map(|zone| zone.text)
            .collect(),
        stores: stores(&mut table, notes),
    };
    table.finish(notes);
    policy
}

fn stores(table: &mut Table<'_>, notes: &mut Notes) -> BTreeMap<String, Store> {
    let mut stores = BTreeMap::new();
    let Some(mut tables) = table.table("stores", notes) else {
        return stores;
    };
    for (name, mut table) in tables.tables(notes) {
        let jurisdiction = table
            .maybe_text("jurisdiction", notes)
            .map(|found| found.text);
        stores.insert(name.text, Store { jurisdiction });
        table.finish(notes);
    }
    tables.finish(notes);
    stores
}
