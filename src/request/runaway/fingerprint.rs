//! The fingerprint of a request, which is kept instead of its text: hashes that show
//! whether a later request starts with the same messages. The body is read once, token
//! by token, so that whitespace does not count, nor does `cache_control`, which clients
//! move as a conversation grows.

use crate::dialect::tokens::first_quote;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A hash that takes tokens together: most of them are far shorter than what
/// a hash costs to be given anything.
#[derive(Clone)]
struct Tally {
    hash: DefaultHasher,
    held: Vec<u8>,
}

/// So many bytes are held before they are hashed.
const HELD: usize = 512;

impl Tally {
    fn of(hash: DefaultHasher) -> Tally {
        let held = Vec::with_capacity(HELD);
        Tally { hash, held }
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.held.len() + bytes.len() > HELD {
            self.hash.write(&self.held);
            self.held.clear();
        }
        match bytes.len() > HELD {
            true => self.hash.write(bytes),
            false => self.held.extend_from_slice(bytes),
        }
    }

    fn push(&mut self, byte: u8) {
        if self.held.len() >= HELD {
            self.hash.write(&self.held);
            self.held.clear();
        }
        self.held.push(byte);
    }

    fn finish(&mut self) -> u64 {
        self.hash.write(&self.held);
        self.held.clear();
        self.hash.finish()
    }
}

/// So much of a body is looked at.
pub const MOST_BYTES: usize = 1 << 20;
/// So many hashes of a list are kept at least: the newest.
pub const MOST_CONTEXTS: usize = 1_024;
/// The lists that a conversation grows in, one for each API, as they stand at
/// the top of a body.
const LISTS: [&[u8]; 2] = [br#""messages""#, br#""input""#];
/// Has no meaning, and moves between requests.
const MARK: &[u8] = br#""cache_control""#;

/// The hashes of one request. They differ between teams and features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of its list of messages, as far as each message's end. The last is that
    /// of the whole list, or of what was looked at. Of a long list the first
    /// are left out.
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
            hash: Tally::of(scope.clone()),
            contexts: Vec::new(),
            is_cut: false,
            size: 0,
        };
        let mut rest = Tally::of(scope);
        let mut depth = 0_usize;
        while let Some(token) = tokens.next() {
            token.hash_into(&mut rest);
            tokens.pass_numbers(token, &mut rest);
            depth = token.deeper(depth);
            let is_a_list = depth == 1
                && list.size == 0
                && token.is_one_of(&LISTS)
                && tokens.clone().next() == Some(Token::Open(b'['));
            if is_a_list {
                list.read(&mut tokens, bytes.len());
            }
        }
        rest.write(&list.hash.finish().to_le_bytes());
        rest.write(&bytes.len().to_le_bytes());
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
    hash: Tally,
    contexts: Vec<u64>,
    is_cut: bool,
    size: usize,
}

impl List {
    /// Keeps the hash so far, and of the earlier ones no more than are looked at.
    fn push(&mut self) {
        if self.contexts.len() >= 2 * MOST_CONTEXTS {
            self.contexts.drain(..MOST_CONTEXTS);
        }
        self.contexts.push(self.hash.finish());
    }

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
            tokens.pass_numbers(token, &mut self.hash);
            depth = token.deeper(depth);
            // A number is no message.
            if depth == 0 && !matches!(token, Token::Bare(_)) {
                self.push();
            }
        }
        // No message ends here, so this is none of the hashes above.
        self.hash.write(b"cut");
        self.push();
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
    fn hash_into(self, hash: &mut Tally) {
        match self {
            Token::Open(byte) | Token::Close(byte) => hash.write(&[byte]),
            Token::Text(text) => hash.write(text),
            Token::Bare(bare) => {
                hash.write(bare);
                // `1,2` is not `12`.
                hash.write(b",");
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

    /// Takes the numbers that follow one: a list of them is long at times.
    fn pass_numbers(&mut self, first: Token<'b>, hash: &mut Tally) {
        if !matches!(first, Token::Bare(_)) {
            return;
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let mut inside = false;
        let mut length = 0;
        for byte in rest {
            match byte {
                b'"' | b'{' | b'}' | b'[' | b']' => break,
                b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {
                    if inside {
                        hash.push(b',');
                    }
                    inside = false;
                }
                other => {
                    hash.push(*other);
                    inside = true;
                }
            }
            length += 1;
        }
        if inside {
            hash.push(b',');
        }
        self.at += length;
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

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
