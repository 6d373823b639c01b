//! How circuits open and close, who rests, and what instances tell each other.

use super::*;

const E: &str = "bedrock-frankfurt";
const M: &str = "claude-sonnet-4-6";

fn at(ms: u64) -> Millis {
    Millis(1_000_000 + ms)
}

fn standing(health: &Health, ms: u64) -> Standing {
    health.standing(E, M, at(ms))
}

fn broken(times: u64) -> Health {
    let mut health = Health::default();
    for ms in 0..times {
        health.failed(E, M, at(ms), Why::Overloaded, None);
    }
    health
}

#[test]
fn a_circuit_opens_is_probed_once_and_closes() {
    assert_eq!(standing(&broken(4), 10), Standing::Ready);
    let mut health = broken(5);
    assert!(matches!(standing(&health, 10), Standing::Open(_)));
    // After a while one call is let through, and only one.
    assert_eq!(standing(&health, 6_000), Standing::Probe);
    health.attempted(E, M, at(6_000));
    assert!(matches!(standing(&health, 6_001), Standing::Open(_)));
    health.began(E, M, at(6_100), Some(100));
    assert_eq!(standing(&health, 6_200), Standing::Ready);
    // What failed before counts no more.
    health.failed(E, M, at(6_300), Why::Failing, None);
    assert_eq!(standing(&health, 6_400), Standing::Ready);
}

#[test]
fn a_probe_that_fails_opens_it_for_longer() {
    let mut health = broken(5);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..8 {
        let Standing::Open(until) = standing(&health, now + 10) else {
            panic!("not open at {now}")
        };
        waits.push(until.since(at(now)) / 1_000);
        now = until.0 - 1_000_000;
        health.attempted(E, M, at(now));
        health.failed(E, M, at(now), Why::TimedOut, None);
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 120, 120, 120]);
}

#[test]
fn a_probe_that_nobody_waits_for_lets_the_next_one_through() {
    let mut health = broken(5);
    health.attempted(E, M, at(6_000));
    health.gave_up(E, M);
    assert_eq!(standing(&health, 6_001), Standing::Probe);
    health.attempted(E, M, at(6_001));
    assert_eq!(standing(&health, 6_001 + PROBE_MS), Standing::Probe);
}

#[test]
fn field_16_limits_let_an_endpoint_rest_and_never_open_its_circuit() {
    let mut health = Health::default();
    for n in 0..50 {
        health.failed(E, M, at(n * 20), Why::RateLimited, Some(5));
        assert_eq!(standing(&health, n * 20 + 10), Standing::Ready);
    }
    let mut health = Health::default();
    health.failed(E, M, at(0), Why::RateLimited, Some(7_000));
    assert_eq!(standing(&health, 6_999), Standing::Resting(at(7_000)));
    assert_eq!(standing(&health, 7_000), Standing::Ready);
    // Other models there, and the model elsewhere, are not concerned.
    assert_eq!(
        health.standing(E, "claude-haiku-4-5", at(1)),
        Standing::Ready
    );
    // Where nothing is said it rests a moment, and longer each time in a row.
    health.began(E, M, at(8_000), None);
    for rest in [1_000, 2_000, 4_000] {
        health.failed(E, M, at(9_000 + rest), Why::RateLimited, None);
        assert_eq!(
            standing(&health, 9_000 + rest),
            Standing::Resting(at(9_000 + 2 * rest))
        );
    }
}

#[test]
fn guard_an_error_that_nobody_knows_judges_no_endpoint() {
    let mut health = Health::default();
    for ms in 0..20 {
        health.failed("e", "m", at(ms), Why::Unexplained, Some(60_000));
    }
    assert_eq!(standing(&health, 20), Standing::Ready);
    assert!(health.take_notices().is_empty());
}

#[test]
fn old_failures_and_few_among_many_do_not_count() {
    let mut health = Health::default();
    for n in 0..20 {
        health.failed(E, M, at(n * 10_000), Why::Failing, None);
        assert_eq!(standing(&health, n * 10_000), Standing::Ready);
    }
    let mut health = Health::default();
    for n in 0..100 {
        match n % 3 {
            0 => health.failed(E, M, at(n), Why::Failing, None),
            _ => health.began(E, M, at(n), None),
        }
        assert_eq!(standing(&health, n), Standing::Ready);
    }
}

#[test]
fn what_one_instance_learns_others_take_up_the_newest_wins() {
    let (mut here, mut there) = (broken(5), Health::default());
    let notices = here.take_notices();
    assert_eq!(notices.len(), 1);
    assert_eq!(here.take_notices(), []);
    there.receive(&notices[0]);
    assert_eq!(standing(&there, 10), standing(&here, 10));
    // It is well again there; the old notice comes late to a third.
    there.attempted(E, M, at(6_000));
    there.began(E, M, at(6_001), None);
    let (mut third, well) = (Health::default(), there.take_notices());
    third.receive(&well[0]);
    third.receive(&notices[0]);
    assert_eq!(standing(&third, 10), Standing::Ready);
    here.receive(&well[0]);
    assert_eq!(standing(&here, 6_002), Standing::Ready);
    // A notice is text on its way.
    let text = serde_json::to_string(&notices[0]).unwrap();
    assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notices[0]);
}

#[test]
fn what_is_forgotten_is_well_everywhere() {
    let mut health = broken(5);
    let mut other = health.clone();
    for notice in health.forget(None, at(100)) {
        other.receive(&notice);
    }
    assert_eq!(
        (standing(&health, 101), standing(&other, 101)),
        (Standing::Ready, Standing::Ready)
    );
}

#[test]
fn the_usual_time_is_told_once_there_is_one() {
    let mut health = Health::default();
    for ms in 1..20 {
        health.began(E, M, at(ms), Some(ms));
        assert_eq!(health.usually_begins_within(E, M), None);
    }
    for ms in 20..=1_000 {
        health.began(E, M, at(ms), Some(ms));
    }
    // The last 64 are from 937 to 1,000.
    assert_eq!(health.usually_begins_within(E, M), Some(996));
}
