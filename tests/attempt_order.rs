//! The order in which endpoints are tried, over any history of failures: it
//! stays inside the plan, asks nobody twice while another is left, and never
//! makes of an outage twice the traffic.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::config::{self, Config, Files};
use meridian::dialect::{Api, Wanted};
use meridian::request::caller::{Caller, KeyRecord};
use meridian::request::head::{Head, Origin};
use meridian::request::plan::{self, Plan};
use meridian::request::zone;
use meridian::units::Millis;
use meridian::upstream::attempt_order::{AttemptOrder, Retries, Step};
use meridian::upstream::health::{Health, Standing};
use meridian::upstream::judge::{Failure, Why};
use proptest::prelude::*;
use std::path::Path;
use std::sync::OnceLock;

fn own() -> &'static Config {
    static OWN: OnceLock<Config> = OnceLock::new();
    OWN.get_or_init(|| {
        let files = Files::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        config::read(&files, "2026-11-27").checked().unwrap()
    })
}

fn plan(country: &str, model: &str) -> Plan<'static> {
    let mut caller = Caller::new(KeyRecord::anybody(), &Head::default());
    caller.origin = Origin::new(country, "");
    let zone = zone::decide(&own().regions, &caller).unwrap();
    let wanted = Wanted {
        model: model.to_owned(),
        stream: true,
        thinks: None,
    };
    plan::plan(
        own(),
        &caller,
        &zone,
        Api::Messages,
        &wanted,
        &Default::default(),
    )
    .unwrap()
}

/// Several endpoints, and only one.
fn plans() -> impl Strategy<Value = Plan<'static>> {
    prop_oneof![
        Just(plan("DE", "claude-sonnet")),
        Just(plan("US", "claude-sonnet")),
        Just(plan("GB", "claude-sonnet")),
        Just(plan("DE", "gpt-mini")),
    ]
}

fn why() -> impl Strategy<Value = Why> {
    prop::sample::select(Why::ALL.to_vec())
}

fn failure(endpoint: &str, why: Why, retry_after: Option<u64>) -> Failure {
    Failure {
        retry_after,
        ..Failure::of(endpoint, why)
    }
}

type Past = Vec<(usize, Option<(Why, Option<u64>)>, u64)>;

/// What happened before: to which endpoint, what, and after how long.
fn past() -> impl Strategy<Value = Past> {
    let result = prop::option::weighted(0.7, (why(), prop::option::of(0_u64..20_000)));
    prop::collection::vec((0_usize..6, result, 0_u64..9_000), 0..60)
}

fn history(plan: &Plan<'_>, past: &Past) -> (Health, Millis) {
    let (mut health, mut now) = (Health::default(), Millis(1_000_000));
    let names: Vec<&str> = plan
        .attempts()
        .map(|a| a.endpoint().name.as_str())
        .collect();
    for (which, result, after) in past {
        let name = names[which % names.len()];
        now = Millis(now.0 + after);
        health.attempted(name, plan.model, now);
        match result {
            Some((why, wait)) => health.failed(name, plan.model, now, *why, *wait),
            None => health.began(name, plan.model, now, Some(*after)),
        }
    }
    (health, now)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_stays_in_the_plan_attempts_each_once_and_ends(plan in plans(), past in past(), answers in prop::collection::vec((why(), prop::option::of(0_u64..5_000)), 12), random in any::<u64>()) {
        let (mut health, mut now) = history(&plan, &past);
        let allowed: Vec<String> = plan.attempts().map(|a| a.endpoint().name.clone()).collect();
        let mut retries = Retries::default();
        let mut order = AttemptOrder::new(&plan, Millis(now.0 + 600_000));
        let (mut asked, mut last) = (Vec::new(), None);
        for (why, wait) in answers {
            let Step::Try(attempt, pause) = order.next(last.as_ref(), &health, &mut retries, now, random) else { break };
            let name = attempt.endpoint().name.clone();
            prop_assert!(allowed.contains(&name));
            // Nobody who just refused, while another is left.
            prop_assert!(!asked.contains(&name) || allowed.len() == 1 && asked.len() == 1);
            prop_assert!(pause <= 2_000 && (pause == 0 || allowed.len() == 1));
            order.note_attempt();
            asked.push(name.clone());
            now = Millis(now.0 + pause + 10);
            let failed = failure(&name, why, wait);
            health.failed(&name, plan.model, now, why, wait);
            last = Some(failed);
        }
        // Whatever is known, somebody is asked.
        prop_assert!(!asked.is_empty());
        prop_assert!(asked.len() <= allowed.len().max(2));
    }

    #[test]
    fn healthy_endpoints_come_first_then_the_one_available_soonest(plan in plans(), past in past()) {
        let (health, now) = history(&plan, &past);
        let mut order = AttemptOrder::new(&plan, Millis(now.0 + 600_000));
        let Step::Try(first, _) = order.next(None, &health, &mut Retries::default(), now, 0) else { panic!("nobody is asked") };
        let soonest = |standing| match standing {
            Standing::Ready | Standing::Probe => Millis(0),
            Standing::Open(until) | Standing::Resting(until) => until,
        };
        let of: Vec<Millis> = plan.attempts().map(|a| soonest(health.standing(&a.endpoint().name, plan.model, now))).collect();
        let best = *of.iter().min().unwrap();
        prop_assert_eq!(soonest(health.standing(&first.endpoint().name, plan.model, now)), best);
        // Of equals, the plan's order counts.
        let at = plan.attempts().position(|a| a.endpoint().name == first.endpoint().name);
        prop_assert_eq!(at, of.iter().position(|other| *other == best));
    }

    #[test]
    fn an_outage_never_doubles_the_traffic(plan in plans(), requests in 1_u64..500, gap in 0_u64..50) {
        let (mut retries, mut now, mut asked) = (Retries::default(), Millis(1_000_000), 0);
        for _ in 0..requests {
            now = Millis(now.0 + gap);
            let mut order = AttemptOrder::new(&plan, Millis(now.0 + 600_000));
            let mut last = None;
            // Nothing is learnt here: it is the budget alone that holds.
            while let Step::Try(attempt, _) = order.next(last.as_ref(), &Health::default(), &mut retries, now, 0) {
                order.note_attempt();
                asked += 1;
                last = Some(failure(&attempt.endpoint().name, Why::Overloaded, None));
            }
        }
        let seconds = requests * gap / 1_000;
        prop_assert!(asked <= requests + requests / 2 + 20 + seconds + 1, "{asked} for {requests}");
    }
}

