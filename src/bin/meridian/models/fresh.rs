//! Models that catalogues have and the map has not: which of them are newer
//! than what the map has, and where they could be served.

use super::age::{Age, Shelf};
use super::catalogue::{Catalogue, Format, Kind, Offer};
use super::map_model::{Listing, MapModel};
use super::name::{self, Name};
use super::only::Only;
use super::prices::{self, Change, Dispute};
use super::seller::{Seller, SELLERS};
use meridian::config::Config;
use meridian::regions::{Claim, Dialect, Endpoint, Guarantee, GLOBAL};
use meridian::units::NanoUsd;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Nobody reviews more new models at once.
const MOST: usize = 100;

/// There are more new models than somebody reviews.
#[derive(Debug)]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the catalogues have more than {MOST} new models, too many to review: name some with --only"
        )
    }
}

/// A model that the map has not.
#[derive(Debug)]
pub struct Fresh<'c> {
    /// Its own name.
    pub name: String,
    /// What the seller calls the version that is claimed.
    pub id: String,
    /// Other names that mean that version.
    pub aliases: Vec<String>,
    /// Who sells it.
    pub seller: &'static Seller,
    /// What it does.
    pub kind: Kind,
    /// Its prices.
    pub prices: Vec<Change>,
    /// Prices that catalogues disagree on: then nothing is proposed.
    pub disputes: Vec<Dispute>,
    /// What a web search costs.
    pub web_search: Option<NanoUsd>,
    /// The catalogues that list it.
    pub listed: Vec<String>,
    /// The most tokens that it takes in.
    pub context: Option<u32>,
    /// The most tokens of an answer.
    pub max_output: Option<u32>,
    /// The endpoint that promises no place, where it is claimed.
    pub worldwide: Option<&'c Endpoint>,
    /// The endpoints where a reviewer can look for it, by place.
    pub regional: BTreeMap<&'c str, Vec<&'c str>>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found<'c> {
    /// Models to add.
    pub fresh: Vec<Fresh<'c>>,
    /// By seller, models that cannot be compared with those of the map.
    pub unknown: BTreeMap<&'static str, BTreeSet<String>>,
    /// New models with prices that are no exact amount.
    pub unread: BTreeSet<String>,
}

/// A model with what each catalogue, by its place, says of it.
type Offers<'k> = [(usize, &'k Offer)];

/// A model's name with its offers.
type Group<'k> = (String, Vec<(usize, &'k Offer)>);

/// What is looked through.
pub struct Search<'c, 'k> {
    /// The configuration.
    pub config: &'c Config,
    /// The models of the map.
    pub mapped: &'k [MapModel<'c>],
    /// The catalogues.
    pub catalogues: &'k [Catalogue],
    /// Which models are meant.
    pub only: &'k Only,
}

