//! Prices of models that the map has, compared with what catalogues say: where
//! all that say something agree on another price, that one is proposed.

use super::catalogue::{Catalogue, Long, Offer, Rates, RATES};
use super::decimal::written;
use super::edit::{key, quoted, Document, Edit};
use super::map_model::{Listing, MapModel};
use meridian::config::prices::Price;
use meridian::units::NanoUsd;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The file of prices.
pub const FILE: &str = "prices.toml";

/// A price that changes.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// What of: `input`, or `long_input.input`.
    pub field: String,
    /// The price here.
    pub old: Option<String>,
    /// The price of the catalogues.
    pub new: String,
    /// The catalogues that say so.
    pub listed_by: Vec<String>,
}

/// A price that catalogues disagree on.
#[derive(Debug, PartialEq, Eq)]
pub struct Dispute {
    /// What of.
    pub field: String,
    /// The price here.
    pub here: Option<String>,
    /// What each catalogue says.
    pub listed: Vec<(String, String)>,
}

/// What is found about one model's prices.
#[derive(Debug, Default)]
pub struct Compared {
    /// Prices that are proposed.
    pub changes: Vec<Change>,
    /// Prices that are shown and left alone.
    pub disputes: Vec<Dispute>,
    /// Catalogues with prices that cannot be read.
    pub unread: Vec<String>,
}

/// Every price that something says, by field: `above` is that of a long input.
fn fields(rates: &Rates, long: &Long) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut put = |prefix: &str, rates: &Rates| {
        let positive = rates.iter().filter(|(_, amount)| amount.0 > 0);
        fields.extend(positive.map(|(name, amount)| (format!("{prefix}{name}"), written(*amount))));
    };
    put("", rates);
    if let Long::Above(above, rates) = long {
        put("long_input.", rates);
        fields.insert("long_input.above".to_owned(), above.to_string());
    }
    fields
}

/// The price book's own prices, in the form of the catalogues.
pub fn rates(price: &Price) -> Rates {
    let all = [
        Some(price.input),
        Some(price.output),
        price.cache_read,
        price.cache_write_5m,
        price.cache_write_1h,
        price.audio_input,
        price.audio_output,
    ];
    let pairs = RATES.into_iter().zip(all);
    pairs
        .filter_map(|(name, amount)| Some((name, amount?)))
        .collect()
}

/// Compares a model's price with what catalogues say.
pub fn compare(mapped: &MapModel<'_>, catalogues: &[Catalogue]) -> Compared {
    let Some(price) = mapped.price else {
        return Compared::default();
    };
    let long = price.long_input.as_ref();
    let long = long.map_or(Long::Same, |long| {
        Long::Above(long.above, rates(&long.price))
    });
    settle(&fields(&rates(price), &long), &mapped.listings(catalogues))
}

