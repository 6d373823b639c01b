//! The body of a request to a provider. It shares the client's bytes instead of copying
//! them: a body can take a third of an instance's memory.

use std::fmt;
use std::ops::Range;
use std::rc::Rc;

/// A body in pieces. A clone shares them.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pieces: Rc<[Piece]>,
    length: usize,
}

#[derive(Debug)]
enum Piece {
    /// A part of the client's body.
    Clients(Rc<String>, Range<usize>),
    /// What the gateway wrote.
    Written(String),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Piece::Clients(body, at) => body.as_bytes().get(at.clone()).unwrap_or_default(),
            Piece::Written(text) => text.as_bytes(),
        }
    }
}

impl Outgoing {
    /// The client's body, with what stands at some places replaced. The places
    /// are in their order and do not overlap.
    pub fn edited(body: &Rc<String>, replaced: Vec<(Range<usize>, String)>) -> Outgoing {
        let mut pieces = Vec::with_capacity(2 * replaced.len() + 1);
        let mut done = 0;
        for (at, text) in replaced {
            pieces.push(Piece::Clients(Rc::clone(body), done..at.start));
            pieces.push(Piece::Written(text));
            done = at.end;
        }
        pieces.push(Piece::Clients(Rc::clone(body), done..body.len()));
        Outgoing::from(pieces)
    }

    /// How many bytes it has.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Its bytes, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(Piece::bytes)
    }

    /// At most `most` of its bytes from position `at`, piece by piece.
    pub fn part(&self, at: usize, most: usize) -> impl Iterator<Item = &[u8]> {
        let (mut skip, mut left) = (at, most);
        self.pieces().filter_map(move |piece| {
            let skipped = skip.min(piece.len());
            skip -= skipped;
            let rest = piece.get(skipped..)?;
            let taken = rest.get(..left.min(rest.len()))?;
            left -= taken.len();
            (!taken.is_empty()).then_some(taken)
        })
    }
}

impl From<Vec<Piece>> for Outgoing {
    fn from(pieces: Vec<Piece>) -> Outgoing {
        Outgoing {
            length: pieces.iter().map(|piece| piece.bytes().len()).sum(),
            pieces: pieces.into(),
        }
    }
}

impl From<String> for Outgoing {
    fn from(text: String) -> Outgoing {
        Outgoing::from(vec![Piece::Written(text)])
    }
}

impl fmt::Display for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces()
            .try_for_each(|piece| f.write_str(&String::from_utf8_lossy(piece)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_from_any_place_on() {
        let body = Rc::new("0123456789".to_owned());
        let replaced = vec![(1..3, "ab".to_owned()), (3..3, "c".to_owned())];
        let outgoing = Outgoing::edited(&body, replaced);
        let whole = "0abc3456789";
        assert_eq!(outgoing.to_string(), whole);
        assert_eq!(outgoing.length(), whole.len());
        for at in 0..=whole.len() + 1 {
            for most in 0..=whole.len() + 1 {
                let part: Vec<u8> = outgoing.part(at, most).flatten().copied().collect();
                let expected = whole.bytes().skip(at).take(most).collect::<Vec<_>>();
                assert_eq!(part, expected, "{most} from {at}");
            }
        }
    }
}
