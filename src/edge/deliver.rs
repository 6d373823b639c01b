//! Handing an answer to the client. Mostly it has begun before the client hears
//! anything; a client that waits long for a stream is answered early and told
//! from time to time that the connection lives. The row is written at the end.

use super::answer::ReplyHeaders;
use super::attempt::{Begun, Body};
use super::fetch::{begin, Answered, Called, Exchange, Refused};
use super::stream::{Client, Finished};
use super::{background, blob_owners, health, host, instance, receipts};
use crate::answer::receipt::{self, Receipt};
use crate::answer::record::{Outcome, Row, Served};
use crate::config::Config;
use crate::dialect::{self, Api, Fingerprint, Reading};
use crate::refusal::Refusal;
use crate::request::caller::Caller;
use futures::future::{select, Either};
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;
use worker::worker_sys::web_sys::Response;
use worker::Delay;

type Beginning = Pin<Box<dyn Future<Output = Called>>>;

/// A model call of a known caller: answered or refused, it leaves a row.
pub async fn call(
    x: Rc<Exchange>,
    config: &'static Config,
    caller: Caller,
    api: Api,
) -> Result<Response, Refused> {
    let mut beginning: Beginning = Box::pin(begin(Rc::clone(&x), config, caller, api));
    let Some(called) = begun_soon(&x, &mut beginning).await else {
        return Ok(early(x, config, api, beginning));
    };
    let Called {
        row,
        store,
        outcome,
    } = called;
    match outcome {
        Ok(answered) => Ok(deliver(&x, config, answered, row, store).await),
        Err(refusal) => {
            let row = refuse(&x, &refusal, row, store, refusal.status()).await;
            let row = Some(Box::new(row));
            Err(Refused { refusal, row })
        }
    }
}

/// What has begun, unless a client waits too long for a stream.
async fn begun_soon(x: &Exchange, beginning: &mut Beginning) -> Option<Called> {
    let mut patience: Option<Pin<Box<Delay>>> = None;
    poll_fn(|context| {
        if let Poll::Ready(called) = beginning.as_mut().poll(context) {
            return Poll::Ready(Some(called));
        }
        if let Some(waits) = &*x.waits.borrow() {
            let patience = patience.get_or_insert_with(|| Box::pin(Delay::from(waits.keep_alive)));
            return patience.as_mut().poll(context).map(|()| None);
        }
        Poll::Pending
    })
    .await
}

/// Ends a row with a refusal and writes it.
pub async fn refuse(
    x: &Exchange,
    refusal: &Refusal,
    mut row: Row,
    store: String,
    status: u16,
) -> Row {
    row.refused(refusal, host::now());
    row.status = status;
    let receipt = || Receipt::of(&row, row.status).refused(refusal);
    row.receipt = receipts::signed(&x.env, receipt).await;
    instance::write(&x.env, &x.ctx, &store, row.clone());
    row
}

/// Remembers who made what the client will send back.
fn remember(x: &Exchange, reading: &Reading, served: Served<'_>, team: &str, store: &str) {
    let endpoint = &served.attempt.endpoint().name;
    blob_owners::remember(&x.env, &x.ctx, &reading.made, endpoint);
    if let Some(id) = reading
        .kept
        .as_ref()
        .filter(|_| served.attempt.keeps_answers())
    {
        let answer = Fingerprint::of_answer(team, id);
        let store = reading.goes_on.then_some(store);
        blob_owners::keep(&x.env, &x.ctx, answer, served.attempt, store);
    }
}

/// Hands the answer to the client; its row is written when it has ended.
async fn deliver(
    x: &Rc<Exchange>,
    config: &'static Config,
    answered: Answered,
    mut row: Row,
    store: String,
) -> Response {
    let Answered { begun, policy } = answered;
    let Begun {
        served,
        status,
        headers,
        body,
        dropped,
    } = begun;
    row.receipt = receipts::signed(&x.env, || Receipt::of(&row, status)).await;
    let mut reply_headers = ReplyHeaders::of(&x.id);
    reply_headers.add_row(&row);
    reply_headers.add_unsupported(&dropped);
    reply_headers.add_lines(&headers);
    row.first_byte_ms = Some(host::now().since(x.arrived));
    match body {
        Body::Whole(bytes, reading) => {
            remember(x, &reading, served, &row.team, &store);
            let kept = reading.kept.clone();
            row.answered(served, *reading, false, &config.prices, host::now());
            if row.dialect == Api::Stored && status < 400 {
                background::asked_for(x, config, served, &row.team, &bytes.to_vec());
            }
            match row.outcome {
                Outcome::Background => {
                    background::begin(x, &store, row, kept.as_deref());
                }
                _ => instance::write(&x.env, &x.ctx, &store, row),
            }
            reply_headers.respond(status, &bytes)
        }
        Body::Stream(stream) => {
            let client = Client::new();
            let readable = client.readable();
            let then = Rc::clone(x);
            let until = policy.until(x.arrived);
            x.ctx.wait_until(async move {
                let signal = then.request.signal();
                let over = stream.run(&client, signal, until, policy).await;
                finish(&then, config, served, over, row, store);
            });
            reply_headers.respond(status, &readable)
        }
    }
}

