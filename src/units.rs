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

    /// The beginning of a day in UTC, written `YYYY-MM-DD`.
    pub fn of_date(text: &str) -> Option<Millis> {
        let mut parts = text.split('-');
        let mut next = |width, most| digits(parts.next()?, width, most);
        let (year, month, day) = (next(4, 9_999)?, next(2, 12)?, next(2, 31)?);
        // As in `date`: a year begins in March and ends with its leap day.
        let (years, month) = match month {
            0 => return None,
            1 | 2 => (year.checked_sub(1)?, month + 9),
            _ => (year, month - 3),
        };
        let days = years * 365 + years / 4 - years / 100 + years / 400;
        let days = (days + (153 * month + 2) / 5 + day).checked_sub(719_469)?;
        let at = Millis(days * 86_400_000);
        // A day that its month does not have would be one of the next month.
        (at.date() == text).then_some(at)
    }

    /// A time in RFC 3339, of any offset. What is below a millisecond is cut.
    pub fn of_rfc3339(text: &str) -> Option<Millis> {
        let (date, rest) = text.split_at_checked(10)?;
        let (clock, zone) = rest.strip_prefix(['T', 't'])?.split_at_checked(8)?;
        let mut parts = clock.split(':');
        let mut next = |most| digits(parts.next()?, 2, most);
        let seconds = next(23)? * 3_600 + next(59)? * 60 + next(59)?;
        let (fraction, zone) = match zone.strip_prefix('.') {
            Some(more) => more.split_at_checked(more.find(|c: char| !c.is_ascii_digit())?)?,
            None => ("0", zone),
        };
        let thousandths = format!("{fraction:0<3}");
        let thousandths = digits(thousandths.get(..3)?, 3, 999)?;
        let at = Millis::of_date(date)?.0 + seconds * 1_000 + thousandths;
        let offset = |written: &str| {
            let (hours, minutes) = written.split_once(':')?;
            Some((digits(hours, 2, 23)? * 60 + digits(minutes, 2, 59)?) * 60_000)
        };
        let at = match zone.split_at_checked(1)? {
            ("Z" | "z", "") => at,
            ("+", written) => at.checked_sub(offset(written)?)?,
            ("-", written) => at + offset(written)?,
            _ => return None,
        };
        (!fraction.is_empty()).then_some(Millis(at))
    }
}

/// A number of so many digits, to be at most `most`.
fn digits(text: &str, width: usize, most: u64) -> Option<u64> {
    let fits = text.len() == width && text.bytes().all(|b| b.is_ascii_digit());
    let number = fits.then(|| text.parse().ok()).flatten()?;
    (number <= most).then_some(number)
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

    /// These and others, by kind.
    pub fn plus(&self, more: &Tokens) -> Tokens {
        Tokens {
            input: self.input.saturating_add(more.input),
            cache_read: self.cache_read.saturating_add(more.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_add(more.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(more.cache_write_1h),
            audio_input: self.audio_input.saturating_add(more.audio_input),
            output: self.output.saturating_add(more.output),
            reasoning: self.reasoning.saturating_add(more.reasoning),
            audio_output: self.audio_output.saturating_add(more.audio_output),
        }
    }

    /// These without others, by kind.
    pub fn minus(&self, less: &Tokens) -> Tokens {
        Tokens {
            input: self.input.saturating_sub(less.input),
            cache_read: self.cache_read.saturating_sub(less.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_sub(less.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_sub(less.cache_write_1h),
            audio_input: self.audio_input.saturating_sub(less.audio_input),
            output: self.output.saturating_sub(less.output),
            reasoning: self.reasoning.saturating_sub(less.reasoning),
            audio_output: self.audio_output.saturating_sub(less.audio_output),
        }
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
            assert_eq!(Millis::of_rfc3339(told), Some(Millis(at / 1000 * 1000)));
        }
    }

    #[test]
    fn days_and_times_are_read_or_refused() {
        // Every day of four hundred years comes back as itself.
        for day in 0..146_097 {
            let at = Millis(day * 86_400_000);
            assert_eq!(Millis::of_date(&at.date()), Some(at));
        }
        let same = [
            "2026-05-01T10:00:00Z",
            "2026-05-01t10:00:00.000z",
            "2026-05-01T12:00:00+02:00",
            "2026-05-01T04:30:00.0009-05:30",
        ];
        for text in same {
            assert_eq!(
                Millis::of_rfc3339(text),
                Some(Millis(1_777_629_600_000)),
                "{text}"
            );
        }
        let late = Millis::of_rfc3339("2026-05-01T10:00:00.25Z");
        assert_eq!(late, Some(Millis(1_777_629_600_250)));
        for bad in [
            "",
            "2026-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "26-01-01",
            "2026-1-1",
            "2026-01-01-01",
            "+026-01-01",
            "1969-12-31",
            "0000-01-01",
            "2026-05-0é",
        ] {
            assert_eq!(Millis::of_date(bad), None, "{bad}");
        }
        for bad in [
            "",
            "2026-05-01",
            "2026-05-01T",
            "2026-05-01T10:00:00",
            "2026-05-01T10:00Z",
            "2026-05-01T24:00:00Z",
            "2026-05-01T10:60:00Z",
            "2026-05-01T10:00:00.Z",
            "2026-05-01T10:00:00.5",
            "2026-05-01T10:00:00 02:00",
            "2026-05-01T10:00:00+2:00",
            "2026-05-01T10:00:00Zjunk",
            "2026-05-01T10:00:0é",
            "1970-01-01T00:00:00+01:00",
        ] {
            assert_eq!(Millis::of_rfc3339(bad), None, "{bad}");
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
