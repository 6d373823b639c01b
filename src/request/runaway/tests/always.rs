//! What holds over any sequence of calls.

use super::bodies::{Talk, APIS};
use super::*;
use crate::config::timeouts::Span;
use proptest::prelude::*;

/// What somebody else does in between.
#[derive(Debug, Clone, Copy)]
enum Other {
    /// A conversation of one's own goes on.
    Talk(usize),
    /// A question behind the same system prompt.
    Fan(u16),
    /// The chain's last request once more.
    Again,
    /// A side branch of the chain.
    Side(u16),
    /// A request of another team, in the chain's very words.
    Elsewhere,
    /// No conversation at all.
    Noise(u8),
}

fn other() -> impl Strategy<Value = Other> {
    prop_oneof![
        (0..4_usize).prop_map(Other::Talk),
        any::<u16>().prop_map(Other::Fan),
        Just(Other::Again),
        any::<u16>().prop_map(Other::Side),
        Just(Other::Elsewhere),
        any::<u8>().prop_map(Other::Noise),
    ]
}

struct World {
    guard: Guard,
    rules: Rules,
    talks: Vec<Talk>,
}

impl World {
    fn other(&mut self, now: Millis, chain: &Talk, other: Other) {
        let mut side = chain.clone();
        let (team, body) = match other {
            Other::Talk(which) => {
                self.talks[which].go_on();
                ("search", self.talks[which].body())
            }
            Other::Fan(n) => ("search", Talk::new(APIS[0], &format!("number {n}")).body()),
            Other::Again => ("search", chain.body()),
            Other::Side(n) => {
                side.say(&n.to_string());
                ("search", side.body())
            }
            Other::Elsewhere => ("sales", chain.body()),
            Other::Noise(n) => {
                let noise = [
                    "",
                    "{",
                    "[]",
                    "\"\\",
                    "{\"messages\":[",
                    "{\"input\":\"a\"}",
                    "}]",
                ];
                ("search", noise[usize::from(n) % noise.len()].to_owned())
            }
        };
        self.guard.seen(now, team, FEATURE, &body, &self.rules);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// A call of a chain is flagged if and only if so many of its calls, this
    /// one the last of them, came within the window.
    #[test]
    fn a_chain_is_flagged_by_its_pace_whatever_else_happens(
        api in 0..3_usize,
        calls in 3..8_u32,
        within in 5_000..30_000_u64,
        steps in prop::collection::vec((0..6_000_u64, prop::collection::vec(other(), 0..4)), 1..40),
        throttle: bool,
    ) {
        let action = if throttle { Action::Throttle } else { Action::Flag };
        let rules = Rules { calls, within: Span(within), action, webhook: None };
        let talks = (0..4).map(|who| Talk::new(APIS[api], &who.to_string())).collect();
        let mut world = World { guard: Guard::default(), rules: rules.clone(), talks };
        let mut chain = Talk::new(APIS[api], "the chain");
        let mut times: Vec<u64> = Vec::new();
        let mut now = 0;
        for (gap, others) in steps {
            now += gap;
            let verdict = world.guard.seen(at(now), "search", FEATURE, &chain.body(), &rules);
            times.push(now);
            let first = times.len().checked_sub(calls as usize).map(|n| times[n]);
            let too_fast = first.is_some_and(|first| now - first <= within);
            prop_assert_eq!(verdict != Verdict::Calm, too_fast, "{:?}: {:?}", &verdict, &times);
            if let (Verdict::Flagged(found) | Verdict::Throttled { runaway: found, .. }, Some(first)) = (verdict, first) {
                prop_assert_eq!(found.kind, Kind::Growth);
                prop_assert!(found.calls >= calls && found.over_ms >= now - first && found.over_ms <= within);
            }
            for other in others {
                world.other(at(now), &chain, other);
            }
            chain.go_on();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is sent and whatever the clock does, no more is kept than so
    /// many calls, all of them found by their hashes, and none that is old.
    #[test]
    fn memory_stays_bounded(
        seed in prop::collection::vec((0..120_000_u64, other()), 1..60),
        burst in 0..3_000_usize,
        back in 0..50_000_u64,
    ) {
        let rules = Rules { action: Action::Throttle, ..Rules::default() };
        let talks = (0..4).map(|who| Talk::new(APIS[0], &who.to_string())).collect();
        let mut world = World { guard: Guard::default(), rules: rules.clone(), talks };
        world.guard.forgotten = u64::from(u32::MAX);
        let chain = Talk::new(APIS[0], "the chain");
        let mut now = 100_000;
        for (turn, (gap, other)) in seed.into_iter().enumerate() {
            now += gap;
            world.other(at(now), &chain, other);
            // What came before the clock was set back stays for as much longer.
            prop_assert!(world.guard.calls.iter().all(|call| at(now).since(call.at) <= 60_000 + 50_000));
            if turn == 7 {
                for n in 0..burst * 4 {
                    let body = format!("{{\"input\":[{n},{turn}]}}");
                    world.guard.seen(at(now), "search", None, &body, &rules);
                }
            }
            if turn % 9 == 8 {
                now -= back.min(now);
            }
            let Guard { calls, latest, forgotten } = &world.guard;
            prop_assert!(calls.len() <= MOST_CALLS && latest.len() <= 2 * calls.len());
            let known = *forgotten..*forgotten + calls.len() as u64;
            prop_assert!(latest.values().all(|number| known.contains(number)));
        }
        // When nobody calls any more, the next call finds nothing.
        let verdict = see(&mut world.guard, now + 200_000, &chain.body());
        prop_assert_eq!(verdict, Verdict::Calm);
        prop_assert_eq!(world.guard.calls.len(), 1);
        prop_assert_eq!(world.guard.latest.len(), 2);
    }
}
