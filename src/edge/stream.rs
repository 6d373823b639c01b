//! A stream on its way to the client: the loop is in `stream.js`, because each
//! step between wasm and JavaScript costs more than the work; the decisions
//! are in `relay.rs`.

use super::attempt::{Sending, SentRequest};
use crate::answer::relay::{End, Relay, Stage};
use crate::config::gateway::{ModelPolicy, OnDisconnect};
use crate::dialect::{self, Api, Fault, Reading};
use crate::units::Millis;
use js_sys::Uint8Array;
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use worker::worker_sys::web_sys::{AbortSignal, ReadableStream, WritableStream};

/// What is held back at most before it is clear whether there is an answer.
const LONGEST_PREAMBLE: usize = 256 * 1024;

#[wasm_bindgen(module = "/src/edge/stream.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn watch(
        sending: &Sending,
        writable: &WritableStream,
        pump: Pump,
        signal: &AbortSignal,
        silence_ms: f64,
        keep_alive_ms: f64,
        until: f64,
        finishes: bool,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    async fn filter(
        sending: &Sending,
        writable: &WritableStream,
        pump: &JsValue,
        signal: &AbortSignal,
        silence_ms: f64,
        keep_alive_ms: f64,
        until: f64,
        finishes: bool,
    ) -> Result<JsValue, JsValue>;

    async fn write(writable: &WritableStream, bytes: &[u8]) -> JsValue;
    async fn say(writable: &WritableStream, last: &[u8]);
}

#[wasm_bindgen(module = "/src/edge/sieve.js")]
extern "C" {
    /// Stands before a pump and is used like one.
    pub type Sieve;
    #[wasm_bindgen(constructor)]
    pub fn new(pump: Pump) -> Sieve;
    /// What the client gets of the next bytes. The sieve keeps them, so they
    /// must not be a view of wasm memory, which moves as it grows.
    #[wasm_bindgen(method)]
    pub fn push(this: &Sieve, bytes: Uint8Array) -> Vec<u8>;
    /// Ends the stream, gives what the client still gets.
    #[wasm_bindgen(method)]
    pub fn finish(this: &Sieve, how: &str) -> Vec<u8>;
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

/// The relay as JavaScript holds it.
#[wasm_bindgen]
// Nothing is looked at after a panic but what finished before it.
pub struct Pump(AssertUnwindSafe<Rc<RefCell<Passing>>>);

impl Clone for Pump {
    fn clone(&self) -> Pump {
        Pump(AssertUnwindSafe(Rc::clone(&self.0)))
    }
}

struct Passing {
    relay: Option<Relay>,
    api: Api,
    /// A drill: nothing goes on after the first content.
    cut: bool,
    held: Vec<u8>,
    finished: Finished,
}

/// Stages as `attempt.js` has them.
const PREAMBLE: u8 = 0;
const BEGUN: u8 = 1;
const FAILED: u8 = 2;

#[wasm_bindgen]
impl Pump {
    /// Takes the first bytes and holds what the client would get; says how far
    /// the stream has come.
    pub fn begin(&self, bytes: &[u8]) -> u8 {
        let mut passing = self.0.borrow_mut();
        let Passing {
            relay, held, cut, ..
        } = &mut *passing;
        let Some(relay) = relay else {
            return FAILED;
        };
        let size = if *cut { 1 } else { bytes.len().max(1) };
        for piece in bytes.chunks(size) {
            if !relay.rewrites() {
                held.extend_from_slice(piece);
            }
            relay.push(piece, held);
            match relay.stage() {
                Stage::Content => return BEGUN,
                Stage::Failed => return FAILED,
                Stage::Preamble if held.len() > LONGEST_PREAMBLE => return BEGUN,
                Stage::Preamble => {}
            }
        }
        PREAMBLE
    }

    /// The stream ended before there was anything of an answer in it.
    pub fn over(&self) -> u8 {
        FAILED
    }

    /// What was held back.
    pub fn held(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut().held)
    }

    /// Takes the provider's next bytes, gives what the client gets.
    pub fn push(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(relay) = &mut self.0.borrow_mut().relay {
            relay.push(bytes, &mut out);
        }
        out
    }

    /// Whether the client has whole events, so that another may follow.
    pub fn is_between_events(&self) -> bool {
        let passing = self.0.borrow();
        let relay = passing.relay.as_ref();
        relay.is_some_and(Relay::is_between_events)
    }

    /// What keeps the client's connection alive.
    pub fn keep_alive(&self) -> Vec<u8> {
        let api = self.0.borrow().api;
        dialect::keep_alive(api).as_bytes().to_vec()
    }

    /// Ends the stream, gives what the client still gets.
    pub fn finish(&self, how: &str) -> Vec<u8> {
        let end = match how {
            "closed" => End::Closed,
            "client gone" => End::ClientGone,
            "timed out" => End::TimedOut,
            _ => End::Broken,
        };
        let mut out = Vec::new();
        let mut passing = self.0.borrow_mut();
        passing.finished.client_gone = end == End::ClientGone;
        if let Some(relay) = passing.relay.take() {
            passing.finished.reading = relay.finish(end, &mut out);
        }
        out
    }
}

