//! What the gateway asks of the platform, see `host.js`, and the two things
//! the core must be given: the time and random bits.

use crate::units::{Millis, RequestId};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use worker::worker_sys::web_sys::{Request, Response};

#[wasm_bindgen(module = "/src/edge/host.js")]
extern "C" {
    /// The request's head in the flat form that `Head::read` takes.
    pub fn head(request: &Request) -> String;

    /// The request's query as JSON, a pair of name and value each.
    pub fn query(request: &Request) -> String;

    /// An answer to the client.
    pub fn respond(status: u16, headers: &str, body: &JsValue) -> Response;

    #[wasm_bindgen(js_name = fillRandom)]
    fn fill_random(bytes: &mut [u8]);
}

/// The time.
pub fn now() -> Millis {
    Millis(js_sys::Date::now() as u64)
}

/// How many ids are made from one call for random bits.
const IDS_A_DRAW: usize = 64;

thread_local! {
    static RANDOM: RefCell<Vec<u128>> = const { RefCell::new(Vec::new()) };
}

/// A new request id.
pub fn request_id(at: Millis) -> RequestId {
    let random = RANDOM.with_borrow_mut(|left| {
        if left.is_empty() {
            let mut bytes = [0; IDS_A_DRAW * 16];
            fill_random(&mut bytes);
            let (drawn, _) = bytes.as_chunks::<16>();
            left.extend(drawn.iter().map(|one| u128::from_be_bytes(*one)));
        }
        left.pop().unwrap_or_default()
    });
    RequestId::new(at, random)
}
