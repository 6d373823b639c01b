//! Whether a model of a catalogue is newer than those of the map. Catalogues have
//! no dates of release, so names are compared.

use super::catalogue::{Catalogue, Kind};
use super::map_model::MapModel;
use super::name::{Name, Version};
use super::seller::Seller;
use std::collections::BTreeMap;

/// How a model compares with those of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Newer than all of its family; or of a new family, and no older than what
    /// stays of the map.
    New,
    /// One that the map has, by another name.
    Same,
    /// Older.
    Older,
    /// Of a line that the map does not have, or without a version.
    Unknown,
}

/// The names of the models that the map has of a seller and a kind.
#[derive(Debug, Default)]
pub struct Shelf {
    families: BTreeMap<Vec<String>, Vec<Version>>,
    /// By line, such as `claude`, the oldest versions of those that stay: one with
    /// numbers, one with a month.
    lines: BTreeMap<String, Vec<Version>>,
}

impl Shelf {
    /// Those of a seller.
    pub fn of(
        mapped: &[MapModel<'_>],
        seller: &Seller,
        embeds: bool,
        catalogues: &[Catalogue],
    ) -> Shelf {
        let mut shelf = Shelf::default();
        let own = mapped.iter().filter(|mapped| mapped.home() == Some(seller));
        for mapped in own.filter(|mapped| (mapped.kind() == Kind::Embedding) == embeds) {
            let listings = mapped.listings(catalogues);
            let stays = listings.iter().all(|listing| listing.offer.ends.is_none());
            for name in mapped.parsed() {
                shelf.put(name, stays);
            }
        }
        shelf
    }

    fn put(&mut self, name: Name, stays: bool) {
        let line = name.family.first().cloned().unwrap_or_default();
        let oldest = self.lines.entry(line).or_default();
        if stays && name.version != Version::Unsaid {
            let alike = oldest.iter_mut().find_map(|old| {
                let newer = old.newer_than(&name.version)?;
                Some((old, newer))
            });
            match alike {
                Some((old, true)) => *old = name.version.clone(),
                Some(_) => {}
                None => oldest.push(name.version.clone()),
            }
        }
        let family = self.families.entry(name.family).or_default();
        family.push(name.version);
    }

    /// How a name compares.
    pub fn age(&self, name: &Name) -> Age {
        let family = self.families.get(&name.family);
        let family = family.map_or(&[][..], Vec::as_slice);
        if family.contains(&name.version) {
            return Age::Same;
        }
        let line = name.family.first();
        let Some(oldest) = line.and_then(|line| self.lines.get(line)) else {
            return Age::Unknown;
        };
        let compared: Vec<bool> = family
            .iter()
            .filter_map(|known| name.version.newer_than(known))
            .collect();
        if !compared.is_empty() {
            let newest = compared.iter().all(|newer| *newer);
            return if newest { Age::New } else { Age::Older };
        }
        let mut compared = oldest
            .iter()
            .filter_map(|old| old.newer_than(&name.version));
        match (compared.next(), &name.version) {
            (_, Version::Unsaid) | (None, _) => Age::Unknown,
            (Some(true), _) => Age::Older,
            (Some(false), _) => Age::New,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(names: &[&str]) -> Shelf {
        let mut shelf = Shelf::default();
        for name in names {
            shelf.put(Name::of(name), true);
        }
        shelf
    }

    #[test]
    fn a_model_is_new_by_its_family_or_by_the_oldest_that_stays() {
        let shelf = shelf(&[
            "claude-opus-5-5",
            "claude-opus-5",
            "claude-haiku-4-5",
            "mistral-large-2512",
            "mistral-large-4-0",
        ]);
        for (name, expected) in [
            ("claude-opus-6", Age::New),
            ("claude-opus-5.10", Age::New),
            ("claude-opus-5-1", Age::Older),
            ("claude-opus-5-20260101", Age::Same),
            ("claude-opus-5-5-preview", Age::Same),
            ("claude-fable-5", Age::New),
            ("claude-fable-4-5", Age::New),
            ("claude-sonnet-4", Age::Older),
            ("claude-instant", Age::Unknown),
            ("mistral-large-2605", Age::New),
            ("mistral-large-2411", Age::Older),
            ("mistral-large-4", Age::Same),
            ("mistral-nova-2411", Age::Older),
            ("codestral-2605", Age::Unknown),
        ] {
            assert_eq!(shelf.age(&Name::of(name)), expected, "{name}");
        }
    }
}