/// Writes the row of a stream that is over.
fn finish(
    x: &Exchange,
    config: &Config,
    served: Served<'_>,
    over: Finished,
    mut row: Row,
    store: String,
) {
    let Finished {
        reading,
        client_gone,
    } = over;
    remember(x, &reading, served, &row.team, &store);
    if !client_gone {
        health::ended(served.attempt, host::now(), &reading);
    }
    row.answered(served, reading, client_gone, &config.prices, host::now());
    instance::write(&x.env, &x.ctx, &store, row);
}

/// Answers a client that has waited long enough, before any endpoint has.
/// Headers that come too late are sent as comments.
fn early(x: Rc<Exchange>, config: &'static Config, api: Api, beginning: Beginning) -> Response {
    let client = Client::new();
    let readable = client.readable();
    let mut reply_headers = ReplyHeaders::of(&x.id);
    let waits = x.waits.take();
    let alive = waits
        .as_ref()
        .map_or(Duration::from_secs(10), |waits| waits.keep_alive);
    if let Some(waits) = waits {
        reply_headers.add_decision(&waits.row);
    }
    reply_headers.add("content-type", "text/event-stream; charset=utf-8");
    let then = Rc::clone(&x);
    x.ctx.wait_until(async move {
        let called = keep_alive(&client, api, alive, beginning).await;
        arrive(&then, config, api, &client, called).await;
    });
    reply_headers.respond(200, &readable)
}

/// Tells the client that the connection lives, until there is something better.
async fn keep_alive(
    client: &Client,
    api: Api,
    every: Duration,
    mut beginning: Beginning,
) -> Called {
    let mut listens = client.write(dialect::keep_alive(api)).await;
    loop {
        let patience = Box::pin(Delay::from(every));
        match select(beginning, patience).await {
            Either::Left((called, _)) => return called,
            Either::Right(((), rest)) => beginning = rest,
        }
        if listens {
            listens = client.write(dialect::keep_alive(api)).await;
        }
    }
}

/// What a client that was answered early gets at last.
async fn arrive(
    x: &Rc<Exchange>,
    config: &'static Config,
    api: Api,
    client: &Client,
    called: Called,
) {
    let Called {
        mut row,
        store,
        outcome,
    } = called;
    let Answered { begun, policy } = match outcome {
        Ok(answered) => answered,
        Err(refusal) => {
            let row = refuse(x, &refusal, row, store, 200).await;
            client.write(&comments(&row)).await;
            let last = dialect::refusal_event(api, &refusal, &x.id);
            return client.say_last(&last).await;
        }
    };
    let Begun {
        served,
        status,
        body,
        ..
    } = begun;
    row.receipt = receipts::signed(&x.env, || Receipt::of(&row, status)).await;
    row.first_byte_ms = Some(host::now().since(x.arrived));
    client.write(&comments(&row)).await;
    match body {
        Body::Whole(bytes, reading) => {
            let text = String::from_utf8_lossy(&bytes.to_vec()).into_owned();
            let last = match status {
                400.. => dialect::failure_event(api, &text),
                _ => text,
            };
            client.say_last(&last).await;
            remember(x, &reading, served, &row.team, &store);
            row.answered(served, *reading, false, &config.prices, host::now());
            // Its head had gone out before.
            row.status = 200;
            instance::write(&x.env, &x.ctx, &store, row);
        }
        Body::Stream(stream) => {
            let until = policy.until(x.arrived);
            let over = stream.run(client, x.request.signal(), until, policy).await;
            finish(x, config, served, over, row, store);
        }
    }
}

/// The late headers, as comments.
fn comments(row: &Row) -> String {
    let mut comments = String::new();
    if let Some(endpoint) = &row.endpoint {
        comments.push_str(&format!(": meridian-served-by: {endpoint}\n"));
    }
    if let Some(receipt) = &row.receipt {
        comments.push_str(&format!(": {}: {receipt}\n", receipt::HEADER));
    }
    comments.push('\n');
    comments
}
