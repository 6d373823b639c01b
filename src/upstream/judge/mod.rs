//! Judges how an attempt started: whether its response goes to the client, or the next
//! endpoint is attempted, and why. Nothing has reached the client at this point.

mod errors;
mod retry_after;

pub use errors::{judge, judge_event, judge_fault};
pub use retry_after::retry_after;

/// The judgement of an attempt's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The client gets the response, good or bad.
    Answer,
    /// The attempt failed; another endpoint may succeed.
    Failed(Why),
}

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The connection failed, or closed before any response.
    NoConnection,
    /// A time limit passed.
    TimedOut,
    /// Too many requests or tokens, for now.
    RateLimited,
    /// The quota or credit of the account is used up.
    QuotaUsedUp,
    /// The endpoint is overloaded.
    Overloaded,
    /// The endpoint reports an error of its own.
    Failing,
    /// The endpoint reports an unknown error. Another endpoint may succeed, but the
    /// request may be the cause, so it does not count for the endpoint's health.
    Unexplained,
    /// The endpoint rejects the gateway's own credential. Its message is for the
    /// operator, not for the client.
    RefusedUs,
    /// The endpoint does not serve the region in which the gateway runs.
    PlaceRefused,
    /// The endpoint redirects. Following could leave the zone.
    Redirected,
    /// No access token could be obtained.
    NoToken,
    /// The response ended before its first content.
    BrokeOff,
    /// The response is malformed.
    Malformed,
}

impl Why {
    /// All of them.
    pub const ALL: [Why; 13] = [
        Why::NoConnection,
        Why::TimedOut,
        Why::RateLimited,
        Why::QuotaUsedUp,
        Why::Overloaded,
        Why::Failing,
        Why::Unexplained,
        Why::RefusedUs,
        Why::PlaceRefused,
        Why::Redirected,
        Why::NoToken,
        Why::BrokeOff,
        Why::Malformed,
    ];

    /// A stable word for rows and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::NoConnection => "no_connection",
            Why::TimedOut => "timed_out",
            Why::RateLimited => "rate_limited",
            Why::QuotaUsedUp => "quota_used_up",
            Why::Overloaded => "overloaded",
            Why::Failing => "failing",
            Why::Unexplained => "unexplained",
            Why::RefusedUs => "refused_us",
            Why::PlaceRefused => "place_refused",
            Why::Redirected => "redirected",
            Why::NoToken => "no_token",
            Why::BrokeOff => "broke_off",
            Why::Malformed => "malformed",
        }
    }

    /// Reads that word.
    pub fn read(word: &str) -> Option<Why> {
        Why::ALL.into_iter().find(|why| why.as_str() == word)
    }

    /// Whether it is a limit, which makes the endpoint rest but does not count as a
    /// failure.
    pub fn is_a_limit(self) -> bool {
        matches!(self, Why::RateLimited | Why::QuotaUsedUp)
    }

    /// Whether the provider may charge for the attempt.
    pub fn may_be_billed(self) -> bool {
        matches!(
            self,
            Why::TimedOut | Why::BrokeOff | Why::Malformed | Why::Unexplained
        )
    }

    /// Whether the same endpoint may succeed a moment later.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Why::NoConnection | Why::RateLimited | Why::Overloaded | Why::Failing | Why::BrokeOff
        )
    }
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The endpoint.
    pub endpoint: String,
    /// Why.
    pub why: Why,
    /// The status it answered, if it did.
    pub status: Option<u16>,
    /// The `retry-after` of the endpoint, in milliseconds.
    pub retry_after: Option<u64>,
    /// It is a drill: nothing was sent to the endpoint.
    pub drill: bool,
}

impl Failure {
    /// An endpoint that failed.
    pub fn of(endpoint: &str, why: Why) -> Failure {
        Failure {
            endpoint: endpoint.to_owned(),
            why,
            status: None,
            retry_after: None,
            drill: false,
        }
    }

    /// A failure of a drill.
    pub fn drill(endpoint: &str, why: Why) -> Failure {
        Failure {
            drill: true,
            ..Failure::of(endpoint, why)
        }
    }

    /// The failure in words, for error messages.
    pub fn summary(&self) -> String {
        let what = match self.why {
            Why::NoConnection => "no connection",
            Why::TimedOut => "timed out",
            Why::RateLimited => "rate limited",
            Why::QuotaUsedUp => "quota exceeded",
            Why::Overloaded => "overloaded",
            Why::Failing => "failing",
            Why::Unexplained => "unknown error",
            Why::RefusedUs => "rejected the gateway's credential",
            Why::PlaceRefused => "region not supported",
            Why::Redirected => "redirected",
            Why::NoToken => "no access token",
            Why::BrokeOff => "ended early",
            Why::Malformed => "malformed response",
        };
        let drill = if self.drill { ", drill" } else { "" };
        format!("{} ({what}{drill})", self.endpoint)
    }
}

#[cfg(test)]
mod tests;
