//! Judges a provider's error by its status, by its error code, and by a few whole
//! messages where there is no code. An error may quote the request, so messages are
//! never searched.

use super::{Start, Why};
use crate::dialect::{word, Fault, ProviderError};

/// Codes of errors that are the endpoint's, in lower case.
const ENDPOINTS: [(&str, Why); 43] = [
    ("insufficient_quota", Why::QuotaUsedUp),
    ("billing_hard_limit_reached", Why::QuotaUsedUp),
    ("billing_not_active", Why::QuotaUsedUp),
    ("billing_error", Why::QuotaUsedUp),
    ("servicequotaexceededexception", Why::QuotaUsedUp),
    // Google says so in a 400.
    ("api_key_invalid", Why::RefusedUs),
    ("api_key_expired", Why::RefusedUs),
    ("invalid_api_key", Why::RefusedUs),
    ("authentication_error", Why::RefusedUs),
    ("permission_error", Why::RefusedUs),
    ("unauthenticated", Why::RefusedUs),
    ("permission_denied", Why::RefusedUs),
    ("accessdeniedexception", Why::RefusedUs),
    ("unrecognizedclientexception", Why::RefusedUs),
    ("expiredtokenexception", Why::RefusedUs),
    ("unsupported_country_region_territory", Why::PlaceRefused),
    ("rate_limit", Why::RateLimited),
    ("rate_limit_error", Why::RateLimited),
    ("rate_limit_exceeded", Why::RateLimited),
    ("rate_limited", Why::RateLimited),
    // OpenAI's types of the same.
    ("requests", Why::RateLimited),
    ("tokens", Why::RateLimited),
    ("throttlingexception", Why::RateLimited),
    ("toomanyrequests", Why::RateLimited),
    ("toomanyrequestsexception", Why::RateLimited),
    ("too_many_requests", Why::RateLimited),
    ("resource_exhausted", Why::RateLimited),
    ("overloaded", Why::Overloaded),
    ("overloaded_error", Why::Overloaded),
    ("serviceunavailableexception", Why::Overloaded),
    ("service_unavailable", Why::Overloaded),
    ("unavailable", Why::Overloaded),
    ("modelnotreadyexception", Why::Overloaded),
    ("modeltimeoutexception", Why::Failing),
    ("modelerrorexception", Why::Failing),
    ("modelstreamerrorexception", Why::Failing),
    ("internalserverexception", Why::Failing),
    ("internal_server_error", Why::Failing),
    ("internal", Why::Failing),
    ("server_error", Why::Failing),
    ("api_error", Why::Failing),
    ("timeout_error", Why::Failing),
    ("deadline_exceeded", Why::Failing),
];

/// The deployment in the map does not exist; another endpoint's may.
const MISSING: [&str; 2] = ["deploymentnotfound", "model_not_found"];

/// Codes of errors that are the caller's: every endpoint would refuse the request.
const CALLERS: [&str; 34] = [
    "invalid_request",
    "invalid_request_error",
    "invalid_prompt",
    "invalid_value",
    "invalid_type",
    "invalid_json",
    "missing_required_parameter",
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "previous_response_not_found",
    "not_found_error",
    "not_found",
    "request_too_large",
    "validationexception",
    "invalid_argument",
    "failed_precondition",
    "out_of_range",
    "context_length_exceeded",
    "string_above_max_length",
    "content_filter",
    "content_policy_violation",
    "image_content_policy_violation",
    "invalid_image",
    "invalid_image_format",
    "invalid_base64_image",
    "invalid_image_url",
    "invalid_image_mode",
    "image_too_large",
    "image_too_small",
    "image_parse_error",
    "image_file_too_large",
    "unsupported_image_media_type",
    "failed_to_download_image",
];

