//! The egress of a request: what it asks a provider to do beyond answering. One pass
//! over the body's bytes, without a tree: each field name and each `type`, at any
//! depth, is looked up in the map's vocabulary on its own, so that neither the order of
//! fields nor a duplicate field can hide anything.

mod address;
mod bulk;
mod frame;
pub mod offers;
mod scan;
mod seen;

pub use bulk::Bulk;
pub use offers::Offers;

use crate::dialect::Api;
use crate::regions::egress::{Vocabulary, PLAIN, STORED_RESPONSE, UNKNOWN};
use crate::regions::EgressRules;
use crate::request::head::Head;
use std::collections::BTreeSet;

/// The most different kinds of egress in one request; more are refused.
const MOST_FOUND: usize = 64;
/// The most characters that are kept of a caller's own words.
const LONGEST_WORD: usize = 80;

/// A kind of egress in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its kind, as in `regions/egress.toml`; `unknown` where the word that asks
    /// for it is not there.
    pub kind: String,
    /// Where it was found first, as `tools[0].type`.
    pub at: String,
    /// The word that asks for it: a field, a type, a beta feature.
    pub word: String,
    /// The host that is named; empty where it cannot be determined.
    pub host: Option<String>,
    /// How often it may be done at most, where the request says so.
    pub uses: Option<u64>,
}

impl Found {
    /// As it stands in rows and receipts: the kind, and behind a colon the host
    /// or the field that names a place.
    pub fn label(&self, rules: &EgressRules) -> String {
        let kind = rules.kinds.get(&self.kind);
        match (kind, &self.host) {
            (Some(kind), _) if kind.only_fixed => format!("{}:{}", self.kind, self.word),
            (Some(kind), Some(host)) if kind.names_host => format!("{}:{host}", self.kind),
            _ => self.kind.clone(),
        }
    }

    fn labelled(label: &str) -> Found {
        let (kind, rest) = label.split_once(':').unwrap_or((label, ""));
        Found {
            kind: kind.to_owned(),
            at: kind.to_owned(),
            word: rest.to_owned(),
            host: Some(rest.to_owned()),
            uses: None,
        }
    }
}

/// The egress of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Egress {
    /// Each once, by kind, word and host.
    pub found: Vec<Found>,
    /// Content whose token count does not follow from its bytes.
    pub bulk: Bulk,
    /// There are more kinds of egress than are kept.
    pub too_much: bool,
    /// The client's headers that go on to a provider of its own dialect.
    pub headers: Vec<(&'static str, String)>,
    /// Unknown beta features, which are left out of the headers.
    pub dropped: Vec<String>,
    /// The tools that were left out of the body at the client's request.
    pub offers: Option<Offers>,
}

/// The client's headers that are passed on to a provider of its own dialect. All
/// others, including the gateway key, are not.
const PASSED_ON: [&str; 2] = ["accept", "anthropic-version"];
/// Headers that list beta features.
const BETA_HEADERS: [&str; 2] = ["anthropic-beta", "openai-beta"];

/// Reads what a request asks for from a body that was checked to be JSON.
pub fn read(rules: &EgressRules, api: Api, head: &Head, body: &str) -> Egress {
    let nothing = Vocabulary::default();
    let vocabulary = rules.dialects.get(vocabulary_of(api)).unwrap_or(&nothing);
    let mut egress = Egress::default();
    for name in PASSED_ON {
        if let Some(value) = head.header(name) {
            egress.headers.push((name, value.to_owned()));
        }
    }
    for name in BETA_HEADERS {
        if let Some(value) = head.header(name) {
            egress.betas(vocabulary, name, value);
        }
    }
    scan::scan(rules, vocabulary, body, &mut egress);
    egress
}

/// The dialect whose words an operation's requests are in.
pub fn vocabulary_of(api: Api) -> &'static str {
    match api {
        Api::CountTokens => Api::Messages.as_str(),
        Api::Stored | Api::InputTokens | Api::Compact => Api::Responses.as_str(),
        api => api.as_str(),
    }
}

impl Egress {
    /// The egress of an operation on a stored response.
    pub fn stored() -> Egress {
        let mut egress = Egress::default();
        egress.note(Found {
            kind: STORED_RESPONSE.to_owned(),
            at: "id".to_owned(),
            word: "id".to_owned(),
            host: None,
            uses: None,
        });
        egress
    }

    /// The same of a body that these tools were left out of.
    pub fn without(self, offers: Option<Offers>) -> Egress {
        Egress { offers, ..self }
    }

    /// What was left out of the request, by the client's names.
    pub fn left_out(&self) -> Vec<String> {
        let offers = self.offers.iter().flat_map(Offers::names);
        offers.chain(self.dropped.iter().cloned()).collect()
    }

    /// Where something stands in the client's body.
    pub fn place_of(&self, place: String) -> String {
        match &self.offers {
            Some(offers) => offers.place_of(place),
            None => place,
        }
    }

    /// What was asked for, from the labels that [`Egress::labels`] made.
    pub fn of_labels<'l>(labels: impl IntoIterator<Item = &'l str>) -> Egress {
        let labels = labels.into_iter().filter(|label| !label.is_empty());
        Egress {
            found: labels.map(Found::labelled).collect(),
            ..Egress::default()
        }
    }

    /// What is asked for as rows and receipts have it, each once.
    pub fn labels(&self, rules: &EgressRules) -> BTreeSet<String> {
        self.found.iter().map(|found| found.label(rules)).collect()
    }

    /// Whether an unknown word was noted before.
    fn has_unknown(&self, word: &str) -> bool {
        let same = |found: &Found| found.word == word && found.kind == UNKNOWN;
        self.found.iter().any(same)
    }

    /// Adds a kind of egress, once.
    fn note(&mut self, found: Found) {
        let same = |known: &&mut Found| {
            (&known.kind, &known.word, &known.host) == (&found.kind, &found.word, &found.host)
        };
        if let Some(known) = self.found.iter_mut().find(same) {
            known.uses = known.uses.zip(found.uses).map(|(a, b)| a.saturating_add(b));
        } else if self.found.len() < MOST_FOUND {
            self.found.push(found);
        } else {
            self.too_much = true;
        }
    }

    /// Passes on the beta features that are known, and notes those that ask for
    /// something.
    fn betas(&mut self, vocabulary: &Vocabulary, header: &'static str, value: &str) {
        let mut kept: Vec<&str> = Vec::new();
        for beta in value
            .split(',')
            .map(str::trim)
            .filter(|beta| !beta.is_empty())
        {
            match vocabulary.betas.meaning(beta) {
                None if self.dropped.len() < MOST_FOUND => {
                    self.dropped.push(format!("{header}: {}", cut(beta)));
                }
                None => {}
                Some(meaning) => {
                    kept.push(beta);
                    self.bulk.beta(beta);
                    if meaning != PLAIN {
                        self.note(Found {
                            kind: meaning.to_owned(),
                            at: header.to_owned(),
                            word: cut(beta),
                            host: None,
                            uses: None,
                        });
                    }
                }
            }
        }
        if !kept.is_empty() {
            self.headers.push((header, kept.join(",")));
        }
    }
}

fn cut(word: &str) -> String {
    word.chars().take(LONGEST_WORD).collect()
}

/// An unknown word.
fn unknown(at: String, word: &str) -> Found {
    Found {
        kind: UNKNOWN.to_owned(),
        at,
        word: cut(word),
        host: None,
        uses: None,
    }
}

#[cfg(test)]
mod tests;
