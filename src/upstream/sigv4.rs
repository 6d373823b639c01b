//! Signs requests to AWS with Signature Version 4, purely: the time comes in,
//! the headers to add come out.
//!
//! A path is taken as it is sent and every byte of it is encoded once more for
//! the signature, as every AWS service but S3 wants it: the `:` of a model id
//! is sent as `%3A` and signed as `%253A`. Paths are not normalised, so do not
//! send one with `.`, `..` or empty segments.

use crate::units::Millis;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// An access key of AWS.
#[derive(Clone)]
pub struct AccessKey {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// The token of a session, if it is a key for one.
    pub session: Option<String>,
}

/// A request that is to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    /// `POST`.
    pub method: &'r str,
    /// The host, with its port if that is not the scheme's own.
    pub host: &'r str,
    /// The path as it is sent, percent-encoded.
    pub path: &'r str,
    /// The query as it is sent, percent-encoded, without `?`.
    pub query: &'r str,
    /// Further headers to sign; `host` and what [`sign`] adds are not among them.
    pub headers: &'r [(&'r str, &'r str)],
    /// The body, piece by piece.
    pub body: &'r [&'r [u8]],
}

/// What is signed for: a service in a region.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    /// The region, `eu-central-1`.
    pub region: &'s str,
    /// The service; `bedrock` also where the host says bedrock-runtime.
    pub service: &'s str,
}

/// The headers to add to the request. AWS takes them for a few minutes.
pub fn sign(
    key: &AccessKey,
    scope: Scope<'_>,
    request: Request<'_>,
    now: Millis,
) -> Vec<(&'static str, String)> {
    let time = now.rfc3339().replace(['-', ':'], "");
    let day = now.date().replace('-', "");
    let mut added = vec![("x-amz-date", time.clone())];
    if let Some(token) = &key.session {
        added.push(("x-amz-security-token", token.clone()));
    }
    let (canonical, signed) = canonical(request, &added);

    let range = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let hash = hex(&Sha256::digest(canonical));
    let statement = format!("AWS4-HMAC-SHA256\n{time}\n{range}\n{hash}");
    let mut mac = hmac(format!("AWS4{}", key.secret).as_bytes(), &day);
    for part in [scope.region, scope.service, "aws4_request", &statement] {
        mac = hmac(&mac, part);
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{range}, SignedHeaders={signed}, Signature={}",
        key.id,
        hex(&mac)
    );
    added.push(("authorization", authorization));
    added
}

/// The request in the form that is hashed, and the names of its signed headers.
fn canonical(request: Request<'_>, added: &[(&str, String)]) -> (String, String) {
    let pairs = request.query.split('&').filter(|pair| !pair.is_empty());
    let mut query: Vec<(&str, &str)> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    // By name and only then by value: `a=` stands before `a-b=`.
    query.sort_unstable();
    let query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();

    let mut headers: Vec<(String, String)> = [("host", request.host)]
        .into_iter()
        .chain(request.headers.iter().copied())
        .chain(added.iter().map(|(name, value)| (*name, value.as_str())))
        .map(|(name, value)| {
            let words: Vec<&str> = value.split_ascii_whitespace().collect();
            (name.to_ascii_lowercase(), words.join(" "))
        })
        .collect();
    // The values of a repeated header keep their order.
    headers.sort_by(|one, other| one.0.cmp(&other.0));
    headers.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 = format!("{},{}", first.1, later.1);
        }
        same
    });
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let lines = headers.iter().fold(String::new(), |lines, (name, value)| {
        lines + name + ":" + value + "\n"
    });

    let mut body = Sha256::new();
    request.body.iter().for_each(|piece| body.update(piece));
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        request.method,
        encode(request.path, |byte| byte == b'/'),
        query.join("&"),
        hex(&body.finalize())
    );
    (canonical, names)
}

/// Percent-encodes everything but the unreserved characters and what `keep` says.
fn encode(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// HMAC-SHA-256 as in RFC 2104; not the `hmac` crate, whose constructor can
/// fail by type though not in fact.
fn hmac(key: &[u8], message: &str) -> [u8; 32] {
    let digest = Sha256::digest(key);
    let key = if key.len() > 64 { &digest } else { key };
    let mut block = [0_u8; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(message);
    Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner.finalize())
        .finalize()
        .into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        for (key, message, told) in [
            (
                &[0x0b_u8; 20][..],
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex(&hmac(key, message)), told, "{message}");
        }
    }
}
