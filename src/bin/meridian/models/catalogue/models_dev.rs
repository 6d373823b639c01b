//! The `api.json` of models.dev: providers by id with their models by id, in
//! dollars a million tokens.

use super::super::seller::Seller;
use super::{decimal, fields, is_id, list, object, text, tokens};
use super::{Ends, Fields, Kind, Long, Offer, Rates};
use serde_json::value::RawValue;

/// Its names of prices, and the price book's.
const NAMES: [(&str, &str); 6] = [
    ("input", "input"),
    ("output", "output"),
    ("cache_read", "cache_read"),
    ("cache_write", "cache_write_5m"),
    ("input_audio", "audio_input"),
    ("output_audio", "audio_output"),
];

/// Where the price of long inputs begins that has a field of its own.
const LONG_CONTEXT: u64 = 200_000;

/// Reads it; none if it is another kind of file.
pub fn read(providers: &Fields<'_>) -> Option<Vec<Offer>> {
    let mut known = false;
    let mut offers = Vec::new();
    for (id, provider) in providers {
        let Some(provider) = fields(provider) else {
            continue;
        };
        let Some(models) = object(&provider, "models") else {
            continue;
        };
        known |= provider.contains_key("npm") || provider.contains_key("env");
        let Some(seller) = Seller::in_models_dev(id) else {
            continue;
        };
        for (id, model) in models.iter().filter(|(id, _)| is_id(id)) {
            offers.extend(fields(model).map(|model| offer(seller, id, &model)));
        }
    }
    known.then_some(offers)
}

fn offer(seller: &'static Seller, id: &str, model: &Fields<'_>) -> Offer {
    let mut offer = Offer::new(seller, id);
    offer.kind = offer.kind.or_else(|| kind(model));
    if let Some(cost) = object(model, "cost") {
        for (theirs, ours) in NAMES {
            if let Some(raw) = cost.get(theirs).filter(|raw| raw.get() != "null") {
                offer.rate(ours, decimal::dollars(raw.get()));
            }
        }
        offer.long = long(&cost).unwrap_or(Long::Beyond);
    }
    if let Some(limit) = object(model, "limit") {
        offer.context = tokens(&limit, "context");
        offer.max_output = tokens(&limit, "output");
    }
    let deprecated = text(model, "status").as_deref() == Some("deprecated");
    offer.ends = deprecated.then_some(Ends::Unsaid);
    offer.finish()
}

fn kind(model: &Fields<'_>) -> Option<Kind> {
    let made = list(&object(model, "modalities")?, "output")?;
    Some(match made.iter().all(|made| made.get() == "\"text\"") {
        true => Kind::Text,
        false => Kind::Other,
    })
}

/// The price of long inputs; none if the price book has no such price.
fn long(cost: &Fields<'_>) -> Option<Long> {
    let tiers = list(cost, "tiers").unwrap_or_default();
    match (tiers.as_slice(), object(cost, "context_over_200k")) {
        ([], None) => Some(Long::Same),
        ([], Some(over)) => Some(Long::Above(LONG_CONTEXT, rates(&over)?)),
        ([tier], _) => step(tier),
        _ => None,
    }
}

fn step(tier: &RawValue) -> Option<Long> {
    let tier = fields(tier)?;
    let above = tokens(&object(&tier, "tier")?, "size")?;
    Some(Long::Above(u64::from(above), rates(&tier)?))
}

fn rates(of: &Fields<'_>) -> Option<Rates> {
    let written = NAMES
        .iter()
        .filter_map(|(theirs, ours)| Some((*ours, of.get(*theirs)?)));
    written
        .map(|(ours, raw)| Some((ours, decimal::dollars(raw.get())?)))
        .collect()
}