/// Whole messages of endpoint errors that have the code of a caller's error. Messages
/// about a field start with the field's name, so none of them is equal to one of these.
const SENTENCES: [(&str, Why); 4] = [
    (
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
        Why::QuotaUsedUp,
    ),
    (
        "API key not valid. Please pass a valid API key.",
        Why::RefusedUs,
    ),
    (
        "User location is not supported for the API use.",
        Why::PlaceRefused,
    ),
    (
        "Country, region, or territory not supported",
        Why::PlaceRefused,
    ),
];

/// Whose error a code stands for.
enum Whose {
    Endpoints(Why),
    Callers,
}

fn whose(word: &str) -> Option<Whose> {
    let known = ENDPOINTS.iter().find(|(known, _)| *known == word);
    if let Some((_, why)) = known {
        return Some(Whose::Endpoints(*why));
    }
    CALLERS.contains(&word).then_some(Whose::Callers)
}

/// The judgement of the most precise known code.
fn by_words(error: &ProviderError) -> Option<Whose> {
    error.words.iter().find_map(|word| whose(word))
}

fn by_sentence(error: &ProviderError) -> Option<Why> {
    let known = SENTENCES.iter().find(|(whole, _)| *whole == error.message);
    known.map(|(_, why)| *why)
}

/// The judgement of a status that has only one meaning.
fn by_status(status: u16) -> Option<Why> {
    match status {
        401 | 403 => Some(Why::RefusedUs),
        402 => Some(Why::QuotaUsedUp),
        429 => Some(Why::RateLimited),
        503 | 529 => Some(Why::Overloaded),
        408 | 424 | 500.. => Some(Why::Failing),
        _ => None,
    }
}

/// Judges a response by its status and, if it is an error, by its body.
pub fn judge(status: u16, error: &ProviderError) -> Start {
    if status < 300 {
        return Start::Answer;
    }
    if status < 400 {
        return Start::Failed(Why::Redirected);
    }
    let word = || match by_words(error) {
        Some(Whose::Endpoints(why)) => Some(why),
        Some(Whose::Callers) | None => None,
    };
    let found = match by_status(status) {
        Some(Why::RefusedUs) => {
            let place = word().or_else(|| by_sentence(error));
            place
                .filter(|why| *why == Why::PlaceRefused)
                .or(Some(Why::RefusedUs))
        }
        Some(Why::RateLimited) => {
            let quota = word().filter(|why| *why == Why::QuotaUsedUp);
            quota.or(Some(Why::RateLimited))
        }
        Some(why) => Some(why),
        None if status == 400 => word().or_else(|| by_sentence(error)),
        None if status == 404 => missing(error).or_else(word),
        None => None,
    };
    found.map_or(Start::Answer, Start::Failed)
}

/// A model or deployment that the address or the gateway names, and not some
/// other field of the caller's.
fn missing(error: &ProviderError) -> Option<Why> {
    let is_ours = matches!(error.param.as_deref(), None | Some("model"));
    let is_missing = error
        .words
        .iter()
        .any(|word| MISSING.contains(&word.as_str()));
    (is_ours && is_missing).then_some(Why::Failing)
}

/// Judges an error event of a stream by its code, which for some providers is a status.
pub fn judge_event(kind: &str) -> Start {
    let word = word(kind).unwrap_or_default();
    match whose(&word) {
        Some(Whose::Endpoints(why)) => return Start::Failed(why),
        Some(Whose::Callers) => return Start::Answer,
        None => {}
    }
    match word.parse() {
        Ok(status @ 400..=599) => by_status(status).map_or(Start::Answer, Start::Failed),
        // It is not a response, but the request may be the cause.
        _ => Start::Failed(Why::Unexplained),
    }
}

/// Judges a response with a good status by its fault.
pub fn judge_fault(fault: &Fault) -> Start {
    Start::Failed(match fault {
        Fault::Reported { kind } => return judge_event(kind),
        Fault::Cut => Why::BrokeOff,
        Fault::Garbled => Why::Malformed,
        Fault::TimedOut => Why::TimedOut,
    })
}
