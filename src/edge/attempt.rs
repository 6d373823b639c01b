//! One attempt at an endpoint: sending, waiting for the beginning of an answer
//! within the limits, hanging up. Only an `Outbound` is ever sent, and that
//! comes from the plan.

use super::credentials::Held;
use super::drills;
use super::host;
use super::outflow::Outflow;
use super::stream::{Pump, Stream};
use super::upstream::UpstreamCall;
use super::whole;
use crate::admin::drill::Kind as DrillKind;
use crate::answer::record::Served;
use crate::answer::relay::{Passage, Relay};
use crate::config::timeouts::Span;
use crate::dialect::neutral::ReplyContext;
use crate::dialect::{ProviderError, Reading, Translator};
use crate::refusal::Refusal;
use crate::units::Millis;
use crate::upstream::judge::{judge, judge_fault, retry_after, Failure, Start, Why};
use crate::upstream::translate::{Back, Outbound};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use worker::worker_sys::web_sys::AbortSignal;

#[wasm_bindgen(module = "/src/edge/attempt.js")]
extern "C" {
    /// An attempt as JavaScript has it.
    pub type Sending;
    /// One that ends when the signal says so.
    #[wasm_bindgen(constructor)]
    pub fn new(signal: Option<AbortSignal>, grace_ms: f64) -> Sending;
    /// Sends a request and waits for its answer.
    #[wasm_bindgen(method, catch, js_name = send)]
    pub async fn send_js(
        this: &Sending,
        method: &str,
        url: &str,
        headers: &str,
        body: Outflow,
        head_ms: f64,
        body_ms: f64,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method)]
    async fn wait(this: &Sending, ms: f64);
    #[wasm_bindgen(method, catch, js_name = begin)]
    async fn begin_js(this: &Sending, pump: Pump, ms: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method)]
    fn cancel(this: &Sending);
    #[wasm_bindgen(method, getter)]
    fn why(this: &Sending) -> String;

    /// A provider's answer.
    pub type ProviderReply;
    /// Its status.
    #[wasm_bindgen(method, getter)]
    pub fn status(this: &ProviderReply) -> u16;
    /// Its content type.
    #[wasm_bindgen(method, getter, js_name = contentType)]
    pub fn content_type(this: &ProviderReply) -> String;
    /// What kind of error it is, where that stands beside the body.
    #[wasm_bindgen(method, getter, js_name = errorKind)]
    pub fn error_kind(this: &ProviderReply) -> String;
    /// Its headers, as far as they are the client's business.
    #[wasm_bindgen(method, getter)]
    pub fn headers(this: &ProviderReply) -> String;
    /// The body, if it is no stream.
    #[wasm_bindgen(method, getter)]
    pub fn whole(this: &ProviderReply) -> Option<Uint8Array>;
}

/// How long an answer may take to begin whose client has left, if its end is
/// wanted all the same; the platform gives half a minute for everything.
const GRACE_MS: f64 = 15_000.0;

/// A request that was sent to a provider. Dropping it closes the connection.
pub struct SentRequest(Sending);

impl Drop for SentRequest {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl SentRequest {
    /// One that was sent.
    #[cfg(test)]
    pub fn of(sending: Sending) -> SentRequest {
        SentRequest(sending)
    }

    /// As JavaScript has it.
    pub fn js(&self) -> &Sending {
        &self.0
    }

    /// Waits for the beginning of its stream; how far it has come, or nothing
    /// if it broke.
    pub async fn begin(&self, pump: Pump, limit_ms: u64) -> Option<u8> {
        let stage = self.0.begin_js(pump, limit_ms as f64).await.ok()?;
        stage.as_f64().map(|stage| stage as u8)
    }