impl<'c> Search<'c, '_> {
    /// The models that the map has not, of sellers that it uses.
    pub fn run(&self) -> Result<Found<'c>, TooMany> {
        let mut found = Found::default();
        let mut seen: BTreeSet<String> = self.known();
        for seller in &SELLERS {
            let endpoints = self.config.regions.endpoints.iter();
            let endpoints = endpoints.filter(|one| one.off.is_none());
            let own: Vec<&Endpoint> = endpoints
                .filter(|one| Seller::of(one) == Some(seller))
                .collect();
            if !own.is_empty() {
                self.of_seller(seller, &own, &mut seen, &mut found)?;
            }
        }
        Ok(found)
    }

    fn of_seller(
        &self,
        seller: &'static Seller,
        own: &[&Endpoint],
        seen: &mut BTreeSet<String>,
        found: &mut Found<'c>,
    ) -> Result<(), TooMany> {
        let shelf = |embeds| Shelf::of(self.mapped, seller, embeds, self.catalogues);
        let (texts, embeddings) = (shelf(false), shelf(true));
        let mut new: BTreeMap<Vec<String>, Vec<Group<'_>>> = BTreeMap::new();
        for (name, offers) in self.groups(seller) {
            let mut names: Vec<&str> = offers.iter().flat_map(|(_, offer)| names(offer)).collect();
            names.push(&name);
            let known = names.iter().any(|name| seen.contains(*name));
            seen.insert(name.clone());
            if known || !self.only.means(&names) || !self.is_of_use(seller, &offers, own) {
                continue;
            }
            let shelf = match kind(&offers) {
                Kind::Embedding => &embeddings,
                _ => &texts,
            };
            let parsed = Name::of(&name);
            match shelf.age(&parsed) {
                _ if self.only.is_said() => {
                    new.entry(parsed.family).or_default().push((name, offers))
                }
                Age::New => new.entry(parsed.family).or_default().push((name, offers)),
                Age::Unknown if !seller.of_many => {
                    found.unknown.entry(seller.name).or_default().insert(name);
                }
                _ => {}
            }
        }
        for (name, offers) in new.into_values().flat_map(|family| self.newest(family)) {
            if offers.iter().any(|(_, offer)| !offer.unread.is_empty()) {
                found.unread.insert(name);
                continue;
            }
            if found.fresh.len() == MOST {
                return Err(TooMany);
            }
            let fresh = self.fresh(seller, &name, &offers);
            if fresh.worldwide.is_none() && fresh.regional.is_empty() {
                found.unknown.entry(seller.name).or_default().insert(name);
                continue;
            }
            found.fresh.push(fresh);
        }
        Ok(())
    }

    /// All names that mean a model of the map.
    fn known(&self) -> BTreeSet<String> {
        let names = self.mapped.iter().flat_map(|mapped| mapped.names.iter());
        let both = names.flat_map(|name| [*name, name::own(name)]);
        let priced = self.config.prices.0.keys().map(String::as_str);
        both.chain(priced).map(str::to_owned).collect()
    }

    fn groups(&self, seller: &Seller) -> BTreeMap<String, Vec<(usize, &Offer)>> {
        let mut groups: BTreeMap<String, Vec<(usize, &Offer)>> = BTreeMap::new();
        for (at, catalogue) in self.catalogues.iter().enumerate() {
            let offers = catalogue.offers.iter();
            for offer in offers.filter(|offer| offer.seller == seller) {
                // The price of a geography is no list price.
                let bare = name::without_geography(&offer.id) == offer.id;
                let listed = !seller.of_many || bare || offer.id.starts_with("global.");
                if listed && !name::follows_the_newest(&offer.id) {
                    let name = name::own(&offer.id).to_owned();
                    groups.entry(name).or_default().push((at, offer));
                }
            }
        }
        groups
    }

    /// Whether an endpoint of the seller could serve it, and goes on doing so.
    fn is_of_use(&self, seller: &Seller, offers: &Offers<'_>, own: &[&Endpoint]) -> bool {
        let stays = offers.iter().all(|(_, offer)| offer.ends.is_none());
        let costs = offers.iter().any(|(_, offer)| {
            !offer.unread.is_empty() || offer.rates.get("input").is_some_and(|price| price.0 > 0)
        });
        // A catalogue that does not say what a model does is not enough, where
        // another would.
        let says = |one: &Catalogue| one.format != Format::GenaiPrices && one.covers(seller);
        let kind_listed = offers.iter().any(|(_, offer)| offer.kind.is_some())
            || !self.catalogues.iter().any(says);
        let served = own.iter().any(|endpoint| serves(endpoint, kind(offers)));
        stays && costs && kind_listed && served
    }

    /// Of a family only the newest, if no single models are asked for; one whose
    /// name says no stage before one that is a preview.
    fn newest<'o>(&self, family: Vec<Group<'o>>) -> Vec<Group<'o>> {
        if self.only.is_said() {
            return family;
        }
        let mut newest: Vec<Group<'o>> = Vec::new();
        for one in family {
            let version = Name::of(&one.0).version;
            let older = |kept: &Group<'o>| version.newer_than(&Name::of(&kept.0).version);
            if newest.iter().any(|kept| older(kept) == Some(false)) {
                continue;
            }
            newest.retain(|kept| older(kept) != Some(true));
            newest.push(one);
        }
        newest
    }

    fn fresh(&self, seller: &'static Seller, name: &str, offers: &Offers<'_>) -> Fresh<'c> {
        let ids: BTreeSet<&str> = offers.iter().map(|(_, offer)| offer.id.as_str()).collect();
        let dated: Vec<&str> = ids
            .iter()
            .copied()
            .filter(|id| name::undated(id) != *id)
            .collect();
        let plain = |id: &&str| !seller.of_many || name::without_geography(id) == *id;
        let undated = ids.iter().find(|id| plain(id)).or(ids.first());
        let id = dated.last().or(undated).copied().unwrap_or(name).to_owned();
        // Of each catalogue what it says of the version, or of the name without a day.
        let listings: Vec<Listing<'_>> = self
            .catalogues
            .iter()
            .enumerate()
            .filter_map(|(at, catalogue)| {
                let own = || Some(offers.iter().find(|(of, _)| *of == at)?.1);
                let offer = catalogue.find(seller, &id).or_else(own)?;
                let label = &catalogue.label;
                Some(Listing { label, offer })
            })
            .collect();
        let compared = prices::agreed(&listings);
        let kind = kind(offers);
        let (worldwide, regional) = self.places(seller, name, kind);
        let most = |read: fn(&Offer) -> Option<u32>| {
            offers.iter().filter_map(|(_, offer)| read(offer)).max()
        };
        Fresh {
            name: name.to_owned(),
            aliases: dated
                .iter()
                .filter(|one| **one == id)
                .map(|id| (*id).to_owned())
                .collect(),
            id,
            seller,
            kind,
            prices: compared.changes,
            disputes: compared.disputes,
            web_search: offers.iter().find_map(|(_, offer)| offer.web_search),
            listed: listings
                .iter()
                .map(|listing| listing.label.to_owned())
                .collect(),
            context: most(|offer| offer.context),
            max_output: most(|offer| offer.max_output),
            worldwide,
            regional,
        }
    }

    /// The endpoint that promises no place, and those that promise one for models
    /// of the same maker.
    fn places(
        &self,
        seller: &Seller,
        name: &str,
        kind: Kind,
    ) -> (Option<&'c Endpoint>, BTreeMap<&'c str, Vec<&'c str>>) {
        let line = |name: &str| Name::of(name).family.into_iter().next();
        let free = |claim: &Claim| claim.hosting.0 == GLOBAL && claim.guarantee == Guarantee::None;
        let mut regional: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut worldwide = None;
        let endpoints = self.config.regions.endpoints.iter();
        for endpoint in endpoints.filter(|one| one.off.is_none() && serves(one, kind)) {
            let here = Seller::of(endpoint) == Some(seller);
            let of_maker = here && !seller.of_many;
            // An endpoint that has nothing like it may be set up for other models.
            let related = |claim: &&Claim| {
                let mapped = self
                    .mapped
                    .iter()
                    .find(|mapped| mapped.model == claim.model);
                let same = mapped.is_some_and(|mapped| same_kind(mapped.kind(), kind));
                same && (of_maker || line(&claim.model) == line(name))
            };
            let Some(claim) = endpoint.models.iter().find(related) else {
                continue;
            };
            if !endpoint.models.iter().all(free) {
                let place = regional.entry(claim.hosting.0.as_str()).or_default();
                place.push(endpoint.name.as_str());
            } else if here && worldwide.is_none() {
                worldwide = Some(endpoint);
            }
        }
        (worldwide, regional)
    }
}

fn names(offer: &Offer) -> impl Iterator<Item = &str> {
    std::iter::once(offer.id.as_str()).chain(offer.also.iter().map(String::as_str))
}

/// What a model does; text, where no catalogue says another thing.
fn kind(offers: &Offers<'_>) -> Kind {
    let kinds = offers.iter().filter_map(|(_, offer)| offer.kind);
    kinds
        .reduce(|a, b| if a == Kind::Text { b } else { a })
        .unwrap_or(Kind::Text)
}

fn same_kind(a: Kind, b: Kind) -> bool {
    (a == Kind::Embedding) == (b == Kind::Embedding)
}

/// Whether an endpoint speaks what a model of a kind is asked in.
fn serves(endpoint: &Endpoint, kind: Kind) -> bool {
    let chat = endpoint
        .dialects
        .iter()
        .any(|one| *one != Dialect::CohereEmbed);
    match kind {
        Kind::Text => chat,
        Kind::Responses => endpoint.speaks(Dialect::OpenAiResponses),
        Kind::Embedding => [Dialect::OpenAiChat, Dialect::Gemini, Dialect::CohereEmbed]
            .iter()
            .any(|one| endpoint.speaks(*one)),
        Kind::Other => false,
    }
}
