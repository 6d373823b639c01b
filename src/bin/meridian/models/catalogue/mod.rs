//! Public catalogues of models: what each says of a model at a seller, in one
//! form. The content of a file shows which catalogue it is.

mod genai;
mod litellm;
mod models_dev;

use super::decimal;
use super::name;
use super::seller::Seller;
use meridian::units::NanoUsd;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The fields of a JSON object, unread.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// The longest name of a model.
const LONGEST_NAME: usize = 100;

/// A catalogue's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// LiteLLM's `model_prices_and_context_window.json`.
    LiteLlm,
    /// The `data.json` of genai-prices.
    GenaiPrices,
    /// The `api.json` of models.dev.
    ModelsDev,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::LiteLlm => "LiteLLM",
            Format::GenaiPrices => "genai-prices",
            Format::ModelsDev => "models.dev",
        })
    }
}

/// Why a file is no catalogue.
#[derive(Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not JSON, or an object stands twice where one belongs.
    NotJson(String),
    /// It is JSON of another kind.
    Unknown,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NotJson(error) => write!(f, "it is not JSON ({error})")?,
            Unreadable::Unknown => f.write_str("it is JSON of another kind")?,
        }
        f.write_str(
            "; give LiteLLM's model_prices_and_context_window.json, the data.json of genai-prices \
             or the api.json of models.dev",
        )
    }
}

/// What a model does, as far as a catalogue says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It answers in text.
    Text,
    /// It answers in text, and only by OpenAI's responses.
    Responses,
    /// It makes embeddings.
    Embedding,
    /// Pictures, sound, or anything else that the gateway does not pass on.
    Other,
}

/// The price of each kind of token, by the price book's names.
pub type Rates = BTreeMap<&'static str, NanoUsd>;

/// The kinds of tokens in the order of the price book.
pub const RATES: [&str; 7] = [
    "input",
    "output",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "audio_input",
    "audio_output",
];

/// The price of calls with a long input.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Long {
    /// Like any other call.
    #[default]
    Same,
    /// More, above so many tokens.
    Above(u64, Rates),
    /// By several steps, or by the time of the day: the price book has no such price.
    Beyond,
}

/// When a seller stops serving a model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    /// On a day, `YYYY-MM-DD`.
    On(String),
    /// At an unknown time; the model is listed as deprecated.
    Unsaid,
}

/// What a catalogue says of a model at a seller.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Who sells it.
    pub seller: &'static Seller,
    /// What the seller calls it.
    pub id: String,
    /// Other names of the very same.
    pub also: Vec<String>,
    /// What it does, if listed.
    pub kind: Option<Kind>,
    /// What tokens cost.
    pub rates: Rates,
    /// What tokens of calls with a long input cost.
    pub long: Long,
    /// What a web search costs.
    pub web_search: Option<NanoUsd>,
    /// Prices that are no exact amount, by name.
    pub unread: Vec<&'static str>,
    /// The most tokens that it takes in.
    pub context: Option<u32>,
    /// The most tokens of an answer.
    pub max_output: Option<u32>,
    /// When it is no longer served.
    pub ends: Option<Ends>,
}

impl Offer {
    fn new(seller: &'static Seller, id: &str) -> Offer {
        let named = name::Name::of(id);
        let kind = match (named.embeds(), named.is_of_other_media()) {
            (true, _) => Some(Kind::Embedding),
            (false, true) => Some(Kind::Other),
            (false, false) => None,
        };
        Offer {
            seller,
            id: id.to_owned(),
            also: Vec::new(),
            kind,
            rates: Rates::new(),
            long: Long::Same,
            web_search: None,
            unread: Vec::new(),
            context: None,
            max_output: None,
            ends: None,
        }
    }

    /// Takes over a price, or that it cannot be read.
    fn rate(&mut self, name: &'static str, read: Option<NanoUsd>) {
        match read {
            Some(amount) => {
                self.rates.insert(name, amount);
            }
            None => self.unread.push(name),
        }
    }

    /// What catalogues omit because it is implied: embeddings have no output,
    /// and what has no price of its own in a long input costs the same there.
    fn finish(mut self) -> Offer {
        if self.kind == Some(Kind::Embedding) && self.rates.contains_key("input") {
            self.rates.entry("output").or_insert(NanoUsd(0));
        }
        if let Long::Above(_, long) = &mut self.long {
            long.retain(|name, _| self.rates.contains_key(name));
            for (name, amount) in &self.rates {
                long.entry(name).or_insert(*amount);
            }
        }
        self
    }
}

