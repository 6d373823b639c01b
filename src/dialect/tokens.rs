//! Tokens of JSON that has been validated, without a tree or a copy.

use std::borrow::Cow;

/// A text, as far as it is read.
pub struct Tokens<'b> {
    body: &'b str,
    at: usize,
}

impl<'b> Tokens<'b> {
    /// At its beginning.
    pub fn of(body: &'b str) -> Tokens<'b> {
        Tokens { body, at: 0 }
    }

    /// Passes over one byte.
    pub fn skip(&mut self) {
        self.at += 1;
    }

    /// The next byte that is no space.
    pub fn next(&mut self) -> Option<u8> {
        let rest = self.body.as_bytes().get(self.at..)?;
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let skipped = rest.iter().position(|byte| !space(byte))?;
        self.at += skipped;
        rest.get(skipped).copied()
    }

    /// Passes over the next byte that is no space, if it is this one.
    pub fn takes(&mut self, byte: u8) -> bool {
        let is_it = self.next() == Some(byte);
        self.at += usize::from(is_it);
        is_it
    }

    /// The string that begins here, without its quotes.
    pub fn string(&mut self) -> Option<&'b str> {
        let start = self.at + 1;
        let rest = self.body.as_bytes().get(start..)?;
        let end = start + end_of_string(rest)?;
        self.at = end + 1;
        self.body.get(start..end)
    }

    /// What the string that begins here says; none in it where it is not Unicode.
    pub fn text(&mut self) -> Option<Option<Cow<'b, str>>> {
        let start = self.at + 1;
        let rest = self.body.as_bytes().get(start..)?;
        let first = first_quote(rest)?;
        if rest.get(first) == Some(&b'"') {
            let end = start + first;
            self.at = end + 1;
            return Some(self.body.get(start..end).map(Cow::Borrowed));
        }
        self.string().map(decoded)
    }

    /// Passes over numbers and words up to the next string, object or list, or
    /// the end of this one; gives how many commas there were.
    pub fn numbers(&mut self) -> usize {
        let rest = self.body.as_bytes().get(self.at..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}');
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let passed = rest.get(..length).unwrap_or_default();
        self.at += length.max(1);
        passed.iter().filter(|byte| **byte == b',').count()
    }

    /// The number or word that begins here.
    pub fn token(&mut self) -> Option<&'b str> {
        let rest = self.body.get(self.at..)?;
        let ends = |byte: u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
        let end = rest.bytes().position(ends);
        let token = rest.get(..end.unwrap_or(rest.len()))?;
        self.at += token.len().max(1);
        Some(token)
    }

    /// The object or list that begins here, whatever is in it.
    pub fn whole(&mut self) -> Option<&'b str> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                b'"' => drop(self.string()?),
                byte => {
                    self.skip();
                    match byte {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                }
            }
            if depth == 0 {
                return self.body.get(start..self.at);
            }
        }
    }
}

/// Where the quote is that ends a string, of which the first is behind.
pub fn end_of_string(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        at += first_quote(rest)?;
        match bytes.get(at)? {
            b'"' => return Some(at),
            // Whatever is escaped does not end it.
            _ => at += 2,
        }
    }
}

/// Where the first quote or backslash is. JSON inside a text has one at every
/// turn, and a picture none at all.
pub fn first_quote(bytes: &[u8]) -> Option<usize> {
    let (near, far) = bytes.split_at_checked(16).unwrap_or((bytes, &[]));
    let near = near.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    near.or_else(|| memchr::memchr2(b'"', b'\\', far).map(|at| at + 16))
}

/// What a string says; none where it is not Unicode.
pub fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Some(Cow::Borrowed(raw));
    }
    // It is never longer than what it is written as.
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let (said, behind) = escape(escaped)?;
        text.push(said);
        rest = behind;
    }
    text.push_str(rest);
    if text.len() < raw.len() / 2 {
        text.shrink_to_fit();
    }
    Some(Cow::Owned(text))
}

/// What is escaped behind a backslash, and what follows.
fn escape(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let said = match chars.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(chars.as_str()),
        itself @ ('"' | '\\' | '/') => itself,
        _ => return None,
    };
    Some((said, chars.as_str()))
}

/// A character by its number; those above 65,535 have two of them.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (first, rest) = hex(text)?;
    if let Some(said) = char::from_u32(first) {
        return Some((said, rest));
    }
    let (second, rest) = hex(rest.strip_prefix("\\u")?)?;
    let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let mut said = char::decode_utf16(units);
    let one = said.next()?.ok()?;
    said.next().is_none().then_some((one, rest))
}

fn hex(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let mut number = 0;
    for digit in digits.chars() {
        number = number * 16 + digit.to_digit(16)?;
    }
    Some((number, rest))
}

// `proptest` does not run in wasm.
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_begins_here_is_passed_over_as_a_whole() {
        let mut tokens = Tokens::of(r##" {"a":["}",{}, 1]} ,["]\""]"##);
        assert_eq!(tokens.next(), Some(b'{'));
        assert_eq!(tokens.whole(), Some(r#"{"a":["}",{}, 1]}"#));
        assert!(tokens.takes(b',') && !tokens.takes(b','));
        assert_eq!(tokens.whole(), Some(r#"["]\""]"#));
        assert_eq!(tokens.next(), None);
        assert_eq!(Tokens::of("[[]").whole(), None);
    }

    proptest! {
        #[test]
        fn strings_say_what_serde_json_reads(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("\\u00e9".to_owned()), Just("\\ud83d\\ude00".to_owned()),
                    Just("\\ud83d".to_owned()), Just("\\ude00".to_owned()),
                    Just("\\u+041".to_owned()), Just("\\x".to_owned()), Just("\\u12".to_owned()),
                    "\\\\[bfnrt\"/\\\\]", "[a-z é😀]{0,20}",
                ],
                0..6,
            )
        ) {
            let raw = pieces.concat();
            let read = serde_json::from_str::<String>(&format!("\"{raw}\""));
            prop_assert_eq!(decoded(&raw).map(Cow::into_owned), read.ok());
            let with_more = format!("{raw}\",\"");
            prop_assert_eq!(end_of_string(with_more.as_bytes()), Some(raw.len()));
            let quoted = format!("\"{with_more}");
            prop_assert_eq!(Tokens::of(&quoted).text(), Some(decoded(&raw)));
        }
    }
}
