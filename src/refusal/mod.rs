//! Every way the gateway says no, once, with the facts in it. A refusal tells
//! the caller what is wrong and what to do; each dialect only dresses it.

mod background;
mod code;
mod egress;
mod exceeded;
mod invalid;
mod unbounded;
mod words;

pub use background::NoBackground;
pub use egress::{EgressRefused, Offer};
pub use exceeded::Exceeded;
pub use invalid::Invalid;
pub use unbounded::{Missing, Unbounded};

use crate::config::limits::Measure;

/// The seconds after which there may be room for a body again.
const BUSY_FOR: u64 = 2;

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is nothing at this path.
    NoRoute {
        /// What was asked for.
        path: String,
        /// What to do instead, where that is known.
        instead: &'static str,
    },
    /// An operation is asked for over a WebSocket.
    NoWebSocket,
    /// There is, but not for this method.
    WrongMethod {
        /// The method that was used.
        method: String,
        /// The one that works.
        allowed: &'static str,
    },
    /// More or longer headers than any client needs.
    HeadersTooLarge {
        /// What is accepted.
        limit: &'static str,
    },
    /// No gateway key came with the request.
    NoKey,
    /// The key is none of ours, or was revoked.
    BadKey,
    /// The key store did not answer.
    KeysUnavailable,
    /// The published map could not be read, and none is known here yet.
    MapUnavailable,
    /// The body is compressed in a way that is not read.
    Encoded {
        /// Its `content-encoding`.
        encoding: String,
    },
    /// The body is longer than is accepted.
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A compressed body becomes too much for what came of it.
    BodyGrows {
        /// How many times as long it may become.
        most: usize,
    },
    /// The body could not be read to its end.
    BodyBroken,
    /// The body did not come within its time.
    BodyLate,
    /// There is no room for the body beside those of other calls.
    BodiesFull,
    /// The body is no request of its dialect.
    Body(Invalid),
    /// What is asked for cannot be said to any endpoint that is allowed.
    Unsupported {
        /// The endpoint that was looked at first.
        endpoint: String,
        /// What it speaks.
        dialect: &'static str,
        /// The fields, by the client's names.
        fields: Vec<String>,
    },
    /// `meridian-on-unsupported` says what is not known.
    UnknownWish {
        /// What it says.
        wish: String,
    },
    /// The request goes on from an answer that is kept by an endpoint which may not,
    /// or cannot, serve it now.
    Bound {
        /// The endpoint.
        kept_by: String,
    },
    /// The request goes on from an answer that is not known to be its team's.
    NoSuchAnswer {
        /// The answer's id.
        id: String,
    },
    /// A stored answer is asked for that is not known to be its team's.
    NoStored {
        /// The answer's id.
        id: String,
    },
    /// A tag header cannot be accepted.
    Tags {
        /// The header it stands in.
        header: String,
        /// What is wrong with it.
        what: String,
    },
    /// No endpoint anywhere serves a model of this name.
    UnknownModel {
        /// The name that was asked for.
        asked: String,
        /// The names most like it that the caller can use in its zone.
        nearest: Vec<String>,
    },
    /// The key may not use this model.
    ModelNotAllowed {
        /// The name that was asked for.
        asked: String,
        /// What the key may use.
        allowed: Vec<String>,
    },
    /// The request names a zone that does not exist.
    UnknownZone {
        /// The name.
        asked: String,
        /// The zones there are.
        known: Vec<String>,
    },
    /// The key is pinned to a zone that the map no longer has.
    KeyZoneUnknown {
        /// The key's id.
        key: String,
        /// The zone it names.
        zone: String,
    },
    /// The gateway itself ran outside the zone, which the zone forbids.
    GatewayOutside {
        /// The zone.
        zone: String,
        /// The data center.
        colo: String,
        /// Its country, if it is known.
        country: Option<String>,
    },
    /// The rules that apply have no place in common.
    ZonesClash {
        /// Each rule in words.
        sides: Vec<String>,
    },
    /// Nothing the zone allows can serve it.
    NoEndpoint {
        /// The zone.
        zone: String,
        /// The model.
        model: String,
        /// Every endpoint that has the model, and why it is out.
        excluded: Vec<String>,
        /// Models that would be served.
        servable: Vec<String>,
    },
    /// The zone has endpoints for the model, and none that counts its tokens.
    NoCounter {
        /// The zone.
        zone: String,
        /// The model.
        model: String,
        /// Every endpoint that has the model, and why it is out.
        excluded: Vec<String>,
    },
    /// It asks for an answer that comes after the connection has ended, and nobody
    /// could fetch it.
    Background(NoBackground),
    /// It asks a provider to do what its zone does not allow.
    Egress(Box<EgressRefused>),
    /// It asks for more different things than are looked at.
    TooMuchEgress,
    /// An endpoint's credential is not set.
    NoSecret {
        /// The endpoint.
        endpoint: String,
        /// The Worker secret that is missing.
        secret: String,
    },
    /// The provider does not accept the gateway's credential.
    ProviderRefusedUs {
        /// The endpoint.
        endpoint: String,
        /// The status it answered.
        status: u16,
    },
    /// The provider does not serve the country that the gateway ran in.
    PlaceRefused {
        /// The endpoint.
        endpoint: String,
        /// The data center.
        colo: String,
    },
    /// No token could be had for an endpoint.
    NoToken {
        /// The endpoint.
        endpoint: String,
    },
    /// What the provider answered is no answer.
    ProviderGarbled {
        /// The endpoint.
        endpoint: String,
        /// All endpoints that were tried.
        tried: Vec<String>,
    },
    /// No endpoint that is allowed gave an answer.
    NoAnswer {
        /// The endpoints that were tried, each with what went wrong.
        tried: Vec<String>,
        /// All of them said that there is too much, for now.
        limited: bool,
        /// The last one took too long.
        late: bool,
        /// The seconds after which one of them may answer again.
        retry_after: Option<u64>,
    },
    /// A limit has no room for the call.
    Exceeded(Box<Exceeded>),
    /// A budget holds for the call, and nobody can say what it may cost.
    NoBound {
        /// The limit.
        limit: String,
        /// The model.
        model: String,
    },
    /// A budget holds for the call, and its cost cannot be told from the request.
    Unbounded(Box<Unbounded>),
    /// The call is part of a loop that nobody stops, and has to wait.
    Runaway {
        /// What was seen.
        what: String,
        /// For so many seconds.
        retry_after: u64,
    },
    /// Limits hold for the call, and the ledger that keeps them did not answer.
    LedgerUnavailable,
    /// A limit that was set could be about the call, and cannot be read.
    LimitsUnread {
        /// Its name; none where the limits could not be had at all.
        limit: Option<String>,
    },
    /// The client left before there was an answer.
    ClientLeft,
    /// Something in the gateway itself is broken.
    Internal,
}

