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
        assert_eq!(judge(307), Start::Redirect);
        assert_eq!(judge(401), Start::RefusedUs);
    }
}
