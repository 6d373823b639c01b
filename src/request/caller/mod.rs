//! The caller: the gateway key of the request, its record, and the tags of the request.

mod memory;
mod tags;

pub use memory::KeyMemory;
pub use tags::Tags;

use crate::config::limits::Limit;
use crate::refusal::Refusal;
use crate::request::head::{Head, OnUnsupported, Origin};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What every gateway key begins with.
pub const KEY_PREFIX: &str = "mk_";

/// What the key store holds about a key. The key itself is stored nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// The public part of the key, which names it in lists and rows.
    pub id: String,
    /// The team that pays.
    pub team: String,
    /// What the key is for, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The zone that every request with this key is held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The models it may use; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Tags put on every request, over whatever the request says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Limits of its own, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, Limit>,
    /// What is done with fields that an endpoint's dialect does not support, unless the
    /// request says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<OnUnsupported>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

impl KeyRecord {
    /// A key record without a zone or limits.
    pub fn anybody() -> KeyRecord {
        KeyRecord {
            id: String::new(),
            team: String::new(),
            name: String::new(),
            zone: None,
            models: Vec::new(),
            tags: BTreeMap::new(),
            limits: BTreeMap::new(),
            unsupported: None,
            created: String::new(),
            revoked: None,
        }
    }
}

/// The caller, its country and its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The key's record.
    pub key: KeyRecord,
    /// What the request is tagged with.
    pub tags: Tags,
    /// Where it came from.
    pub origin: Origin,
    /// The zone that the request itself asks to be held to.
    pub asked_zone: Option<String>,
}

impl Caller {
    /// The caller, from the record of its key and the head of its request. It
    /// has its key's tags until the request's are read.
    pub fn new(key: KeyRecord, head: &Head) -> Caller {
        Caller {
            tags: Tags::of(&key),
            origin: head.origin.clone(),
            asked_zone: head.header("meridian-zone").map(str::to_owned),
            key,
        }
    }

    /// Takes the tags of the request's headers.
    pub fn read_tags(&mut self, head: &Head) -> Result<(), Refusal> {
        self.tags.add_from_headers(head)
    }

    /// Whether the key may use a model, asked for by any of its names.
    pub fn may_use(&self, asked: &str, model: &str) -> bool {
        let allowed = &self.key.models;
        allowed.is_empty() || allowed.iter().any(|name| name == asked || name == model)
    }
}

/// The gateway key of a request, as its hash.
pub fn presented_key(head: &Head) -> Result<KeyHash, Refusal> {
    let bearer = head
        .header("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim());
    // OpenAI's and Anthropic's, Azure's and Google's. SDKs may send several; the
    // one that is ours counts.
    let [anthropic, azure, google] =
        ["x-api-key", "api-key", "x-goog-api-key"].map(|name| head.header(name));
    let candidates = [bearer, anthropic, azure, google];
    let mut presented = candidates
        .into_iter()
        .flatten()
        .filter(|key| !key.is_empty())
        .peekable();
    if presented.peek().is_none() {
        return Err(Refusal::NoKey);
    }
    presented
        .find(|key| key.starts_with(KEY_PREFIX) && key.len() < 200)
        .map(KeyHash::of)
        .ok_or(Refusal::BadKey)
}

/// The SHA-256 of a key, in hex: its name in the key store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(String);

impl KeyHash {
    /// The hash of a key.
    pub fn of(key: &str) -> KeyHash {
        let digest = Sha256::digest(key.as_bytes());
        let hex = digest
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                for nibble in [byte >> 4, byte & 15] {
                    hex.extend(char::from_digit(u32::from(nibble), 16));
                }
                hex
            });
        KeyHash(hex)
    }

    /// The name its record is stored under.
    pub fn store_name(&self) -> String {
        format!("key:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &str) -> Head {
        Head::read(&format!("POST\n/v1/messages\nDE\nFRA\n{headers}"))
    }

    #[test]
    fn a_key_is_found_in_the_header_of_any_sdk() {
        let hash = KeyHash::of("mk_abc");
        for headers in [
            "authorization: Bearer mk_abc",
            "authorization: bearer mk_abc",
            "x-api-key: mk_abc",
            "authorization: Bearer something-else\nx-api-key: mk_abc",
            "api-key: mk_abc",
            "authorization: Bearer of-entra\napi-key: mk_abc",
            "x-goog-api-key: mk_abc",
        ] {
            assert_eq!(presented_key(&head(headers)), Ok(hash.clone()), "{headers}");
        }
        assert_eq!(presented_key(&head("")), Err(Refusal::NoKey));
        assert_eq!(presented_key(&head("x-api-key: ")), Err(Refusal::NoKey));
        for bad in ["authorization: Bearer sk-live", "x-api-key: sk-ant-1"] {
            assert_eq!(presented_key(&head(bad)), Err(Refusal::BadKey), "{bad}");
        }
    }

    #[test]
    fn keys_are_stored_by_their_hash() {
        assert_eq!(
            KeyHash::of("abc").store_name(),
            "key:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
