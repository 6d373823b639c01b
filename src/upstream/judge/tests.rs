//! What providers say, and what is done about it.

use super::retry_after::LONGEST_REST;
use super::*;
use crate::dialect::ProviderError;
use crate::units::Millis;

fn failed(status: u16, beside: &str, body: &str) -> Option<Why> {
    match judge(status, &ProviderError::read(beside, body.as_bytes())) {
        Start::Answer => None,
        Start::Failed(why) => Some(why),
    }
}

/// An error as OpenAI and Anthropic say it.
fn error(kind: &str, message: &str) -> String {
    serde_json::json!({"error": {"type": kind, "message": message}}).to_string()
}

const CREDIT: &str = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.";

#[test]
fn field_16_the_callers_own_mistakes_are_not_tried_elsewhere() {
    for status in [200, 400, 404, 413, 422] {
        let body = error("invalid_request_error", "no");
        assert_eq!(failed(status, "", &body), None, "{status}");
    }
    for kind in [
        "invalid_request_error",
        "ValidationException",
        "INVALID_ARGUMENT",
        "invalid_base64_image",
        "400",
        "422",
    ] {
        assert_eq!(judge_event(kind), Start::Answer, "{kind}");
    }
}

/// Whatever an endpoint is judged by, a caller can have a provider quote it.
#[test]
fn guard_no_text_of_a_caller_judges_an_endpoint() {
    let quotes = [
        "credit balance is too low",
        CREDIT,
        "API key not valid. Please pass a valid API key.",
        "api_key_invalid",
        "User location is not supported for the API use.",
        "unsupported_country_region_territory",
        "insufficient_quota",
        "rate_limit_error",
        "server_error overloaded",
        "model_not_found",
    ];
    for quote in quotes {
        for message in [
            format!("thinking.type: Input tag '{quote}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'"),
            format!("messages.0: \"{quote}\" is not valid"),
            format!("{quote}: Extra inputs are not permitted"),
            format!("tools.0.name: {quote}"),
            format!(" {quote}"),
        ] {
            for (status, beside, body) in [
                (400, "", error("invalid_request_error", &message)),
                (404, "", error("not_found_error", &message)),
                (422, "", error("invalid_request_error", &message)),
                (400, "ValidationException", serde_json::json!({"message": message}).to_string()),
                (400, "", serde_json::json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": message, "details": [{"@type": "type.googleapis.com/google.rpc.BadRequest", "reason": quote, "fieldViolations": [{"field": quote, "description": message}]}]}}).to_string()),
                (400, "", serde_json::json!({"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", quote], "input": quote}]}, "type": "invalid_request_error", "code": null}).to_string()),
                // Not even if a provider has no better word than the caller's.
                (400, "", error(&message, &message)),
            ] {
                assert_eq!(failed(status, beside, &body), None, "{body}");
            }
            // A refused credential is one, whatever is quoted beside it.
            let body = error("permission_error", &message);
            assert_eq!(failed(403, "", &body), Some(Why::RefusedUs), "{body}");
            assert_eq!(judge_event(&message), Start::Failed(Why::Unexplained));
        }
    }
    // A field of the caller's that names a model nobody has.
    let elsewhere = r#"{"error":{"type":"invalid_request_error","code":"model_not_found","param":"tools[0].model","message":"m"}}"#;
    assert_eq!(failed(404, "", elsewhere), None);
}

#[test]
fn field_12_what_fails_is_tried_elsewhere_in_every_providers_words() {
    let google = r#"{"error":{"code":400,"message":"API key expired.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#;
    let place = r#"{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"#;
    let openai = r#"{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","type":"request_forbidden"}}"#;
    let quota = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let azure = r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#;
    let missing = r#"{"error":{"type":"invalid_request_error","code":"model_not_found","param":null,"message":"m"}}"#;
    for (status, beside, body, why) in [
        (408, "", "", Why::Failing),
        (429, "", &*error("rate_limit_error", ""), Why::RateLimited),
        (429, "", quota, Why::QuotaUsedUp),
        (402, "", "Insufficient Balance", Why::QuotaUsedUp),
        (
            400,
            "",
            &*error("invalid_request_error", CREDIT),
            Why::QuotaUsedUp,
        ),
        (400, "ServiceQuotaExceededException", "", Why::QuotaUsedUp),
        (400, "", google, Why::RefusedUs),
        (400, "", place, Why::PlaceRefused),
        (401, "", "", Why::RefusedUs),
        (403, "", openai, Why::PlaceRefused),
        (404, "", azure, Why::Failing),
        (404, "", missing, Why::Failing),
        (424, "ModelErrorException", "", Why::Failing),
        (500, "", "", Why::Failing),
        (503, "", "", Why::Overloaded),
        (529, "", &*error("overloaded_error", ""), Why::Overloaded),
        (307, "", "", Why::Redirected),
    ] {
        assert_eq!(failed(status, beside, body), Some(why), "{status} {body}");
    }
    for (kind, why) in [
        ("overloaded_error", Why::Overloaded),
        ("throttlingException", Why::RateLimited),
        ("modelStreamErrorException", Why::Failing),
        ("server_error", Why::Failing),
        ("rate_limit_exceeded", Why::RateLimited),
        ("429", Why::RateLimited),
        ("502", Why::Failing),
        ("something_new", Why::Unexplained),
        // Words are compared whole.
        ("mcp_server_error", Why::Unexplained),
        ("no_rate_limit", Why::Unexplained),
        ("malformed_function_call", Why::Unexplained),
    ] {
        assert_eq!(judge_event(kind), Start::Failed(why), "{kind}");
    }
}

#[test]
fn retry_after_is_read_in_seconds_dates_and_milliseconds() {
    let now = Millis(784_111_777_000);
    for (lines, wait) in [
        ("retry-after: 7", Some(7_000)),
        ("x: 1\nRetry-After: 0.5", Some(500)),
        ("retry-after: 7\nretry-after-ms: 120", Some(120)),
        ("retry-after: Sun, 06 Nov 1994 08:49:47 GMT", Some(10_000)),
        ("retry-after: Sunday, 06-Nov-94 08:49:47 GMT", Some(10_000)),
        ("retry-after: Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("retry-after: 86400", Some(LONGEST_REST)),
        ("retry-after: soon", None),
        ("retry-after: -1", None),
        ("", None),
    ] {
        assert_eq!(retry_after(lines, now), wait, "{lines}");
    }
}
