//! What ends: models that catalogues give an end, models that no catalogue
//! lists, and the aliases that mean them.

use super::catalogue::{Catalogue, Ends};
use super::edit::{quoted, Document, Edit};
use super::map_model::{MapModel, Place};
use super::name::{Name, Version};
use meridian::config::Config;
use std::collections::{BTreeMap, BTreeSet};

/// The file of aliases.
pub const FILE: &str = "gateway.toml";

/// The end of a model at some endpoints.
#[derive(Debug, PartialEq, Eq)]
pub struct Ending {
    /// The model.
    pub model: String,
    /// When.
    pub ends: Ends,
    /// The catalogues that say so.
    pub listed_by: BTreeSet<String>,
    /// The endpoints that it ends at.
    pub endpoints: Vec<String>,
    /// Whether there are others at which it goes on.
    pub elsewhere: bool,
    /// The aliases that mean it.
    pub aliases: Vec<String>,
    /// The newest of its family here.
    pub newer: Option<String>,
}

/// An alias for which there is a newer model.
#[derive(Debug, PartialEq, Eq)]
pub struct Newer {
    /// The alias.
    pub alias: String,
    /// What it means.
    pub model: String,
    /// The newest of the family.
    pub newer: String,
    /// Zones that have the one and not the other.
    pub lost: Vec<String>,
    /// Whether what it means is over, so that it is changed.
    pub over: bool,
}

/// What is looked at.
pub struct Look<'c, 'k> {
    /// The configuration.
    pub config: &'c Config,
    /// The models of the map.
    pub mapped: &'k [MapModel<'c>],
    /// The catalogues.
    pub catalogues: &'k [Catalogue],
    /// The day, `YYYY-MM-DD`.
    pub today: &'k str,
}

impl Look<'_, '_> {
    /// What ends of a model within a year, at endpoints that are used.
    pub fn ends(&self, mapped: &MapModel<'_>) -> Vec<Ending> {
        let mut found: BTreeMap<Ends, (BTreeSet<String>, Vec<String>)> = BTreeMap::new();
        let far = next_year(self.today);
        let used = |place: &&Place<'_>| place.endpoint.off.is_none();
        for place in mapped.places.iter().filter(used) {
            for catalogue in self.catalogues {
                let offer = catalogue.find(place.seller, &place.claim.id);
                let ends = offer.and_then(|offer| offer.ends.clone());
                let soon = |ends: &Ends| !matches!(ends, Ends::On(day) if *day > far);
                let Some(ends) = ends.filter(soon) else {
                    continue;
                };
                let (listed_by, endpoints) = found.entry(ends).or_default();
                listed_by.insert(catalogue.label.clone());
                if !endpoints.contains(&place.endpoint.name) {
                    endpoints.push(place.endpoint.name.clone());
                }
            }
        }
        let all = self.config.regions.endpoints.iter();
        let all = all.filter(|one| one.off.is_none() && one.claim(mapped.model).is_some());
        let all = all.count();
        let aliases = self.config.gateway.aliases.iter();
        let aliases = aliases.filter(|(_, meant)| *meant == mapped.model);
        let aliases: Vec<String> = aliases.map(|(alias, _)| alias.clone()).collect();
        let newer = self.successor(mapped).map(|newer| newer.model.to_owned());
        found
            .into_iter()
            .map(|(ends, (listed_by, endpoints))| Ending {
                model: mapped.model.to_owned(),
                ends,
                listed_by,
                elsewhere: endpoints.len() < all,
                endpoints,
                aliases: aliases.clone(),
                newer: newer.clone(),
            })
            .collect()
    }

    /// Whether catalogues list the seller of a model, and none lists the model.
    pub fn is_unlisted(&self, mapped: &MapModel<'_>) -> bool {
        let covered = |seller| self.catalogues.iter().any(|one| one.covers(seller));
        mapped.listings(self.catalogues).is_empty() && mapped.home().is_some_and(covered)
    }

    /// The newest model of the map for an alias that names no version.
    pub fn newer(&self, alias: &str) -> Option<Newer> {
        let meant = self.config.gateway.aliases.get(alias)?;
        let mapped = self.mapped.iter().find(|mapped| mapped.model == meant)?;
        if Name::of(alias).version != Version::Unsaid {
            return None;
        }
        let newest = self.successor(mapped)?;
        let zones = self.config.regions.zones.values();
        let lost = zones.filter(|zone| {
            let served = self.config.regions.served(zone);
            served.contains_key(mapped.model) && !served.contains_key(newest.model)
        });
        Some(Newer {
            alias: alias.to_owned(),
            model: meant.clone(),
            newer: newest.model.to_owned(),
            lost: lost.map(|zone| zone.id.clone()).collect(),
            over: mapped.is_over(self.catalogues, self.today),
        })
    }

    /// The newest model of a model's family that is newer and has no end.
    fn successor(&self, mapped: &MapModel<'_>) -> Option<&MapModel<'_>> {
        let own = Name::of(mapped.model);
        let stays = |one: &&MapModel<'_>| {
            let listings = one.listings(self.catalogues);
            listings.iter().all(|listing| listing.offer.ends.is_none())
        };
        let family = self.mapped.iter().map(|one| (one, Name::of(one.model)));
        let newer = family
            .filter(|(_, name)| name.family == own.family)
            .filter(|(_, name)| name.version.newer_than(&own.version) == Some(true))
            .filter(|(one, _)| stays(one));
        let newest = newer.reduce(|a, b| match b.1.version.newer_than(&a.1.version) {
            Some(true) => b,
            _ => a,
        });
        newest.map(|(one, _)| one)
    }
}

/// The same day a year later.
fn next_year(day: &str) -> String {
    let (year, rest) = day.split_at_checked(4).unwrap_or((day, ""));
    let year: u32 = year.parse().unwrap_or(0);
    format!("{:04}{rest}", year + 1)
}

/// The edit of an alias whose model is over, where the newer one is served in
/// all of its zones.
pub fn edit(gateway: &Document<'_>, newer: &Newer) -> Option<Edit> {
    let changes = newer.over && newer.lost.is_empty();
    let path = ["aliases", newer.alias.as_str()];
    changes.then(|| gateway.replace(&path, &quoted(&newer.newer)))?
}
