//! Which endpoint made what a client sends back: signatures of thoughts,
//! encrypted reasoning, a stored response. In a client's own dialect these
//! travel bare, so their fingerprints are remembered beside the name of the
//! endpoint that made them. A stored response is found only by the team it was
//! made for.

use super::blobs;
use sha2::{Digest, Sha256};

/// A blob, without what is in it. Twelve bytes are enough: a caller does not
/// choose what an endpoint makes, and would have to meet one blob's digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a blob.
    pub fn of(blob: &str) -> Fingerprint {
        let digest = Sha256::digest(blob.as_bytes());
        let hex = digest.iter().take(12).map(|byte| format!("{byte:02x}"));
        Fingerprint(hex.collect())
    }

    /// Of a stored answer. The team is in it: no other finds it.
    pub fn of_answer(team: &str, id: &str) -> Fingerprint {
        Fingerprint::of(&format!("{team}\n{id}"))
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known of who made a request's blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobOwner {
    /// There are none.
    None,
    /// These endpoints did.
    Endpoints(Vec<String>),
    /// Somebody did, but nobody remembers who.
    Unknown,
    /// This endpoint keeps the answer that the request goes on from.
    Keeper(String),
}

/// The bare blobs of a request, the newest last, and whether there are blobs
/// that carry an endpoint's name.
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
