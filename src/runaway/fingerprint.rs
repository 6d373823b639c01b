//! What is kept of a request instead of its text: hashes by which a later
//! request is known to begin with the same messages. The body is read once,
//! JSON's tokens one after the other, so that a client's spaces count for
//! nothing, nor does `cache_control`, which clients move along as a
//! conversation grows.

use memchr::memchr2;
use std::hash::{DefaultHasher, Hash, Hasher};

/// So much of a body is looked at.
pub const MOST_BYTES: usize = 1 << 20;
/// The lists that a conversation grows in, one for each API, as they stand at
/// the top of a body.
const LISTS: [&[u8]; 2] = [br#""messages""#, br#""input""#];
/// Says nothing and is not always in the same place.
const MARK: &[u8] = br#""cache_control""#;

/// The hashes of one request. They differ between teams and features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of its list of messages, as far as each message's end. The last is that
    /// of the whole list, or of what was looked at.
    pub contexts: Vec<u64>,
    /// Whether the list goes on behind what was looked at.
    pub is_cut: bool,
    /// The bytes of its list of messages.
    pub size: usize,
    /// Of everything.
    pub whole: u64,
}

impl Fingerprint {
    /// Takes a body's fingerprint.
    pub fn of(team: &str, feature: Option<&str>, body: &str) -> Fingerprint {
        let bytes = body.as_bytes();
        let mut tokens = Tokens {
            bytes: bytes.get(..MOST_BYTES).unwrap_or(bytes),
            at: 0,
        };
        let mut scope = DefaultHasher::new();
        (team, feature).hash(&mut scope);
        let mut list = List {
            hash: scope.clone(),
            contexts: Vec::new(),
            is_cut: false,
            size: 0,
        };
        let mut rest = scope;
        let mut depth = 0_usize;
        while let Some(token) = tokens.next() {
            token.hash_into(&mut rest);
            depth = token.deeper(depth);
            let is_a_list = depth == 1
                && list.size == 0
                && token.is_one_of(&LISTS)
                && tokens.clone().next() == Some(Token::Open(b'['));
            if is_a_list {
                list.read(&mut tokens, bytes.len());
            }
        }
        rest.write_u64(list.hash.finish());
        rest.write_usize(bytes.len());
        Fingerprint {
            contexts: list.contexts,
            is_cut: list.is_cut,
            size: list.size,
            whole: rest.finish(),
        }
    }
}

/// The list of messages, while it is read.
struct List {
    hash: DefaultHasher,
    contexts: Vec<u64>,
    is_cut: bool,
    size: usize,
}

impl List {
    fn read(&mut self, tokens: &mut Tokens<'_>, body: usize) {
        tokens.next();
        let start = tokens.at;
        let mut depth = 0_usize;
        while let Some(token) = tokens.next() {
            if depth == 0 && matches!(token, Token::Close(_)) {
                self.size = tokens.at.saturating_sub(start);
                return;
            }
            if token.is_one_of(&[MARK]) && tokens.follows(b':') {
                tokens.skip_value();
                continue;
            }
            token.hash_into(&mut self.hash);
            depth = token.deeper(depth);
            if depth == 0 {
                self.contexts.push(self.hash.finish());
            }
        }
        // No message ends here, so this is none of the hashes above.
        self.hash.write(b"cut");
        self.contexts.push(self.hash.finish());
        self.is_cut = true;
        self.size = body.saturating_sub(start);
    }
}

/// A token of JSON, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'b> {
    Open(u8),
    Close(u8),
    /// With its quotes, but for the last where the body is cut.
    Text(&'b [u8]),
    /// A number, `true`, `false` or `null`.
    Bare(&'b [u8]),
}

impl Token<'_> {
    fn hash_into(self, hash: &mut DefaultHasher) {
        match self {
            Token::Open(byte) | Token::Close(byte) => hash.write_u8(byte),
            Token::Text(text) => hash.write(text),
            Token::Bare(bare) => {
                hash.write(bare);
                // `1,2` is not `12`.
                hash.write_u8(b',');
            }
        }
    }

    fn deeper(self, depth: usize) -> usize {
        match self {
            Token::Open(_) => depth.saturating_add(1),
            Token::Close(_) => depth.saturating_sub(1),
            Token::Text(_) | Token::Bare(_) => depth,
        }
    }

    fn is_one_of(self, texts: &[&[u8]]) -> bool {
        matches!(self, Token::Text(text) if texts.contains(&text))
    }
}

/// The tokens of a body. Whatever the bytes are, it comes to an end.
#[derive(Clone)]
struct Tokens<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Tokens<'b> {
    fn skip(&mut self, which: fn(u8) -> bool) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| which(**byte)).count();
    }

    fn next(&mut self) -> Option<Token<'b>> {
        self.skip(|byte| is_space(byte) || matches!(byte, b',' | b':'));
        let first = *self.bytes.get(self.at)?;
        let start = self.at;
        self.at += 1;
        Some(match first {
            b'{' | b'[' => Token::Open(first),
            b'}' | b']' => Token::Close(first),
            b'"' => {
                self.skip_text();
                Token::Text(self.since(start))
            }
            _ => {
                self.skip(|byte| !is_space(byte) && !b",:{}[]\"".contains(&byte));
                Token::Bare(self.since(start))
            }
        })
    }

    fn since(&self, start: usize) -> &'b [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// Goes on to where the text ends that has begun.
    fn skip_text(&mut self) {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            match first_quote(rest) {
                Some(n) if rest.get(n) == Some(&b'"') => {
                    self.at += n + 1;
                    return;
                }
                // Whatever is escaped does not end it.
                Some(n) if n + 1 < rest.len() => self.at += n + 2,
                _ => {
                    self.at = self.bytes.len();
                    return;
                }
            }
        }
    }

    fn skip_value(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.next() {
            depth = token.deeper(depth);
            if depth == 0 {
                return;
            }
        }
    }

    /// Whether this is the next byte that counts.
    fn follows(&self, byte: u8) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.iter().find(|next| !is_space(**next)) == Some(&byte)
    }
}

/// Where the first quote or backslash is. JSON inside a text has one at every
/// turn, and a picture none at all.
fn first_quote(bytes: &[u8]) -> Option<usize> {
    let (near, far) = bytes.split_at_checked(16).unwrap_or((bytes, &[]));
    let near = near.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    near.or_else(|| memchr2(b'"', b'\\', far).map(|at| at + 16))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
