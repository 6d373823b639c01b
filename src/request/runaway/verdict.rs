//! The verdict of the runaway guard about a call, and its words for people.

use std::fmt;

/// The guard's verdict about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is not part of a runaway.
    Calm,
    /// It is part of a runaway.
    Flagged(Runaway),
    /// It is part of a runaway and has to wait.
    Throttled {
        /// The runaway.
        runaway: Runaway,
        /// For so many seconds.
        retry_after_s: u64,
    },
}

impl Verdict {
    /// Of a runaway that has to wait for so many milliseconds.
    pub(super) fn of(runaway: Runaway, wait_ms: u64) -> Verdict {
        match wait_ms {
            0 => Verdict::Flagged(runaway),
            _ => Verdict::Throttled {
                runaway,
                retry_after_s: wait_ms.div_ceil(1_000),
            },
        }
    }
}

/// Calls that follow each other faster than the rules allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runaway {
    /// The kind of runaway.
    pub kind: Kind,
    /// The team that calls.
    pub team: String,
    /// Its feature, if it says one.
    pub feature: Option<String>,
    /// How many they are, this one included.
    pub calls: u32,
    /// From the first of them to this one, in milliseconds.
    pub over_ms: u64,
    /// The bytes of the first one's messages; of the whole body where they are
    /// all the same.
    pub grown_from: usize,
    /// The same of this one.
    pub grown_to: usize,
    /// It is the first call of the runaway that is flagged: the webhook is called now.
    pub is_news: bool,
}

/// The kinds of runaways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Each call contains the one before, and more.
    Growth,
    /// All calls are the same.
    Repeats,
}

impl Kind {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Growth => "growth",
            Kind::Repeats => "repeats",
        }
    }
}

impl fmt::Display for Runaway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls of team {}, ", self.calls, self.team)?;
        match &self.feature {
            Some(feature) => write!(f, "feature {feature}")?,
            None => f.write_str("no feature")?,
        }
        let seconds = self.over_ms.div_ceil(1_000).max(1);
        write!(f, " within {seconds} s, ")?;
        let (from, to) = (Size(self.grown_from), Size(self.grown_to));
        match self.kind {
            Kind::Growth => write!(
                f,
                "each contains the one before: {from} of messages grew to {to}. \
                 If this is intended, raise `calls` of [runaway] in gateway.toml; \
                 if not, add a stop condition to the agent's loop."
            ),
            Kind::Repeats => write!(
                f,
                "all the same, of {to}. If this is intended, set `action = \"off\"` \
                 for [runaway] in gateway.toml; if not, cache the response, or wait \
                 longer before each retry."
            ),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Calm => f.write_str("nothing unusual"),
            Verdict::Flagged(runaway) => runaway.fmt(f),
            Verdict::Throttled {
                runaway,
                retry_after_s,
            } => write!(f, "{runaway} Try again in {retry_after_s} s."),
        }
    }
}

/// A number of bytes.
struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MB: usize = 1 << 20;
        match self.0 {
            bytes @ 0..1_024 => write!(f, "{bytes} bytes"),
            bytes @ 1_024..MB => write!(f, "{} KB", bytes / 1_024),
            bytes => write!(f, "{}.{} MB", bytes / MB, bytes % MB * 10 / MB),
        }
    }
}
