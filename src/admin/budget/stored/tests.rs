//! Stored limits, some of which cannot be read.

use super::*;

const GOOD: &str = r#""good":{"scope":{"team":"a"},"requests_per_minute":2}"#;

fn of_team(team: &str) -> Subject<'_> {
    Subject {
        team,
        key: "k",
        feature: Some("chat"),
        environment: None,
        model: "gpt-mini",
    }
}

fn read(text: &str) -> InForce {
    Published::of(Some(text)).in_force()
}

#[test]
fn guard_one_broken_entry_takes_no_other_limit_with_it() {
    for broken in [
        r#"{"scope":{"team":"b"},"requests_per_minut":2}"#,
        r#"{"scope":{"team":"b"},"requests_per_minute":"2"}"#,
        r#"{"scope":{"team":"b"},"requests_per_minute":-1}"#,
        r#"{"scope":{"team":"b"},"budget":{"amount":1.5,"per":"day"}}"#,
        r#"{"scope":{"team":"b"},"budget":{"amount":1,"per":"year"}}"#,
        // It would limit nothing, in silence.
        r#"{"scope":{"team":"b"}}"#,
        // A dimension of another release: it may be about all of the team's.
        r#"{"scope":{"team":"b","region":"eu"},"concurrent":1}"#,
    ] {
        let set = read(&format!(r#"{{"bad":{broken},{GOOD}}}"#));
        assert!(set.limits.contains_key("good"), "{broken}");
        assert_eq!(set.unread.len(), 1, "{broken}");
        assert!(!set.unread[0].why.is_empty(), "{broken}");
        assert_eq!(set.unread_for(&of_team("a")), None, "{broken}");
        let hit = set.unread_for(&of_team("b"));
        assert_eq!(hit.map(|one| one.name.as_str()), Some("bad"), "{broken}");
    }
}

#[test]
fn an_entry_whose_scope_cannot_be_read_could_be_about_any_call() {
    for broken in [
        "null",
        "[]",
        r#""x""#,
        "{}",
        r#"{"scope":"team a","concurrent":1}"#,
        r#"{"scope":{"team":["a"]},"concurrent":1}"#,
        r#"{"scoep":{"team":"b"},"concurrent":1}"#,
        r#"{"scope":{"Team":"b"},"concurrent":1}"#,
    ] {
        let set = read(&format!(r#"{{"bad":{broken},{GOOD}}}"#));
        assert!(set.limits.contains_key("good"), "{broken}");
        for team in ["a", "b"] {
            assert!(set.unread_for(&of_team(team)).is_some(), "{broken} {team}");
        }
    }
}

#[test]
fn a_set_that_cannot_be_read_refuses_all_and_is_removed_by_its_name() {
    for text in ["", "no json", "[]", "null", r#"{"a":{"concurrent":1}"#] {
        let mut set = Published::of(Some(text));
        let in_force = set.in_force();
        assert!(in_force.unread_for(&of_team("a")).is_some(), "{text}");
        let limit = Limit::default();
        assert!(matches!(set.set("x", &limit), Err(Denied::Conflict(_))));
        assert!(set.remove(WHOLE), "{text}");
        assert_eq!(set.in_force(), InForce::default(), "{text}");
    }
    assert_eq!(Published::of(None).in_force(), InForce::default());
    assert!(!Published::of(None).remove(WHOLE));
}

#[test]
fn what_cannot_be_read_stays_until_it_is_replaced_or_removed() {
    let text = format!(r#"{{"bad":{{"scope":{{"team":"b"}},"new":1}},{GOOD}}}"#);
    let mut set = Published::of(Some(&text));
    let limit = Limit {
        concurrent: Some(1),
        ..Limit::default()
    };
    set.set("more", &limit).unwrap();
    let kept = Published::of(Some(&set.text()));
    assert_eq!(kept.in_force().unread[0].name, "bad");
    assert_eq!(kept.in_force().limits.len(), 2);
    let mut replaced = kept.clone();
    replaced.set("bad", &limit).unwrap();
    assert!(replaced.in_force().unread.is_empty());
    let mut removed = kept;
    assert!(removed.remove("bad"));
    assert!(removed.in_force().unread.is_empty());
    assert!(!removed.remove("bad"));
}
