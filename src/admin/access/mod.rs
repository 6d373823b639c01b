//! Tokens of Cloudflare Access: what one must say to be taken. The signature is
//! checked by the platform, over exactly the bytes that are read here; nothing
//! a token says counts before it was.

mod team;

pub use team::{Found, TeamKeys};

use crate::admin::Denied;
use crate::units::Millis;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use serde::Deserialize;

/// Whose tokens are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The team's domain: `example.cloudflareaccess.com`.
    pub team: String,
    /// The application's audience tag.
    pub audience: String,
}

/// The header that Cloudflare adds behind Access.
pub const HEADER: &str = "cf-access-jwt-assertion";

/// The one algorithm that Access signs with. What the token names must be this
/// and chooses nothing.
const ALGORITHM: &str = "RS256";
const LONGEST_TOKEN: usize = 16 * 1024;
/// How far clocks may differ.
const LEEWAY_S: u64 = 30;

/// A token whose signature is still to be checked.
#[derive(Debug)]
pub struct Unverified<'t> {
    /// The key it says it is signed with.
    pub key_id: String,
    /// The bytes that are signed.
    pub signed: &'t str,
    /// The signature over them.
    pub signature: Vec<u8>,
    payload: &'t str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: u64,
    #[serde(default)]
    nbf: Option<u64>,
    #[serde(default)]
    iat: Option<u64>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    common_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

fn refused(why: &str) -> Denied {
    Denied::Unknown(format!(
        "The Cloudflare Access token is not accepted: {why}."
    ))
}

/// Takes a token apart.
pub fn read(token: &str) -> Result<Unverified<'_>, Denied> {
    if token.len() > LONGEST_TOKEN {
        return Err(refused("it is too long"));
    }
    let (signed, signature) = token
        .rsplit_once('.')
        .ok_or_else(|| refused("it is no token"))?;
    let (header, payload) = signed
        .split_once('.')
        .ok_or_else(|| refused("it is no token"))?;
    let header: Header = decoded(header).ok_or_else(|| refused("its header cannot be read"))?;
    if header.alg != ALGORITHM {
        return Err(refused("it is not signed with RS256"));
    }
    if header.crit.is_some() {
        return Err(refused("it has critical extensions"));
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok();
    Ok(Unverified {
        key_id: header.kid,
        signed,
        signature: signature.ok_or_else(|| refused("its signature cannot be read"))?,
        payload,
    })
}

fn decoded<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl Unverified<'_> {
    /// Whom it speaks for, in lower case. To be asked only after the signature was checked.
    pub fn verified(&self, access: &Access, now: Millis) -> Result<String, Denied> {
        let claims: Claims =
            decoded(self.payload).ok_or_else(|| refused("its claims cannot be read"))?;
        let now = now.0 / 1000;
        if claims.iss != format!("https://{}", access.team) {
            return Err(refused("another team has issued it"));
        }
        let meant = match &claims.aud {
            Audience::One(one) => *one == access.audience,
            Audience::Many(many) => many.contains(&access.audience),
        };
        if !meant {
            return Err(refused("it is for another application"));
        }
        if claims.exp.saturating_add(LEEWAY_S) <= now {
            return Err(refused("it has expired"));
        }
        let early = [claims.nbf, claims.iat].into_iter().flatten();
        if early.max().is_some_and(|from| from > now + LEEWAY_S) {
            return Err(refused("it is not valid yet"));
        }
        let who = claims
            .email
            .or(claims.common_name)
            .map(|who| who.trim().to_lowercase());
        who.filter(|who| !who.is_empty())
            .ok_or_else(|| refused("it names nobody"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, Value};

    fn access() -> Access {
        Access {
            team: "t.cloudflareaccess.com".into(),
            audience: "app".into(),
        }
    }

    fn good() -> Value {
        json!({"iss": "https://t.cloudflareaccess.com", "aud": ["app"], "exp": 2_000, "iat": 900, "nbf": 900, "email": "Anna@Example.com"})
    }

    fn token(header: Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(&header), part(claims))
    }

    fn asked(header: Value, claims: &Value, now_s: u64) -> Result<String, Denied> {
        let token = token(header, claims);
        read(&token)?.verified(&access(), Millis(now_s * 1000))
    }

    fn with(field: &str, value: Value) -> Value {
        let mut claims = good();
        claims[field] = value;
        claims
    }

    #[test]
    fn a_good_token_names_somebody() {
        let header = || json!({"alg": "RS256", "kid": "k"});
        let who = asked(header(), &good(), 1_000).unwrap();
        assert_eq!(who, "anna@example.com");
        assert!(asked(header(), &with("aud", json!("app")), 1_000).is_ok());
    }

    #[test]
    fn every_other_token_is_refused() {
        for header in [
            json!({"alg": "none", "kid": "k"}),
            json!({"alg": "HS256", "kid": "k"}),
            json!({"alg": "rs256", "kid": "k"}),
            json!({"alg": "RS256"}),
            json!({"alg": "RS256", "kid": "k", "crit": ["exp"]}),
        ] {
            assert!(asked(header.clone(), &good(), 1_000).is_err(), "{header}");
        }
        let header = || json!({"alg": "RS256", "kid": "k"});
        for (field, value) in [
            ("iss", json!("https://evil.cloudflareaccess.com")),
            ("iss", json!("t.cloudflareaccess.com")),
            ("aud", json!(["other"])),
            ("aud", json!("ap")),
            ("exp", json!(900)),
            ("exp", json!("never")),
            ("nbf", json!(5_000)),
            ("iat", json!(5_000)),
            ("email", json!("")),
        ] {
            let claims = with(field, value.clone());
            assert!(asked(header(), &claims, 1_000).is_err(), "{field} {value}");
        }
        for gone in ["iss", "aud", "exp", "email"] {
            let mut claims = good();
            claims.as_object_mut().unwrap().remove(gone);
            assert!(asked(header(), &claims, 1_000).is_err(), "without {gone}");
        }
        for garbage in ["", "a", "a.b", "a.b.c", "....", "é.é.é"] {
            assert!(read(garbage).is_err(), "{garbage}");
        }
    }
}
