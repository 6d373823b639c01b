//! Contacts providers: one attempt after the other, until one answers; with
//! hedging, a second beside a slow one.

use super::attempt::{make, Begun, Failed};
use super::credentials::{self, Held};
use super::{health, host};
use crate::answer::record::{Lost, Row, Tried};
use crate::config::gateway::{ModelPolicy, OnDisconnect};
use crate::config::prices::PriceBook;
use crate::refusal::Refusal;
use crate::request::plan::{Attempt, Plan};
use crate::units::{Millis, RequestId};
use crate::upstream::attempt_order::{AttemptOrder, Step};
use crate::upstream::judge::{Failure, Why};
use crate::upstream::translate::{self, Inbound, Outbound};
use futures::future::{select, Either};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use worker::worker_sys::web_sys::AbortSignal;
use worker::{Delay, Env};

/// What stays the same over all attempts.
pub struct UpstreamCall<'a> {
    /// What the client asks.
    pub inbound: Inbound<'a>,
    /// The data center it came in at.
    pub colo: &'a str,
    /// The request's id.
    pub id: &'a RequestId,
    /// When it came.
    pub arrived: Millis,
    /// The model's policy.
    pub policy: ModelPolicy,
    /// Aborts when the client disconnects.
    pub signal: AbortSignal,
    /// The prices.
    pub prices: &'a PriceBook,
}

impl UpstreamCall<'_> {
    /// Whether the answer is wanted also when the client has left.
    pub fn finishes(&self) -> bool {
        self.policy.on_disconnect == OnDisconnect::Finish
    }

    /// When it must be over.
    pub fn deadline(&self) -> Millis {
        self.policy.until(self.arrived)
    }

    /// Notes an attempt that came to nothing.
    fn note(&self, row: &mut Row, attempt: Attempt<'_>, nothing: Nothing<'_>) {
        let (why, may_be_billed, status, drill) = match nothing {
            Nothing::Failed(failure) => (
                failure.why.as_str(),
                failure.why.may_be_billed(),
                failure.status,
                failure.drill,
            ),
            Nothing::Abandoned(why) => (why, true, None, false),
        };
        let tried = Tried {
            endpoint: attempt.endpoint().name.clone(),
            why: why.to_owned(),
            status,
            ms: host::now().since(self.arrived),
            drill,
        };
        let lost = Lost {
            attempt,
            may_be_billed,
            request_bytes: self.inbound.call.body.len() as u64,
            prices: self.prices,
        };
        row.came_to_nothing(tried, lost);
    }
}

