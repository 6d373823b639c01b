//! What histories do not tell apart, each alone.

use super::applied;
use meridian::config::limits::{Applied, Authority, Window};
use meridian::ledger::{AccountLedger, Grant, Lease, Message, Need, Reply, Reservation};
use meridian::units::Millis;
use std::collections::BTreeMap;

#[test]
fn a_question_whose_sender_has_given_up_is_lent_nothing() {
    let authority = Authority::Team("t".to_owned());
    let mut ledger = AccountLedger::new([authority.clone()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let need = Need {
        applied: applied(0, &authority),
        amount: 10,
    };
    let late = lease.request(Millis(1), Millis(2), vec![need]);
    let message = late.message.clone();
    lease.request_failed(late);
    ledger.take(Millis(3), &lease.report(Millis(3), Vec::new(), false));
    let reply = ledger.take(Millis(4), &message);
    assert_eq!((reply.granted, ledger.lent("a0")), (Ok(Vec::new()), 0));
}

/// A ledger, and a lease that has let a call in from it.
fn one_call() -> (AccountLedger, Lease, Reservation) {
    let authority = Authority::Team("t".to_owned());
    let mut ledger = AccountLedger::new([authority.clone()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let need = Need {
        applied: applied(0, &authority),
        amount: 10,
    };
    let request = lease.request(Millis(1), Millis(100_000), vec![need]);
    let reply = ledger.take(Millis(1), &request.message);
    let reservation = lease.answered(Millis(1), request, &reply);
    (ledger, lease, reservation.unwrap().unwrap())
}

#[test]
fn what_two_reports_at_once_overstate_is_put_right() {
    let (mut ledger, mut lease, reservation) = one_call();
    let settled = lease.settle("call", reservation, |_, _| 7);
    let first = lease.report(Millis(2), vec![settled], false);
    let second = lease.report(Millis(3), Vec::new(), true);
    for (at, report) in [(2, first), (3, second)] {
        let reply = ledger.take(Millis(at), &report);
        lease.report_received(Millis(at), &report, &reply);
    }
    assert!(
        lease.has_some_idle(),
        "the ledger thinks that {} are left",
        ledger.lent("a0")
    );
    let third = lease.report(Millis(4), Vec::new(), true);
    let reply = ledger.take(Millis(4), &third);
    lease.report_received(Millis(4), &third, &reply);
    assert_eq!((ledger.lent("a0"), lease.has_some_idle()), (0, false));
}

#[test]
fn a_report_that_is_told_twice_does_not_hide_what_the_second_one_overstates() {
    let (mut ledger, mut lease, reservation) = one_call();
    let settled = lease.settle("call", reservation, |_, _| 7);
    let first = lease.report(Millis(2), vec![settled], false);
    ledger.take(Millis(2), &first);
    let second = lease.report(Millis(3), Vec::new(), true);
    let reply = ledger.take(Millis(3), &second);
    lease.report_received(Millis(3), &second, &reply);
    // Its answer was lost; its call was settled before.
    lease.report_received(Millis(2), &first, &reply);
    assert!(ledger.lent("a0") > 0 && lease.has_some_idle() && !lease.is_done());
}

#[test]
fn what_was_given_back_and_not_heard_is_given_back_again() {
    let (mut ledger, mut lease, reservation) = one_call();
    let settled = lease.settle("call", reservation, |_, _| 7);
    let report = lease.report(Millis(2), vec![settled], false);
    let reply = ledger.take(Millis(2), &report);
    lease.report_received(Millis(2), &report, &reply);
    let lost = lease.report(Millis(3), Vec::new(), true);
    lease.report_lost(&lost);
    assert!(lease.is_idle(Millis(3_000)) && ledger.lent("a0") > 0);
    ledger.take(Millis(4), &lease.report(Millis(4), Vec::new(), true));
    assert_eq!(ledger.lent("a0"), 0);
}

/// A lease, and the calls it has let in by asking a ledger.
fn calls(ledger: &mut AccountLedger, lease: &mut Lease, how_many: usize) -> Vec<Reservation> {
    let authority = Authority::Team("t".to_owned());
    let needs = vec![Need {
        applied: applied(0, &authority),
        amount: 1,
    }];
    let mut admitted = Vec::new();
    while admitted.len() < how_many {
        let reserved = lease.reserve(Millis(1), Millis(100_000), &needs);
        admitted.push(reserved.unwrap_or_else(|| {
            let request = lease.request(Millis(1), Millis(100_000), needs.clone());
            let reply = ledger.take(Millis(1), &request.message);
            lease.answered(Millis(1), request, &reply).unwrap().unwrap()
        }));
    }
    admitted
}

#[test]
fn a_loan_that_is_not_used_goes_back_by_and_by() {
    let mut ledger = AccountLedger::new([Authority::Team("t".to_owned())], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let under_way = calls(&mut ledger, &mut lease, 60);
    let borrowed = ledger.lent("a0");
    assert!(borrowed >= 100, "{borrowed}");
    let mut after = |at| {
        let report = lease.report(Millis(at), Vec::new(), false);
        let reply = ledger.take(Millis(at), &report);
        lease.report_received(Millis(at), &report, &reply);
        ledger.lent("a0")
    };
    assert_eq!(after(2_000), borrowed);
    let (once, twice) = (after(6_000), after(12_000));
    assert!(
        once <= borrowed - 10 && twice < once && twice >= 76,
        "{borrowed} {once} {twice}"
    );
    drop(under_way);
}

#[test]
fn who_is_lent_little_does_not_ask_for_more_and_more() {
    let authority = Authority::Team("t".to_owned());
    let mut lease = Lease::new("p".to_owned());
    let mut wanted = |lends: i64| {
        let need = Need {
            applied: applied(0, &authority),
            amount: 1,
        };
        let request = lease.request(Millis(1), Millis(2), vec![need]);
        let want = request.message.wants[0].want;
        let grant = Grant {
            account: "a0".to_owned(),
            amount: if lends == 0 { want } else { lends },
            level: 0,
            asked: None,
        };
        let reply = Reply {
            granted: Ok(vec![grant]),
            lost: false,
            noted: true,
        };
        lease.answered(Millis(1), request, &reply).unwrap().unwrap();
        // What is left goes back.
        lease.report(Millis(2), Vec::new(), true);
        want
    };
    assert_eq!(
        [wanted(0), wanted(0), wanted(1), wanted(1), wanted(1)],
        [16, 32, 64, 32, 16]
    );
}

/// A shard that was lent something for a call.
fn shard() -> (AccountLedger, AccountLedger, Lease, Message) {
    let authority = Authority::Team("t".to_owned());
    let mut above = AccountLedger::new([authority.clone()], Vec::new());
    let mut leaf = AccountLedger::new([], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let need = Need {
        applied: applied(0, &authority),
        amount: 1,
    };
    let mut message = lease
        .request(Millis(1), Millis(100_000), vec![need])
        .message;
    let missing: Vec<_> = leaf
        .shortfall(Millis(1), &message.wants)
        .into_values()
        .flatten()
        .collect();
    let mut request = leaf.borrow(Millis(1), &authority, &missing);
    request.holder = "leaf".to_owned();
    let reply = above.take(Millis(1), &request);
    leaf.borrow_answered(Millis(1), &request, &reply).unwrap();
    leaf.take(Millis(1), &message);
    message.number += 1;
    message.wants[0].need = 0;
    message.wants[0].want = 1;
    (above, leaf, lease, message)
}

#[test]
fn a_shard_gives_back_what_is_more_than_it_lends() {
    let (_, mut leaf, _, mut message) = shard();
    let authority = Authority::Team("t".to_owned());
    let held = |message: Message| message.holds.unwrap()["a0"];
    let before = held(leaf.report(Millis(100), &authority).unwrap());
    // It is asked for a little now and then.
    for at in [3_000, 6_000, 9_000, 12_000] {
        message.number += 1;
        leaf.take(Millis(at), &message);
        leaf.report(Millis(at), &authority);
    }
    let after = held(leaf.report(Millis(12_001), &authority).unwrap());
    assert!(before >= 100 && after < before / 2, "{before} {after}");
}

#[test]
fn a_shard_tells_until_it_was_heard() {
    let (mut above, mut leaf, ..) = shard();
    let authority = Authority::Team("t".to_owned());
    // Its only holder gives everything back, and nobody asks for a while.
    let back = Message {
        holder: "p".to_owned(),
        number: 9,
        holds: Some(BTreeMap::new()),
        ..Message::default()
    };
    leaf.take(Millis(200_000), &back);
    let report = leaf.report(Millis(300_000), &authority).unwrap();
    assert_eq!(report.holds.as_ref().unwrap()["a0"], 0);
    leaf.reported(&authority, &report, None);
    assert!(leaf.has_borrowed(), "for all its authority knows");
    let report = leaf.report(Millis(300_001), &authority).unwrap();
    let mut report = report;
    report.holder = "leaf".to_owned();
    let reply = above.take(Millis(300_001), &report);
    leaf.reported(&authority, &report, Some(&reply));
    assert!(!leaf.has_borrowed());
}

#[test]
fn what_the_calls_of_one_who_dies_can_have_cost_is_held() {
    let authority = Authority::Team("t".to_owned());
    let mut ledger = AccountLedger::new([authority.clone()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    // Both limits take all calls; of the wider one more was borrowed.
    let need = |which, amount| Need {
        applied: Applied {
            takes_all: true,
            ..applied(which, &authority)
        },
        amount,
    };
    let needs = vec![need(0, 10), need(1, 10)];
    let request = lease.request(Millis(1), Millis(100), needs);
    ledger.take(Millis(1), &request.message);
    let (wide, narrow) = (ledger.lent("a0"), ledger.lent("a1"));
    assert!(narrow < wide, "{narrow} {wide}");
    let lost = ledger.expire(Millis(1_000_000));
    assert_eq!(lost[0].money, narrow);
    let held = |name: &str| ledger.held(name).amount;
    assert_eq!((held("a0"), held("a1")), (narrow, narrow));
    assert!(ledger.accounts().all(|account| account.spent == 0));
}

#[test]
fn what_is_ample_is_not_asked_for_again() {
    let authority = Authority::Team("t".to_owned());
    let mut ledger = AccountLedger::new([authority.clone()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let mut under_way = calls(&mut ledger, &mut lease, 1);
    let both = [0, 3].map(|which| Need {
        applied: applied(which, &authority),
        amount: 1,
    });
    let request = lease.request(Millis(1), Millis(100_000), both.to_vec());
    let wants: Vec<&str> = request
        .message
        .wants
        .iter()
        .map(|want| want.applied.account.as_str())
        .collect();
    assert_eq!(wants, ["a3"]);
    let reply = ledger.take(Millis(1), &request.message);
    under_way.extend(lease.answered(Millis(1), request, &reply).unwrap());
    assert_eq!(under_way.len(), 2);
}

#[test]
fn what_was_borrowed_for_a_minute_that_is_over_goes_back() {
    let authority = Authority::Team("t".to_owned());
    let mut ledger = AccountLedger::new([authority.clone()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let minute = |n: u64| Need {
        applied: Applied {
            account: format!("requests {n}"),
            cap: 1_000,
            window: Window {
                start: Millis(n * 60_000),
                end: Some(Millis((n + 1) * 60_000)),
            },
            ..applied(2, &authority)
        },
        amount: 1,
    };
    let mut call = |at: u64| {
        let (deadline, needs) = (Millis(at + 1_000), vec![minute(at / 60_000)]);
        let here = lease.reserve(Millis(at), deadline, &needs);
        let reservation = here.unwrap_or_else(|| {
            let request = lease.request(Millis(at), deadline, needs);
            let reply = ledger.take(Millis(at), &request.message);
            let answered = lease.answered(Millis(at), request, &reply);
            answered.unwrap().unwrap()
        });
        let settled = lease.settle("call", reservation, |_, _| 1);
        let report = lease.report(Millis(at), vec![settled], false);
        let reply = ledger.take(Millis(at), &report);
        lease.report_received(Millis(at), &report, &reply);
        report.holds.unwrap().len()
    };
    // Never idle, whatever the minute.
    let held = (0..300).map(|n| call(1_000 + n * 900)).max();
    // That of the minute before is told to be empty.
    assert_eq!(held, Some(2), "accounts at once");
    assert_eq!(ledger.lent("requests 0"), 0);
}

#[test]
fn who_was_given_up_hears_of_it_though_nothing_is_charged() {
    let authority = Authority::Team("t".to_owned());
    let mut ledger = AccountLedger::new([authority.clone()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let places = Need {
        applied: applied(3, &authority),
        amount: 1,
    };
    let request = lease.request(Millis(1), Millis(100), vec![places]);
    ledger.take(Millis(1), &request.message);
    assert!(ledger.expire(Millis(1_000_000)).is_empty());
    let late = Message {
        holder: "p".to_owned(),
        number: 2,
        for_ms: 100,
        ..Message::default()
    };
    assert!(ledger.take(Millis(1_000_001), &late).lost);
}

#[test]
fn what_is_missing_comes_to_what_is_here() {
    let authority = Authority::Team("t".to_owned());
    let mut above = AccountLedger::new([authority.clone()], Vec::new());
    let mut leaf = AccountLedger::new([], Vec::new());
    let mut want = |now: u64, need: i64, holder: &str| {
        let need = Need {
            applied: applied(0, &authority),
            amount: need,
        };
        let mut lease = Lease::new(holder.to_owned());
        let message = lease
            .request(Millis(now), Millis(now + 100_000), vec![need])
            .message;
        for missing in leaf.shortfall(Millis(now), &message.wants).into_values() {
            let mut request = leaf.borrow(Millis(now), &authority, &missing);
            request.holder = "leaf".to_owned();
            let reply = above.take(Millis(now), &request);
            leaf.borrow_answered(Millis(now), &request, &reply).unwrap();
        }
        leaf.take(Millis(now), &message).granted.is_ok()
    };
    assert!(want(1, 5, "p"));
    // A minute later some is here, unasked for; all there is, is just enough.
    assert!(want(60_000, 1_000 - 62, "q"));
}

#[test]
fn what_is_told_of_an_account_late_does_not_change_its_limit() {
    let authority = Authority::Team("t".to_owned());
    let mut ledger = AccountLedger::new([authority.clone()], Vec::new());
    let told = |cap: i64| Message {
        holder: "leaf".to_owned(),
        number: 1,
        about: vec![Applied {
            cap,
            ..applied(0, &authority)
        }],
        totals: BTreeMap::from([("a0".to_owned(), 7)]),
        durable: true,
        ..Message::default()
    };
    ledger.take(Millis(1), &told(100));
    ledger.take(Millis(2), &told(1_000));
    let account = ledger.accounts().next().unwrap();
    assert_eq!((account.cap, account.spent), (100, 7));
}
