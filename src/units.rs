//! The words every other module speaks in: points in time, money, tokens by
//! kind and request ids. Time and randomness come in as arguments, never from
//! a clock or a generator in here.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A point in time, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Millis(pub u64);

impl Millis {
    /// Milliseconds from `earlier` to `self`; zero if the clock went back.
    pub fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
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
    fn dollars_are_read_exactly_or_not_at_all() {
        let nano = |s| NanoUsd::parse_dollars(s).map(|n| n.0);
        assert_eq!(nano("0.15"), Some(150_000_000));
        assert_eq!(nano("15"), Some(15_000_000_000));
        assert_eq!(nano("3.000000001"), Some(3_000_000_001));
        for bad in ["", ".5", "-1", "1e3", "1.0000000001", "1,5", "99999999999"] {
            assert_eq!(nano(bad), None, "{bad}");
        }
        assert_eq!(NanoUsd(1_500).to_string(), "$0.000001500");
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