impl Pump {
    /// One for a stream of which nothing has come.
    pub fn of(relay: Relay, api: Api, cut: bool) -> Pump {
        // Should the loop fail, this is what is left: no success.
        let mut finished = Finished::default();
        finished.reading.fault = Some(Fault::Cut);
        let passing = Passing {
            relay: Some(relay),
            api,
            cut,
            held: Vec::new(),
            finished,
        };
        Pump(AssertUnwindSafe(Rc::new(RefCell::new(passing))))
    }
}

/// A provider's stream of which something has come.
pub struct Stream {
    sending: SentRequest,
    rewrites: bool,
    sieves: bool,
    pump: Pump,
}

impl Stream {
    /// Waits until there is something of an answer in an attempt's stream, or
    /// gives what was learnt of one that has none.
    pub async fn begin(
        sending: SentRequest,
        relay: Relay,
        api: Api,
        limit_ms: u64,
        cut: bool,
    ) -> Result<Stream, Reading> {
        let (rewrites, sieves) = (relay.rewrites(), relay.sieves());
        let pump = Pump::of(relay, api, cut);
        match sending.begin(pump.clone(), limit_ms).await {
            Some(BEGUN) => {
                if cut {
                    sending.cancel();
                }
                Ok(Stream {
                    sending,
                    rewrites,
                    sieves,
                    pump,
                })
            }
            stage => {
                pump.finish(&match stage {
                    Some(_) => "closed".to_owned(),
                    None => sending.why(),
                });
                let passing = &mut *pump.0.borrow_mut();
                Err(std::mem::take(&mut passing.finished.reading))
            }
        }
    }

    /// Whether its bytes are the gateway's own.
    pub fn rewrites(&self) -> bool {
        self.rewrites
    }

    /// Moves it to the client until one of them ends.
    pub async fn run(
        self,
        client: &Client,
        signal: AbortSignal,
        until: Millis,
        policy: ModelPolicy,
    ) -> Finished {
        let Stream {
            sending,
            rewrites,
            sieves,
            pump,
        } = self;
        let (writable, sending) = (client.0.writable(), sending.js());
        let silence = policy.timeouts.between_tokens.0 as f64;
        let alive = policy.timeouts.keep_alive.0 as f64;
        let until = until.0 as f64;
        let finishes = policy.on_disconnect == OnDisconnect::Finish;
        let held = pump.clone();
        let _ = match rewrites {
            true => {
                let through = match sieves {
                    true => Sieve::new(held).into(),
                    false => JsValue::from(held),
                };
                filter(
                    sending, &writable, &through, &signal, silence, alive, until, finishes,
                )
                .await
            }
            false => {
                watch(
                    sending, &writable, held, &signal, silence, alive, until, finishes,
                )
                .await
            }
        };
        let passing = &mut *pump.0.borrow_mut();
        std::mem::take(&mut passing.finished)
    }
}

/// A client's stream.
pub struct Client(IdentityTransformStream);

impl Client {
    /// A new one.
    pub fn new() -> Client {
        Client(IdentityTransformStream::new())
    }

    /// The end that the client reads.
    pub fn readable(&self) -> ReadableStream {
        self.0.readable()
    }

    /// Writes something; whether the client took it.
    pub async fn write(&self, text: &str) -> bool {
        write(&self.0.writable(), text.as_bytes()).await.is_truthy()
    }

    /// Writes the last thing.
    pub async fn say_last(&self, text: &str) {
        say(&self.0.writable(), text.as_bytes()).await;
    }
}
