//! Which endpoint made what a client sends back: signatures of thoughts,
//! encrypted reasoning, a stored response. In a client's own dialect these
//! travel bare, so their fingerprints are remembered beside the name of the
//! endpoint that made them.

use super::form::Json;
use sha2::{Digest, Sha256};

/// As many as one answer or request is looked through for.
const MOST: usize = 64;

/// A blob, without what is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a blob.
    pub fn of(blob: &str) -> Fingerprint {
        let digest = Sha256::digest(blob.as_bytes());
        let hex = digest.iter().take(12).map(|byte| format!("{byte:02x}"));
        Fingerprint(hex.collect())
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known of who made a request's blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MadeBy {
    /// There are none.
    Nobody,
    /// These endpoints did.
    These(Vec<String>),
    /// Somebody did, but nobody remembers who.
    Forgotten,
}

/// The bare blobs of a request, the newest last, and whether there are blobs
/// that carry an endpoint's name.
pub fn blobs_in(body: &str) -> (Vec<Fingerprint>, bool) {
    const MARKS: [&str; 4] = [
        "signature",
        "redacted_thinking",
        "encrypted_content",
        "previous_response_id",
    ];
    let has = |mark: &&str| memchr::memmem::find(body.as_bytes(), mark.as_bytes()).is_some();
    if !MARKS.iter().any(has) {
        return (Vec::new(), false);
    }
    let Ok(json) = Json::parse(body) else {
        return (Vec::new(), false);
    };
    let mut found = Found::default();
    found.walk(&json);
    if let Some(id) = json.text("previous_response_id") {
        found.add(id.to_owned());
    }
    (found.bare, found.named)
}

#[derive(Default)]
struct Found {
    bare: Vec<Fingerprint>,
    named: bool,
}

impl Found {
    fn add(&mut self, blob: String) {
        if blob.starts_with(super::form::BLOB_MARK) {
            self.named = true;
        } else if !blob.is_empty() {
            if self.bare.len() >= MOST {
                self.bare.remove(0);
            }
            self.bare.push(Fingerprint::of(&blob));
        }
    }

    /// Only what stands where dialects put blobs: a tool's arguments may have
    /// fields of any name.
    fn walk(&mut self, json: &Json<'_>) {
        for turn in json.list("messages").iter().chain(json.list("input")) {
            self.item(turn);
            for block in turn.list("content") {
                self.item(block);
            }
        }
    }

    fn item(&mut self, item: &Json<'_>) {
        let text = |name: &str| item.text(name).unwrap_or_default();
        match text("type") {
            "thinking" => self.add(text("signature").to_owned()),
            "redacted_thinking" => self.add(text("data").to_owned()),
            "reasoning" => {
                let content = text("encrypted_content");
                if content.starts_with(super::form::BLOB_MARK) {
                    self.named = true;
                } else if !content.is_empty() {
                    self.add(format!("{}~{content}", text("id")));
                }
            }
            _ => {}
        }
        for detail in item.list("reasoning_details") {
            let blob = detail.text("signature").or(detail.text("data"));
            self.add(blob.unwrap_or_default().to_owned());
        }
    }
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
        let wanted = [Fingerprint::of("rs~x"), Fingerprint::of("resp_1")];
        assert_eq!(blobs_in(body).0, wanted);
        let body =
            r#"{"messages":[{"content":[{"type":"thinking","signature":"meridian.s.a.b"}]}]}"#;
        assert_eq!(blobs_in(body), (Vec::new(), true));
    }
}
