//! How an attempt began: is this the answer, or is the next endpoint to be
//! tried? Nothing has reached the client yet when this is asked.

/// What an answer's status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The answer, good or bad: the client gets it.
    Answer,
    /// The endpoint cannot serve now; another may.
    TryNext,
    /// The endpoint does not accept the gateway's own credential. Its words
    /// are for the operator, not for the client.
    RefusedUs,
    /// It points elsewhere. Following could leave the zone.
    Redirect,
}

/// Judges an answer by its status.
pub fn judge(status: u16) -> Start {
    match status {
        300..=399 => Start::Redirect,
        401 | 403 => Start::RefusedUs,
        408 | 429 => Start::TryNext,
        500.. => Start::TryNext,
        _ => Start::Answer,
    }
}

/// What providers say when it is the place a request comes from that they do
/// not serve. They see the gateway's data center there, not the caller.
const PLACE_REFUSED: [&str; 5] = [
    "unsupported_country_region_territory",
    "country, region, or territory not supported",
    "user location is not supported",
    "not available in your country",
    "not available in your region",
];

/// Whether an error is about the place the gateway runs in, not its credential.
pub fn refuses_place(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_lowercase();
    PLACE_REFUSED.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_16_the_callers_own_mistakes_are_not_retried() {
        for status in [200, 400, 404, 413, 422] {
            assert_eq!(judge(status), Start::Answer, "{status}");
        }
        for status in [408, 429, 500, 503, 529] {
            assert_eq!(judge(status), Start::TryNext, "{status}");
        }
        assert!(refuses_place(
            br#"{"error":{"code":"unsupported_country_region_territory"}}"#
        ));
        assert!(refuses_place(
            b"User location is not supported for the API use."
        ));
        assert!(!refuses_place(br#"{"error":{"code":"invalid_api_key"}}"#));
        assert_eq!(judge(307), Start::Redirect);
        assert_eq!(judge(401), Start::RefusedUs);
    }
}
