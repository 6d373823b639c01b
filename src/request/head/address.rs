//! Normalises the paths that clients send: extra slashes, percent encoding, and Azure's
//! paths.

use std::borrow::Cow;

/// Azure's path as OpenAI's, and the model that it names.
pub fn in_own_words(path: &str) -> (Cow<'_, str>, Option<&str>) {
    let Some(azures) = path.strip_prefix("/openai/") else {
        return (Cow::Borrowed(path), None);
    };
    let deployed = azures.strip_prefix("deployments/");
    let (operation, model) = match deployed.and_then(|rest| rest.split_once('/')) {
        Some((model, operation)) => (operation, Some(model)),
        None => (azures.strip_prefix("v1/").unwrap_or(azures), None),
    };
    (Cow::Owned(format!("/v1/{operation}")), model)
}

/// A path without extra slashes.
pub fn plain(path: &str) -> Cow<'_, str> {
    let ends = path.len() > 1 && path.ends_with('/');
    if !ends && !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let parts = path.split('/').filter(|part| !part.is_empty());
    let mut plain = String::with_capacity(path.len());
    for part in parts {
        plain.push('/');
        plain.push_str(part);
    }
    if plain.is_empty() {
        plain.push('/');
    }
    Cow::Owned(plain)
}

/// Decodes a percent-encoded part of an address.
pub fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A query's pairs of name and value.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let read = |part: &str| decoded(&part.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (read(name), read(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_browsers_write_it() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let read = pairs("include%5B%5D=a%2Bb+c&&limit&x==y&%ff=%");
        let expected = [
            pair("include[]", "a+b c"),
            pair("limit", ""),
            pair("x", "=y"),
            pair("\u{fffd}", "%"),
        ];
        assert_eq!(read, expected);
        assert!(pairs("").is_empty());
    }
}
