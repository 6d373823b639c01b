//! The models of the map: where each is claimed, and what catalogues list for it
//! there.

use super::catalogue::{Catalogue, Ends, Kind, Offer};
use super::name::{self, Name};
use super::seller::Seller;
use meridian::config::prices::Price;
use meridian::config::Config;
use meridian::regions::{Claim, Endpoint};

/// One model of the map.
pub struct MapModel<'c> {
    /// Its own name.
    pub model: &'c str,
    /// Its price.
    pub price: Option<&'c Price>,
    /// Where it is claimed, at sellers that catalogues know; the one whose price
    /// is the list price first.
    pub places: Vec<Place<'c>>,
    /// The names that mean it: its own, the ids of its claims, its aliases.
    pub names: Vec<&'c str>,
}

/// One claim of it.
pub struct Place<'c> {
    /// Where.
    pub endpoint: &'c Endpoint,
    /// The claim.
    pub claim: &'c Claim,
    /// Who sells it there.
    pub seller: &'static Seller,
}

/// What one catalogue lists for a model.
pub struct Listing<'k> {
    /// The catalogue.
    pub label: &'k str,
    /// What it lists.
    pub offer: &'k Offer,
}

/// The models of the map.
pub fn all(config: &Config) -> Vec<MapModel<'_>> {
    let of = |model| one(config, model);
    config.regions.models().into_iter().map(of).collect()
}

fn one<'c>(config: &'c Config, model: &'c str) -> MapModel<'c> {
    let mut places = Vec::new();
    let mut names = vec![model];
    for endpoint in &config.regions.endpoints {
        let Some(claim) = endpoint.claim(model) else {
            continue;
        };
        names.push(claim.id.as_str());
        if let Some(seller) = Seller::of(endpoint) {
            places.push(Place {
                endpoint,
                claim,
                seller,
            });
        }
    }
    places.sort_by_key(|place| place.seller.rank());
    let aliases = config.gateway.aliases.iter();
    let aliases = aliases.filter(|(_, meant)| *meant == model);
    names.extend(aliases.map(|(alias, _)| alias.as_str()));
    MapModel {
        model,
        price: config.prices.0.get(model),
        places,
        names,
    }
}

impl MapModel<'_> {
    /// Whether it makes embeddings: nothing that comes out costs anything.
    pub fn kind(&self) -> Kind {
        match self.price.is_some_and(|price| price.output.0 == 0) {
            true => Kind::Embedding,
            false => Kind::Text,
        }
    }

    /// Its names, taken apart.
    pub fn parsed(&self) -> impl Iterator<Item = Name> + '_ {
        self.names.iter().map(|name| Name::of(name))
    }

    /// The seller whose price is the list price.
    pub fn home(&self) -> Option<&'static Seller> {
        self.places.first().map(|place| place.seller)
    }

    /// What catalogues list as its price: at the first seller that any of
    /// them lists it for.
    pub fn listings<'k>(&self, catalogues: &'k [Catalogue]) -> Vec<Listing<'k>> {
        for place in &self.places {
            let listings: Vec<Listing<'k>> = catalogues
                .iter()
                .filter_map(|catalogue| {
                    let offer = listed(catalogue, place.seller, &place.claim.id)?;
                    Some(Listing {
                        label: &catalogue.label,
                        offer,
                    })
                })
                .collect();
            if !listings.is_empty() {
                return listings;
            }
        }
        Vec::new()
    }

    /// Whether its end is reached by all that catalogues say of it.
    pub fn is_over(&self, catalogues: &[Catalogue], today: &str) -> bool {
        let listings = self.listings(catalogues);
        // What is deprecated is served still.
        let over = |listing: &Listing<'_>| matches!(&listing.offer.ends, Some(Ends::On(day)) if day.as_str() <= today);
        !listings.is_empty() && listings.iter().all(over)
    }
}

/// What a catalogue says of a model at its list price: at Bedrock that is the one
/// without a geography.
fn listed<'k>(catalogue: &'k Catalogue, seller: &Seller, id: &str) -> Option<&'k Offer> {
    let bare = name::without_geography(id);
    let bare = if seller.of_many { bare } else { id };
    let found = catalogue.find(seller, bare);
    found.or_else(|| catalogue.find(seller, &format!("global.{bare}")))
}
