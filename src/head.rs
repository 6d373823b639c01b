//! The head of a request, free of any platform type: method, path, headers,
//! and where Cloudflare says the caller is. The first step reads it from one
//! flat text, so that it crosses from JavaScript in one piece.

use crate::dialect::{Api, Family};
use crate::refusal::Refusal;
use crate::regions::Country;

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

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A model call.
    Call(Api),
    /// The list of models.
    Models,
    /// Is the gateway up?
    Health,
    /// The bare host: clients probe it.
    Root,
    /// The public keys that receipts are checked with.
    ReceiptKeys,
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The method, upper-case.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Where it came from.
    pub origin: Origin,
}

impl Head {
    /// Reads the flat form: method, path, country and colo on a line each,
    /// then one line `name: value` a header. A header's value has no line
    /// break, so a line is a line.
    pub fn read(flat: &str) -> Head {
        let mut lines = flat.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        let (method, path) = (next().to_owned(), next().to_owned());
        let (country, colo) = (next(), next());
        let origin = Origin::new(country, colo);
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Head {
            method,
            path,
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

    /// Whose words errors are told in, whatever else is wrong.
    pub fn api(&self) -> Api {
        let called = Api::ALL.into_iter().find(|api| api.path() == self.path);
        let anthropic = self.path.starts_with("/v1/messages")
            || self.path.starts_with("/v1/models") && self.header("anthropic-version").is_some();
        called.unwrap_or(match anthropic {
            true => Api::Messages,
            false => Api::Chat,
        })
    }

    /// Whose SDK this is.
    pub fn family(&self) -> Family {
        self.api().family()
    }

    /// What the caller wants done with what cannot be said: `true` lets it go.
    pub fn drops_unsupported(&self) -> Result<bool, Refusal> {
        match self.header("meridian-on-unsupported") {
            None | Some("refuse") => Ok(false),
            Some("drop") => Ok(true),
            Some(other) => Err(Refusal::UnknownWish {
                wish: other.chars().take(40).collect(),
            }),
        }
    }

    /// What is asked for, if this head may ask for anything at all.
    pub fn route(&self) -> Result<Route, Refusal> {
        self.check_size()?;
        let (route, methods): (Route, &'static [&'static str]) = match self.path.as_str() {
            "/v1/models" => (Route::Models, &["GET"]),
            "/healthz" => (Route::Health, &["GET", "HEAD"]),
            "/.well-known/jwks.json" => (Route::ReceiptKeys, &["GET", "HEAD"]),
            "/" => (Route::Root, &["GET", "HEAD"]),
            path => match Api::ALL.into_iter().find(|api| api.path() == path) {
                Some(api) => (Route::Call(api), &["POST"]),
                None => {
                    return Err(Refusal::NoRoute {
                        path: path.chars().take(200).collect(),
                    })
                }
            },
        };
        if !methods.contains(&self.method.as_str()) {
            return Err(Refusal::WrongMethod {
                method: self.method.clone(),
                allowed: methods.first().copied().unwrap_or_default(),
            });
        }
        Ok(route)
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

    /// Whether the body may be read at all.
    pub fn check_body(&self) -> Result<(), Refusal> {
        if let Some(encoding) = self.header("content-encoding") {
            if !encoding.eq_ignore_ascii_case("identity") {
                let encoding = encoding.chars().take(40).collect();
                return Err(Refusal::Encoded { encoding });
            }
        }
        let length = self
            .header("content-length")
            .and_then(|l| l.parse::<u64>().ok());
        match length {
            Some(length) if length > LARGEST_BODY as u64 => Err(Refusal::BodyTooLarge {
                limit: LARGEST_BODY,
            }),
            _ => Ok(()),
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
        assert_eq!(head.route(), Ok(Route::Call(Api::Messages)));
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
    fn errors_are_told_in_the_clients_dialect() {
        let family = |flat: &str| Head::read(flat).family();
        assert_eq!(family("GET\n/v1/messages"), Family::Anthropic);
        assert_eq!(family("GET\n/v1/nothing"), Family::OpenAi);
        let listing = "GET\n/v1/models\n\n\nanthropic-version: 2023-06-01";
        assert_eq!(family(listing), Family::Anthropic);
    }
}
