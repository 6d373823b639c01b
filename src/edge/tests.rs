//! What crosses between wasm and JavaScript, tried in a real JavaScript engine.

use super::attempt::{ProviderReply, Sending, SentRequest};
use super::outflow::Outflow;
use super::stream::{Client, Finished, Pump, Sieve, Stream};
use super::{body, host};
use crate::answer::relay::{End, Passage, Relay};
use crate::config::gateway::Gateway;
use crate::dialect::outgoing::Outgoing;
use crate::dialect::Api;
use crate::refusal::{Invalid, Refusal};
use crate::regions::Dialect;
use crate::request::body::Owner;
use crate::request::head::{Coding, Head};
use crate::units::{Millis, RequestId};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use worker::worker_sys::web_sys::{AbortSignal, ReadableStream, Request};

#[wasm_bindgen(inline_js = r#"
    // Node has no IdentityTransformStream; its TransformStream does the same for bytes.
    globalThis.IdentityTransformStream ??= TransformStream;
    export function request(headers, body) {
        const request = new Request("https://edge.example/v1/messages?beta=true", { method: "POST", headers, body, duplex: "half" });
        Object.defineProperty(request, "cf", { value: { country: "AT", colo: "VIE" } });
        return request;
    }
    export function unbudgeted() {
        return new ReadableStream({ type: "bytes", pull(c) { c.enqueue(new Uint8Array(1024)); } });
    }
    export function pieces(text, size) {
        const bytes = new TextEncoder().encode(text);
        let at = 0;
        return new ReadableStream({ pull(c) {
            if (at >= bytes.length) return c.close();
            c.enqueue(bytes.slice(at, at += size));
        } });
    }
    export async function text(stream) { return await new Response(stream).text(); }

    export function signal() { return new AbortController().signal; }
    export function answer(text, size) {
        return new Response(pieces(text, size), { status: 200, headers: { "content-type": "text/event-stream", "set-cookie": "a=b", "x-request-id": "r1", "openai-organization": "secret-org" } });
    }
    export function answerFetches(answer) {
        globalThis.fetch = async () => answer;
    }
"#)]
extern "C" {
    fn request(headers: &JsValue, body: &JsValue) -> Request;
    fn unbudgeted() -> JsValue;
    fn answer(text: &str, size: u32) -> JsValue;
    async fn text(stream: &ReadableStream) -> JsValue;
    fn signal() -> AbortSignal;
    #[wasm_bindgen(js_name = answerFetches)]
    fn answer_fetches(answer: &JsValue);
}

#[wasm_bindgen_test]
fn the_head_crosses_in_one_piece() {
    let headers = js_sys::Object::new();
    js_sys::Reflect::set(&headers, &"x-api-key".into(), &"mk_1".into()).unwrap();
    let head = Head::read(&host::head(&request(&headers, &"{}".into())));
    assert_eq!(
        (head.method.as_str(), head.path.as_str()),
        ("POST", "/v1/messages")
    );
    assert_eq!(head.header("x-api-key"), Some("mk_1"));
    assert_eq!(
        (head.origin.reported.as_str(), head.origin.colo.as_str()),
        ("AT", "VIE")
    );
}

#[wasm_bindgen_test]
async fn a_body_without_a_length_cannot_go_on_for_ever() {
    let headers = js_sys::Object::new();
    let sent = request(&headers, &unbudgeted());
    let refusal = body::read(&sent, Owner::Admins, (Coding::Plain, None), 10_000)
        .await
        .map(|(bytes, _)| bytes);
    assert_eq!(refusal, Err(Refusal::BodyTooLarge { limit: 10_000 }));
    let whole = body::read(
        &request(&headers, &"Größe".into()),
        Owner::Admins,
        (Coding::Plain, None),
        10_000,
    )
    .await;
    assert_eq!(whole.unwrap().0, "Größe".as_bytes());
}

#[wasm_bindgen_test]
async fn only_what_is_the_clients_business_comes_back() {
    answer_fetches(&answer("{}", 7));
    let sending = Sending::new(None, 0.0);
    let sent = sending.send_js(
        "POST",
        "https://p.example/",
        "x-api-key: s",
        Outflow::of(&Outgoing::from("{}".to_owned())),
        1_000.0,
        1_000.0,
    );
    let reply: ProviderReply = sent.await.unwrap().unchecked_into();
    assert_eq!(reply.headers(), "x-request-id: r1");
    assert!(reply.whole().is_none());
}

#[wasm_bindgen_test]
fn ids_are_all_different() {
    let ids: std::collections::BTreeSet<String> = (0..200)
        .map(|_| host::request_id(Millis(1)).to_string())
        .collect();
    assert_eq!(ids.len(), 200);
}

fn hiding() -> Passage {
    Passage::AsIs {
        dialect: Dialect::OpenAiChat,
        hide_usage: true,
    }
}

