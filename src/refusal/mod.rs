//! All refusals of the gateway, each with its facts. Its message says what happened,
//! where, and what to do; each dialect only formats it.

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
    /// The path exists, but not for this method.
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
    /// The key does not exist, or was revoked.
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
    /// The decompressed body is too large for its compressed size.
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
    /// No allowed endpoint's dialect supports the request.
    Unsupported {
        /// The endpoint that was looked at first.
        endpoint: String,
        /// Its dialect.
        dialect: &'static str,
        /// The fields, by the client's names.
        fields: Vec<String>,
    },
    /// `meridian-on-unsupported` has an unknown value.
    UnknownWish {
        /// What it says.
        wish: String,
    },
    /// The request continues a response that is stored at an endpoint which cannot
    /// serve it.
    Bound {
        /// The endpoint.
        kept_by: String,
    },
    /// The request continues a response that its team does not have.
    NoSuchAnswer {
        /// The answer's id.
        id: String,
    },
    /// The request names a stored response that its team does not have.
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
        /// Every endpoint that has the model, and why it is excluded.
        excluded: Vec<String>,
        /// Completions are asked for, and the zone has the model only without them.
        is_only_chat: bool,
        /// Models that would be served.
        servable: Vec<String>,
    },
    /// The zone has endpoints for the model, and none that counts its tokens.
    NoCounter {
        /// The zone.
        zone: String,
        /// The model.
        model: String,
        /// Every endpoint that has the model, and why it is excluded.
        excluded: Vec<String>,
    },
    /// It asks for a background response that could not be fetched.
    Background(NoBackground),
    /// It asks for egress that its zone does not allow.
    Egress(Box<EgressRefused>),
    /// It asks for more kinds of egress than are checked.
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
    /// The provider's response is malformed.
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
        /// All of them were rate limited.
        limited: bool,
        /// The last one took too long.
        late: bool,
        /// The seconds after which one of them may answer again.
        retry_after: Option<u64>,
    },
    /// A limit has no room for the call.
    Exceeded(Box<Exceeded>),
    /// A limit applies to the call, and the model has no price.
    NoBound {
        /// The limit.
        limit: String,
        /// The model.
        model: String,
    },
    /// A budget applies to the call, and its maximum cost is unknown.
    Unbounded(Box<Unbounded>),
    /// The call is part of a runaway, and has to wait.
    Runaway {
        /// What was seen.
        what: String,
        /// For so many seconds.
        retry_after: u64,
    },
    /// Limits apply to the call, and the ledger did not respond.
    LedgerUnavailable,
    /// A limit that may apply to the call cannot be read.
    LimitsUnread {
        /// Its name; none where the limits could not be had at all.
        limit: Option<String>,
    },
    /// The client disconnected before the response started.
    ClientLeft,
    /// An internal error of the gateway.
    Internal,
}

/// The kind of a refusal: each dialect has an error type for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The credentials are missing or wrong.
    Credentials,
    /// The caller is not allowed to do this.
    Forbidden,
    /// The path or model does not exist.
    NotFound,
    /// The request is too large.
    TooLarge,
    /// The request is invalid.
    Invalid,
    /// There are too many requests.
    Limited,
    /// A budget is used up.
    Spent,
    /// A part of the gateway, or every endpoint, is unavailable.
    Unavailable,
    /// The gateway itself failed.
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
            // The status that Anthropic uses and its SDK expects.
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
            // The status that nginx logs; no client receives it.
            Refusal::ClientLeft => 499,
            Refusal::Internal => 500,
        }
    }

    /// The kind of the refusal.
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

    /// The seconds after which a retry may succeed, if that is known.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Refusal::NoAnswer { retry_after, .. } => *retry_after,
            Refusal::Exceeded(exceeded) => exceeded.retry_after,
            Refusal::Runaway { retry_after, .. } => Some(*retry_after),
            Refusal::BodiesFull => Some(BUSY_FOR),
            _ => None,
        }
    }

    /// A header that says what would be accepted.
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
