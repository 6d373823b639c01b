//! Which endpoint made the blobs that a client sends back: signatures of thinking,
//! encrypted reasoning, stored responses. In a client's own dialect blobs carry no
//! endpoint name, so their fingerprints are stored with the name of the endpoint that
//! made them. A stored response is found only by the team it was made for.

use super::blobs;
use sha2::{Digest, Sha256};

/// The fingerprint of a blob. Twelve bytes of its digest are enough: callers do not
/// choose blobs, so they would have to find a preimage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a blob.
    pub fn of(blob: &str) -> Fingerprint {
        let digest = Sha256::digest(blob.as_bytes());
        let hex = digest.iter().take(12).map(|byte| format!("{byte:02x}"));
        Fingerprint(hex.collect())
    }

    /// Of a stored response. It includes the team, so no other team finds the response.
    pub fn of_answer(team: &str, id: &str) -> Fingerprint {
        Fingerprint::of(&format!("{team}\n{id}"))
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The endpoints that own a request's blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobOwner {
    /// The request has no blobs.
    None,
    /// These endpoints own them.
    Endpoints(Vec<String>),
    /// It has blobs, and their owner is not known.
    Unknown,
    /// This endpoint stores the response that the request continues.
    Keeper(String),
}

/// The blobs of a request without an endpoint's name, the newest last, and whether
/// there are blobs with one.
pub fn blobs_in(body: &str) -> (Vec<Fingerprint>, bool) {
    const MARKS: [&str; 3] = ["signature", "redacted_thinking", "encrypted_content"];
    let has = |mark: &&str| memchr::memmem::find(body.as_bytes(), mark.as_bytes()).is_some();
    if !MARKS.iter().any(has) {
        return (Vec::new(), false);
    }
    blobs::find(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_found_where_dialects_put_them() {
        let body = r#"{"messages":[{"role":"assistant","content":[
            {"type":"thinking","thinking":"a","signature":"one"},
            {"type":"redacted_thinking","data":"two"},
            {"type":"tool_use","input":{"type":"thinking","signature":"not this"}}]}]}"#;
        let (bare, named) = blobs_in(body);
        assert_eq!(bare, [Fingerprint::of("one"), Fingerprint::of("two")]);
        assert!(!named);
        let body = r#"{"input":[{"type":"reasoning","id":"rs","encrypted_content":"x"}],
            "previous_response_id":"resp_1"}"#;
        let wanted = [Fingerprint::of("rs~x")];
        assert_eq!(blobs_in(body).0, wanted);
        let body =
            r#"{"messages":[{"content":[{"type":"thinking","signature":"meridian.s.a.b"}]}]}"#;
        assert_eq!(blobs_in(body), (Vec::new(), true));
    }
}
