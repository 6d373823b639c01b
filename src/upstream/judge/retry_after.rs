//! Reads how long an endpoint has to rest.

use crate::units::Millis;
use std::time::{Duration, UNIX_EPOCH};

/// The longest rest, whatever the header says.
pub(super) const LONGEST_REST: u64 = 10 * 60 * 1_000;

/// How long the endpoint has to rest, in milliseconds, from header lines:
/// `retry-after-ms`, or `retry-after` in seconds or as a date.
pub fn retry_after(lines: &str, now: Millis) -> Option<u64> {
    let header = |name: &str| {
        lines.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim())
        })
    };
    let number = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|n| n.is_finite() && *n >= 0.0)
    };
    let exact = header("retry-after-ms").and_then(number);
    let usual = || {
        let value = header("retry-after")?;
        number(value).map(|seconds| seconds * 1_000.0).or_else(|| {
            let date = httpdate::parse_http_date(value).ok()?;
            let now = UNIX_EPOCH + Duration::from_millis(now.0);
            // A date that has passed means now.
            let rest = date.duration_since(now).unwrap_or_default();
            Some(rest.as_millis() as f64)
        })
    };
    exact
        .or_else(usual)
        .map(|ms| (ms.ceil() as u64).min(LONGEST_REST))
}
