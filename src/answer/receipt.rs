//! The receipt of a request: the decision about it and where it went, as a compact JWS
//! that any JOSE library can verify. It is made when the response's head is sent, so it
//! does not say how a stream ended.

use crate::answer::record::{Contact, Row};
use crate::refusal::Refusal;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use serde::{Deserialize, Serialize};

/// The reply's header that carries it.
pub const HEADER: &str = "meridian-receipt";

/// Who issues receipts.
const ISSUER: &str = "meridian";

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Who issued it.
    pub iss: String,
    /// The request's id.
    pub jti: String,
    /// When it arrived, seconds since 1970.
    pub iat: u64,
    /// The caller's country as reported; empty where unknown.
    pub country: String,
    /// The data center the gateway ran in.
    pub colo: String,
    /// The zone; empty where none was decided.
    pub zone: String,
    /// Why that zone.
    pub zone_reason: String,
    /// The version of the region map.
    pub map: String,
    /// The model by its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Every endpoint that was contacted, in order.
    pub attempts: Vec<Contact>,
    /// What the request asked a provider to do beyond answering, by kind: allowed
    /// where it was answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egress: Vec<String>,
    /// `answered` or `refused`.
    pub outcome: String,
    /// The status the client got.
    pub status: u16,
    /// Why it was refused, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Receipt {
    /// The receipt of a request whose caller is known.
    pub fn of(row: &Row, status: u16) -> Receipt {
        Receipt {
            iss: ISSUER.to_owned(),
            jti: row.id.clone(),
            iat: row.at.0 / 1000,
            country: row.country.clone(),
            colo: row.colo.clone(),
            zone: row.zone.clone(),
            zone_reason: row.zone_reason.clone(),
            map: row.map.clone(),
            model: row.model.clone(),
            attempts: row.contacts.clone(),
            egress: (row.egress.split(','))
                .filter(|label| !label.is_empty())
                .map(str::to_owned)
                .collect(),
            outcome: "answered".to_owned(),
            status,
            error: None,
        }
    }

    /// The same, of a request that was refused.
    pub fn refused(mut self, refusal: &Refusal) -> Receipt {
        self.outcome = "refused".to_owned();
        self.status = refusal.status();
        self.error = Some(refusal.code().to_owned());
        self
    }

    /// What is to be signed with the key of this id.
    pub fn signing_input(&self, key_id: &str) -> String {
        let header = serde_json::json!({"alg": "EdDSA", "kid": key_id, "typ": "JWT"});
        let payload = serde_json::to_string(self).unwrap_or_default();
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(payload)
        )
    }

    /// The claims of a receipt, without verifying its signature.
    pub fn read(token: &str) -> Option<Signed<'_>> {
        let (signed, signature) = token.trim().rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let receipt = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        (header.alg == "EdDSA").then_some(Signed {
            key_id: header.kid,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            receipt,
        })
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

/// A receipt with its signature.
#[derive(Debug)]
pub struct Signed<'t> {
    /// The key it says it is signed with.
    pub key_id: String,
    /// The bytes that are signed.
    pub signed: &'t str,
    /// The signature.
    pub signature: Vec<u8>,
    /// What it says.
    pub receipt: Receipt,
}

/// A set of Ed25519 keys, as RFC 7517 and 8037 write them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// The keys; the first that has a private part signs.
    pub keys: Vec<Key>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// Its id.
    pub kid: String,
    /// The public part.
    pub x: String,
    /// The private part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
}

impl Keys {
    /// The key that signs.
    pub fn signing(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.d.is_some())
    }

    /// The public keys.
    pub fn public(&self) -> serde_json::Value {
        let keys = self.keys.iter().map(|key| {
            serde_json::json!({
                "kty": key.kty, "crv": key.crv, "kid": key.kid, "x": key.x, "use": "sig", "alg": "EdDSA",
            })
        });
        serde_json::json!({"keys": keys.collect::<Vec<_>>()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Api;
    use crate::request::caller::{Caller, KeyRecord};
    use crate::request::head::Head;
    use crate::units::{Millis, RequestId};

    #[test]
    fn a_receipt_is_read_as_it_was_written() {
        let id = RequestId::new(Millis(5_000), 1);
        let head = Head::read("POST\n/v1/messages\nAT\nVIE\n");
        let caller = Caller::new(KeyRecord::anybody(), &head);
        let row = Row::new(&id, Millis(5_000), &caller, Api::Messages);
        let receipt = Receipt::of(&row, 0).refused(&Refusal::UnknownWish {
            wish: "é".to_owned(),
        });
        let token = format!(
            "{}.{}",
            receipt.signing_input("k1"),
            URL_SAFE_NO_PAD.encode([7; 64])
        );
        let read = Receipt::read(&token).unwrap();
        assert_eq!((read.key_id.as_str(), read.signature.len()), ("k1", 64));
        assert_eq!(read.receipt, receipt);
        assert!(token.bytes().all(|b| (b' '..=b'~').contains(&b)));
        assert!(Receipt::read("a.b.c").is_none());
    }

    #[test]
    fn the_private_part_is_never_shown() {
        let key = |d: Option<&str>| Key {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            kid: "k".into(),
            x: "pub".into(),
            d: d.map(str::to_owned),
        };
        let keys = Keys {
            keys: vec![key(None), key(Some("CANARY"))],
        };
        assert_eq!(
            keys.signing().and_then(|key| key.d.as_deref()),
            Some("CANARY")
        );
        assert!(!keys.public().to_string().contains("CANARY"));
    }
}
