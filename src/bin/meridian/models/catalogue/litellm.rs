//! LiteLLM's catalogue: one object, by `provider/model`, with dollars a token.

use super::super::seller::Seller;
use super::{decimal, end_on, fields, is_id, list, object, text, tokens};
use super::{Fields, Kind, Long, Offer, Rates};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Its names of prices, and the price book's.
const NAMES: [(&str, &str); 7] = [
    ("input_cost_per_token", "input"),
    ("output_cost_per_token", "output"),
    ("cache_read_input_token_cost", "cache_read"),
    ("cache_creation_input_token_cost", "cache_write_5m"),
    (
        "cache_creation_input_token_cost_above_1hr",
        "cache_write_1h",
    ),
    ("input_cost_per_audio_token", "audio_input"),
    ("output_cost_per_audio_token", "audio_output"),
];

/// Reads it; none if it is another kind of file.
pub fn read(entries: &Fields<'_>) -> Option<Vec<Offer>> {
    let mut known = false;
    let mut offers = Vec::new();
    for (key, raw) in entries {
        let Some(entry) = fields(raw) else { continue };
        let Some(provider) = text(&entry, "litellm_provider") else {
            continue;
        };
        known = true;
        // With a region, or a size of pictures, it is a price of something else.
        let id = key.strip_prefix(&format!("{}/", head(key, &provider)));
        let id = id.unwrap_or(key);
        if let Some(seller) = Seller::in_litellm(&provider).filter(|_| is_id(id)) {
            if !id.starts_with("ft:") {
                offers.push(offer(seller, id, &entry));
            }
        }
    }
    known.then_some(offers)
}

/// The provider as keys begin with it.
fn head<'a>(key: &'a str, provider: &'a str) -> &'a str {
    let first = key.split('/').next().unwrap_or_default();
    match provider.starts_with(first) {
        true => first,
        false => provider,
    }
}

fn offer(seller: &'static Seller, id: &str, entry: &Fields<'_>) -> Offer {
    let mut offer = Offer::new(seller, id);
    offer.kind = offer.kind.or_else(|| kind(entry));
    for (theirs, ours) in NAMES {
        if let Some(raw) = entry.get(theirs).filter(|raw| raw.get() != "null") {
            offer.rate(ours, decimal::per_token(raw.get()));
        }
    }
    let (long, unread) = long(entry);
    offer.long = long;
    offer.unread.extend(unread);
    offer.web_search = object(entry, "search_context_cost_per_query").and_then(one_price);
    offer.context = tokens(entry, "max_input_tokens");
    offer.max_output = tokens(entry, "max_output_tokens");
    offer.ends = text(entry, "deprecation_date").map(|day| end_on(&day));
    offer.finish()
}

fn kind(entry: &Fields<'_>) -> Option<Kind> {
    let made = list(entry, "supported_output_modalities").unwrap_or_default();
    if made.iter().any(|made| made.get() != "\"text\"") {
        return Some(Kind::Other);
    }
    Some(match text(entry, "mode")?.as_str() {
        "chat" => Kind::Text,
        "responses" => Kind::Responses,
        "embedding" => Kind::Embedding,
        _ => Kind::Other,
    })
}

/// The price of long inputs: fields such as `input_cost_per_token_above_272k_tokens`.
fn long(entry: &Fields<'_>) -> (Long, Option<&'static str>) {
    let step = |name: &str, base: &str| -> Option<u64> {
        let thousands = name.strip_prefix(base)?.strip_prefix("_above_")?;
        let thousands: u64 = thousands.strip_suffix("k_tokens")?.parse().ok()?;
        thousands.checked_mul(1_000)
    };
    let mut steps: BTreeMap<u64, Rates> = BTreeMap::new();
    for (theirs, ours) in NAMES {
        let written = entry.iter().filter(|(_, raw)| raw.get() != "null");
        for (above, raw) in written.filter_map(|(name, raw)| Some((step(name, theirs)?, raw))) {
            let Some(amount) = decimal::per_token(raw.get()) else {
                return (Long::Beyond, Some("long_input"));
            };
            steps.entry(above).or_default().insert(ours, amount);
        }
    }
    // Without a price of input it is a leftover of another model's entry.
    steps.retain(|_, rates| rates.contains_key("input"));
    let found = match (steps.len(), steps.pop_first()) {
        (0, _) | (_, None) => Long::Same,
        (1, Some((above, rates))) => Long::Above(above, rates),
        _ => Long::Beyond,
    };
    (found, None)
}

/// The price of one search, where it is the same for all sizes.
fn one_price(sizes: BTreeMap<String, &RawValue>) -> Option<meridian::units::NanoUsd> {
    let mut prices = sizes.values().map(|raw| decimal::dollars(raw.get()));
    let first = prices.next()??;
    let same = prices.all(|price| price == Some(first));
    (same && first.0 > 0).then_some(first)
}
