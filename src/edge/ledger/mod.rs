//! The ledger's Durable Objects: each is a thin host of an [`Object`], and performs its
//! effects.

mod client;
mod storage;
pub mod webhook;

pub use client::{home, send, sent};

use super::{host, rows};
use crate::ledger::instance::PATIENCE_MS;
use crate::ledger::object::{Effect, Input, Object, DATABASE_PATIENCE_MS};
use crate::ledger::{Address, LedgerRequest, LedgerResponse};
use futures::future::{select, Either};
use futures::stream::FuturesUnordered;
use futures::StreamExt;
use std::cell::RefCell;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;
use storage::Storage;
use worker::{
    durable_object, wasm_bindgen, Delay, DurableObject, Env, Request, Response, Result, State,
};

/// One object.
#[durable_object]
pub struct Ledger {
    state: State,
    env: Env,
    // A change that panics leaves nothing half done: the object takes its accounts out
    // meanwhile, and reads them again from what is stored.
    object: AssertUnwindSafe<RefCell<Option<Object<Storage>>>>,
}

impl DurableObject for Ledger {
    fn new(state: State, env: Env) -> Self {
        Ledger {
            state,
            env,
            object: AssertUnwindSafe(RefCell::new(None)),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let request: LedgerRequest = serde_json::from_str(&request.text().await?)?;
        self.load(Some(&request.to))?;
        match self.drive(Input::Request(Box::new(request))).await? {
            Some(Ok(response)) => Response::ok(serde_json::to_string(&response)?),
            Some(Err(why)) => Err(why.into()),
            None => Err("the ledger has no reply to this request".into()),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        if self.load(None)? {
            self.drive(Input::Alarm).await?;
        }
        Response::ok("")
    }
}

impl Ledger {
    /// Loads the object, the first time. Whether it has an address: it gets one with its
    /// first request.
    fn load(&self, address: Option<&Address>) -> Result<bool> {
        let mut object = self.object.borrow_mut();
        if object.is_some() {
            return Ok(true);
        }
        let storage = Storage::of(&self.state);
        storage.prepare()?;
        if let Some(address) = address {
            storage.remember(address)?;
        }
        let Some(address) = storage.address()? else {
            return Ok(false);
        };
        *object = Some(Object::new(storage, address, home().to_owned()));
        Ok(true)
    }

    fn handle(&self, input: Input) -> Result<Vec<Effect>> {
        match self.object.borrow_mut().as_mut() {
            Some(object) => object.handle(input, host::now()),
            None => Ok(Vec::new()),
        }
    }

    /// Performs what follows from an input, until nothing is left to do. The reply to a
    /// request, if it was one.
    async fn drive(
        &self,
        input: Input,
    ) -> Result<Option<std::result::Result<Box<LedgerResponse>, String>>> {
        let mut reply = None;
        let mut under_way = FuturesUnordered::new();
        let mut next = Some(input);
        while let Some(input) = next {
            for effect in self.handle(input)? {
                match effect {
                    Effect::Respond(result) => reply = Some(result),
                    Effect::SetAlarm(ms) => {
                        let alarm = Duration::from_millis(ms);
                        self.state.storage().set_alarm(alarm).await?;
                    }
                    Effect::Warn(text) => worker::console_warn!("{text}"),
                    effect => under_way.push(self.perform(effect)),
                }
            }
            next = under_way.next().await.flatten();
        }
        Ok(reply)
    }

    async fn perform(&self, effect: Effect) -> Option<Input> {
        Some(match effect {
            Effect::Send(id, request) => {
                let sent = send(&self.env, &request, PATIENCE_MS).await;
                Input::Replied(id, sent.map(Box::new).map_err(|error| error.to_string()))
            }
            Effect::Exchange(exchange) => {
                let found = within_patience(rows::exchange(&self.env, &exchange)).await;
                Input::Exchanged(exchange, found)
            }
            Effect::ReadSpilled { store, mark } => {
                let read = rows::spilled(&self.env, &store, &mark);
                Input::SpilledRead(within_patience(read).await)
            }
            Effect::DeleteSpilled { store, ids, then } => {
                let delete = rows::delete_spilled(&self.env, &store, &ids);
                Input::SpilledDeleted(then, within_patience(delete).await)
            }
            Effect::SendWebhook(hook) => {
                let taken = webhook::post(&hook.url, &hook.body).await;
                Input::WebhookSent(hook, taken)
            }
            Effect::Respond(_) | Effect::SetAlarm(_) | Effect::Warn(_) => return None,
        })
    }
}

/// What comes of a call to the database, unless it takes too long. What the database has
/// taken all the same counts once.
async fn within_patience<T>(
    call: impl Future<Output = Result<T>>,
) -> std::result::Result<T, String> {
    let late = Delay::from(Duration::from_millis(DATABASE_PATIENCE_MS));
    match select(pin!(call), pin!(late)).await {
        Either::Left((result, _)) => result.map_err(|error| error.to_string()),
        Either::Right(_) => Err("the database does not answer".to_owned()),
    }
}
