//! What providers say, and what is done about it.

use super::retry_after::LONGEST_REST;
use super::*;
use crate::units::Millis;

fn failed(status: u16, kind: &str, body: &str) -> Option<Why> {
    match judge(status, kind, body.as_bytes()) {
        Start::Answer => None,
        Start::Failed(why) => Some(why),
    }
}

#[test]
fn field_16_the_callers_own_mistakes_are_not_tried_elsewhere() {
    for status in [200, 400, 404, 413, 422] {
        assert_eq!(
            failed(status, "invalid_request_error", "{}"),
            None,
            "{status}"
        );
    }
    // What the caller wrote is quoted, and must not look like an outage.
    let quoting = r#"{"error":{"message":"messages.0: \"server_error overloaded\" is not valid"}}"#;
    assert_eq!(failed(400, "invalid_request_error", quoting), None);
    for kind in [
        "invalid_request_error",
        "ValidationException",
        "INVALID_ARGUMENT",
    ] {
        assert_eq!(judge_event(kind), Start::Answer, "{kind}");
    }
}

#[test]
fn field_12_what_fails_is_tried_elsewhere_in_every_providers_words() {
    for (status, kind, body, why) in [
        (408, "", "", Why::Failing),
        (429, "rate_limit_error", "", Why::RateLimited),
        (429, "insufficient_quota", "", Why::QuotaUsedUp),
        (402, "", "Insufficient Balance", Why::QuotaUsedUp),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            Why::QuotaUsedUp,
        ),
        (400, "ServiceQuotaExceededException", "", Why::QuotaUsedUp),
        (
            400,
            "INVALID_ARGUMENT",
            r#"{"reason":"API_KEY_INVALID"}"#,
            Why::RefusedUs,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
            Why::PlaceRefused,
        ),
        (401, "", "", Why::RefusedUs),
        (
            403,
            "",
            r#"{"code":"unsupported_country_region_territory"}"#,
            Why::PlaceRefused,
        ),
        (404, "DeploymentNotFound", "", Why::Failing),
        (424, "ModelErrorException", "", Why::Failing),
        (500, "", "", Why::Failing),
        (503, "", "", Why::Overloaded),
        (529, "overloaded_error", "", Why::Overloaded),
        (307, "", "", Why::Redirected),
    ] {
        assert_eq!(failed(status, kind, body), Some(why), "{status} {kind}");
    }
    for (kind, why) in [
        ("overloaded_error", Why::Overloaded),
        ("throttlingException", Why::RateLimited),
        ("server_error", Why::Failing),
        ("something_new", Why::Failing),
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
