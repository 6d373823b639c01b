//! Ids of tool calls that a provider accepts. The same id always becomes the same one,
//! so that a call and its result still match.

use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// An id that is made here is no longer than this: it counts as input.
const LONGEST_MADE: usize = 24;

/// The ids that a provider accepts.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    /// As long as this at most, in bytes.
    pub longest: usize,
    /// And no shorter.
    pub shortest: usize,
    /// The characters they may have beside letters and digits.
    pub marks: &'static str,
}

impl Ids {
    /// The id, or a replacement that the provider accepts.
    pub fn fit<'a>(self, id: &'a str) -> Cow<'a, str> {
        let known = |c: char| c.is_ascii_alphanumeric() || self.marks.contains(c);
        let long = (self.shortest..=self.longest).contains(&id.len());
        if long && id.chars().all(known) {
            return Cow::Borrowed(id);
        }
        let digest = Sha256::digest(id.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        hex.chars().take(self.longest.min(LONGEST_MADE)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_a_provider_does_not_take_becomes_one_that_it_takes() {
        let ids = Ids {
            longest: 12,
            shortest: 1,
            marks: "_-",
        };
        assert_eq!(ids.fit("call_1-a"), "call_1-a");
        for id in ["", "functions.f:0", "é", "much_longer_than_that"] {
            let fit = ids.fit(id);
            assert_eq!(ids.fit(&fit), fit, "{id}");
            assert_eq!(ids.fit(id), fit);
            assert_ne!(fit, id);
        }
        assert_ne!(ids.fit("a:0"), ids.fit("a:1"));
    }
}