/// What kind of no it is: each dialect has a word for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Who are you?
    Credentials,
    /// You may not.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// Too much of it.
    TooLarge,
    /// This makes no sense.
    Invalid,
    /// Too often.
    Limited,
    /// Too dear.
    Spent,
    /// Not now.
    Unavailable,
    /// Our own fault.
    Broken,
}

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::NoRoute { .. }
            | Refusal::UnknownModel { .. }
            | Refusal::NoStored { .. }
            | Refusal::NoCounter { .. } => 404,
            Refusal::WrongMethod { .. } => 405,
            Refusal::NoWebSocket => 426,
            Refusal::HeadersTooLarge { .. } => 431,
            Refusal::NoKey | Refusal::BadKey => 401,
            Refusal::KeysUnavailable
            | Refusal::MapUnavailable
            | Refusal::LedgerUnavailable
            | Refusal::LimitsUnread { .. } => 503,
            Refusal::Exceeded(exceeded) => match exceeded.measure {
                _ if exceeded.share.is_some() => 429,
                Measure::Money => 402,
                Measure::Requests | Measure::Tokens | Measure::Concurrent => 429,
            },
            Refusal::Encoded { .. } => 415,
            Refusal::BodyTooLarge { .. } | Refusal::BodyGrows { .. } => 413,
            Refusal::BodyLate => 408,
            Refusal::BodiesFull => 503,
            Refusal::BodyBroken
            | Refusal::Body(_)
            | Refusal::Background(_)
            | Refusal::Unsupported { .. }
            | Refusal::UnknownWish { .. }
            | Refusal::Bound { .. }
            | Refusal::NoSuchAnswer { .. }
            | Refusal::Tags { .. }
            | Refusal::UnknownZone { .. } => 400,
            // What Anthropic answers to it, and its SDK goes by.
            Refusal::Egress(refused) if refused.is_thread() => 400,
            Refusal::ModelNotAllowed { .. }
            | Refusal::KeyZoneUnknown { .. }
            | Refusal::GatewayOutside { .. }
            | Refusal::NoBound { .. }
            | Refusal::Unbounded(_)
            | Refusal::ZonesClash { .. }
            | Refusal::Egress(_)
            | Refusal::TooMuchEgress
            | Refusal::NoEndpoint { .. } => 403,
            Refusal::NoSecret { .. }
            | Refusal::ProviderRefusedUs { .. }
            | Refusal::PlaceRefused { .. }
            | Refusal::NoToken { .. }
            | Refusal::ProviderGarbled { .. } => 502,
            Refusal::NoAnswer { limited: true, .. } | Refusal::Runaway { .. } => 429,
            Refusal::NoAnswer { late: true, .. } => 504,
            Refusal::NoAnswer { .. } => 502,
            // What nginx logs for it; nobody is there to see it.
            Refusal::ClientLeft => 499,
            Refusal::Internal => 500,
        }
    }

    /// What kind of no it is.
    pub fn kind(&self) -> Kind {
        match self.status() {
            401 => Kind::Credentials,
            402 => Kind::Spent,
            403 => Kind::Forbidden,
            404 => Kind::NotFound,
            413 | 431 => Kind::TooLarge,
            429 => Kind::Limited,
            502..=504 => Kind::Unavailable,
            500 => Kind::Broken,
            _ => Kind::Invalid,
        }
    }

    /// The seconds after which it is worth to ask again, if that is known.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Refusal::NoAnswer { retry_after, .. } => *retry_after,
            Refusal::Exceeded(exceeded) => exceeded.retry_after,
            Refusal::Runaway { retry_after, .. } => Some(*retry_after),
            Refusal::BodiesFull => Some(BUSY_FOR),
            _ => None,
        }
    }

    /// A header of its own that says what would work.
    pub fn header(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Refusal::WrongMethod { allowed, .. } => Some(("allow", allowed)),
            Refusal::Encoded { .. } => Some(("accept-encoding", "gzip")),
            _ => None,
        }
    }

    /// The request's field that is to blame, if one is.
    pub fn param(&self) -> Option<&str> {
        match self {
            Refusal::Body(
                Invalid::Missing { field }
                | Invalid::Type { field, .. }
                | Invalid::Number { field, .. }
                | Invalid::Answers { field, .. }
                | Invalid::Value { field, .. },
            ) => Some(field),
            Refusal::Unsupported { fields, .. } => fields.first().map(String::as_str),
            Refusal::Egress(refused) => Some(&refused.at),
            Refusal::Unbounded(unbounded) => Some(&unbounded.at),
            Refusal::NoSuchAnswer { .. } => Some("previous_response_id"),
            Refusal::Background(_) => Some("background"),
            Refusal::UnknownModel { .. }
            | Refusal::ModelNotAllowed { .. }
            | Refusal::NoCounter { .. }
            | Refusal::NoEndpoint { .. } => Some("model"),
            _ => None,
        }
    }
}
