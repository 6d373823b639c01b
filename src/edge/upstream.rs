//! Contacting providers: the attempts of a plan, one after the other, until
//! one answers. Only an `Outbound` is ever sent, and that comes from the plan.

use super::host::{self, Reply};
use crate::dialect::{self, Call, Fault, Reading};
use crate::head::Head;
use crate::plan::Plan;
use crate::record::{Row, Served};
use crate::refusal::Refusal;
use crate::regions::{Auth, Endpoint};
use crate::send::{judge, refuses_place, Start};
use crate::translate::{self, Outbound};
use js_sys::Uint8Array;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use worker::worker_sys::web_sys::ReadableStream;
use worker::Env;

/// An answer that has begun.
pub struct Begun {
    /// Who gave it.
    pub served: Served<'static>,
    /// Its status.
    pub status: u16,
    /// Its headers, as far as they are the client's business.
    pub headers: String,
    /// Its body.
    pub body: Body,
    /// Keep the usage event from the client.
    pub hide_usage: bool,
    /// The database its row goes to.
    pub store: String,
}

/// The body of an answer.
pub enum Body {
    /// All of it, and what it says.
    Whole(Uint8Array, Box<Reading>),
    /// It is still coming.
    Stream(ReadableStream),
}

/// Why an attempt gave no answer; the provider's own error is kept, in case
/// nothing better comes.
struct Failed {
    error: Option<Begun>,
    refusal: Refusal,
}

/// Tries a plan's endpoints in order. An error of the last one reaches the
/// client in the provider's own words.
pub async fn try_in_order(
    env: &Env,
    head: &Head,
    call: &Call<'_>,
    plan: &Plan<'static>,
    row: &mut Row,
) -> Result<Begun, Refusal> {
    let mut tried = Vec::new();
    let mut last = None;
    for attempt in plan.attempts() {
        let outbound = translate::prepare(attempt, head, call);
        let endpoint = attempt.endpoint();
        let Some(credential) = Credential::of(env, endpoint) else {
            last.get_or_insert(Failed {
                error: None,
                refusal: Refusal::NoSecret {
                    endpoint: endpoint.name.clone(),
                    secret: endpoint.auth.secret().to_owned(),
                },
            });
            continue;
        };
        row.attempted(attempt);
        tried.push(endpoint.name.clone());
        match send(&credential, &outbound, call, &head.origin.colo).await {
            Ok(begun) => return Ok(begun),
            Err(failed) => last = Some(failed),
        }
    }
    match last {
        Some(Failed {
            error: Some(begun), ..
        }) => Ok(begun),
        Some(Failed {
            refusal: Refusal::Unreachable { .. },
            ..
        }) => Err(Refusal::Unreachable { tried }),
        Some(Failed { refusal, .. }) => Err(refusal),
        // A plan is never empty.
        None => Err(Refusal::Internal),
    }
}

/// Makes one attempt.
async fn send(
    credential: &Credential,
    outbound: &Outbound<'static>,
    call: &Call<'_>,
    colo: &str,
) -> Result<Begun, Failed> {
    let endpoint = outbound.attempt().endpoint();
    let failed = |refusal| Failed {
        error: None,
        refusal,
    };
    let unreachable = || Refusal::Unreachable { tried: Vec::new() };
    let mut headers = credential.header();
    for (name, value) in &outbound.headers {
        headers.extend(["\n", name, ": ", value]);
    }
    let reply = host::send(&outbound.url(), &headers, outbound.body.as_bytes())
        .await
        .ok_or_else(|| failed(unreachable()))?;
    let status = reply.status();
    match judge(status) {
        Start::Redirect => Err(failed(unreachable())),
        Start::RefusedUs => {
            let endpoint = endpoint.name.clone();
            let body = reply
                .whole()
                .map(|bytes| bytes.to_vec())
                .unwrap_or_default();
            let colo = colo.to_owned();
            Err(failed(match refuses_place(&body) {
                true => Refusal::PlaceRefused { endpoint, colo },
                false => Refusal::ProviderRefusedUs { endpoint, status },
            }))
        }
        Start::TryNext => Err(Failed {
            error: begun(&reply, credential, outbound, call),
            refusal: unreachable(),
        }),
        Start::Answer => {
            begun(&reply, credential, outbound, call).ok_or_else(|| failed(unreachable()))
        }
    }
}

/// The answer as far as it has come; `None` if it is none.
fn begun(
    reply: &Reply,
    credential: &Credential,
    outbound: &Outbound<'static>,
    call: &Call<'_>,
) -> Option<Begun> {
    let status = reply.status();
    let body = match reply.stream() {
        Some(stream) => Body::Stream(stream),
        None => {
            let bytes = reply.whole()?;
            let copy = bytes.to_vec();
            let mut reading = Reading::default();
            // Some answers quote what they were sent.
            if memchr::memmem::find(&copy, credential.secret.as_bytes()).is_some() {
                return None;
            }
            if status < 400 {
                let dialect = outbound.attempt().endpoint().dialect;
                dialect::read_reply(dialect, &copy, &mut reading);
            }
            if reading.fault == Some(Fault::Garbled) {
                return None;
            }
            Body::Whole(bytes, Box::new(reading))
        }
    };
    Some(Begun {
        served: Served {
            attempt: outbound.attempt(),
            status,
            request_bytes: call.body.len() as u64,
        },
        status,
        headers: credential.without(&reply.headers()),
        body,
        hide_usage: call.hide_usage,
        store: String::new(),
    })
}

thread_local! {
    // A secret that is changed comes with a new instance.
    static CREDENTIALS: RefCell<BTreeMap<String, Rc<Credential>>> = RefCell::default();
}

/// What pays for a call at an endpoint.
struct Credential {
    auth: &'static Auth,
    secret: String,
}

impl Credential {
    /// It, if its secret is set.
    fn of(env: &Env, endpoint: &'static Endpoint) -> Option<Rc<Credential>> {
        let known = CREDENTIALS.with_borrow(|all| all.get(&endpoint.name).cloned());
        if known.is_some() {
            return known;
        }
        let auth = &endpoint.auth;
        let secret = env.secret(auth.secret()).ok()?.to_string();
        // A service account's key is no token: it is never sent.
        if secret.is_empty() || matches!(auth, Auth::Google { .. }) {
            return None;
        }
        let made = Rc::new(Credential { auth, secret });
        CREDENTIALS.with_borrow_mut(|all| all.insert(endpoint.name.clone(), Rc::clone(&made)));
        Some(made)
    }

    /// Header lines without those that quote the credential.
    fn without(&self, lines: &str) -> String {
        let kept = lines
            .split('\n')
            .filter(|line| !line.contains(&self.secret));
        kept.collect::<Vec<_>>().join("\n")
    }

    fn header(&self) -> String {
        match self.auth {
            Auth::Bearer { .. } | Auth::Google { .. } => {
                format!("authorization: Bearer {}", self.secret)
            }
            Auth::ApiKey { .. } => format!("x-api-key: {}", self.secret),
            Auth::AzureKey { .. } => format!("api-key: {}", self.secret),
        }
    }
}
