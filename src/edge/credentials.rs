//! The credentials of endpoints: read from Worker secrets once, and tokens
//! fetched for those that need one, kept until they are about to run out.

use super::host;
use crate::refusal::Refusal;
use crate::regions::Endpoint;
use crate::upstream::credential::{aws_headers, Credential, ServiceAccount, Token, GOOGLE_TOKENS};
use crate::upstream::sigv4::Request;
use crate::upstream::translate::Outbound;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use worker::Env;

#[wasm_bindgen(module = "/src/edge/crypto.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = signRs256)]
    async fn sign_rs256(pem: &str, text: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = fetchToken)]
    async fn fetch_token(url: &str, form: &str) -> Result<JsValue, JsValue>;
}

thread_local! {
    // A secret that is changed comes with a new instance.
    static HELD: RefCell<BTreeMap<String, Rc<Held>>> = RefCell::default();
}

/// What pays for calls at an endpoint.
pub struct Held {
    credential: Credential,
    token: RefCell<Option<Token>>,
}

/// The endpoint's credential, if its secret is set and is one of its kind.
pub fn of(env: &Env, endpoint: &Endpoint) -> Option<Rc<Held>> {
    // Endpoints that share a secret share its token.
    let name = format!("{:?}", endpoint.auth);
    let known = HELD.with_borrow(|all| all.get(&name).cloned());
    if known.is_some() {
        return known;
    }
    let secret = env.secret(endpoint.auth.secret()).ok()?.to_string();
    let made = Rc::new(Held {
        credential: Credential::read(&endpoint.auth, &secret)?,
        token: RefCell::new(None),
    });
    HELD.with_borrow_mut(|all| all.insert(name, Rc::clone(&made)));
    Some(made)
}

impl Held {
    /// The headers that pay for a request.
    pub async fn headers(&self, outbound: &Outbound<'_>) -> Result<Vec<(String, String)>, Refusal> {
        let bearer = |token: String| vec![("authorization".to_owned(), format!("Bearer {token}"))];
        match &self.credential {
            Credential::Header { name, value, .. } => Ok(vec![((*name).to_owned(), value.clone())]),
            Credential::Aws(key) => {
                let (path, query) = outbound
                    .path()
                    .split_once('?')
                    .unwrap_or((outbound.path(), ""));
                let body: Vec<&[u8]> = outbound.body.pieces().collect();
                let request = Request {
                    method: outbound.method,
                    host: &outbound.attempt().endpoint().host,
                    path,
                    query,
                    headers: &[("content-type", "application/json")],
                    body: &body,
                };
                let signed = aws_headers(key, request, host::now());
                let signed = signed.ok_or_else(|| no_token(outbound))?.into_iter();
                Ok(signed
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect())
            }
            Credential::Google(account) => {
                let token = self.token(google(account)).await;
                token.map(bearer).ok_or_else(|| no_token(outbound))
            }
            Credential::Entra(application) => {
                let (url, form) = (application.tokens(), application.form());
                let wish = async { Some((url, form)) };
                let token = self.token(wish).await;
                token.map(bearer).ok_or_else(|| no_token(outbound))
            }
        }
    }

    /// The token in hand, or a new one.
    async fn token(
        &self,
        wish: impl std::future::Future<Output = Option<(String, String)>>,
    ) -> Option<String> {
        let now = host::now();
        let held = self.token.borrow().clone();
        if let Some(token) = held.filter(|token| token.is_fresh(now)) {
            return Some(token.value);
        }
        let (url, form) = wish.await?;
        let given = fetch_token(&url, &form).await.ok()?.as_string()?;
        let token = Token::read(given.as_bytes(), now)?;
        let value = token.value.clone();
        self.token.replace(Some(token));
        Some(value)
    }

    /// The provider does not take the token any more.
    pub fn forget_token(&self) {
        self.token.replace(None);
    }

    /// Whether an answer quotes the credential.
    pub fn is_quoted(&self, bytes: &[u8]) -> bool {
        let token = self.token.borrow();
        let token = token.as_ref().map(|token| token.value.as_str());
        let mut secrets = self.credential.secrets().into_iter().chain(token);
        secrets.any(|secret| memchr::memmem::find(bytes, secret.as_bytes()).is_some())
    }

    /// Header lines without those that quote the credential.
    pub fn without(&self, lines: &str) -> String {
        let kept = lines
            .split('\n')
            .filter(|line| !self.is_quoted(line.as_bytes()));
        kept.collect::<Vec<_>>().join("\n")
    }
}

fn no_token(outbound: &Outbound<'_>) -> Refusal {
    Refusal::NoToken {
        endpoint: outbound.attempt().endpoint().name.clone(),
    }
}

async fn google(account: &ServiceAccount) -> Option<(String, String)> {
    let claims = account.claims(host::now());
    let signature = sign_rs256(&account.private_key, &claims).await.ok()?;
    let signature = js_sys::Uint8Array::from(signature).to_vec();
    Some((GOOGLE_TOKENS.to_owned(), account.form(&claims, &signature)))
}
