//! The head of a request, free of any platform type: method, path, headers,
//! and where Cloudflare says the caller is. The first step reads it from one
//! flat text, so that it crosses from JavaScript in one piece.

mod address;
mod route;

pub use route::Route;

use crate::refusal::Refusal;
use crate::regions::Country;
use serde::{Deserialize, Serialize};

/// The longest body that is read.
pub const LARGEST_BODY: usize = 32 * 1024 * 1024;

const MOST_HEADERS: usize = 100;
const LONGEST_HEADERS: usize = 32 * 1024;

/// Where Cloudflare says the caller and the gateway are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The caller's country; `None` for Tor, unknown and missing ones.
    pub country: Option<Country>,
    /// What was reported, word for word: `DE`, `T1`, `XX` or nothing.
    pub reported: String,
    /// The data centre this instance runs in.
    pub colo: String,
}

impl Origin {
    /// From the two fields of `request.cf`.
    pub fn new(country: &str, colo: &str) -> Origin {
        Origin {
            country: Country::from_code(country),
            reported: country.to_owned(),
            colo: colo.to_owned(),
        }
    }
}

/// The coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not compressed.
    Plain,
    /// Compressed.
    Gzip,
}

/// What is done with fields that an endpoint's dialect does not support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnsupported {
    /// All of them are refused, hints too.
    Strict,
    /// Fields that change the response are refused; hints are left out.
    #[default]
    Refuse,
    /// All of them are left out.
    Drop,
}

impl OnUnsupported {
    /// As it is written.
    pub const WORDS: [(&str, OnUnsupported); 3] = [
        ("strict", OnUnsupported::Strict),
        ("refuse", OnUnsupported::Refuse),
        ("drop", OnUnsupported::Drop),
    ];

    /// Reads it.
    pub fn read(word: &str) -> Option<OnUnsupported> {
        let mut words = OnUnsupported::WORDS.into_iter();
        words.find_map(|(known, wish)| (known == word).then_some(wish))
    }
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The method, upper-case.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query, as it came.
    pub query: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Where it came from.
    pub origin: Origin,
}

impl Head {
    /// Reads the flat form: method, path with query, country and colo on a line each,
    /// then one line `name: value` a header. A header's value has no line
    /// break, so a line is a line.
    pub fn read(flat: &str) -> Head {
        let mut lines = flat.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        let (method, address) = (next().to_owned(), next());
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let (country, colo) = (next(), next());
        let origin = Origin::new(country, colo);
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Head {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            origin,
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    /// What the caller asks to do with unsupported fields, if the header is there.
    pub fn unsupported(&self) -> Result<Option<OnUnsupported>, Refusal> {
        let Some(word) = self.header("meridian-on-unsupported") else {
            return Ok(None);
        };
        let wish = OnUnsupported::read(word).ok_or_else(|| Refusal::UnknownWish {
            wish: word.chars().take(40).collect(),
        });
        wish.map(Some)
    }

    fn check_size(&self) -> Result<(), Refusal> {
        let bytes: usize = self.headers.iter().map(|(k, v)| k.len() + v.len()).sum();
        if self.headers.len() > MOST_HEADERS || bytes > LONGEST_HEADERS {
            return Err(Refusal::HeadersTooLarge {
                limit: "100 headers, 32 KiB in all",
            });
        }
        Ok(())
    }

    /// The coding of the body, if the body is accepted.
    pub fn check_body(&self) -> Result<Coding, Refusal> {
        let said = self.header("content-encoding").unwrap_or("identity");
        let coding = match said.trim().to_ascii_lowercase().as_str() {
            "identity" | "" => Coding::Plain,
            "gzip" | "x-gzip" => Coding::Gzip,
            _ => {
                let encoding = said.chars().take(40).collect();
                return Err(Refusal::Encoded { encoding });
            }
        };
        let length = self
            .header("content-length")
            .and_then(|l| l.parse::<u64>().ok());
        match length {
            Some(length) if length > LARGEST_BODY as u64 => Err(Refusal::BodyTooLarge {
                limit: LARGEST_BODY,
            }),
            _ => Ok(coding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flat_form_is_read() {
        let head = Head::read("POST\n/v1/messages\nT1\nFRA\nx-api-key: a: b\nempty: ");
        assert_eq!(head.header("x-api-key"), Some("a: b"));
        assert_eq!(head.header("empty"), Some(""));
        assert_eq!(head.origin.country, None);
        assert_eq!(
            (head.origin.reported.as_str(), head.origin.colo.as_str()),
            ("T1", "FRA")
        );
    }

    #[test]
    fn header_bombs_are_refused() {
        let many: String = (0..200).map(|i| format!("\nx-{i}: 1")).collect();
        let head = Head::read(&format!("GET\n/healthz\n\n{many}"));
        assert_eq!(head.route().map_err(|r| r.status()), Err(431));
        let long = format!("GET\n/healthz\n\n\nx-a: {}", "x".repeat(40_000));
        assert_eq!(Head::read(&long).route().map_err(|r| r.status()), Err(431));
    }

    #[test]
    fn a_body_is_plain_or_compressed_in_one_way() {
        let coding = |said: &str| Head::read(&format!("POST\n/\n\n\n{said}")).check_body();
        assert_eq!(coding("a: b"), Ok(Coding::Plain));
        assert_eq!(coding("content-encoding: identity"), Ok(Coding::Plain));
        assert_eq!(coding("content-encoding: GZip"), Ok(Coding::Gzip));
        for other in ["br", "deflate", "zstd", "gzip, gzip", "identity, gzip"] {
            let refused = coding(&format!("content-encoding: {other}"));
            assert_eq!(
                refused.map_err(|refusal| refusal.status()),
                Err(415),
                "{other}"
            );
        }
    }
}
