//! `groups.toml`, `places.toml` and `colos.toml`: what stands for which
//! countries.

use super::table::{Table, Text};
use super::{file, Notes};
use crate::regions::check::Rule;
use crate::regions::problem::Source;
use crate::regions::{Country, Hosting, Place};
use std::collections::{BTreeMap, BTreeSet};

/// Named sets of countries.
pub type Groups = BTreeMap<String, Vec<Country>>;

pub fn groups(source: &Source, notes: &mut Notes) -> Groups {
    let mut groups = Groups::new();
    for (name, mut table) in file(source, &["groups"], notes).tables(notes) {
        table.words("name", "\"European Union\"", notes);
        table.words("source", "\"https://…\"", notes);
        table.date("reviewed", notes);
        let codes = table.list("countries", "[\"AT\", \"BE\"]", notes);
        let countries = codes.iter().filter_map(|code| country(source, code, notes));
        groups.insert(name.text, countries.collect());
        table.finish(notes);
    }
    groups
}

pub fn places(source: &Source, groups: &Groups, notes: &mut Notes) -> BTreeMap<Hosting, Place> {
    let mut places = BTreeMap::new();
    for (name, mut table) in file(source, &["places"], notes).tables(notes) {
        let place = Place {
            name: table.words("name", "\"Japan\"", notes).unwrap_or_default(),
            countries: countries(&mut table, groups, notes),
        };
        places.insert(Hosting(name.text), place);
        table.finish(notes);
    }
    places
}

pub fn colos(source: &Source, notes: &mut Notes) -> BTreeMap<String, Country> {
    let mut colos: BTreeMap<String, Country> = BTreeMap::new();
    let mut table = file(source, &["colos"], notes);
    table.words("source", "\"https://…\"", notes);
    table.date("reviewed", notes);
    if let Some(mut countries) = table.table("countries", notes) {
        for (code, list) in countries.lists(notes) {
            let Some(country) = country(source, &code, notes) else {
                continue;
            };
            for colo in list {
                if let Some(other) = colos.insert(colo.text.clone(), country) {
                    let what = format!("{} is in {other} already", colo.text);
                    notes
                        .problems
                        .push(source.problem(Rule::UnknownColo, colo.at, what));
                }
            }
        }
        countries.finish(notes);
    }
    table.finish(notes);
    colos
}

/// The field `countries` of a table, groups resolved.
pub fn countries(table: &mut Table<'_>, groups: &Groups, notes: &mut Notes) -> BTreeSet<Country> {
    let written = table.list("countries", "[\"@eu27\", \"CH\"]", notes);
    let source = table.source();
    let mut found = BTreeSet::new();
    for entry in &written {
        match entry.text.strip_prefix('@') {
            None => found.extend(country(source, entry, notes)),
            Some(group) => match groups.get(group) {
                Some(members) => found.extend(members),
                None => {
                    let what = format!("groups.toml has no group `{group}`");
                    let known: Vec<String> = groups.keys().map(|name| format!("@{name}")).collect();
                    let problem = source.problem(Rule::UnknownGroup, entry.at, what);
                    let known = known.iter().map(String::as_str);
                    notes.problems.push(problem.suggest(&entry.text, known));
                }
            },
        }
    }
    found
}

fn country(source: &Source, code: &Text, notes: &mut Notes) -> Option<Country> {
    let country = Country::from_code(&code.text);
    if country.is_none() {
        let what = format!("no country has the ISO code `{}`", code.text);
        let mut problem = source.problem(Rule::UnknownCountry, code.at, what);
        let meant = Country::meant_by(&code.text).map(|c| format!("`{c}`"));
        problem.instead = meant.or_else(|| {
            let alike = Country::alike(&code.text);
            (!alike.is_empty()).then(|| alike.join(", "))
        });
        notes.problems.push(problem);
    }
    country
}
