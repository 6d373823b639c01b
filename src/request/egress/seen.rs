//! A cache of the meanings of words, since a body repeats a few names and types.

use super::frame::Meaning;
use crate::regions::egress::{Vocabulary, BETAS, MENTION, OPAQUE, PLAIN};

const SLOTS: usize = 32;

/// What names of fields mean.
#[derive(Default)]
pub struct Names<'r, 'b>(Seen<'b, Meaning<'r>>);

impl<'r, 'b> Names<'r, 'b> {
    /// What a name means, which stands in the body as `raw`.
    pub fn meaning(&mut self, words: &'r Vocabulary, raw: &'b str, name: &str) -> Meaning<'r> {
        let look = || match words.fields.meaning(name) {
            _ if name == "type" => Meaning::Type,
            None => Meaning::Unknown,
            Some(PLAIN | MENTION) => Meaning::Plain,
            Some(OPAQUE) => Meaning::Opaque,
            Some(BETAS) => Meaning::Betas,
            Some(kind) => Meaning::Kind(kind),
        };
        self.0.get_or(raw, look)
    }
}

/// What types mean.
#[derive(Default)]
pub struct Types<'r, 'b>(Seen<'b, Option<&'r str>>);

impl<'r, 'b> Types<'r, 'b> {
    /// What a type means, which stands in the body as `raw`.
    pub fn meaning(&mut self, words: &'r Vocabulary, raw: &'b str, word: &str) -> Option<&'r str> {
        self.0.get_or(raw, || words.types.meaning(word))
    }
}

/// Each word has one place, where the last of those that share it stands.
struct Seen<'b, M>([Option<(&'b str, M)>; SLOTS]);

impl<'b, M: Copy> Seen<'b, M> {
    /// What a word means: as it was looked up lately, or as it is now.
    fn get_or(&mut self, word: &'b str, look: impl FnOnce() -> M) -> M {
        self.get(word).unwrap_or_else(|| {
            let meaning = look();
            self.put(word, meaning);
            meaning
        })
    }

    /// What a word means, as it stands in the body, if it was looked up lately.
    fn get(&self, word: &str) -> Option<M> {
        let (known, meaning) = (*self.0.get(slot(word))?)?;
        (known == word).then_some(meaning)
    }

    /// Stores the meaning of a word.
    fn put(&mut self, word: &'b str, meaning: M) {
        if let Some(slot) = self.0.get_mut(slot(word)) {
            *slot = Some((word, meaning));
        }
    }
}

impl<M: Copy> Default for Seen<'_, M> {
    fn default() -> Self {
        Seen([None; SLOTS])
    }
}

fn slot(word: &str) -> usize {
    let byte = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
    let bytes = word.as_bytes();
    (bytes.len() + 7 * byte(bytes.first()) + 3 * byte(bytes.last())) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_its_own_meaning_whoever_shares_its_place() {
        let mut seen = Seen::default();
        for (word, meaning) in [("abc", 1), ("axc", 2)] {
            assert_eq!(slot("abc"), slot(word));
            assert_eq!(seen.get(word), None);
            seen.put(word, meaning);
            assert_eq!(seen.get(word), Some(meaning));
        }
        assert_eq!(seen.get("abc"), None);
        seen.put("", 3);
        assert_eq!(seen.get(""), Some(3));
    }
}
