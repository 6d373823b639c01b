//! How long a provider may take, by stage, and how people write spans of time. Models
//! that think first have limits of their own.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A span of time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span(pub u64);

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Span {
        Span(seconds * 1_000)
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Span {
        Span::seconds(minutes * 60)
    }

    /// Reads `500ms`, `45s`, `10m` or `2h`.
    pub fn parse(text: &str) -> Option<Span> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits)?;
        let each = match unit.trim_start() {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(each).map(Span)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms if ms == 0 || ms % 1_000 != 0 => write!(f, "{ms} ms"),
            ms if ms % 3_600_000 == 0 => write!(f, "{} h", ms / 3_600_000),
            ms if ms % 60_000 == 0 => write!(f, "{} min", ms / 60_000),
            ms => write!(f, "{} s", ms / 1_000),
        }
    }
}

/// The limits of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// Until the response to a streamed call starts.
    pub connect: Span,
    /// Until the first content of a stream.
    pub first_token: Span,
    /// The longest silence in a stream that has begun.
    pub between_tokens: Span,
    /// Until an answer in one piece is there.
    pub answer: Span,
    /// For the whole call: all attempts, and the stream to its end.
    pub total: Span,
    /// How long a client waits for a stream before it gets keep-alives.
    pub keep_alive: Span,
}

impl Timeouts {
    /// The defaults.
    pub const USUAL: Timeouts = Timeouts {
        connect: Span::seconds(20),
        first_token: Span::seconds(45),
        between_tokens: Span::seconds(60),
        answer: Span::minutes(5),
        total: Span::minutes(30),
        keep_alive: Span::seconds(10),
    };

    /// The same for models that think.
    pub const REASONING: Timeouts = Timeouts {
        connect: Span::minutes(2),
        first_token: Span::minutes(10),
        between_tokens: Span::minutes(5),
        answer: Span::minutes(20),
        total: Span::minutes(60),
        keep_alive: Span::seconds(10),
    };
}

/// Limits that change some of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Changed {
    /// See [`Timeouts::connect`].
    pub connect: Option<Span>,
    /// See [`Timeouts::first_token`].
    pub first_token: Option<Span>,
    /// See [`Timeouts::between_tokens`].
    pub between_tokens: Option<Span>,
    /// See [`Timeouts::answer`].
    pub answer: Option<Span>,
    /// See [`Timeouts::total`].
    pub total: Option<Span>,
    /// See [`Timeouts::keep_alive`].
    pub keep_alive: Option<Span>,
}

impl Changed {
    /// The limits, with the others from `usual`.
    pub fn over(&self, usual: Timeouts) -> Timeouts {
        Timeouts {
            connect: self.connect.unwrap_or(usual.connect),
            first_token: self.first_token.unwrap_or(usual.first_token),
            between_tokens: self.between_tokens.unwrap_or(usual.between_tokens),
            answer: self.answer.unwrap_or(usual.answer),
            total: self.total.unwrap_or(usual.total),
            keep_alive: self.keep_alive.unwrap_or(usual.keep_alive),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use reading::read_span;

#[cfg(not(target_arch = "wasm32"))]
mod reading {
    //! Spans of time in config files.

    use super::Span;
    use crate::regions::check::Rule;
    use crate::regions::read::{Notes, Table};

    /// A span above zero that may be missing.
    pub fn read_span(table: &mut Table<'_>, name: &'static str, notes: &mut Notes) -> Option<Span> {
        let written = table.maybe_text(name, notes)?;
        let span = Span::parse(&written.text).filter(|span| span.0 > 0);
        if span.is_none() {
            let what = format!("`{}` is no span of time", written.text);
            let problem = table.source().problem(Rule::BadSpan, written.at, what);
            notes.problems.push(
                problem
                    .instead("a number with its unit, such as `\"45s\"`, `\"5m\"` or `\"500ms\"`"),
            );
        }
        span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, ms) in [
            ("500ms", 500),
            ("45s", 45_000),
            ("10m", 600_000),
            ("2 h", 7_200_000),
        ] {
            assert_eq!(Span::parse(text), Some(Span(ms)), "{text}");
        }
        for text in ["", "10", "s", "1.5s", "-1s", "99999999999999999999s", "1d"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
        assert_eq!(Span(90_000).to_string(), "90 s");
        assert_eq!(Span(600_000).to_string(), "10 min");
    }
}
