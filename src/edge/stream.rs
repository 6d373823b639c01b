//! A stream on its way to the client: the loop is in `stream.js`, because each
//! step between wasm and JavaScript costs more than the work; the decisions
//! are in `relay.rs`.

use crate::dialect::{Fault, Reading};
use crate::relay::{End, Relay};
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use worker::worker_sys::web_sys::{AbortSignal, ReadableStream, WritableStream};

#[wasm_bindgen(module = "/src/edge/stream.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn watch(
        body: &ReadableStream,
        writable: &WritableStream,
        pump: Pump,
        signal: &AbortSignal,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    async fn filter(
        body: &ReadableStream,
        writable: &WritableStream,
        pump: Pump,
        signal: &AbortSignal,
    ) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    type IdentityTransformStream;
    #[wasm_bindgen(constructor)]
    fn new() -> IdentityTransformStream;
    #[wasm_bindgen(method, getter)]
    fn readable(this: &IdentityTransformStream) -> ReadableStream;
    #[wasm_bindgen(method, getter)]
    fn writable(this: &IdentityTransformStream) -> WritableStream;
}

/// What a finished stream leaves behind.
#[derive(Debug, Default)]
pub struct Finished {
    /// What was learnt of it.
    pub reading: Reading,
    /// The client left before the end.
    pub client_gone: bool,
}

/// The relay as `stream.js` holds it.
#[wasm_bindgen]
pub struct Pump {
    relay: Option<Relay>,
    // Read only when the loop is over, so a panic in between leaves no harm.
    finished: AssertUnwindSafe<Rc<RefCell<Finished>>>,
}

#[wasm_bindgen]
impl Pump {
    /// Takes the provider's next bytes, gives what the client gets.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(relay) = &mut self.relay {
            relay.push(bytes, &mut out);
        }
        out
    }

    /// Ends the stream, gives what the client still gets.
    pub fn finish(&mut self, how: &str) -> Vec<u8> {
        let end = match how {
            "closed" => End::Closed,
            "client gone" => End::ClientGone,
            _ => End::Broken,
        };
        let mut out = Vec::new();
        let mut finished = self.finished.borrow_mut();
        finished.client_gone = end == End::ClientGone;
        if let Some(relay) = self.relay.take() {
            finished.reading = relay.finish(end, &mut out);
        }
        out
    }
}

/// Starts a stream: the client's end of it, and what is known when it is over.
pub fn start(
    body: ReadableStream,
    relay: Relay,
    signal: AbortSignal,
) -> (ReadableStream, impl std::future::Future<Output = Finished>) {
    let rewrites = relay.rewrites();
    let pipe = IdentityTransformStream::new();
    let readable = pipe.readable();
    // Should the loop fail, this is what is left: no success.
    let mut unfinished = Finished::default();
    unfinished.reading.fault = Some(Fault::Cut);
    let finished = Rc::new(RefCell::new(unfinished));
    let pump = Pump {
        relay: Some(relay),
        finished: AssertUnwindSafe(Rc::clone(&finished)),
    };
    let run = async move {
        let writable = pipe.writable();
        let _ = match rewrites {
            true => filter(&body, &writable, pump, &signal).await,
            false => watch(&body, &writable, pump, &signal).await,
        };
        finished.take()
    };
    (readable, run)
}