    /// Hangs up.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Why it broke.
    pub fn why(&self) -> String {
        self.0.why()
    }
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
}

/// The body of an answer.
pub enum Body {
    /// All of it, and what it says.
    Whole(Uint8Array, Box<Reading>),
    /// It is still coming.
    Stream(Box<Stream>),
}

/// Why an attempt came to nothing.
pub enum Failed {
    /// Another endpoint may do better. The provider's own error is kept, in
    /// case nothing better comes.
    Next(Failure, Option<Box<Begun>>),
    /// The client left.
    Left,
    /// The gateway itself says no.
    Refused(Refusal),
}

/// An attempt that is to be made, and what it depends on.
struct Making<'a, 'x> {
    credential: &'a Held,
    outbound: &'a Outbound<'static>,
    x: &'a UpstreamCall<'x>,
    deadline: Millis,
}

/// Makes an attempt that must be over by a time.
pub async fn make(
    credential: &Held,
    outbound: &Outbound<'static>,
    x: &UpstreamCall<'_>,
    deadline: Millis,
) -> Result<Begun, Failed> {
    let making = Making {
        credential,
        outbound,
        x,
        deadline,
    };
    let endpoint = &outbound.attempt().endpoint().name;
    let drill = drills::of(endpoint, host::now());
    if let Some(kind) = drill.filter(|kind| *kind != DrillKind::Cut) {
        making.drilled(kind).await?;
        return Err(Failed::Next(Failure::drill(endpoint, kind.why()), None));
    }
    let (attempt, reply) = making.sent().await?;
    let Some(bytes) = reply.whole() else {
        return making.stream(attempt, &reply, drill.is_some()).await;
    };
    match making.judged(&reply, &bytes) {
        Ok(_) if drill.is_some() => {
            let failure = Failure::drill(endpoint, Why::BrokeOff);
            Err(Failed::Next(failure, None))
        }
        judged => judged,
    }
}

impl Making<'_, '_> {
    fn failed(&self, why: Why) -> Failed {
        let endpoint = &self.outbound.attempt().endpoint().name;
        Failed::Next(Failure::of(endpoint, why), None)
    }

    /// A limit, if there is still so much time.
    fn within(&self, limit: Span) -> u64 {
        limit.0.min(self.deadline.since(host::now())).max(1)
    }

    /// What takes time before an endpoint fails that is only said to.
    async fn drilled(&self, kind: DrillKind) -> Result<(), Failed> {
        let limits = self.x.policy.timeouts;
        let limit = match self.x.inbound.call.wanted.stream {
            true => limits.first_token,
            false => limits.answer,
        };
        if kind == DrillKind::Slow {
            let attempt = self.attempt();
            attempt.0.wait(self.within(limit) as f64).await;
            if attempt.why() == "client gone" {
                return Err(Failed::Left);
            }
        }
        Ok(())
    }

    /// An attempt that ends when its client has left: at once, or before the
    /// platform ends what is done for such a client, so that its row is written.
    fn attempt(&self) -> SentRequest {
        let grace = if self.x.finishes() { GRACE_MS } else { 0.0 };
        SentRequest(Sending::new(Some(self.x.signal.clone()), grace))
    }

    /// Sends the request and waits for the head of an answer.
    async fn sent(&self) -> Result<(SentRequest, ProviderReply), Failed> {
        let (x, outbound) = (self.x, self.outbound);
        let credentials = self.credential.headers(outbound).await;
        let credentials = credentials.map_err(|_| self.failed(Why::NoToken))?;
        let mut headers = String::new();
        for (name, value) in credentials.iter().chain(&outbound.headers) {
            headers.extend([name, ": ", value, "\n"]);
        }
        let attempt = self.attempt();
        let limits = x.policy.timeouts;
        let answer = self.within(limits.answer);
        let head = match x.inbound.call.wanted.stream {
            true => self.within(limits.connect),
            false => answer,
        };
        let (url, body) = (outbound.url(), Outflow::of(&outbound.body));
        let (head, answer) = (head as f64, answer as f64);
        let (method, headers) = (outbound.method, headers.trim_end());
        let reply = attempt.0.send_js(method, &url, headers, body, head, answer);
        match reply.await {
            Ok(reply) => Ok((attempt, reply.unchecked_into())),
            Err(_) => Err(match attempt.why().as_str() {
                "client gone" => Failed::Left,
                "timed out" => self.failed(Why::TimedOut),
                "broke off" => self.failed(Why::BrokeOff),
                _ => self.failed(Why::NoConnection),
            }),
        }
    }

    /// Waits until there is something of an answer in a stream; `cut` if it is
    /// to break off then.
    async fn stream(
        &self,
        attempt: SentRequest,
        reply: &ProviderReply,
        cut: bool,
    ) -> Result<Begun, Failed> {
        let content_type = reply.content_type();
        let relay = relay(self.outbound, self.x, &content_type).map_err(Failed::Refused)?;
        let limit = self.within(self.x.policy.timeouts.first_token);
        let begun = Stream::begin(attempt, relay, self.x.inbound.api, limit, cut).await;
        let stream = begun.map_err(|reading| broken(reading, |why| self.failed(why)))?;
        let content_type = match stream.rewrites() {
            true => "text/event-stream; charset=utf-8",
            false => &content_type,
        };
        let body = Body::Stream(Box::new(stream));
        Ok(self.answered(reply, content_type, body))
    }

