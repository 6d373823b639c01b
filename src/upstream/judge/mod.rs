//! How an attempt began: is this the answer, or is the next endpoint to be
//! tried, and why? Nothing has reached the client yet when this is asked.

mod errors;
mod retry_after;

pub use errors::{judge, judge_event, judge_fault};
pub use retry_after::retry_after;

/// What an answer's beginning means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The answer, good or bad: the client gets it.
    Answer,
    /// The endpoint gives none; another may.
    Failed(Why),
}

/// Why an endpoint gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It could not be reached, or hung up before it said anything.
    NoConnection,
    /// A time limit passed.
    TimedOut,
    /// Too many requests or tokens, for now.
    RateLimited,
    /// What the account may use or pay is used up.
    QuotaUsedUp,
    /// It has more to do than it can.
    Overloaded,
    /// It says that something is wrong with it.
    Failing,
    /// It gave an error that nobody knows. Another endpoint may answer, but it
    /// may be the caller's doing, so nothing follows for other calls.
    Unexplained,
    /// It does not accept the gateway's own credential. Its words are for the
    /// operator, not for the client.
    RefusedUs,
    /// It does not serve the place the gateway runs in.
    PlaceRefused,
    /// It points elsewhere. Following could leave the zone.
    Redirected,
    /// No token could be had for it.
    NoToken,
    /// Its answer broke off before there was anything in it.
    BrokeOff,
    /// Its answer is none.
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

    /// The word back.
    pub fn read(word: &str) -> Option<Why> {
        Why::ALL.into_iter().find(|why| why.as_str() == word)
    }

    /// Whether it says nothing about the endpoint's health, only that it wants
    /// to be left alone for a while.
    pub fn is_a_limit(self) -> bool {
        matches!(self, Why::RateLimited | Why::QuotaUsedUp)
    }

    /// Whether the provider may have worked, and so may charge for it.
    pub fn may_be_billed(self) -> bool {
        matches!(
            self,
            Why::TimedOut | Why::BrokeOff | Why::Malformed | Why::Unexplained
        )
    }

    /// Whether the same endpoint may well answer a moment later.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Why::NoConnection | Why::RateLimited | Why::Overloaded | Why::Failing | Why::BrokeOff
        )
    }
}

/// An attempt that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The endpoint.
    pub endpoint: String,
    /// Why.
    pub why: Why,
    /// The status it answered, if it did.
    pub status: Option<u16>,
    /// How long the endpoint wants to be left alone, in milliseconds.
    pub retry_after: Option<u64>,
    /// It is only a drill: the endpoint was not asked.
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

    /// One that is only said to.
    pub fn drill(endpoint: &str, why: Why) -> Failure {
        Failure {
            drill: true,
            ..Failure::of(endpoint, why)
        }
    }

    /// It in words, for whoever asks why there was no answer.
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