#[wasm_bindgen_test]
async fn a_stream_comes_through_and_is_read() {
    let sent = concat!(
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Größe\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\n",
        "data: [DONE]\n\n",
    );
    for size in [1, 7, 4096] {
        answer_fetches(&answer(sent, size));
        let sending = Sending::new(None, 0.0);
        let asked = sending.send_js(
            "POST",
            "https://p.example/",
            "x-api-key: s",
            Outflow::of(&Outgoing::from("{}".to_owned())),
            1_000.0,
            1_000.0,
        );
        asked.await.unwrap();
        let id = RequestId::new(Millis(0), 0);
        let relay = Relay::new(Api::Chat, hiding(), "text/event-stream", id);
        let begun = Stream::begin(SentRequest::of(sending), relay, Api::Chat, 1_000, false).await;
        let stream = begun.map_err(|reading| reading.fault).unwrap();
        let client = Client::new();
        let readable = client.readable();
        let policy = Gateway::default().model_policy("m", false);
        let run = stream.run(&client, signal(), Millis(u64::MAX), policy);
        let (received, finished) = futures::join!(text(&readable), run);
        assert_eq!(
            received.as_string().as_deref(),
            Some(sent),
            "in pieces of {size}"
        );
        let Finished {
            reading,
            client_gone,
        } = finished;
        assert_eq!((reading.tokens.input, reading.tokens.output), (3, 5));
        assert!(!client_gone);
    }
}

/// Streams with everything that may make a sieve go wrong, cut anywhere.
#[wasm_bindgen_test]
fn a_sieve_gives_what_the_relay_alone_would() {
    let events = [
        r#"data: {"choices":[{"delta":{"content":"Größe"}}],"usage":null}"#,
        r#"data: {"choices":[{"delta":{"content":"say \"usage\":{ and go"}}]}"#,
        r#"data: {"choices":[],"usage": {"prompt_tokens":3,"completion_tokens":5}}"#,
        r#"data: {"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
        r#"data: {"choices":[],"x":{"usage" : null},"usage" :{"prompt_tokens":3,"completion_tokens":6}}"#,
        ": keep-alive",
        "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"y\"}}]}",
        "data: {\"usage",
        "data: [DONE]",
    ];
    let mut seed = 7_u32;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    let relay = || {
        let id = RequestId::new(Millis(0), 0);
        Relay::new(Api::Chat, hiding(), "text/event-stream", id)
    };
    for _ in 0..3_000 {
        let end = ["\n", "\r\n", "\r"][random(3)];
        let mut sent = String::new();
        for _ in 0..random(12) {
            sent += &events[random(events.len())].replace('\n', end);
            sent += &end.repeat(2 + random(10) / 9);
        }
        let mut left = &sent.as_bytes()[..sent.len() - random(sent.len().min(20) + 1)];
        let mut alone = relay();
        let pump = Pump::of(relay(), Api::Chat, false);
        let (mut expected, mut got) = (Vec::new(), Vec::new());
        // What came before the relay was certain of an answer.
        let (first, rest) = left.split_at(random(left.len() + 1));
        left = rest;
        alone.push(first, &mut expected);
        got.extend(pump.push(first));
        let sieve = Sieve::new(pump);
        while !left.is_empty() {
            let (piece, rest) = left.split_at(1 + random(left.len().min(90)));
            left = rest;
            alone.push(piece, &mut expected);
            got.extend(sieve.push(Uint8Array::from(piece)));
        }
        alone.finish(End::Closed, &mut expected);
        got.extend(sieve.finish("closed"));
        let (got, expected) = (
            String::from_utf8_lossy(&got),
            String::from_utf8_lossy(&expected),
        );
        // After an event that is none the relay is silent; that it was none is
        // seen later here, but not after a good end.
        let garbled = format!("data: {{\"usage{end}{end}");
        if !sent.contains(&garbled) {
            assert_eq!(got, expected, "of {sent:?}");
        } else if let Some((_, after)) = got.split_once(&garbled) {
            assert!(!after.contains("[DONE]"), "of {sent:?}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_compressed_body_is_read_as_what_it_was() {
    // A gzip of `{}`, made by zlib.
    let gzip: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0,
    ];
    let read = async |body: &[u8]| {
        let sent = request(&js_sys::Object::new(), &Uint8Array::from(body));
        let read = body::read(&sent, Owner::Admins, (Coding::Gzip, None), 10_000).await;
        read.map(|(bytes, _)| bytes)
    };
    assert_eq!(read(gzip).await, Ok(b"{}".to_vec()));
    let broken = Err(Refusal::Body(Invalid::Gzip));
    assert_eq!(read(&gzip[..20]).await, broken);
    assert_eq!(read(b"{}").await, broken);
}
