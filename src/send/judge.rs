//! From what a provider says to what it means: by status, by its word for an
//! error, and in an error's text where there is no word.

use super::{Start, Why};

/// What providers call what, in lower case: the word, or a part of the sentence.
const WORDS: [(&str, Why); 27] = [
    ("insufficient_quota", Why::QuotaUsedUp),
    ("billing_hard_limit_reached", Why::QuotaUsedUp),
    ("billing_not_active", Why::QuotaUsedUp),
    ("billing_error", Why::QuotaUsedUp),
    // Anthropic says so in a 400.
    ("credit balance is too low", Why::QuotaUsedUp),
    ("servicequotaexceededexception", Why::QuotaUsedUp),
    // Google says so in a 400.
    ("api_key_invalid", Why::RefusedUs),
    ("api key not valid", Why::RefusedUs),
    ("authentication_error", Why::RefusedUs),
    ("permission_error", Why::RefusedUs),
    ("rate_limit", Why::RateLimited),
    ("throttlingexception", Why::RateLimited),
    ("toomanyrequests", Why::RateLimited),
    ("resource_exhausted", Why::RateLimited),
    ("overloaded", Why::Overloaded),
    ("serviceunavailableexception", Why::Overloaded),
    ("unavailable", Why::Overloaded),
    ("modelnotreadyexception", Why::Overloaded),
    ("modeltimeoutexception", Why::Failing),
    ("modelerrorexception", Why::Failing),
    ("modelstreamerrorexception", Why::Failing),
    ("internalserverexception", Why::Failing),
    ("server_error", Why::Failing),
    ("api_error", Why::Failing),
    ("timeout_error", Why::Failing),
    // The map names a deployment that is not there: another endpoint's may be.
    ("deploymentnotfound", Why::Failing),
    ("model_not_found", Why::Failing),
];

/// What providers say when it is the place a request comes from that they do
/// not serve. They see the gateway's data center there, not the caller.
const PLACE_REFUSED: [&str; 5] = [
    "unsupported_country_region_territory",
    "country, region, or territory not supported",
    "user location is not supported",
    "not available in your country",
    "not available in your region",
];

/// Words of an error that is the caller's own: no other endpoint would answer.
const CALLERS: [&str; 8] = [
    "invalid_request",
    "invalid_prompt",
    "not_found_error",
    "request_too_large",
    "validationexception",
    "invalid_argument",
    "context_length_exceeded",
    "content_filter",
];

/// Judges an answer by its status and, if it is an error, by what it says.
/// `kind` is the provider's word for it, where one was found.
pub fn judge(status: u16, kind: &str, body: &[u8]) -> Start {
    if status < 300 {
        return Start::Answer;
    }
    if status < 400 {
        return Start::Failed(Why::Redirected);
    }
    let text = String::from_utf8_lossy(body).to_lowercase();
    // A status that a provider gives for one thing only needs no words.
    let by_status = match status {
        401 | 403 => Some(
            match PLACE_REFUSED.iter().any(|words| text.contains(words)) {
                true => Why::PlaceRefused,
                false => Why::RefusedUs,
            },
        ),
        402 => Some(Why::QuotaUsedUp),
        429 => Some(Why::RateLimited),
        503 | 529 => Some(Why::Overloaded),
        408 | 424 | 500.. => Some(Why::Failing),
        _ => None,
    };
    let kind = kind.to_lowercase();
    match (by_status, status) {
        (Some(Why::RateLimited), _) if said(&kind) == Some(Why::QuotaUsedUp) => {
            Start::Failed(Why::QuotaUsedUp)
        }
        (Some(why), _) => Start::Failed(why),
        // In a 400 the words count, but only those that cannot be the caller's
        // mistake: a prompt may be quoted in an error.
        (None, 400) => match text.contains("location is not supported") {
            true => Start::Failed(Why::PlaceRefused),
            false => said(&kind)
                .or_else(|| of_account(&text))
                .map_or(Start::Answer, Start::Failed),
        },
        (None, 404) => said(&kind).map_or(Start::Answer, Start::Failed),
        (None, _) => Start::Answer,
    }
}

fn of_account(text: &str) -> Option<Why> {
    let sentences = [
        "credit balance is too low",
        "api key not valid",
        "api_key_invalid",
    ];
    let found = sentences.into_iter().find(|words| text.contains(words))?;
    said(found)
}

/// Judges an error that came as the first event of a stream, by the provider's
/// word for it.
pub fn judge_event(kind: &str) -> Start {
    let kind = kind.to_lowercase();
    if CALLERS.iter().any(|words| kind.contains(words)) {
        return Start::Answer;
    }
    // Whatever it is, it is no answer.
    Start::Failed(said(&kind).unwrap_or(Why::Failing))
}

fn said(kind: &str) -> Option<Why> {
    let known = WORDS.iter().find(|(words, _)| kind.contains(words));
    known.map(|(_, why)| *why)
}
