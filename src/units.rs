//! The words every other module speaks in: points in time, money, tokens by
//! kind and request ids. Time and randomness come in as arguments, never from
//! a clock or a generator in here.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A point in time, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// Milliseconds from `earlier` to `self`; zero if the clock went back.
    pub fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The day in UTC, `YYYY-MM-DD`.
    pub fn date(self) -> String {
        // Days are counted from the first of March of the year 0, so that a
        // leap day is the last of its year.
        let days = self.0 / 86_400_000 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The time in UTC, RFC 3339, to the second.
    pub fn rfc3339(self) -> String {
        let seconds = self.0 / 1000 % 86_400;
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        format!(
            "{}T{hours:02}:{minutes:02}:{:02}Z",
            self.date(),
            seconds % 60
        )
    }
}

/// An amount of money in billionths of a US dollar. Money is never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
pub struct NanoUsd(pub i64);

impl NanoUsd {
    /// Reads a decimal amount of dollars such as `"0.15"`, exactly or not at all.
    pub fn parse_dollars(text: &str) -> Option<NanoUsd> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
            return None;
        }
        let scale = 10_i64.checked_pow(u32::try_from(9 - fraction.len()).ok()?)?;
        let fraction = match fraction {
            "" => 0,
            f => f.parse::<i64>().ok()?.checked_mul(scale)?,
        };
        let nano = whole
            .parse::<i64>()
            .ok()?
            .checked_mul(1_000_000_000)?
            .checked_add(fraction)?;
        Some(NanoUsd(nano))
    }
}

impl NanoUsd {
    /// In dollars for people: to the cent, or as small amounts need it.
    pub fn rounded(self) -> String {
        let (sign, nano) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let digits = match nano {
            0 | 1_000_000_000.. => 2,
            10_000_000.. => 4,
            _ => 9,
        };
        let unit = 10_u64.pow(9 - digits);
        let units = (u128::from(nano) + u128::from(unit / 2)) / u128::from(unit);
        let whole = 10_u128.pow(digits);
        let width = digits as usize;
        format!("{sign}${}.{:0width$}", units / whole, units % whole)
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nano = self.0.unsigned_abs();
        write!(
            f,
            "{sign}${}.{:09}",
            nano / 1_000_000_000,
            nano % 1_000_000_000
        )
    }
}

/// Tokens by kind. The kinds do not overlap, except that `reasoning` says how
/// many of `output` were spent thinking: the sum of all other fields is what
/// the provider counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tokens {
    /// Text sent in that no cache served.
    pub input: u64,
    /// Input read from the provider's prompt cache.
    pub cache_read: u64,
    /// Input written to a cache that lives five minutes.
    pub cache_write_5m: u64,
    /// Input written to a cache that lives an hour.
    pub cache_write_1h: u64,
    /// Audio sent in.
    pub audio_input: u64,
    /// Text that came out, thinking included.
    pub output: u64,
    /// How many of `output` were thinking.
    pub reasoning: u64,
    /// Audio that came out.
    pub audio_output: u64,
}

impl Tokens {
    /// Everything that was sent in, cached or not.
    pub fn input_total(&self) -> u64 {
        [
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.audio_input,
        ]
        .iter()
        .fold(self.input, |sum, n| sum.saturating_add(*n))
    }

    /// Everything that came out.
    pub fn output_total(&self) -> u64 {
        self.output.saturating_add(self.audio_output)
    }
}

/// The id of one request: a ULID, so that ids sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(String);

impl RequestId {
    /// An id for a request that arrived at `at`; `random` keeps it unique.
    pub fn new(at: Millis, random: u128) -> RequestId {
        RequestId(ulid::Ulid::from_parts(at.0, random).to_string())
    }

    /// The id as it is written in headers and rows.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_write_them() {
        for (at, told) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_000, "2024-02-29T23:59:59Z"),
            (1_767_225_599_000, "2025-12-31T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Millis(at).rfc3339(), told);
        }
    }

    #[test]
    fn dollars_are_read_exactly_or_not_at_all() {
        let nano = |s| NanoUsd::parse_dollars(s).map(|n| n.0);
        assert_eq!(nano("0.15"), Some(150_000_000));
        assert_eq!(nano("15"), Some(15_000_000_000));
        assert_eq!(nano("3.000000001"), Some(3_000_000_001));
        for bad in ["", ".5", "-1", "1e3", "1.0000000001", "1,5", "99999999999"] {
            assert_eq!(nano(bad), None, "{bad}");
        }
        assert_eq!(NanoUsd(1_500).to_string(), "$0.000001500");
        for (nano, told) in [
            (0, "$0.00"),
            (1_500, "$0.000001500"),
            (12_345_678, "$0.0123"),
            (999_999_999, "$1.0000"),
            (1_234_567_890, "$1.23"),
            (-1_995_000_000, "-$2.00"),
        ] {
            assert_eq!(NanoUsd(nano).rounded(), told);
        }
        assert_eq!(NanoUsd(-2_000_000_000).to_string(), "-$2.000000000");
    }

    #[test]
    fn ids_sort_by_time() {
        let early = RequestId::new(Millis(1_000), u128::MAX);
        let late = RequestId::new(Millis(1_001), 0);
        assert!(early < late);
        assert_eq!(early.as_str().len(), 26);
    }
}
