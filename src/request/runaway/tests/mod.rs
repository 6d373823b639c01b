//! What is a runaway and what only looks like one, in the words of each API,
//! and what holds over any sequence of calls.

#[cfg(not(target_arch = "wasm32"))]
mod always;
mod bodies;

use super::*;
use bodies::{Talk, APIS};

const FEATURE: Option<&str> = Some("chat");

fn at(ms: u64) -> Millis {
    Millis(1_000_000 + ms)
}

fn see(guard: &mut Guard, ms: u64, body: &str) -> Verdict {
    guard.seen(at(ms), "search", FEATURE, body, &Rules::default())
}

fn throttled(guard: &mut Guard, ms: u64, body: &str) -> Verdict {
    let rules = Rules {
        action: Action::Throttle,
        ..Rules::default()
    };
    guard.seen(at(ms), "search", FEATURE, body, &rules)
}

fn runaway(verdict: Verdict) -> Runaway {
    match verdict {
        Verdict::Flagged(runaway) | Verdict::Throttled { runaway, .. } => runaway,
        Verdict::Calm => panic!("calm"),
    }
}

fn wait(verdict: &Verdict) -> Option<u64> {
    match verdict {
        Verdict::Throttled { retry_after_s, .. } => Some(*retry_after_s),
        _ => None,
    }
}

#[test]
fn an_agent_in_circles_is_flagged_in_every_api() {
    for api in APIS {
        let (mut guard, mut talk) = (Guard::default(), Talk::new(api, "a"));
        for step in 0..19 {
            let verdict = see(&mut guard, step * 3_000, &talk.body());
            assert_eq!(verdict, Verdict::Calm, "{api:?}, step {step}");
            talk.go_on();
        }
        let found = runaway(see(&mut guard, 57_000, &talk.body()));
        assert_eq!((found.kind, found.calls), (Kind::Growth, 20), "{api:?}");
        assert_eq!((found.over_ms, found.is_news), (57_000, true));
        assert!(found.grown_from < found.grown_to && found.grown_to < talk.body().len());
        talk.go_on();
        let next = runaway(see(&mut guard, 60_000, &talk.body()));
        assert_eq!((next.calls, next.is_news), (21, false));
        // Those before are more than a minute ago by then.
        talk.go_on();
        assert_eq!(see(&mut guard, 110_000, &talk.body()), Verdict::Calm);
    }
}

#[test]
fn an_agent_that_calls_every_ten_seconds_never_is() {
    for api in APIS {
        let (mut guard, mut talk) = (Guard::default(), Talk::new(api, "a"));
        for step in 0..100 {
            assert_eq!(
                see(&mut guard, step * 10_000, &talk.body()),
                Verdict::Calm,
                "{api:?}"
            );
            talk.go_on();
        }
    }
}

#[test]
fn people_who_talk_at_their_own_pace_are_no_runaway_together() {
    for api in APIS {
        let mut guard = Guard::default();
        let mut talks: Vec<Talk> = (0..40)
            .map(|who| Talk::new(api, &who.to_string()))
            .collect();
        for turn in 0..25 {
            for (who, talk) in talks.iter_mut().enumerate() {
                let ms = turn * 20_000 + who as u64 * 500;
                assert_eq!(see(&mut guard, ms, &talk.body()), Verdict::Calm);
                talk.go_on();
            }
        }
    }
}

#[test]
fn many_prompts_behind_one_long_system_prompt_are_no_runaway() {
    let system = "You sort letters. ".repeat(3_000);
    let mut guard = Guard::default();
    for n in 0..500_usize {
        let letter = "Dear Sir ".repeat(n % 97);
        let body = serde_json::json!({"model": "gpt-mini", "messages": [
            {"role": "system", "content": system}, {"role": "user", "content": format!("{n}: {letter}")},
        ]});
        assert_eq!(
            see(&mut guard, n as u64 * 2, &body.to_string()),
            Verdict::Calm
        );
    }
}

