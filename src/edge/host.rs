//! What the gateway asks of the platform, see `host.js`, and the two things
//! the core must be given: the time and random bits.

use crate::refusal::Refusal;
use crate::units::{Millis, RequestId};
use wasm_bindgen::prelude::*;
use worker::worker_sys::web_sys::{Request, Response};

#[wasm_bindgen(module = "/src/edge/host.js")]
extern "C" {
    /// The request's head in the flat form that `Head::read` takes.
    pub fn head(request: &Request) -> String;

    #[wasm_bindgen(catch, js_name = readBody)]
    async fn read_body_js(request: &Request, limit: u32) -> Result<JsValue, JsValue>;

    /// Reads what the client still sends, within reason, and forgets it.
    pub async fn drain(request: &Request);

    #[wasm_bindgen(catch, js_name = send)]
    async fn send_js(url: &str, headers: &str, body: &[u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = readReply)]
    async fn read_reply_js(response: &Response) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = replyHeaders)]
    fn reply_headers(response: &Response) -> String;

    /// An answer to the client.
    pub fn respond(status: u16, headers: &str, body: &JsValue) -> Response;

    #[wasm_bindgen(js_name = fillRandom)]
    fn fill_random(bytes: &mut [u8]);
}

/// The time.
pub fn now() -> Millis {
    Millis(js_sys::Date::now() as u64)
}

/// A new request id.
pub fn request_id(at: Millis) -> RequestId {
    let mut bytes = [0; 16];
    fill_random(&mut bytes);
    RequestId::new(at, u128::from_be_bytes(bytes))
}

/// The request's body.
pub async fn read_body(request: &Request, limit: usize) -> Result<Vec<u8>, Refusal> {
    let most = u32::try_from(limit).unwrap_or(u32::MAX);
    match read_body_js(request, most).await {
        Ok(body) if body.is_undefined() => Err(Refusal::BodyTooLarge { limit }),
        Ok(body) => Ok(js_sys::Uint8Array::from(body).to_vec()),
        Err(_) => Err(Refusal::BodyBroken),
    }
}

/// Sends a request to a provider; `None` if it could not be reached.
pub async fn send(url: &str, headers: &str, body: &[u8]) -> Option<Response> {
    let answer = send_js(url, headers, body).await.ok()?;
    answer.dyn_into().ok()
}

/// A provider's whole reply; `None` if it broke off.
pub async fn read_reply(response: &Response) -> Option<js_sys::Uint8Array> {
    read_reply_js(response)
        .await
        .ok()
        .map(js_sys::Uint8Array::from)
}

/// The headers of a provider's reply that the client gets, and whether it is a
/// stream.
pub fn headers_for_client(response: &Response) -> (String, bool) {
    let headers = reply_headers(response);
    let stream = headers.starts_with("content-type: text/event-stream");
    (headers, stream)
}
