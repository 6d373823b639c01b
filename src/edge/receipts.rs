//! Signing receipts, and the public keys to check them with. The keys are a
//! Worker secret; without it there are no receipts, and `npm run deploy` does
//! not let that pass.

use crate::answer::receipt::{Keys, Receipt};
use crate::regions::bindings::RECEIPT_KEYS;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use std::cell::OnceCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use worker::Env;

#[wasm_bindgen(module = "/src/edge/crypto.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn sign(jwk: &str, text: &str) -> Result<JsValue, JsValue>;
}

struct Signer {
    keys: Keys,
    /// The signing key's id, and the key as WebCrypto imports it.
    signing: Option<(String, String)>,
}

thread_local! {
    // A secret that is changed comes with a new instance.
    static SIGNER: OnceCell<Rc<Signer>> = const { OnceCell::new() };
}

fn signer(env: &Env) -> Rc<Signer> {
    SIGNER.with(|signer| Rc::clone(signer.get_or_init(|| Rc::new(read(env)))))
}

fn read(env: &Env) -> Signer {
    let text = env
        .secret(RECEIPT_KEYS)
        .map(|secret| secret.to_string())
        .unwrap_or_default();
    let keys = serde_json::from_str(&text).unwrap_or(Keys { keys: Vec::new() });
    let signing = keys.signing().and_then(|key| {
        let jwk = serde_json::json!({"kty": key.kty, "crv": key.crv, "x": key.x, "d": key.d});
        Some((key.kid.clone(), serde_json::to_string(&jwk).ok()?))
    });
    Signer { keys, signing }
}

/// The receipt, signed; `None` where there is no key to sign with.
pub async fn signed(env: &Env, receipt: impl FnOnce() -> Receipt) -> Option<String> {
    let signer = signer(env);
    let (id, jwk) = signer.signing.as_ref()?;
    let input = receipt().signing_input(id);
    let signature = sign(jwk, &input).await.ok()?;
    let signature = js_sys::Uint8Array::from(signature).to_vec();
    Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The public keys, for `/.well-known/jwks.json`.
pub fn published(env: &Env) -> String {
    signer(env).keys.public().to_string()
}
