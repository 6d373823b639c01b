//! Who may do what with a draft, and what a rollback leads to.

use super::*;

fn draft() -> Draft {
    Draft {
        id: "d1".into(),
        at: Millis(0),
        author: "anna@example.com".into(),
        why: "because".into(),
        base: "v1".into(),
        version: "v2".into(),
        state: State::Open,
        decided_by: None,
        decided_at: None,
    }
}

fn admin(who: &str) -> Admin {
    Admin {
        who: who.into(),
        via: "key".into(),
        roles: BTreeSet::new(),
    }
}

#[test]
fn nobody_approves_their_own_draft_nor_a_stale_or_decided_one() {
    let bert = admin("bert@example.com");
    assert!(may_approve(&draft(), &bert, "v1").is_ok());
    let own = may_approve(&draft(), &admin("anna@example.com"), "v1");
    assert!(matches!(own, Err(Denied::OwnDraft(_))));
    assert!(matches!(
        may_approve(&draft(), &bert, "v9"),
        Err(Denied::Conflict(_))
    ));
    for state in [State::Approved, State::Withdrawn] {
        let decided = Draft { state, ..draft() };
        assert!(matches!(
            may_approve(&decided, &bert, "v1"),
            Err(Denied::Conflict(_))
        ));
    }
}

#[test]
fn guard_only_the_map_that_was_looked_at_is_approved() {
    assert_eq!(is_meant(&draft(), Some("v2")), Ok(()));
    assert!(matches!(is_meant(&draft(), None), Err(Denied::Invalid(_))));
    for other in ["", "v", "v22", "V2"] {
        let denied = is_meant(&draft(), Some(other));
        let is = matches!(denied, Err(Denied::OtherDigest { ref digest, .. }) if digest == "v2");
        assert!(is, "{other}: {denied:?}");
    }
}

#[test]
fn a_version_is_named_by_its_first_digits_if_only_one_begins_so() {
    let version = |end: &str| format!("0123456789ab{}", end.repeat(52));
    let (a, b, own) = (version("a"), version("b"), version("c"));
    let past = [
        a.clone(),
        "0123456789ab".to_owned(),
        "fedcba987654".to_owned(),
    ];
    let to = |asked: &str| rollback_to(Some(asked), &past, true, &own);
    assert_eq!(
        to("0123456789ab"),
        Ok("0123456789ab".into()),
        "an earlier release's"
    );
    assert_eq!(to(&own), Ok(BUILT_IN.into()));
    assert_eq!(to(&own[..13]), Ok(BUILT_IN.into()));
    assert!(matches!(to(&b[..13]), Err(Denied::NotFound(_))));
    assert!(
        matches!(to("fedcba"), Err(Denied::NotFound(_))),
        "too short"
    );
    let both = [b.clone(), a.clone(), b.clone()];
    let to = |asked: &str| rollback_to(Some(asked), &both, true, "v0");
    assert_eq!(to(&a[..13]), Ok(a.clone()));
    assert!(matches!(to(&a[..12]), Err(Denied::Conflict(_))));
}

#[test]
fn a_rollback_goes_to_a_map_that_was_in_force() {
    let past: Vec<String> = ["v3", "v2", "v3", "v1"].map(str::to_owned).to_vec();
    assert_eq!(rollback_to(None, &past, false, "v0"), Ok("v2".into()));
    assert!(rollback_to(None, &past, true, "v0").is_err());
    assert_eq!(rollback_to(Some("v1"), &past, true, "v0"), Ok("v1".into()));
    assert_eq!(
        rollback_to(Some("built-in"), &past, false, "v0"),
        Ok(BUILT_IN.into())
    );
    assert!(matches!(
        rollback_to(Some("v9"), &past, false, "v0"),
        Err(Denied::NotFound(_))
    ));
    assert!(matches!(
        rollback_to(Some("v3"), &past, false, "v0"),
        Err(Denied::Conflict(_))
    ));
    assert!(matches!(
        rollback_to(None, &[], false, "v0"),
        Err(Denied::Conflict(_))
    ));
    assert_eq!(
        rollback_to(None, &["v1".to_owned()], false, "v0"),
        Ok(BUILT_IN.into())
    );
}