#[test]
fn the_same_again_is_no_growth_but_a_runaway_of_its_own() {
    let body = Talk::new(APIS[0], "a").body();
    let mut guard = Guard::default();
    // Two a second are a busy service.
    for n in 0..100 {
        assert_eq!(see(&mut guard, n * 500, &body), Verdict::Calm);
    }
    let mut guard = Guard::default();
    for n in 0..29 {
        assert_eq!(see(&mut guard, n * 300, &body), Verdict::Calm);
    }
    let found = runaway(see(&mut guard, 8_700, &body));
    assert_eq!((found.kind, found.calls), (Kind::Repeats, 30));
    assert_eq!(found.grown_from, found.grown_to);
    // A batch of other questions in between changes nothing about that.
    let other = Talk::new(APIS[0], "b").body();
    assert_eq!(see(&mut guard, 8_800, &other), Verdict::Calm);
    assert_eq!(runaway(see(&mut guard, 8_900, &body)).calls, 31);
    // Nor are thirty system prompts for one letter the same.
    let mut guard = Guard::default();
    for n in 0..100 {
        let body = format!(r#"{{"system":"{n}","messages":[{{"role":"user","content":"A"}}]}}"#);
        assert_eq!(see(&mut guard, n, &body), Verdict::Calm);
    }
}

#[test]
fn who_tries_each_step_twice_is_counted_by_steps() {
    let (mut guard, mut talk) = (Guard::default(), Talk::new(APIS[1], "a"));
    for step in 0..20 {
        let first = see(&mut guard, step * 1_000, &talk.body());
        let second = see(&mut guard, step * 1_000 + 500, &talk.body());
        assert_eq!(first == Verdict::Calm, step < 19);
        assert_eq!(second == Verdict::Calm, step < 19);
        talk.go_on();
    }
}

#[test]
fn questions_on_the_side_do_not_hide_a_chain() {
    // As agents do that ask for a title or the next hint, with all of it.
    let (mut guard, mut talk) = (Guard::default(), Talk::new(APIS[0], "a"));
    for step in 0..20 {
        let main = see(&mut guard, step * 2_000, &talk.body());
        assert_eq!(main == Verdict::Calm, step < 19, "step {step}");
        let mut side = talk.clone();
        side.say("What is this about?");
        see(&mut guard, step * 2_000 + 100, &side.body());
        talk.go_on();
    }
}

#[test]
fn teams_and_features_are_kept_apart() {
    let (mut guard, mut talk) = (Guard::default(), Talk::new(APIS[0], "a"));
    let rules = Rules::default();
    let callers = [("search", FEATURE), ("search", None), ("sales", FEATURE)];
    for step in 0..57 {
        let (team, feature) = callers[step as usize % 3];
        let verdict = guard.seen(at(step * 10), team, feature, &talk.body(), &rules);
        assert_eq!(verdict, Verdict::Calm, "step {step}");
        talk.go_on();
    }
}

#[test]
fn spaces_escapes_and_cache_marks_do_not_hide_a_chain() {
    let mut guard = Guard::default();
    let mut list: Vec<String> = Vec::new();
    for step in 0..20_u64 {
        let text = format!(r#"\"]}} [{{ \\\" \u00e9é\\\\{step} \"cache_control\": 1, \\"#);
        list.push(format!(
            "{{ \"role\":\t\"user\" ,\r\n\"content\": [{{\"type\":\"text\",\"text\" : \"{text}\"MARK}}] }}"
        ));
        // The mark is on the last message only, and spaces are as they fall.
        let last = list.len() - 1;
        let marked = list.iter().enumerate().map(|(n, message)| {
            let mark = [
                "",
                ",\n \"cache_control\" : {\"type\": \"ephemeral\", \"ttl\":[1]}",
            ];
            message.replace("MARK", mark[usize::from(n == last)])
        });
        let between = [",", " ,\n\t", ", "][step as usize % 3];
        let list = marked.collect::<Vec<_>>().join(between);
        let body =
            format!(" {{\"max_tokens\" : 5 ,\"a\\\"[\": [\"messages\", {{\"input\":[1]}}],\"messages\"\n:\n[ {list} ]\n, \"stream\":true}}");
        serde_json::from_str::<serde_json::Value>(&body).unwrap();
        let verdict = see(&mut guard, step * 1_000, &body);
        assert_eq!(verdict == Verdict::Calm, step < 19, "step {step}");
    }
}

#[test]
fn beyond_the_first_megabyte_a_chain_goes_on_by_its_length() {
    let picture = "iVBORw0KGgo".repeat(110_000);
    let body = |rest: &str| {
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{picture}"}}{rest}]}}"#)
    };
    let mut guard = Guard::default();
    let mut rest = String::new();
    for step in 0..20 {
        let text = body(&rest);
        assert!(text.len() > fingerprint::MOST_BYTES);
        let verdict = see(&mut guard, step * 1_000, &text);
        assert_eq!(verdict == Verdict::Calm, step < 19, "step {step}");
        // The same again neither ends it nor is a step of it.
        see(&mut guard, step * 1_000 + 1, &text);
        rest.push_str(r#",{"role":"assistant","content":"and on"}"#);
    }
    // Many people who talk about one picture are none.
    let mut guard = Guard::default();
    for turn in 0..3 {
        for n in 0..40_usize {
            let words = "?".repeat(turn * 100 + n * 17 % 61);
            let text = body(&format!(r#",{{"role":"user","content":"{words}"}}"#));
            let ms = turn * 20_000 + n * 500;
            assert_eq!(see(&mut guard, ms as u64, &text), Verdict::Calm);
        }
    }
}

#[test]
fn waits_grow_while_a_chain_goes_on_and_end_when_it_stops() {
    let (mut guard, mut talk) = (Guard::default(), Talk::new(APIS[1], "a"));
    let mut now = 0;
    for _ in 0..19 {
        assert_eq!(throttled(&mut guard, now, &talk.body()), Verdict::Calm);
        talk.go_on();
        now += 100;
    }
    let mut waits = Vec::new();
    for _ in 0..5 {
        let verdict = throttled(&mut guard, now, &talk.body());
        let seconds = wait(&verdict).unwrap();
        waits.push(seconds);
        // Too early, in the same words and in others: no longer, no shorter.
        let early = throttled(&mut guard, now + 10, &talk.body());
        assert_eq!(wait(&early), Some(seconds));
        let mut other = talk.clone();
        other.go_on();
        let early = throttled(&mut guard, now + 20, &other.body());
        assert_eq!(wait(&early), Some(seconds));
        // In time: one is let through, and flagged.
        now += seconds * 1_000;
        let due = throttled(&mut guard, now, &talk.body());
        assert!(matches!(due, Verdict::Flagged(_)), "{due:?}");
        talk.go_on();
        now += 100;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16]);
    // After a rest and at its ease it is not held up, and later begins anew.
    now += 30_000;
    for _ in 0..10 {
        now += 15_000;
        assert_eq!(throttled(&mut guard, now, &talk.body()), Verdict::Calm);
        talk.go_on();
    }
    let mut first = None;
    for _ in 0..25 {
        now += 100;
        first = first.or(wait(&throttled(&mut guard, now, &talk.body())));
        talk.go_on();
    }
    assert_eq!(first, Some(1));
}

#[test]
fn who_keeps_hammering_waits_up_to_a_minute() {
    let (mut guard, body) = (Guard::default(), Talk::new(APIS[2], "a").body());
    let (mut longest, mut served) = (0, 0);
    for n in 0..6_000 {
        let verdict = throttled(&mut guard, n * 100, &body);
        longest = longest.max(wait(&verdict).unwrap_or(0));
        served += u32::from(wait(&verdict).is_none());
    }
    // Ten minutes at ten calls a second.
    assert_eq!(longest, 60);
    assert!((29..50).contains(&served), "{served}");
}

#[test]
fn the_most_that_rules_can_say_is_seen() {
    let list = |n: usize| {
        (0..n)
            .map(|n| format!("[{n}]"))
            .collect::<Vec<_>>()
            .join(",")
    };
    let body = |n: usize| format!(r#"{{"input":[{}]}}"#, list(n));
    let most = *Rules::CALLS.end();
    for (calls, added) in [(most, 1), (3, MOST_ADDED)] {
        let rules = Rules {
            calls,
            ..Rules::default()
        };
        let mut guard = Guard::default();
        for n in 1..=calls + 2 {
            let body = body(n as usize * added);
            let verdict = guard.seen(at(u64::from(n)), "search", None, &body, &rules);
            assert_eq!(verdict == Verdict::Calm, n < calls, "{n} of {calls}");
        }
    }
}

#[test]
fn nobody_looks_where_it_is_off() {
    let (mut guard, body) = (Guard::default(), Talk::new(APIS[0], "a").body());
    let rules = Rules {
        action: Action::Off,
        ..Rules::default()
    };
    for n in 0..100 {
        let verdict = guard.seen(at(n), "search", FEATURE, &body, &rules);
        assert_eq!(verdict, Verdict::Calm);
    }
    assert!(guard.calls.is_empty() && guard.latest.is_empty());
}

#[test]
fn no_text_is_kept() {
    let mut guard = Guard::default();
    for api in APIS {
        let mut talk = Talk::new(api, "a");
        for step in 0..40 {
            throttled(&mut guard, step * 10, &talk.body());
            talk.go_on();
        }
        let (kept, body) = (format!("{guard:?}"), talk.body());
        // Fields have names, and numbers are everywhere.
        let names = "Guard calls Call at Millis context whole size grown again pause Some None Pause until waits is_over true false forgotten latest";
        for start in 0..body.len() {
            let piece = body.get(start..start + 5).unwrap_or_default();
            let is_text = !piece.is_empty() && piece.chars().all(char::is_alphabetic);
            assert!(
                !is_text || names.contains(piece) || !kept.contains(piece),
                "{piece}"
            );
        }
        // Nor is there a list of bytes, nor any other word.
        assert_eq!(kept.matches('[').count(), 1);
        let names: Vec<&str> = names.split(' ').collect();
        for word in kept.split(|c: char| !c.is_alphabetic() && c != '_') {
            assert!(word.is_empty() || names.contains(&word), "{word}");
        }
    }
}

#[test]
fn people_are_told_what_was_seen_and_what_to_do() {
    let runaway = Runaway {
        kind: Kind::Growth,
        team: "search".to_owned(),
        feature: Some("chat".to_owned()),
        calls: 23,
        over_ms: 30_200,
        grown_from: 4_200,
        grown_to: 98_304,
        is_news: true,
    };
    assert_eq!(runaway.to_string(), "23 calls of team search, feature chat within 31 s, each contains the one before: 4 KB of messages grew to 96 KB. If this is intended, raise `calls` of [runaway] in gateway.toml; if not, add a stop condition to the agent's loop.");
    let runaway = Runaway {
        kind: Kind::Repeats,
        feature: None,
        over_ms: 200,
        grown_to: 2_700_000,
        ..runaway
    };
    let told = Verdict::of(runaway, 3_001).to_string();
    assert!(told.starts_with("23 calls of team search, no feature within 1 s, all the same, of 2.5 MB. If this is intended, "), "{told}");
    assert!(told.ends_with(" Try again in 4 s."), "{told}");
}
