//! Contacting providers: the attempts of a plan, one after the other, until
//! one answers. Only an `Outbound` is ever sent, and that comes from the plan.

use super::credentials::{self, Held};
use super::host::{self, Reply};
use crate::dialect::form::Voice;
use crate::dialect::{self, Api, Fault, Reading, Translator};
use crate::plan::Plan;
use crate::record::{Row, Served};
use crate::refusal::Refusal;
use crate::relay::{Passage, Relay};
use crate::send::{judge, refuses_place, Start};
use crate::translate::{self, Asked, Back, Outbound};
use crate::units::{Millis, RequestId};
use js_sys::Uint8Array;
use worker::worker_sys::web_sys::ReadableStream;
use worker::Env;

/// What stays the same over all attempts.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// What the client asks.
    pub asked: Asked<'a>,
    /// The request's id.
    pub id: &'a RequestId,
    /// When it came.
    pub arrived: Millis,
}

/// An answer that has begun.
pub struct Begun {
    /// Who gave it.
    pub served: Served<'static>,
    /// Its status.
    pub status: u16,
    /// Its headers, as far as they are the client's business.
    pub headers: String,
    /// Its body.
    pub body: Body,
    /// What the request lost on its way, by the client's names.
    pub dropped: Vec<String>,
    /// The database its row goes to.
    pub store: String,
}

/// The body of an answer.
pub enum Body {
    /// All of it, and what it says.
    Whole(Uint8Array, Box<Reading>),
    /// It is still coming.
    Stream(ReadableStream, Box<Relay>),
}

/// Why an attempt gave no answer; the provider's own error is kept, in case
/// nothing better comes.
struct Failed {
    error: Option<Begun>,
    refusal: Refusal,
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Failed {
        Failed {
            error: None,
            refusal,
        }
    }
}

/// Tries a plan's endpoints in order. An error of the last one reaches the
/// client in the provider's own words.
pub async fn try_in_order(
    env: &Env,
    x: Exchange<'_>,
    plan: &Plan<'static>,
    row: &mut Row,
) -> Result<Begun, Refusal> {
    let mut tried = Vec::new();
    let mut last = None;
    for attempt in plan.attempts() {
        let endpoint = attempt.endpoint();
        let outbound = match translate::prepare(attempt, x.asked) {
            Ok(outbound) => outbound,
            // Another endpoint may be able to say it.
            Err(refusal @ Refusal::Unsupported { .. }) => {
                last.get_or_insert(Failed::from(refusal));
                continue;
            }
            Err(refusal) => return Err(refusal),
        };
        let Some(credential) = credentials::of(env, endpoint) else {
            last.get_or_insert(Failed::from(Refusal::NoSecret {
                endpoint: endpoint.name.clone(),
                secret: endpoint.auth.secret().to_owned(),
            }));
            continue;
        };
        row.attempted(attempt);
        tried.push(endpoint.name.clone());
        match send(&credential, &outbound, x).await {
            Ok(begun) => return Ok(begun),
            Err(failed) => last = Some(failed),
        }
    }
    match last {
        Some(Failed {
            error: Some(begun), ..
        }) => Ok(begun),
        Some(Failed {
            refusal: Refusal::Unreachable { .. },
            ..
        }) => Err(Refusal::Unreachable { tried }),
        Some(Failed {
            refusal: Refusal::ProviderGarbled { endpoint, .. },
            ..
        }) => Err(Refusal::ProviderGarbled { endpoint, tried }),
        Some(Failed { refusal, .. }) => Err(refusal),
        // A plan is never empty.
        None => Err(Refusal::Internal),
    }
}

/// Makes one attempt.
async fn send(
    credential: &Held,
    outbound: &Outbound<'static>,
    x: Exchange<'_>,
) -> Result<Begun, Failed> {
    let endpoint = outbound.attempt().endpoint();
    let unreachable = || Refusal::Unreachable { tried: Vec::new() };
    let mut headers = String::new();
    for (name, value) in &credential.headers(outbound).await? {
        headers.extend([name, ": ", value, "\n"]);
    }
    for (name, value) in &outbound.headers {
        headers.extend([name, ": ", value, "\n"]);
    }
    let reply = host::send(
        &outbound.url(),
        headers.trim_end(),
        outbound.body.as_bytes(),
    )
    .await;
    let reply = reply.ok_or_else(unreachable)?;
    let status = reply.status();
    match judge(status) {
        Start::Redirect => Err(unreachable().into()),
        Start::RefusedUs => {
            credential.forget_token();
            let endpoint = endpoint.name.clone();
            let body = reply.whole().map(|bytes| bytes.to_vec());
            let colo = x.asked.head.origin.colo.clone();
            let refused = match refuses_place(&body.unwrap_or_default()) {
                true => Refusal::PlaceRefused { endpoint, colo },
                false => Refusal::ProviderRefusedUs { endpoint, status },
            };
            Err(refused.into())
        }
        Start::TryNext => Err(Failed {
            error: begun(&reply, credential, outbound, x).ok(),
            refusal: unreachable(),
        }),
        Start::Answer => begun(&reply, credential, outbound, x).map_err(Failed::from),
    }
}

