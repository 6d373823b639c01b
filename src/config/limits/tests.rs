//! Which limits hold for a call, and under which accounts.

use super::*;

fn subject() -> Subject<'static> {
    Subject {
        team: "search",
        key: "k1",
        feature: Some("chat"),
        environment: None,
        model: "gpt-mini",
    }
}

fn limit(scope: &[(Dimension, &str)]) -> Limit {
    Limit {
        scope: scope
            .iter()
            .map(|(d, who)| (*d, Who::from((*who).to_owned())))
            .collect(),
        requests_per_minute: Some(5),
        ..Limit::default()
    }
}

fn applying(limit: Limit) -> Vec<Applied> {
    let limits = Limits {
        all: BTreeMap::from([("l".to_owned(), limit)]),
        ..Limits::default()
    };
    limits.applying(
        &BTreeMap::new(),
        &BTreeMap::new(),
        subject(),
        Millis(90_000),
    )
}

#[test]
fn a_limit_is_about_the_calls_its_scope_names() {
    for (scope, whom, authority) in [
        (&[][..], "", Authority::Company),
        (
            &[(Dimension::Feature, "chat")],
            "feature chat",
            Authority::Company,
        ),
        (
            &[(Dimension::Environment, "*")],
            "no environment",
            Authority::Company,
        ),
        (
            &[(Dimension::Team, "*"), (Dimension::Feature, "*")],
            "team search, feature chat",
            Authority::Team("search".to_owned()),
        ),
        (
            &[(Dimension::Key, "k1")],
            "key k1",
            Authority::Team("search".to_owned()),
        ),
    ] {
        let applied = applying(limit(scope));
        let found: Vec<_> = applied
            .iter()
            .map(|one| (one.whom.as_str(), one.authority.clone()))
            .collect();
        assert_eq!(found, [(whom, Some(authority))], "{scope:?}");
    }
    assert!(applying(limit(&[(Dimension::Team, "other")])).is_empty());
    assert!(applying(limit(&[
        (Dimension::Team, "search"),
        (Dimension::Environment, "live")
    ]))
    .is_empty());
}

#[test]
fn accounts_differ_by_limit_measure_values_and_time() {
    let mut many = limit(&[(Dimension::Feature, "*")]);
    many.concurrent = Some(2);
    many.budget = Some(Budget {
        amount: NanoUsd(7),
        per: Per::Day,
    });
    let applied = applying(many);
    let names: Vec<&str> = applied.iter().map(|one| one.account.as_str()).collect();
    assert_eq!(
        names,
        [
            r#"["l","budget",["chat"],0]"#,
            r#"["l","requests",["chat"],60000]"#,
            r#"["l","concurrent",["chat"],0]"#
        ]
    );
    assert_eq!(
        applied.iter().map(|one| one.cap).collect::<Vec<_>>(),
        [7, 5, 2]
    );
}

#[test]
fn a_keys_own_limit_is_about_that_key_and_kept_with_its_team() {
    let own = BTreeMap::from([("own".to_owned(), limit(&[]))]);
    let applied = Limits::default().applying(&BTreeMap::new(), &own, subject(), Millis(0));
    let found: Vec<_> = applied
        .iter()
        .map(|one| (one.limit.as_str(), one.whom.as_str(), &one.authority))
        .collect();
    assert_eq!(
        found,
        [(
            "k1: own",
            "key k1",
            &Some(Authority::Team("search".to_owned()))
        )]
    );
}

#[test]
fn guard_values_that_callers_choose_have_an_account_of_others() {
    let others = |scope: &[(Dimension, &str)]| {
        let applied = applying(limit(scope));
        applied[0]
            .others
            .clone()
            .map(|one| (one.account, one.whom, one.most))
    };
    assert_eq!(others(&[(Dimension::Feature, "chat")]), None);
    assert_eq!(
        others(&[(Dimension::Team, "*"), (Dimension::Key, "*")]),
        None
    );
    assert_eq!(
        others(&[(Dimension::Team, "*"), (Dimension::Feature, "*")]),
        Some((
            r#"["l","requests",["search",null],60000]"#.to_owned(),
            "team search, other features (more than 1000 values)".to_owned(),
            1_000
        )),
        "no value is null, so nobody gets in by calling a feature so"
    );
    let few = Limits {
        all: BTreeMap::from([("l".to_owned(), limit(&[(Dimension::Environment, "*")]))]),
        values_per_limit: Some(5),
        ..Limits::default()
    };
    let applied = few.applying(&BTreeMap::new(), &BTreeMap::new(), subject(), Millis(0));
    let one = applied[0].among_others().unwrap();
    assert_eq!(one.whom, "other environments (more than 5 values)");
    assert_eq!((one.limit.as_str(), one.others.as_ref()), ("l", None));
}

#[test]
fn what_teams_share_has_a_share_for_each() {
    let mut shared = limit(&[(Dimension::Feature, "chat")]);
    shared.tokens_per_minute = Some(9);
    let share = |limit: Limit| -> Vec<Option<u8>> {
        let applied = applying(limit).into_iter();
        applied.map(|one| one.team_share).collect()
    };
    assert_eq!(share(shared), [None, Some(25)], "requests are exact");
    let mut own = limit(&[(Dimension::Team, "search")]);
    own.tokens_per_minute = Some(9);
    assert_eq!(share(own), [None, None]);
}
