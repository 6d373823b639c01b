//! The platform: the only part that does I/O. It reads the request, asks the
//! core what to do, does it, and keeps the books. What it decides itself is
//! nothing.

mod admin;
mod answer;
mod attempt;
mod background;
mod body;
mod budgets;
mod credentials;
mod deliver;
mod drills;
mod fetch;
mod health;
mod host;
mod instance;
mod keys;
mod ledger;
mod map;
mod memory;
mod blob_owners;
mod outflow;
mod receipts;
mod retention;
mod routes;
mod rows;
mod runaway;
mod settings;
mod stored;
mod stream;
#[cfg(test)]
mod tests;
mod upstream;
mod whole;

use worker::worker_sys::web_sys;
use worker::{event, Context, Env, ScheduleContext, ScheduledEvent};

#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    ctx: Context,
) -> worker::Result<web_sys::Response> {
    memory::end_calls_alone();
    fetch::handle(request, env, ctx).await
}

#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    retention::hourly(&env).await;
}