/// One catalogue.
#[derive(Debug)]
pub struct Catalogue {
    /// Its kind.
    pub format: Format,
    /// What it is called.
    pub label: String,
    /// What it says.
    pub offers: Vec<Offer>,
    /// The offers by seller and name.
    index: BTreeMap<(&'static str, String), usize>,
    sellers: BTreeSet<&'static str>,
}

impl Catalogue {
    /// Reads one, as of a day (`YYYY-MM-DD`).
    pub fn read(text: &str, today: &str) -> Result<(Format, Vec<Offer>), Unreadable> {
        let wrong = |error: serde_json::Error| Unreadable::NotJson(error.to_string());
        if text.trim_start().starts_with('[') {
            let providers: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let offers = genai::read(&providers, today).ok_or(Unreadable::Unknown)?;
            return Ok((Format::GenaiPrices, offers));
        }
        let entries: &RawValue = serde_json::from_str(text).map_err(wrong)?;
        let entries = fields(entries).ok_or(Unreadable::Unknown)?;
        let of = |found: Option<Vec<Offer>>, format| found.map(|offers| (format, offers));
        of(litellm::read(&entries), Format::LiteLlm)
            .or_else(|| of(models_dev::read(&entries), Format::ModelsDev))
            .ok_or(Unreadable::Unknown)
    }

    /// The catalogue of these offers.
    pub fn new(format: Format, label: String, offers: Vec<Offer>) -> Catalogue {
        let mut index = BTreeMap::new();
        for (at, offer) in offers.iter().enumerate() {
            index.insert((offer.seller.name, offer.id.clone()), at);
        }
        for (at, offer) in offers.iter().enumerate() {
            for name in &offer.also {
                index.entry((offer.seller.name, name.clone())).or_insert(at);
            }
        }
        Catalogue {
            format,
            label,
            sellers: offers.iter().map(|offer| offer.seller.name).collect(),
            offers,
            index,
        }
    }

    /// What it says of an id at a seller, or of the id without its day.
    pub fn find(&self, seller: &Seller, id: &str) -> Option<&Offer> {
        let found = |id: &str| self.index.get(&(seller.name, id.to_owned()));
        let at = found(id).or_else(|| found(name::undated(id)))?;
        self.offers.get(*at)
    }

    /// Whether it lists anything of a seller.
    pub fn covers(&self, seller: &Seller) -> bool {
        self.sellers.contains(seller.name)
    }
}

/// An object's fields.
fn fields(raw: &RawValue) -> Option<Fields<'_>> {
    serde_json::from_str(raw.get()).ok()
}

/// A field that is an object.
fn object<'a>(of: &Fields<'a>, name: &str) -> Option<Fields<'a>> {
    fields(of.get(name).copied()?)
}

/// A field that is a text.
fn text(of: &Fields<'_>, name: &str) -> Option<String> {
    serde_json::from_str(of.get(name).copied()?.get()).ok()
}

/// A field that is a list.
fn list<'a>(of: &Fields<'a>, name: &str) -> Option<Vec<&'a RawValue>> {
    serde_json::from_str(of.get(name).copied()?.get()).ok()
}

/// A field that is a positive number of tokens.
fn tokens(of: &Fields<'_>, name: &str) -> Option<u32> {
    let written = of.get(name).copied()?.get();
    let written = written.strip_suffix(".0").unwrap_or(written);
    written.parse().ok().filter(|count| *count > 0)
}

/// Whether what a catalogue calls a model can be an id, and be written to a file.
fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:@".contains(&byte);
    !id.is_empty() && id.len() <= LONGEST_NAME && id.bytes().all(plain)
}

/// Whether it is `YYYY-MM-DD`.
fn is_day(text: &str) -> bool {
    let form = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    text.len() == 10 && form
}

/// An end that is given as a day.
fn end_on(day: &str) -> Ends {
    match is_day(day) {
        true => Ends::On(day.to_owned()),
        false => Ends::Unsaid,
    }
}

#[cfg(test)]
mod tests;
