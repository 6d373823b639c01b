//! Calls that no budget is about go from an account without an end: their object
//! knows of them, and holds what they may cost should their instance die.

use super::{applied, UNBUDGETED};
use meridian::config::limits::{Applied, Authority};
use meridian::ledger::{AccountLedger, Bound, Lease, Need};
use meridian::units::Millis;

fn authority() -> Authority {
    Authority::Team("t".to_owned())
}

fn need(which: usize, amount: i64) -> Need {
    Need {
        applied: applied(which, &authority()),
        amount,
    }
}

#[test]
fn a_call_is_noted_there_if_no_budget_is_about_it() {
    let noted = |money, limits: &[usize]| {
        let limits = limits.iter().map(|which| applied(*which, &authority()));
        let bound = Bound {
            money,
            tokens: 7,
            unbounded: None,
        };
        let needs = bound.needs(limits.collect(), "m").unwrap();
        let mut needs = needs.into_iter();
        let noted = needs.find(|need| need.applied == Applied::unbudgeted());
        noted.map(|need| need.amount)
    };
    assert_eq!(noted(Some(10), &[]), Some(10));
    assert_eq!(noted(Some(10), &[2, 3]), Some(10));
    assert_eq!(noted(Some(10), &[0, 2]), None, "it is in its budget");
    assert_eq!(noted(Some(0), &[]), None, "counting tokens costs nothing");
    assert_eq!(noted(None, &[]), Some(1), "nobody knows its price");
}

#[test]
fn who_dies_is_charged_with_calls_that_had_no_budget_too() {
    let mut ledger = AccountLedger::new([authority()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let (mut lent, mut budgets) = (0, Vec::new());
    for call in [need(0, 10), need(UNBUDGETED, 100)] {
        let request = lease.request(Millis(1), Millis(100_000), vec![call]);
        let reply = ledger.take(Millis(1), &request.message);
        lent += reply.granted.as_ref().unwrap()[0].amount;
        let admitted = lease.answered(Millis(1), request, &reply).unwrap();
        budgets.extend(admitted.unwrap().levels);
    }
    let charged = ledger.expire(Millis(300_000));
    assert_eq!(charged.iter().map(|one| one.money).sum::<i64>(), lent);
    let told: Vec<String> = ledger
        .standings()
        .into_iter()
        .map(|one| one.applied.limit)
        .collect();
    assert_eq!(told, ["l0"], "people are told of limits alone");
    assert_eq!(budgets, [("l0".to_owned(), 0)], "and clients");
}

#[test]
fn one_call_after_another_seldom_waits_and_little_is_borrowed_ahead() {
    let mut ledger = AccountLedger::new([authority()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let (mut asked, mut most) = (0, 0);
    for call in 0..200_u64 {
        let now = Millis(call * 300);
        let deadline = Millis(now.0 + 60_000);
        let needs = vec![need(UNBUDGETED, 100)];
        let reservation = lease.reserve(now, deadline, &needs).unwrap_or_else(|| {
            asked += 1;
            let request = lease.request(now, deadline, needs);
            let reply = ledger.take(now, &request.message);
            lease.answered(now, request, &reply).unwrap().unwrap()
        });
        most = most.max(ledger.lent("endless"));
        let settled = lease.settle(&format!("c{call}"), reservation, |_, _| 30);
        let over = Millis(now.0 + 200);
        let report = lease.report(over, vec![settled], false);
        let reply = ledger.take(over, &report);
        lease.report_received(over, &report, &reply);
    }
    assert!(asked < 30, "{asked} of 200 calls waited");
    assert!(most <= 500, "{most} were borrowed for calls of 100");
    let report = lease.report(Millis(70_000), Vec::new(), true);
    lease.report_received(
        Millis(70_000),
        &report,
        &ledger.take(Millis(70_000), &report),
    );
    assert_eq!((ledger.lent("endless"), lease.has_some_idle()), (0, false));
}

#[test]
fn what_was_said_to_a_budget_is_charged_to_it_alone_if_calls_without_one_die_too() {
    let mut ledger = AccountLedger::new([authority()], Vec::new());
    let other = Need {
        applied: Applied {
            takes_all: true,
            ..applied(1, &authority())
        },
        amount: 30,
    };
    let mut lease = Lease::new("p".to_owned());
    for calls in [vec![need(0, 1), other], vec![need(UNBUDGETED, 500)]] {
        let request = lease.request(Millis(1), Millis(100_000), calls);
        let reply = ledger.take(Millis(1), &request.message);
        lease.answered(Millis(1), request, &reply).unwrap().unwrap();
    }
    let lent = ledger.lent("a0");
    assert!(lent < ledger.lent("a1"));
    ledger.expire(Millis(300_000));
    let held = |name: &str| ledger.held(name).amount;
    assert_eq!((held("a0"), held("a1")), (lent, lent));
}

#[test]
fn nobody_is_refused_for_want_of_what_has_no_end() {
    let mut ledger = AccountLedger::new([authority()], Vec::new());
    for holder in ["p", "q"] {
        let mut lease = Lease::new(holder.to_owned());
        let calls = vec![need(UNBUDGETED, i64::MAX)];
        let request = lease.request(Millis(1), Millis(100_000), calls);
        let reply = ledger.take(Millis(1), &request.message);
        assert!(lease
            .answered(Millis(1), request, &reply)
            .unwrap()
            .is_some());
    }
}

#[test]
fn an_object_reads_what_it_stored_when_every_account_had_an_authority() {
    let account = r#"{"applied":{"account":"a0","authority":{"team":"t"},"limit":"l0","whom":"","measure":"money","cap":1000,"window":{"start":0}},"cap":1000,"spent":5}"#;
    let lease = r#"{"until":9,"durable":false,"left":{"a0":7},"heard":1,"settled_up_to":0}"#;
    let stored = [("account a0", account), ("lease p", lease)];
    let stored = stored.map(|(key, text)| (key.to_owned(), text.to_owned()));
    let ledger = AccountLedger::new([authority()], stored.to_vec());
    let spent: Vec<i64> = ledger.accounts().map(|account| account.spent).collect();
    assert_eq!((spent, ledger.lent("a0")), (vec![5], 7));
}

#[test]
fn what_costs_nothing_is_let_in_without_a_word() {
    let mut lease = Lease::new("p".to_owned());
    let reserved = lease.reserve(Millis(1), Millis(100_000), &[need(0, 0)]);
    assert!(reserved.is_some());
    assert_eq!(
        lease.reserve(Millis(1), Millis(100_000), &[need(0, 0), need(3, 1)]),
        None
    );
}

#[test]
fn what_is_lent_with_a_report_of_nothing_is_lent_for_as_long_as_it_is_needed() {
    let mut ledger = AccountLedger::new([authority()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let mut message = lease
        .request(Millis(1), Millis(100_000), vec![need(UNBUDGETED, 10)])
        .message;
    message.holds = Some([].into());
    ledger.take(Millis(1), &message);
    assert_eq!(ledger.expire(Millis(50_000)), []);
    assert!(ledger.lent("endless") > 0);
}