/// The answer as far as it has come.
fn begun(
    reply: &Reply,
    credential: &Held,
    outbound: &Outbound<'static>,
    x: Exchange<'_>,
) -> Result<Begun, Refusal> {
    let status = reply.status();
    let mut content_type = reply.content_type();
    let body = match reply.stream() {
        Some(stream) => {
            let relay = relay(outbound, x, &content_type)?;
            content_type = match relay.rewrites() {
                true => "text/event-stream; charset=utf-8".to_owned(),
                false => content_type,
            };
            Body::Stream(stream, Box::new(relay))
        }
        None => whole(reply, credential, outbound, x, &mut content_type)?,
    };
    let mut headers = credential.without(&reply.headers());
    if !content_type.is_empty() {
        let gap = if headers.is_empty() { "" } else { "\n" };
        headers = format!("content-type: {content_type}{gap}{headers}");
    }
    Ok(Begun {
        served: Served {
            attempt: outbound.attempt(),
            status,
            request_bytes: x.asked.call.body.len() as u64,
        },
        status,
        headers,
        body,
        dropped: outbound.dropped.clone(),
        store: String::new(),
    })
}

fn voice(outbound: &Outbound<'_>, x: Exchange<'_>) -> Voice {
    let wishes = match &outbound.back {
        Back::Translated(wishes) => wishes.clone(),
        _ => Default::default(),
    };
    Voice {
        id: x.id.clone(),
        at: x.arrived,
        endpoint: outbound.attempt().endpoint().name.clone(),
        model: x.asked.call.wanted.model.clone(),
        tells_usage: wishes.usage,
        tells_logprobs: wishes.logprobs,
        echo: wishes.echo,
    }
}

fn translator(outbound: &Outbound<'_>, x: Exchange<'_>) -> Result<Translator, Refusal> {
    let unwraps = matches!(&outbound.back, Back::Translated(wishes) if wishes.unwraps_json);
    let from = outbound.dialect();
    Translator::new(from, x.asked.api, voice(outbound, x), unwraps).ok_or(Refusal::Internal)
}

fn relay(outbound: &Outbound<'_>, x: Exchange<'_>, content_type: &str) -> Result<Relay, Refusal> {
    let passage = match &outbound.back {
        Back::AsIs { hide_usage } => Passage::AsIs {
            dialect: outbound.dialect(),
            hide_usage: *hide_usage,
        },
        _ => Passage::Translated(Box::new(translator(outbound, x)?)),
    };
    Ok(Relay::new(x.asked.api, passage, content_type, x.id.clone()))
}

/// An answer in one piece.
fn whole(
    reply: &Reply,
    credential: &Held,
    outbound: &Outbound<'_>,
    x: Exchange<'_>,
    content_type: &mut String,
) -> Result<Body, Refusal> {
    let broken = || Refusal::ProviderGarbled {
        endpoint: outbound.attempt().endpoint().name.clone(),
        tried: Vec::new(),
    };
    let bytes = reply.whole().ok_or_else(broken)?;
    let copy = bytes.to_vec();
    let mut reading = Reading::default();
    // Some answers quote what they were sent.
    if credential.is_quoted(&copy) {
        return Err(broken());
    }
    let dialect = outbound.dialect();
    if reply.status() >= 400 {
        if matches!(outbound.back, Back::AsIs { .. }) {
            return Ok(Body::Whole(bytes, Box::new(reading)));
        }
        let (kind, message) = dialect::read_failure(dialect, &reply.error_kind(), &copy);
        let body = dialect::failure_body(x.asked.api, reply.status(), &kind, &message, x.id);
        "application/json".clone_into(content_type);
        return Ok(Body::Whole(
            Uint8Array::from(body.as_bytes()),
            Box::new(reading),
        ));
    }
    let told = match &outbound.back {
        Back::AsIs { .. } => {
            match x.asked.api {
                // Counting uses nothing.
                Api::CountTokens => reading.has_usage = true,
                _ => dialect::read_reply(dialect, &copy, &mut reading),
            }
            None
        }
        Back::Count => {
            reading.has_usage = true;
            let count = dialect::count::read(dialect, &copy).ok_or_else(broken)?;
            Some(dialect::count::write(count))
        }
        Back::Embeddings { base64 } => {
            let model = &x.asked.call.wanted.model;
            let answer = dialect::embed::answer(dialect, &copy, model, *base64, &mut reading);
            Some(answer.ok_or_else(broken)?)
        }
        Back::Translated(_) if x.asked.call.wanted.stream => {
            let mut out = Vec::new();
            translator(outbound, x)?.whole(&copy, &mut reading, &mut out);
            "text/event-stream; charset=utf-8".clone_into(content_type);
            return finished(Uint8Array::from(out.as_slice()), reading, broken);
        }
        Back::Translated(wishes) => {
            let voice = voice(outbound, x);
            let unwraps = wishes.unwraps_json;
            let told = dialect::whole(dialect, x.asked.api, &copy, voice, unwraps, &mut reading);
            Some(told.ok_or_else(broken)?)
        }
    };
    let bytes = match told {
        Some(text) => {
            "application/json".clone_into(content_type);
            Uint8Array::from(text.as_bytes())
        }
        None => bytes,
    };
    finished(bytes, reading, broken)
}

fn finished(
    bytes: Uint8Array,
    reading: Reading,
    broken: impl FnOnce() -> Refusal,
) -> Result<Body, Refusal> {
    match reading.fault {
        Some(Fault::Garbled) => Err(broken()),
        _ => Ok(Body::Whole(bytes, Box::new(reading))),
    }
}
