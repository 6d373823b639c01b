//! Messages to addresses that people have configured.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/edge/ledger/webhook.js")]
extern "C" {
    #[wasm_bindgen(js_name = post)]
    async fn send(url: &str, body: &str) -> JsValue;
}

/// Sends a message once. Whether it was taken.
pub async fn post(url: &str, body: &str) -> bool {
    send(url, body).await.is_truthy()
}