#[test]
fn a_resting_endpoint_is_not_attempted_again_when_others_fail() {
    let plan = plan("DE", "claude-sonnet");
    let names: Vec<&str> = plan
        .attempts()
        .map(|a| a.endpoint().name.as_str())
        .collect();
    let (mut health, now) = (Health::default(), Millis(1_000_000));
    health.failed(names[0], plan.model, now, Why::RateLimited, Some(60_000));
    let (mut retries, mut order) = (
        Retries::default(),
        AttemptOrder::new(&plan, Millis(now.0 + 60_000)),
    );
    let mut asked = Vec::new();
    let mut last = None;
    while let Step::Try(attempt, _) = order.next(last.as_ref(), &health, &mut retries, now, 0) {
        order.note_attempt();
        asked.push(attempt.endpoint().name.as_str());
        last = Some(failure(asked.last().unwrap(), Why::Failing, None));
    }
    assert_eq!(asked, names[1..]);
}

#[test]
fn the_only_endpoint_gets_a_second_chance_if_that_makes_sense() {
    let plan = plan("DE", "gpt-mini");
    assert_eq!(plan.attempts().count(), 1);
    let now = Millis(1_000_000);
    let again = |why, wait, deadline| {
        let (health, mut retries) = (Health::default(), Retries::default());
        let mut order = AttemptOrder::new(&plan, Millis(now.0 + deadline));
        let Step::Try(first, 0) = order.next(None, &health, &mut retries, now, 7) else {
            panic!("not asked")
        };
        order.note_attempt();
        let failed = failure(&first.endpoint().name, why, wait);
        match order.next(Some(&failed), &health, &mut retries, now, 7) {
            Step::Try(_, pause) => Some(pause),
            Step::Stop => None,
        }
    };
    assert_eq!(again(Why::NoConnection, None, 60_000), Some(207));
    assert_eq!(again(Why::Overloaded, Some(1_500), 60_000), Some(1_500));
    assert_eq!(again(Why::RateLimited, Some(1_500), 60_000), Some(1_500));
    // Not when it says nothing of when its limit ends, or wants more time than
    // a client should wait, or there is no time left.
    assert_eq!(again(Why::RateLimited, None, 60_000), None);
    assert_eq!(again(Why::Overloaded, Some(30_000), 60_000), None);
    assert_eq!(again(Why::NoConnection, None, 100), None);
    // Nor when the call may have been paid for, or the answer would be the same.
    for why in [
        Why::TimedOut,
        Why::Malformed,
        Why::RefusedUs,
        Why::PlaceRefused,
    ] {
        assert_eq!(again(why, None, 60_000), None, "{why:?}");
    }
}