/// How an attempt came to nothing.
enum Nothing<'a> {
    Failed(&'a Failure),
    /// Nobody waited for it any more.
    Abandoned(&'static str),
}

/// An attempt that can be made.
struct Ready {
    attempt: Attempt<'static>,
    outbound: Outbound<'static>,
    credential: Rc<Held>,
    asked_at: Millis,
}

/// Everything that was tried without an answer.
#[derive(Default)]
struct SoFar {
    failures: Vec<Failure>,
    /// What the last provider said itself.
    own_words: Option<Box<Begun>>,
    /// Why an endpoint could not even be asked.
    unasked: Option<Refusal>,
}

/// Tries a plan's endpoints until one answers. An error of the last one
/// reaches the client in the provider's own words.
pub async fn run(
    env: &Env,
    x: &UpstreamCall<'_>,
    plan: &Plan<'static>,
    row: &mut Row,
) -> Result<Begun, Refusal> {
    let mut order = AttemptOrder::new(plan, x.deadline());
    let mut so_far = SoFar::default();
    while let Step::Try(attempt, pause) = health::next(&mut order, so_far.failures.last()) {
        if pause > 0 {
            Delay::from(Duration::from_millis(pause)).await;
        }
        let Some(ready) = ready(env, attempt, x, &mut so_far.unasked)? else {
            continue;
        };
        order.note_attempt();
        ready.note(row);
        let done = match x.policy.hedge {
            true => hedged(env, x, ready, &mut order, row, &mut so_far).await,
            false => one(x, ready, row, &mut so_far).await,
        };
        if let Some(done) = done {
            return done;
        }
    }
    so_far.refusal(x)
}

/// From so many bytes on a request is read in two parts, with other calls between.
const LONG: usize = 64 * 1024;

/// Lets calls that came meanwhile go first where a request is long: to read it all
/// at once takes milliseconds, in which they would stand still.
pub async fn after_others(body: &str) {
    if body.len() >= LONG {
        Delay::from(Duration::ZERO).await;
    }
}

/// Makes one attempt, if it can be made at all.
fn ready(
    env: &Env,
    attempt: Attempt<'static>,
    x: &UpstreamCall<'_>,
    unasked: &mut Option<Refusal>,
) -> Result<Option<Ready>, Refusal> {
    let outbound = match translate::prepare(attempt, x.inbound) {
        Ok(outbound) => outbound,
        // Another endpoint may be able to say it.
        Err(refusal @ Refusal::Unsupported { .. }) => {
            unasked.get_or_insert(refusal);
            return Ok(None);
        }
        Err(refusal) => return Err(refusal),
    };
    let endpoint = attempt.endpoint();
    let Some(credential) = credentials::of(env, endpoint) else {
        unasked.get_or_insert(Refusal::NoSecret {
            endpoint: endpoint.name.clone(),
            secret: endpoint.auth.secret().to_owned(),
        });
        return Ok(None);
    };
    Ok(Some(Ready {
        attempt,
        outbound,
        credential,
        asked_at: host::now(),
    }))
}

impl Ready {
    fn note(&self, row: &mut Row) {
        row.attempted(self.attempt);
        health::asked(self.attempt, self.asked_at);
    }

    async fn make(&self, x: &UpstreamCall<'_>) -> Result<Begun, Failed> {
        make(&self.credential, &self.outbound, x, x.deadline()).await
    }
}

type Done = Option<Result<Begun, Refusal>>;

async fn one(x: &UpstreamCall<'_>, ready: Ready, row: &mut Row, so_far: &mut SoFar) -> Done {
    let made = ready.make(x).await;
    settle(x, &ready, made, row, so_far)
}

/// What an attempt's result means for the request: an end, or the next one.
fn settle(
    x: &UpstreamCall<'_>,
    ready: &Ready,
    made: Result<Begun, Failed>,
    row: &mut Row,
    so_far: &mut SoFar,
) -> Done {
    let now = host::now();
    let attempt = ready.attempt;
    match made {
        Ok(begun) => {
            // An answer in one piece says nothing about how fast it began.
            let streams = x.inbound.call.wanted.stream && begun.status < 400;
            let after = streams.then(|| now.since(ready.asked_at));
            health::began(attempt, now, after);
            row.at_endpoint(attempt);
            Some(Ok(begun))
        }
        Err(Failed::Next(failure, own_words)) => {
            health::failed(attempt, now, &failure);
            x.note(row, attempt, Nothing::Failed(&failure));
            so_far.failures.push(failure);
            so_far.own_words = own_words;
            None
        }
        Err(Failed::Left) => {
            health::gave_up(attempt);
            x.note(row, attempt, Nothing::Abandoned("client_left"));
            Some(Err(Refusal::ClientLeft))
        }
        Err(Failed::Refused(refusal)) => {
            health::gave_up(attempt);
            Some(Err(refusal))
        }
    }
}

/// Makes an attempt, and another beside it if it does not begin within the
/// time that its endpoint usually needs. The slower one is hung up on.
async fn hedged(
    env: &Env,
    x: &UpstreamCall<'_>,
    first: Ready,
    order: &mut AttemptOrder<'static>,
    row: &mut Row,
    so_far: &mut SoFar,
) -> Done {
    let Some(usual) = health::usually_begins_within(first.attempt) else {
        return one(x, first, row, so_far).await;
    };
    let mut making = pin!(first.make(x));
    let patience = pin!(Delay::from(Duration::from_millis(usual.max(1))));
    if let Either::Left((made, _)) = select(making.as_mut(), patience).await {
        return settle(x, &first, made, row, so_far);
    }
    let second = health::beside(order).map(|attempt| ready(env, attempt, x, &mut so_far.unasked));
    let second = match second {
        Some(Ok(Some(second))) => second,
        Some(Err(refusal)) => return Some(Err(refusal)),
        None | Some(Ok(None)) => {
            let made = making.await;
            return settle(x, &first, made, row, so_far);
        }
    };
    second.note(row);
    let also = pin!(second.make(x));
    let (made, faster, slower, rest) = match select(making, also).await {
        Either::Left((made, rest)) => (made, &first, &second, Either::Left(rest)),
        Either::Right((made, rest)) => (made, &second, &first, Either::Right(rest)),
    };
    let done = settle(x, faster, made, row, so_far);
    if done.is_none() {
        // It failed: the other one is all there is now.
        let made = match rest {
            Either::Left(rest) => rest.await,
            Either::Right(rest) => rest.await,
        };
        return settle(x, slower, made, row, so_far);
    }
    health::gave_up(slower.attempt);
    x.note(row, slower.attempt, Nothing::Abandoned("hedged"));
    done
}

impl SoFar {
    /// The client's refusal when no endpoint answered.
    fn refusal(self, x: &UpstreamCall<'_>) -> Result<Begun, Refusal> {
        if let Some(begun) = self.own_words {
            return Ok(*begun);
        }
        let Some(last) = self.failures.last() else {
            // A plan is never empty.
            return Err(self.unasked.unwrap_or(Refusal::Internal));
        };
        let endpoint = last.endpoint.clone();
        Err(match last.why {
            Why::RefusedUs => Refusal::ProviderRefusedUs {
                endpoint,
                status: last.status.unwrap_or_default(),
            },
            Why::PlaceRefused => Refusal::PlaceRefused {
                endpoint,
                colo: x.colo.to_owned(),
            },
            Why::NoToken => Refusal::NoToken { endpoint },
            Why::Malformed => Refusal::ProviderGarbled {
                endpoint,
                tried: self.failures.iter().map(Failure::summary).collect(),
            },
            why => {
                let waits = self
                    .failures
                    .iter()
                    .filter_map(|failure| failure.retry_after);
                Refusal::NoAnswer {
                    tried: self.failures.iter().map(Failure::summary).collect(),
                    limited: self.failures.iter().all(|failure| failure.why.is_a_limit()),
                    late: why == Why::TimedOut,
                    retry_after: waits.min().map(|ms| ms.div_ceil(1_000)),
                }
            }
        })
    }
}
