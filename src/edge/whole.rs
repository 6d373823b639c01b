//! An answer in one piece: read, counted, and translated where the client's
//! dialect is another.

use super::attempt::{reply_context, translator, Body, ProviderReply};
use super::credentials::Held;
use super::upstream::UpstreamCall;
use crate::dialect::{self, Reading};
use crate::upstream::judge::{judge_fault, Start, Why};
use crate::upstream::translate::{Back, Outbound};
use js_sys::Uint8Array;

/// An answer as the client gets it.
pub struct WholeAnswer {
    /// Its status: a provider that reports an error in a good answer, or with a
    /// status of its own, has the status that the client's SDK expects.
    pub status: u16,
    /// All of it, and what it says.
    pub body: Body,
    /// What the client's dialect cannot say, by the provider's names.
    pub left_out: Vec<String>,
}

/// Reads it, or says why it is none.
pub fn read(
    reply: &ProviderReply,
    bytes: &Uint8Array,
    credential: &Held,
    outbound: &Outbound<'_>,
    x: &UpstreamCall<'_>,
    content_type: &mut String,
) -> Result<WholeAnswer, Why> {
    let copy = bytes.to_vec();
    let mut reading = Reading::default();
    // Some answers quote what they were sent.
    if credential.is_quoted(&copy) {
        return Err(Why::Malformed);
    }
    let (dialect, api) = (outbound.dialect(), x.inbound.api);
    if reply.status() >= 400 {
        return Ok(failure(reply, bytes, &copy, outbound, x, content_type));
    }
    let translated = match &outbound.back {
        Back::AsIs { .. } => {
            match api {
                api if api.is_free() => reading.has_usage = true,
                _ => dialect::read_reply(dialect, &copy, &mut reading),
            }
            // The client has all of it.
            reading.left_out.clear();
            None
        }
        Back::Count => {
            reading.has_usage = true;
            let count = dialect::count::read(dialect, &copy).ok_or(Why::Malformed)?;
            Some(dialect::count::write(x.inbound.api, count))
        }
        Back::Embeddings { base64 } => {
            let model = &x.inbound.call.wanted.model;
            let answer = dialect::embed::answer(dialect, &copy, model, *base64, &mut reading);
            Some(answer.ok_or(Why::Malformed)?)
        }
        Back::Translated(_) if x.inbound.call.wanted.stream => {
            let mut out = Vec::new();
            let mut translator = translator(outbound, x).ok_or(Why::Malformed)?;
            translator.whole(&copy, &mut reading, &mut out);
            "text/event-stream; charset=utf-8".clone_into(content_type);
            return finished(reply.status(), Uint8Array::from(out.as_slice()), reading);
        }
        Back::Translated(wishes) => {
            let context = reply_context(outbound, x);
            let unwraps = wishes.unwraps_json;
            let translated = dialect::whole(dialect, api, &copy, context, unwraps, &mut reading);
            match (translated, &reading.fault) {
                (Some(translated), _) => Some(translated),
                // The caller's own mistake, in an answer that looked good.
                (None, Some(fault)) if judge_fault(fault) == Start::Answer => {
                    let (kind, message) = dialect::read_error(dialect, fault.as_str(), &copy);
                    let body = dialect::failure_body(api, 400, &kind, &message, x.id);
                    "application/json".clone_into(content_type);
                    return Ok(finished_as(400, Uint8Array::from(body.as_bytes()), reading));
                }
                (None, fault) => {
                    let start = fault.as_ref().map(judge_fault);
                    return Err(match start {
                        Some(Start::Failed(why)) => why,
                        _ => Why::Malformed,
                    });
                }
            }
        }
    };
    let bytes = match translated {
        Some(text) => {
            "application/json".clone_into(content_type);
            Uint8Array::from(text.as_bytes())
        }
        None => bytes.clone(),
    };
    finished(reply.status(), bytes, reading)
}

/// An error of the provider's, as the client's SDK expects it.
fn failure(
    reply: &ProviderReply,
    bytes: &Uint8Array,
    copy: &[u8],
    outbound: &Outbound<'_>,
    x: &UpstreamCall<'_>,
    content_type: &mut String,
) -> WholeAnswer {
    let (dialect, api, status) = (outbound.dialect(), x.inbound.api, reply.status());
    let beside = reply.error_kind();
    let (kind, message) = dialect::read_error(dialect, &beside, copy);
    let body = match outbound.back {
        Back::AsIs { .. } => dialect::reworded_error(api, dialect, status, &beside, copy, x.id),
        _ => Some(dialect::failure_body(api, status, &kind, &message, x.id)),
    };
    match body {
        Some(body) => {
            let status = dialect::failure_status(status, &kind, &message);
            "application/json".clone_into(content_type);
            finished_as(
                status,
                Uint8Array::from(body.as_bytes()),
                Reading::default(),
            )
        }
        None => finished_as(status, bytes.clone(), Reading::default()),
    }
}

fn finished_as(status: u16, bytes: Uint8Array, mut reading: Reading) -> WholeAnswer {
    let left_out = std::mem::take(&mut reading.left_out);
    WholeAnswer {
        status,
        body: Body::Whole(bytes, Box::new(reading)),
        left_out: left_out.into_iter().collect(),
    }
}

fn finished(status: u16, bytes: Uint8Array, reading: Reading) -> Result<WholeAnswer, Why> {
    match reading.fault.as_ref().map(judge_fault) {
        Some(Start::Failed(why)) => Err(why),
        Some(Start::Answer) | None => Ok(finished_as(status, bytes, reading)),
    }
}
