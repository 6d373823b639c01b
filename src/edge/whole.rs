//! An answer in one piece: read, counted, and told in the client's dialect
//! where it is another's.

use super::attempt::{translator, voice, Body, Reply};
use super::credentials::Held;
use super::upstream::Exchange;
use crate::dialect::{self, Api, Fault, Reading};
use crate::send::Why;
use crate::translate::{Back, Outbound};
use js_sys::Uint8Array;

/// Reads it, or says why it is none.
pub fn read(
    reply: &Reply,
    bytes: &Uint8Array,
    credential: &Held,
    outbound: &Outbound<'_>,
    x: &Exchange<'_>,
    content_type: &mut String,
) -> Result<Body, Why> {
    let copy = bytes.to_vec();
    let mut reading = Reading::default();
    // Some answers quote what they were sent.
    if credential.is_quoted(&copy) {
        return Err(Why::Malformed);
    }
    let dialect = outbound.dialect();
    if reply.status() >= 400 {
        if matches!(outbound.back, Back::AsIs { .. }) {
            return Ok(Body::Whole(bytes.clone(), Box::new(reading)));
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
            let count = dialect::count::read(dialect, &copy).ok_or(Why::Malformed)?;
            Some(dialect::count::write(count))
        }
        Back::Embeddings { base64 } => {
            let model = &x.asked.call.wanted.model;
            let answer = dialect::embed::answer(dialect, &copy, model, *base64, &mut reading);
            Some(answer.ok_or(Why::Malformed)?)
        }
        Back::Translated(_) if x.asked.call.wanted.stream => {
            let mut out = Vec::new();
            let mut translator = translator(outbound, x).ok_or(Why::Malformed)?;
            translator.whole(&copy, &mut reading, &mut out);
            "text/event-stream; charset=utf-8".clone_into(content_type);
            return finished(Uint8Array::from(out.as_slice()), reading);
        }
        Back::Translated(wishes) => {
            let voice = voice(outbound, x);
            let unwraps = wishes.unwraps_json;
            let told = dialect::whole(dialect, x.asked.api, &copy, voice, unwraps, &mut reading);
            Some(told.ok_or(Why::Malformed)?)
        }
    };
    let bytes = match told {
        Some(text) => {
            "application/json".clone_into(content_type);
            Uint8Array::from(text.as_bytes())
        }
        None => bytes.clone(),
    };
    finished(bytes, reading)
}

fn finished(bytes: Uint8Array, reading: Reading) -> Result<Body, Why> {
    match reading.fault {
        Some(Fault::Garbled) => Err(Why::Malformed),
        _ => Ok(Body::Whole(bytes, Box::new(reading))),
    }
}