    /// An answer in one piece, or why it is none.
    fn judged(&self, reply: &ProviderReply, bytes: &Uint8Array) -> Result<Begun, Failed> {
        let status = reply.status();
        let error = match status {
            400.. => ProviderError::read(&reply.error_kind(), &bytes.to_vec()),
            _ => ProviderError::default(),
        };
        let whole_answer = || {
            let mut content_type = reply.content_type();
            let (credential, outbound, x) = (self.credential, self.outbound, self.x);
            let answer = whole::read(reply, bytes, credential, outbound, x, &mut content_type)?;
            let mut begun = self.answered(reply, &content_type, answer.body);
            begun.status = answer.status;
            // In a good answer an error is accounted for like one in a stream.
            if reply.status() >= 400 {
                begun.served.status = answer.status;
            }
            begun.dropped.extend(answer.left_out);
            Ok(begun)
        };
        let why = match judge(status, &error) {
            Start::Answer => return whole_answer().map_err(|why| self.failed(why)),
            Start::Failed(why) => why,
        };
        if why == Why::RefusedUs {
            self.credential.forget_token();
        }
        let endpoint = &self.outbound.attempt().endpoint().name;
        let failure = Failure {
            status: Some(status),
            retry_after: retry_after(&reply.headers(), host::now()),
            ..Failure::of(endpoint, why)
        };
        // A provider's words about our own credential are not shown to the client.
        let own = matches!(why, Why::RefusedUs | Why::PlaceRefused | Why::Redirected);
        let own_words = if own {
            None
        } else {
            whole_answer().ok().map(Box::new)
        };
        Err(Failed::Next(failure, own_words))
    }

    fn answered(&self, reply: &ProviderReply, content_type: &str, body: Body) -> Begun {
        let mut headers = self.credential.without(&reply.headers());
        if !content_type.is_empty() {
            let gap = if headers.is_empty() { "" } else { "\n" };
            headers = format!("content-type: {content_type}{gap}{headers}");
        }
        Begun {
            served: Served {
                attempt: self.outbound.attempt(),
                status: reply.status(),
                request_bytes: self.x.inbound.call.body.len() as u64,
            },
            status: reply.status(),
            headers,
            body,
            dropped: self.outbound.dropped.clone(),
        }
    }
}

/// A stream that came to nothing.
fn broken(reading: Reading, failed: impl Fn(Why) -> Failed) -> Failed {
    match reading.fault.as_ref().map(judge_fault) {
        Some(Start::Failed(why)) => failed(why),
        Some(Start::Answer) => failed(Why::Failing),
        // It was not the stream that ended.
        None => Failed::Left,
    }
}

/// What a translated reply needs from the request.
pub fn reply_context(outbound: &Outbound<'_>, x: &UpstreamCall<'_>) -> ReplyContext {
    let wishes = match &outbound.back {
        Back::Translated(wishes) => wishes.clone(),
        _ => Default::default(),
    };
    ReplyContext {
        id: x.id.clone(),
        at: x.arrived,
        endpoint: outbound.attempt().endpoint().name.clone(),
        model: x.inbound.call.wanted.model.clone(),
        reports_usage: wishes.usage,
        reports_logprobs: wishes.logprobs,
        echo: wishes.echo,
        custom: wishes.custom,
        namespaces: wishes.namespaces,
    }
}

/// The translator of an answer into the client's dialect.
pub fn translator(outbound: &Outbound<'_>, x: &UpstreamCall<'_>) -> Option<Translator> {
    let unwraps = matches!(&outbound.back, Back::Translated(wishes) if wishes.unwraps_json);
    Translator::new(
        outbound.dialect(),
        x.inbound.api,
        reply_context(outbound, x),
        unwraps,
    )
}

fn relay(
    outbound: &Outbound<'_>,
    x: &UpstreamCall<'_>,
    content_type: &str,
) -> Result<Relay, Refusal> {
    let passage = match &outbound.back {
        Back::AsIs { hide_usage } => Passage::AsIs {
            dialect: outbound.dialect(),
            hide_usage: *hide_usage,
        },
        _ => Passage::Translated(Box::new(translator(outbound, x).ok_or(Refusal::Internal)?)),
    };
    Ok(Relay::new(
        x.inbound.api,
        passage,
        content_type,
        x.id.clone(),
    ))
}
