//! What a request can make a provider do beyond answering it: contact another
//! host, run code, search, read or keep what is not in the request. The words
//! that ask for it are data (`regions/egress.toml`), for each dialect; what a
//! zone allows and what an endpoint claims of it stand beside their other rules.
//! A word that is not in the data counts as reaching out.

use super::{Guarantee, Hosting};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// A word that asks for nothing.
pub const PLAIN: &str = "plain";
/// A part of a former answer: addresses and ids beside it are only mentioned.
pub const MENTION: &str = "mention";
/// A field whose content is the caller's own, such as a tool's schema.
pub const OPAQUE: &str = "opaque";
/// A field that lists beta features.
pub const BETAS: &str = "betas";
/// The pattern that any host fits.
pub const ANY_HOST: &str = "*";
/// What nobody has said anything about.
pub const UNKNOWN: &str = "unknown";
/// The kind of egress of answers that the provider keeps.
pub const STORED_RESPONSE: &str = "stored-response";
/// The kind of egress of answers that come after the connection has ended.
pub const BACKGROUND: &str = "background";

/// The kind of egress of other models that work on a request.
pub const OTHER_MODEL: &str = "other-model";
/// The kind of egress of other machines, at another price.
pub const TIER: &str = "tier";
/// The kinds of egress of Anthropic's tools that a request can limit one by one.
pub const WEB_SEARCH: &str = "web-search";
/// The other of them.
pub const WEB_FETCH: &str = "web-fetch";

/// Everything that is known about what requests can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EgressRules {
    /// The kinds of egress, by id.
    pub kinds: BTreeMap<String, EgressKind>,
    /// The words of each dialect that clients speak, by its name.
    pub dialects: BTreeMap<String, Vocabulary>,
}

impl EgressRules {
    /// Whether nothing is said: a map that is older than these rules.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.dialects.is_empty()
    }
}

/// One kind of egress.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EgressKind {
    /// What the provider is asked to do, as in "asks the provider to …".
    pub does: String,
    /// What a client can do in its place, as a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instead: String,
    /// Where that is documented.
    pub source: String,
    /// When somebody last checked, `YYYY-MM-DD`.
    pub reviewed: String,
    /// Input that the body does not hold is billed: its length bounds nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hides_input: bool,
    /// A tool that the provider runs, as often as the model likes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hosted_tool: bool,
    /// A request that offers it to the model is answered without it as well. Where it
    /// is not allowed it is left out, if the client wishes so.
    #[serde(default, skip_serializing_if = "is_false")]
    pub may_be_left_out: bool,
    /// The request names a host, which the zone has to allow.
    #[serde(default, skip_serializing_if = "is_false")]
    pub names_host: bool,
    /// It says where or for whom the request is processed. No zone allows it;
    /// it is harmless where the endpoint sets or removes the field itself.
    #[serde(default, skip_serializing_if = "is_false")]
    pub only_fixed: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// The words of one dialect: what each means, by the word or by its beginning
/// and a `*`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Vocabulary {
    /// Values of `type`: tools, parts, items.
    #[serde(default)]
    pub types: Words,
    /// Names of fields.
    #[serde(default)]
    pub fields: Words,
    /// Names of beta features.
    #[serde(default)]
    pub betas: Words,
    /// Values with which a field of a kind asks for nothing.
    #[serde(default)]
    pub harmless: BTreeMap<String, BTreeSet<String>>,
    /// What an object asks for that holds nothing but an `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare_id: Option<String>,
}

/// Words and what each means: a kind of egress, or one of the words above.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(pub BTreeMap<String, String>);

impl Words {
    /// What a word means. The longest beginning that fits counts where the word
    /// itself is not there.
    pub fn meaning(&self, word: &str) -> Option<&str> {
        if let Some(meaning) = self.0.get(word) {
            return Some(meaning);
        }
        // Whatever begins like it and is not longer stands right before it.
        let before = self
            .0
            .range::<str, _>((Bound::Unbounded, Bound::Excluded(word)));
        let shared = |pattern: &str| {
            let start = pattern.strip_suffix('*')?;
            word.starts_with(start).then_some(())
        };
        let found = before
            .rev()
            .take_while(|(pattern, _)| pattern.as_bytes().first() == word.as_bytes().first())
            .find_map(|(pattern, meaning)| shared(pattern).map(|()| meaning));
        found.map(String::as_str)
    }
}

/// What a zone allows a request to make a provider do: nothing, if it is silent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Allowance {
    /// The kinds of egress.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub allow: BTreeSet<String>,
    /// The hosts that may be named in addresses, as `files.example.com`,
    /// `*.example.com`, or `*` for any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hosts: BTreeSet<String>,
}

impl Allowance {
    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.hosts.is_empty()
    }

    /// Whether a host may be named.
    pub fn allows_host(&self, host: &str) -> bool {
        self.hosts
            .iter()
            .any(|pattern| match pattern.strip_prefix("*.") {
                Some(domain) => host
                    .strip_suffix(domain)
                    .is_some_and(|sub| sub.len() > 1 && sub.ends_with('.')),
                None => pattern == host || pattern == ANY_HOST && !host.is_empty(),
            })
    }
}

/// Why a zone does not allow what a request asks a provider to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forbidden {
    /// This zone does not allow its kind.
    Kind {
        /// The zone.
        zone: String,
    },
    /// This zone does not name the host.
    Host {
        /// The zone.
        zone: String,
    },
    /// Nobody has said what the word asks for.
    Unknown,
}

/// What is claimed of one kind of egress of one model at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressClaim {
    /// Where it happens.
    pub hosting: Hosting,
    /// How firmly that is promised.
    pub guarantee: Guarantee,
    /// Where the promise is written.
    pub source: String,
    /// When somebody last checked, `YYYY-MM-DD`.
    pub reviewed: String,
    /// Who did.
    pub reviewer: String,
    /// How often the provider runs it for one request at most, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_what_its_longest_beginning_means() {
        let words = [
            ("bash_20*", PLAIN),
            ("bash_*", "code"),
            ("bas", MENTION),
            ("web*", "web"),
        ];
        let words = words.map(|(word, meaning)| (word.to_owned(), meaning.to_owned()));
        let words = Words(words.into_iter().collect());
        let cases = [
            ("bash_20250124", Some(PLAIN)),
            ("bash_code", Some("code")),
            ("bash", None),
            ("bas", Some(MENTION)),
            ("web", None),
            ("webs", Some("web")),
            ("wea", None),
            ("", None),
        ];
        for (word, meaning) in cases {
            assert_eq!(words.meaning(word), meaning, "{word}");
        }
    }

    #[test]
    fn a_pattern_allows_hosts_below_it_and_no_other() {
        let hosts = ["files.example.com", "*.corp.example"].map(str::to_owned);
        let zone = Allowance {
            allow: BTreeSet::new(),
            hosts: hosts.into_iter().collect(),
        };
        for host in ["files.example.com", "a.corp.example", "a.b.corp.example"] {
            assert!(zone.allows_host(host), "{host}");
        }
        for host in [
            "example.com",
            "xfiles.example.com",
            "corp.example",
            ".corp.example",
            "evilcorp.example",
            "",
        ] {
            assert!(!zone.allows_host(host), "{host}");
        }
    }
}
