//! Who may ask what of the admin API, and how.

use super::*;

fn asked(method: &str, path: &str) -> Result<Ask, Denied> {
    ask(&Head::read(&format!(
        "{method}\n{path}\n\n\ncontent-type: application/json"
    )))
}

#[test]
fn only_compliance_approves_and_viewers_change_nothing() {
    let who = |role| Admin {
        who: "a@example.com".into(),
        via: "key".into(),
        roles: BTreeSet::from([role]),
    };
    let may = |role, ask: &Ask| ask.allowed_to(&who(role)).is_ok();
    let approve = asked("POST", "/admin/v1/drafts/d1/approve").unwrap();
    assert_eq!(
        Role::ALL.map(|role| may(role, &approve)),
        [false, true, false]
    );
    for path in ["drafts", "rollback", "drafts/d1/withdraw"] {
        let ask = asked("POST", &format!("/admin/v1/{path}")).unwrap();
        assert_eq!(
            Role::ALL.map(|role| may(role, &ask)),
            [false, true, true],
            "{path}"
        );
    }
    for path in [
        "health/forget",
        "drills",
        "budgets",
        "drills/end",
        "retention",
        "budgets/remove",
        "budgets/release",
    ] {
        let ask = asked("POST", &format!("/admin/v1/{path}")).unwrap();
        assert_eq!(
            Role::ALL.map(|role| may(role, &ask)),
            [false, false, true],
            "{path}"
        );
    }
    let read = [
        "map",
        "drafts",
        "history",
        "audit",
        "transfers",
        "usage",
        "whoami",
        "health",
        "drills",
        "retention",
    ];
    for path in read {
        let ask = asked("GET", &format!("/admin/v1/{path}")).unwrap();
        assert!(may(Role::Viewer, &ask), "{path}");
        let nobody = Admin {
            who: String::new(),
            via: String::new(),
            roles: BTreeSet::new(),
        };
        assert!(ask.allowed_to(&nobody).is_err(), "{path}");
    }
}

#[test]
fn methods_paths_and_types_are_held_to() {
    assert_eq!(
        asked("GET", "/admin/v1/rollback"),
        Err(Denied::WrongMethod("POST"))
    );
    assert_eq!(asked("GET", "/admin/v1/nothing"), Err(Denied::NoRoute));
    assert_eq!(asked("GET", "/admin/v1"), Err(Denied::NoRoute));
    let form = Head::read("POST\n/admin/v1/rollback\n\n\ncontent-type: text/plain");
    assert!(matches!(ask(&form), Err(Denied::Invalid(_))));
}
