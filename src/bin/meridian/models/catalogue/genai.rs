//! The `data.json` of genai-prices: a list of providers with their models, in
//! dollars a million tokens.

use super::super::name::Name;
use super::super::seller::Seller;
use super::{decimal, fields, is_day, is_id, list, object, text, tokens};
use super::{Ends, Fields, Long, Offer, Rates};
use meridian::units::NanoUsd;
use serde_json::value::RawValue;

/// Its names of prices, and the price book's.
const NAMES: [(&str, &str); 6] = [
    ("input_mtok", "input"),
    ("output_mtok", "output"),
    ("cache_read_mtok", "cache_read"),
    ("cache_write_mtok", "cache_write_5m"),
    ("input_audio_mtok", "audio_input"),
    ("output_audio_mtok", "audio_output"),
];

/// Reads it as of a day; none if it is another kind of file.
pub fn read(providers: &[&RawValue], today: &str) -> Option<Vec<Offer>> {
    let mut known = false;
    let mut offers = Vec::new();
    for provider in providers.iter().filter_map(|raw| fields(raw)) {
        let (Some(id), Some(models)) = (text(&provider, "id"), list(&provider, "models")) else {
            continue;
        };
        known |= provider.contains_key("api_pattern");
        let Some(seller) = Seller::in_genai(&id) else {
            continue;
        };
        for model in models.iter().filter_map(|raw| fields(raw)) {
            offers.extend(offer(seller, &model, today));
        }
    }
    known.then_some(offers)
}

fn offer(seller: &'static Seller, model: &Fields<'_>, today: &str) -> Option<Offer> {
    let id = text(model, "id").filter(|id| is_id(id))?;
    // Fine-tuned models have prices of their own.
    if id.starts_with("ft:") || id.ends_with('-') {
        return None;
    }
    // Google's list has what others make and Vertex sells.
    let line = Name::of(&id).family.into_iter().next();
    if seller.name == "Google" && line.as_deref() == Some("claude") {
        return None;
    }
    let mut offer = Offer::new(seller, &id);
    offer.also = object(model, "match").map_or(Vec::new(), |clause| exact(&clause));
    if let Some(prices) = model.get("prices") {
        match in_force(prices, today) {
            Some(prices) => take(&mut offer, &prices),
            None => offer.unread.push("prices"),
        }
    }
    offer.context = tokens(model, "context_window");
    let deprecated = model
        .get("deprecated")
        .is_some_and(|raw| raw.get() == "true");
    offer.ends = deprecated.then_some(Ends::Unsaid);
    Some(offer.finish())
}

/// The names that mean this model and no other. Clauses such as `starts_with`
/// take in newer models, and are left out.
fn exact(clause: &Fields<'_>) -> Vec<String> {
    let equals = |clause: &Fields<'_>| text(clause, "equals").filter(|id| is_id(id));
    let any = list(clause, "or").unwrap_or_default();
    let any = any.iter().filter_map(|raw| equals(&fields(raw)?));
    equals(clause).into_iter().chain(any).collect()
}

/// The prices of a day: the last ones that have begun. None if they hang on the
/// time of the day too.
fn in_force<'a>(prices: &'a RawValue, today: &str) -> Option<Fields<'a>> {
    let Ok(dated) = serde_json::from_str::<Vec<&RawValue>>(prices.get()) else {
        return fields(prices);
    };
    let mut found = None;
    for one in dated {
        let one = fields(one)?;
        let begins = match object(&one, "constraint") {
            None => None,
            Some(constraint) => Some(text(&constraint, "start_date").filter(|day| is_day(day))?),
        };
        if begins.is_none_or(|day| day.as_str() <= today) {
            found = object(&one, "prices");
        }
    }
    found
}

/// Takes the prices over, with the steps of a long input.
fn take(offer: &mut Offer, prices: &Fields<'_>) {
    let mut above = None;
    let mut long = Rates::new();
    for (theirs, ours) in NAMES {
        let Some(raw) = prices.get(theirs).filter(|raw| raw.get() != "null") else {
            continue;
        };
        let Some(tiered) = fields(raw) else {
            offer.rate(ours, decimal::dollars(raw.get()));
            continue;
        };
        let base = tiered
            .get("base")
            .and_then(|raw| decimal::dollars(raw.get()));
        offer.rate(ours, base);
        match step(&tiered) {
            Some((start, amount)) if above.is_none_or(|above| above == start) => {
                above = Some(start);
                long.insert(ours, amount);
            }
            _ => {
                offer.long = Long::Beyond;
                return;
            }
        }
    }
    if let Some(above) = above {
        offer.long = Long::Above(above, long);
    }
}

/// The only step of a price.
fn step(tiered: &Fields<'_>) -> Option<(u64, NanoUsd)> {
    let tiers = list(tiered, "tiers")?;
    let [tier] = tiers.as_slice() else {
        return None;
    };
    let tier = fields(tier)?;
    let start = tokens(&tier, "start")?;
    Some((
        u64::from(start),
        decimal::dollars(tier.get("price")?.get())?,
    ))
}
