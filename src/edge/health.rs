//! What this instance knows of how endpoints fare, and how it comes to know
//! what others know: with the write of usage rows, which is made anyway.

use super::host;
use crate::dialect::Reading;
use crate::request::plan::Attempt;
use crate::units::Millis;
use crate::upstream::attempt_order::{AttemptOrder, Retries, Step};
use crate::upstream::health::{Health, Notice};
use crate::upstream::judge::{judge_fault, Failure, Start};
use std::cell::RefCell;

thread_local! {
    static HEALTH: RefCell<Health> = RefCell::default();
    static RETRIES: RefCell<Retries> = RefCell::default();
}

/// What to do next on a course.
pub fn next<'c>(order: &mut AttemptOrder<'c>, last: Option<&Failure>) -> Step<'c> {
    let random = (js_sys::Math::random() * 1_000_000.0) as u64;
    HEALTH.with_borrow(|health| {
        RETRIES.with_borrow_mut(|retries| order.next(last, health, retries, host::now(), random))
    })
}

/// Another endpoint beside one that is slow.
pub fn beside<'c>(order: &mut AttemptOrder<'c>) -> Option<Attempt<'c>> {
    HEALTH.with_borrow(|health| {
        RETRIES.with_borrow_mut(|retries| order.hedge(health, retries, host::now()))
    })
}

fn with(attempt: Attempt<'_>, change: impl FnOnce(&mut Health, &str, &str)) {
    let (endpoint, model) = (&attempt.endpoint().name, &attempt.claim().model);
    HEALTH.with_borrow_mut(|health| change(health, endpoint, model));
}

/// An endpoint is asked.
pub fn asked(attempt: Attempt<'_>, now: Millis) {
    with(attempt, |health, endpoint, model| {
        health.attempted(endpoint, model, now)
    });
}

/// It began to answer.
pub fn began(attempt: Attempt<'_>, now: Millis, after_ms: Option<u64>) {
    with(attempt, |health, endpoint, model| {
        health.began(endpoint, model, now, after_ms)
    });
}

/// It failed.
pub fn failed(attempt: Attempt<'_>, now: Millis, failure: &Failure) {
    with(attempt, |health, endpoint, model| {
        health.failed(endpoint, model, now, failure.why, failure.retry_after)
    });
}

/// It was not waited for.
pub fn gave_up(attempt: Attempt<'_>) {
    with(attempt, |health, endpoint, model| {
        health.gave_up(endpoint, model)
    });
}

/// Its answer ended.
pub fn ended(attempt: Attempt<'_>, now: Millis, reading: &Reading) {
    let Some(Start::Failed(why)) = reading.fault.as_ref().map(judge_fault) else {
        return;
    };
    with(attempt, |health, endpoint, model| {
        health.failed(endpoint, model, now, why, None)
    });
}

/// The time within which an endpoint usually begins.
pub fn usually_begins_within(attempt: Attempt<'_>) -> Option<u64> {
    let (endpoint, model) = (&attempt.endpoint().name, &attempt.claim().model);
    HEALTH.with_borrow(|health| health.usually_begins_within(endpoint, model))
}

/// What others are to be told.
pub fn news() -> Vec<Notice> {
    HEALTH.with_borrow_mut(Health::take_notices)
}

/// Nobody has heard what others were to be told.
pub fn untold(news: Vec<Notice>) {
    HEALTH.with_borrow_mut(|health| health.requeue(news));
}

/// What others say.
pub fn heard(notices: &[Notice]) {
    HEALTH.with_borrow_mut(|health| notices.iter().for_each(|notice| health.receive(notice)));
}

/// Forgets what is known of one endpoint, or of all.
pub fn forget(endpoint: Option<&str>, now: Millis) -> Vec<Notice> {
    RETRIES.take();
    HEALTH.with_borrow_mut(|health| health.forget(endpoint, now))
}

/// A look at all that is known.
pub fn look<T>(read: impl FnOnce(&Health) -> T) -> T {
    HEALTH.with_borrow(read)
}