/// What catalogues say of a new model: all as changes from nothing.
pub fn agreed(listings: &[Listing<'_>]) -> Compared {
    settle(&BTreeMap::new(), listings)
}

fn settle(here: &BTreeMap<String, String>, listings: &[Listing<'_>]) -> Compared {
    let mut found = Compared::default();
    let mut by_field: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for Listing { label, offer } in listings {
        if !offer.unread.is_empty() {
            found.unread.push((*label).to_owned());
        }
        for (field, amount) in fields(&offer.rates, &offer.long) {
            by_field
                .entry(field)
                .or_default()
                .push(((*label).to_owned(), amount));
        }
    }
    // A catalogue without a price of long inputs says that they cost the same.
    let flat = |offer: &Offer| offer.long == Long::Same && offer.rates.contains_key("input");
    let flat: Vec<&Listing<'_>> = listings
        .iter()
        .filter(|listing| flat(listing.offer))
        .collect();
    if let Some(above) = by_field.get_mut("long_input.above") {
        above.extend(
            flat.iter()
                .map(|listing| (listing.label.to_owned(), "none".to_owned())),
        );
    }
    let tiers_agree = by_field
        .get("long_input.above")
        .is_none_or(|amounts| all_equal(amounts));
    for (field, amounts) in by_field {
        let ours = here.get(&field);
        let long = field.starts_with("long_input.");
        if amounts.iter().all(|(_, amount)| Some(amount) == ours) {
            continue;
        }
        match (
            all_equal(&amounts) && (tiers_agree || !long),
            amounts.first(),
        ) {
            (true, Some((_, new))) => found.changes.push(Change {
                field,
                old: ours.cloned(),
                new: new.clone(),
                listed_by: amounts.iter().map(|(label, _)| label.clone()).collect(),
            }),
            // Where the steps are disputed, what they cost is no further question.
            (false, _) if long && !tiers_agree && field != "long_input.above" => {}
            _ => found.disputes.push(Dispute {
                field,
                here: ours.cloned(),
                listed: amounts,
            }),
        }
    }
    let place = |field: &str| {
        let (long, name) = match field.strip_prefix("long_input.") {
            Some(name) => (true, name),
            None => (false, field),
        };
        (
            long,
            RATES
                .iter()
                .position(|rate| *rate == name)
                .map_or(0, |at| at + 1),
        )
    };
    found.changes.sort_by_key(|change| place(&change.field));
    found.disputes.sort_by_key(|dispute| place(&dispute.field));
    found
}

fn all_equal(amounts: &[(String, String)]) -> bool {
    amounts.windows(2).all(|pair| match pair {
        [a, b] => a.1 == b.1,
        _ => true,
    })
}

/// The edits that make the changes of a model, with the day from which they hold.
pub fn edits(book: &Document<'_>, model: &str, changes: &[Change], today: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut block = String::new();
    for change in changes {
        let path: Vec<&str> = std::iter::once(model)
            .chain(change.field.split('.'))
            .collect();
        let line = line(&change.field, &change.new);
        if book.has(&path) {
            edits.extend(book.replace(&path, &value(&change.field, &change.new)));
        } else if path.len() == 3 && !book.has(&[model, "long_input"]) {
            block.push_str(&line);
        } else {
            edits.extend(book.after(&before(book, &path), &line));
        }
    }
    if !block.is_empty() {
        let block = format!("\n[{}.long_input]\n{block}", key(model));
        edits.extend(book.after_values(&[model], &block));
    }
    if !edits.is_empty() {
        edits.extend(book.replace(&[model, "from"], today));
    }
    edits
}

/// The line of the file after which a price belongs.
fn before<'p>(book: &Document<'_>, path: &[&'p str]) -> Vec<&'p str> {
    let (name, table) = path.split_last().unwrap_or((&"", &[]));
    let at = RATES.iter().position(|rate| rate == name).unwrap_or(0);
    let earlier = RATES.iter().take(at).rev();
    let with = |rate: &&'p str| [table, &[*rate]].concat();
    let mut places = earlier.map(with);
    places
        .find(|place| book.has(place))
        .unwrap_or_else(|| table.to_vec())
}

fn value(field: &str, amount: &str) -> String {
    match field.ends_with(".above") {
        true => amount.to_owned(),
        false => quoted(amount),
    }
}

fn line(field: &str, amount: &str) -> String {
    let name = field.rsplit('.').next().unwrap_or(field);
    format!("{name} = {}\n", value(field, amount))
}

/// The block of a new model.
pub fn block(model: &str, prices: &[Change], search: Option<NanoUsd>, tail: &str) -> String {
    let name = key(model);
    let mut written_block = format!("[{name}]\n");
    let (long, own): (Vec<&Change>, Vec<&Change>) = prices
        .iter()
        .partition(|price| price.field.starts_with("long_input."));
    let free = !own.iter().any(|price| price.field == "output");
    for price in own {
        written_block.push_str(&line(&price.field, &price.new));
        if free && price.field == "input" {
            written_block.push_str("output = \"0\"\n");
        }
    }
    written_block.push_str(tail);
    if !long.is_empty() {
        let _ = write!(written_block, "\n[{name}.long_input]\n");
        long.iter()
            .for_each(|price| written_block.push_str(&line(&price.field, &price.new)));
    }
    if let Some(search) = search {
        let _ = write!(
            written_block,
            "\n[{name}.per_use]\nweb-search = {}\n",
            quoted(&written(search))
        );
    }
    written_block
}
