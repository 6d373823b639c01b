//! Opaque data that a provider sends and gets back unchanged: thinking signatures,
//! encrypted reasoning. Only the endpoint that made a blob can read it, so the client
//! gets it with that endpoint's name.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The prefix of a blob that a client gets.
pub const MARK: &str = "meridian.";

/// What a blob belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Thinking whose text is beside it.
    Signature,
    /// Thinking that only the blob holds.
    Hidden,
    /// The tool call that follows.
    Call,
}

impl Kind {
    fn letter(self) -> &'static str {
        match self {
            Kind::Signature => "s",
            Kind::Hidden => "h",
            Kind::Call => "c",
        }
    }
}

/// Whose signatures each endpoint of a plan accepts, as the map claims.
#[derive(Debug, Default)]
pub struct Signers<'m> {
    words: BTreeMap<&'m str, &'m str>,
    foreign: bool,
}

impl<'m> Signers<'m> {
    /// Whether one endpoint accepts the signatures of the other.
    pub fn share(&self, one: &str, other: &str) -> bool {
        let of = |endpoint: &str| self.words.get(endpoint);
        one == other || of(one).is_some() && of(one) == of(other)
    }

    /// The same, with whether signatures without a name were made elsewhere.
    pub fn with_foreign(self, foreign: bool) -> Signers<'m> {
        Signers { foreign, ..self }
    }

    /// Whether signatures without an endpoint's name were made by none of these
    /// endpoints.
    pub fn are_foreign(&self) -> bool {
        self.foreign
    }
}

impl<'m> FromIterator<(&'m str, &'m str)> for Signers<'m> {
    fn from_iter<I: IntoIterator<Item = (&'m str, &'m str)>>(endpoints: I) -> Signers<'m> {
        Signers {
            words: endpoints.into_iter().collect(),
            foreign: false,
        }
    }
}

/// A provider's blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob<'b> {
    /// What it belongs to.
    pub kind: Kind,
    /// The endpoint that made it, as far as it is known.
    pub origin: Option<Cow<'b, str>>,
    /// What the provider made.
    pub data: Cow<'b, str>,
}

impl<'b> Blob<'b> {
    /// A blob that a provider has just made, or one without a name.
    pub fn new(kind: Kind, data: impl Into<Cow<'b, str>>) -> Blob<'b> {
        Blob {
            kind,
            origin: None,
            data: data.into(),
        }
    }

    /// Reads one from a client: with the name the gateway put on it, or bare.
    pub fn read(kind: Kind, text: &'b str) -> Blob<'b> {
        Blob::named(text).unwrap_or_else(|| Blob::new(kind, text))
    }

    fn named(text: &'b str) -> Option<Blob<'b>> {
        let (letter, rest) = text.strip_prefix(MARK)?.split_once('.')?;
        let (origin, data) = rest.split_once('.')?;
        let all = [Kind::Signature, Kind::Hidden, Kind::Call];
        Some(Blob {
            kind: all.into_iter().find(|kind| kind.letter() == letter)?,
            origin: Some(Cow::Borrowed(origin)),
            data: Cow::Borrowed(data),
        })
    }

    /// As the client gets it.
    pub fn for_client(&self, endpoint: &str) -> String {
        let origin = self.origin.as_deref().unwrap_or(endpoint);
        format!("{MARK}{}.{origin}.{}", self.kind.letter(), self.data)
    }

    /// The same, without borrowing.
    pub fn into_owned(self) -> Blob<'static> {
        Blob {
            kind: self.kind,
            origin: self.origin.map(|origin| Cow::Owned(origin.into_owned())),
            data: Cow::Owned(self.data.into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_take_what_those_of_the_same_word_have_signed() {
        let signers: Signers<'_> = [("a", "maker"), ("b", "maker"), ("c", "other")]
            .into_iter()
            .collect();
        assert!(signers.share("a", "b") && signers.share("d", "d"));
        assert!(!signers.share("a", "c") && !signers.share("a", "d") && !signers.share("d", "e"));
    }

    #[test]
    fn a_blob_keeps_the_name_of_who_made_it() {
        let made = Blob::new(Kind::Hidden, "a.b==");
        let given = made.for_client("vertex-eu");
        let back = Blob::read(Kind::Signature, &given);
        assert_eq!((back.kind, back.data.as_ref()), (Kind::Hidden, "a.b=="));
        assert_eq!(back.origin.as_deref(), Some("vertex-eu"));
        assert_eq!(Blob::read(Kind::Signature, "Er8B").origin, None);
    }
}
