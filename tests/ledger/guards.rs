//! What was seen to go wrong, each alone: messages that carry all accounts,
//! values without an end, what is held told as spent, a shared budget that one
//! team's reservations fill.

use super::disk::Disk;
use super::{applied, valued};
use meridian::config::limits::{Applied, Authority, Measure, Others, Window};
use meridian::ledger::object::{Effect, Input, Object};
use meridian::ledger::{
    AccountLedger, Address, Lease, LedgerRequest, Message, Need, Part, Reply, Reservation, Settled,
};
use meridian::units::Millis;
use proptest::prelude::*;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

const VALUES: usize = 2_381;

fn team() -> Authority {
    Authority::Team("t".to_owned())
}

/// A limit of 100 for each value of a tag, `most` of which have their own.
fn value(nth: usize, most: u32) -> Applied {
    Applied {
        limit: "tags".to_owned(),
        cap: 100,
        others: Some(Others {
            account: "other".to_owned(),
            whom: format!("other features (more than {most} values)"),
            most,
        }),
        ..valued(nth, &team())
    }
}

fn need(applied: Applied, amount: i64) -> Vec<Need> {
    vec![Need { applied, amount }]
}

/// A request, answered by a ledger that keeps its accounts itself.
fn admit(
    ledger: &mut AccountLedger,
    lease: &mut Lease,
    now: Millis,
    needs: Vec<Need>,
) -> Result<Reservation, String> {
    let deadline = Millis(now.0 + 60_000);
    if let Some(reservation) = lease.reserve(now, deadline, &needs) {
        return Ok(reservation);
    }
    let request = lease.request(now, deadline, needs);
    let reply = ledger.take(now, &request.message);
    let answered = lease.answered(now, request, &reply);
    answered
        .map(Option::unwrap)
        .map_err(|exceeded| exceeded.to_string())
}

fn report(
    ledger: &mut AccountLedger,
    lease: &mut Lease,
    now: Millis,
    settled: Vec<Settled>,
) -> Message {
    let report = lease.report(now, settled, false);
    let reply = ledger.take(now, &report);
    lease.report_received(now, &report, &reply);
    report
}

fn size(message: &Message) -> usize {
    serde_json::to_string(message).unwrap().len()
}

#[test]
fn guard_a_message_carries_what_changed_however_many_values_there_are() {
    let mut ledger = AccountLedger::new([team()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let mut largest = 0;
    for nth in 0..VALUES {
        let now = Millis(1_000 + nth as u64);
        let needs = need(value(nth, 10_000), 1);
        let reservation = admit(&mut ledger, &mut lease, now, needs).unwrap();
        let settled = lease.settle(&format!("c{nth}"), reservation, |_, _| 1);
        let told = report(&mut ledger, &mut lease, now, vec![settled]);
        largest = largest.max(size(&told));
        let written: usize = ledger
            .changes()
            .iter()
            .map(|change| change.key.len() + change.value.as_ref().map_or(0, String::len))
            .sum();
        assert!(written < 4_000, "{written} bytes are stored for one call");
    }
    assert_eq!(ledger.accounts().count(), VALUES);
    assert!(largest < 2_000, "a report of one call has {largest} bytes");
}

#[test]
fn guard_what_a_shard_tells_is_what_changed_too() {
    let mut above = AccountLedger::new([team()], Vec::new());
    let mut leaf = AccountLedger::new([], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let tell = |leaf: &mut AccountLedger, above: &mut AccountLedger, now| {
        let mut report = leaf.report(now, &team())?;
        report.holder = "leaf".to_owned();
        let reply = above.take(now, &report);
        leaf.reported(&team(), &report, Some(&reply));
        Some(report)
    };
    for nth in 0..600_u64 {
        let now = Millis(1_000 + nth);
        let request = lease.request(
            now,
            Millis(now.0 + 60_000),
            need(value(nth as usize, 10_000), 1),
        );
        for missing in leaf.shortfall(now, &request.message.wants).into_values() {
            let mut asked = leaf.borrow(now, &team(), &missing);
            asked.holder = "leaf".to_owned();
            assert!(size(&asked) < 2_000, "a request has {} bytes", size(&asked));
            let reply = above.take(now, &asked);
            leaf.borrow_answered(now, &asked, &reply).unwrap();
        }
        let reply = leaf.take(now, &request.message);
        lease.answered(now, request, &reply).unwrap().unwrap();
        let told = tell(&mut leaf, &mut above, now).unwrap();
        assert!(size(&told) < 2_000, "a report has {} bytes", size(&told));
    }
    assert_eq!(tell(&mut leaf, &mut above, Millis(1_700)), None);
    // What is here after an eviction is told once more, in one message.
    let mut stored: BTreeMap<String, String> = BTreeMap::new();
    let changes = leaf.changes().into_iter();
    stored.extend(changes.filter_map(|change| Some((change.key, change.value?))));
    let mut leaf = AccountLedger::new([], stored.into_iter().collect());
    assert_eq!(
        tell(&mut leaf, &mut above, Millis(1_800))
            .unwrap()
            .totals
            .len(),
        600
    );
    assert_eq!(tell(&mut leaf, &mut above, Millis(2_000)), None);
}

#[test]
fn guard_values_beyond_the_cap_count_together_and_none_escapes_its_limit() {
    let mut ledger = AccountLedger::new([team()], Vec::new());
    let mut leases = [Lease::new("p".to_owned()), Lease::new("q".to_owned())];
    let mut taken = 0;
    for nth in 0..VALUES * 2 {
        // Each value twice, each time by another instance.
        let (nth, lease) = (nth % VALUES, &mut leases[nth / VALUES]);
        let needs = need(value(nth, 10), 60);
        let Ok(reservation) = admit(&mut ledger, lease, Millis(1_000), needs) else {
            continue;
        };
        let settled = lease.settle(&format!("c{taken}"), reservation, |_, _| 60);
        report(&mut ledger, lease, Millis(1_000), vec![settled]);
        taken += 60;
    }
    let accounts: BTreeMap<&str, i64> = ledger
        .accounts()
        .map(|account| (account.applied.account.as_str(), account.spent))
        .collect();
    assert_eq!(accounts.len(), 11, "{accounts:?}");
    assert!(accounts.values().all(|spent| *spent == 60), "{accounts:?}");
    assert_eq!(taken, 11 * 60);
    let other = ledger.standings().into_iter();
    let other = other.map(|standing| standing.applied.whom);
    assert!(other
        .collect::<Vec<_>>()
        .contains(&"other features (more than 10 values)".to_owned()));
    // It says so to whom it refuses.
    let refused = admit(
        &mut ledger,
        &mut leases[0],
        Millis(5_000),
        need(value(700, 10), 60),
    );
    assert!(refused
        .unwrap_err()
        .contains("other features (more than 10 values)"));
}

#[test]
fn guard_many_new_values_do_not_reserve_what_others_share() {
    let mut ledger = AccountLedger::new([team()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    for nth in 0..VALUES {
        let now = Millis(1_000 + nth as u64);
        let applied = Applied {
            cap: 100_000,
            ..value(nth, 10)
        };
        let reservation = admit(&mut ledger, &mut lease, now, need(applied, 20)).unwrap();
        let settled = lease.settle(&format!("c{nth}"), reservation, |_, _| 1);
        report(&mut ledger, &mut lease, now, vec![settled]);
    }
    let other = ledger.accounts().find(|a| a.applied.account == "other");
    let other = other.unwrap();
    assert_eq!(other.spent, (VALUES - 10) as i64);
    assert!(other.lent() < 100, "lent {}", other.lent());
}

#[test]
fn guard_a_shard_counts_among_others_what_the_teams_object_does() {
    let mut above = AccountLedger::new([team()], Vec::new());
    let mut leaves = [
        AccountLedger::new([], Vec::new()),
        AccountLedger::new([], Vec::new()),
    ];
    let mut served = 0;
    for nth in 0..8 {
        let now = Millis(1_000 + nth as u64 * 2_000);
        let leaf = &mut leaves[nth % 2];
        let mut lease = Lease::new(format!("p{nth}"));
        let request = lease.request(now, Millis(now.0 + 60_000), need(value(nth, 2), 30));
        for _ in 0..3 {
            for missing in leaf.shortfall(now, &request.message.wants).into_values() {
                let mut asked = leaf.borrow(now, &team(), &missing);
                asked.holder = format!("leaf{}", nth % 2);
                let reply = above.take(now, &asked);
                let _ = leaf.borrow_answered(now, &asked, &reply);
            }
        }
        let reply = leaf.take(now, &request.message);
        served += usize::from(
            lease
                .answered(now, request, &reply)
                .is_ok_and(|one| one.is_some()),
        );
    }
    // Two values have 100 each; the others together have 100, for three calls of 30.
    assert_eq!(served, 2 + 3);
    assert_eq!(above.accounts().count(), 3);
}

#[test]
fn what_has_changed_is_nothing_to_a_book_that_does_not_know_such_messages() {
    let message = Message {
        holder: "p".to_owned(),
        holds: Some(BTreeMap::from([("a0".to_owned(), 5)])),
        partial: true,
        ..Message::default()
    };
    let written = serde_json::to_value(&message).unwrap();
    assert!(written["holds"].is_null() && written["changed"]["a0"] == 5);
    assert_eq!(serde_json::from_value::<Message>(written).unwrap(), message);
    let whole = Message {
        partial: false,
        ..message
    };
    let written = serde_json::to_value(&whole).unwrap();
    assert!(written["holds"]["a0"] == 5 && written.get("changed").is_none());
    assert_eq!(serde_json::from_value::<Message>(written).unwrap(), whole);
}

#[test]
fn guard_what_is_empty_is_forgotten() {
    let mut ledger = AccountLedger::new([team()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let minute = |nth: usize| Applied {
        account: format!("m{nth}"),
        measure: Measure::Requests,
        window: Window::minute(Millis(60_000)),
        ..value(nth, 10_000)
    };
    for nth in 0..50 {
        let now = Millis(61_000);
        let reservation = admit(&mut ledger, &mut lease, now, need(minute(nth), 1)).unwrap();
        let settled = lease.settle(&format!("c{nth}"), reservation, |_, _| 1);
        report(&mut ledger, &mut lease, now, vec![settled]);
    }
    assert_eq!(ledger.accounts().count(), 50);
    // The minute is over: nothing of it is left here, and soon none of it is there.
    for now in [121_000, 122_000, 128_000].map(Millis) {
        report(&mut ledger, &mut lease, now, Vec::new());
    }
    assert!(lease.is_done());
    let told = report(&mut ledger, &mut lease, Millis(129_000), Vec::new());
    assert_eq!(told.holds, Some(BTreeMap::new()));
    ledger.tidy(Millis(241_000));
    assert_eq!(ledger.accounts().count(), 0);
}

/// A ledger that has lent to an instance, which died with a call under way.
fn died() -> AccountLedger {
    let mut ledger = AccountLedger::new([team()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    admit(
        &mut ledger,
        &mut lease,
        Millis(1),
        need(applied(1, &team()), 90),
    )
    .unwrap();
    ledger.changes();
    let lost = ledger.expire(Millis(1_000_000));
    assert_eq!(lost.len(), 1);
    assert_eq!((lost[0].money, lost[0].calls), (90, 1));
    ledger
}

#[test]
fn guard_what_died_with_an_instance_is_held_and_not_spent() {
    let mut ledger = died();
    let all = ledger.standings();
    let standing = &all[0];
    assert_eq!(
        (standing.spent, standing.reserved, standing.percent),
        (0, 0, 0)
    );
    assert_eq!((standing.held.amount, standing.held.calls), (90, 1));
    // It counts against the budget of 400, and says so.
    let mut lease = Lease::new("q".to_owned());
    let needs = need(applied(1, &team()), 311);
    let refused = admit(&mut ledger, &mut lease, Millis(1_000_001), needs).unwrap_err();
    assert!(
        refused.contains("are held for calls whose cost is unknown"),
        "{refused}"
    );
    // It stays through an eviction, until somebody releases it.
    let stored: Vec<_> = {
        let mut all: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut again = died();
        for change in again.changes() {
            all.insert(change.key, change.value);
        }
        all.into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    };
    let account = |ledger: &AccountLedger| ledger.standings().first().map(|one| one.held.amount);
    let evicted = AccountLedger::new([team()], stored);
    assert_eq!(
        account(&evicted),
        account(&ledger).filter(|_| evicted.accounts().count() > 0)
    );
    assert_eq!(
        ledger.release(Some("l0")),
        [],
        "nothing is held under another limit"
    );
    let released = ledger.release(Some("l1"));
    assert_eq!(
        (released.len(), released[0].money, released[0].calls),
        (1, 90, 1)
    );
    assert_eq!(ledger.release(None), []);
    let needs = need(applied(1, &team()), 311);
    admit(&mut ledger, &mut lease, Millis(1_001_000), needs).unwrap();
}

#[test]
fn guard_a_call_that_was_cut_off_is_held_until_its_budget_ends() {
    let day = |account: &str| Applied {
        account: account.to_owned(),
        window: Window {
            start: Millis(0),
            end: Some(Millis(86_400_000)),
        },
        ..applied(1, &team())
    };
    let mut ledger = AccountLedger::new([team()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let reservation = admit(&mut ledger, &mut lease, Millis(1), need(day("d"), 90)).unwrap();
    let mut settled = lease.settle("cut", reservation, |_, bound| bound);
    settled.held = true;
    report(&mut ledger, &mut lease, Millis(2), vec![settled]);
    let held = |ledger: &AccountLedger| ledger.held("d").amount;
    assert_eq!((held(&ledger), ledger.standings()[0].spent), (90, 0));
    // Two days after the budget's time is over nothing hangs on it any more.
    report(&mut ledger, &mut lease, Millis(86_400_001), Vec::new());
    ledger.tidy(Millis(86_400_000 * 2));
    assert_eq!(held(&ledger), 90);
    ledger.tidy(Millis(86_400_000 * 4));
    assert_eq!((held(&ledger), ledger.accounts().count()), (0, 0));
    // Its row can still be taken back.
    assert_eq!(ledger.release(None)[0].money, 90);
}

/// The reply of an object that keeps the team's accounts.
fn reply(object: &mut Object<Disk>, message: Message) -> Reply {
    let mut rows = message.clone();
    rows.unfold();
    let rows: Vec<_> = rows
        .settled
        .iter()
        .map(|one| json!({"id": one.id}))
        .collect();
    let to = Address::Team {
        team: "t".to_owned(),
        store: String::new(),
        shard: 0,
    };
    let request = LedgerRequest {
        rows: RawValue::from_string(json!(rows).to_string()).ok(),
        ..LedgerRequest::new(to, message)
    };
    let Ok(effects) = object.handle(Input::Request(Box::new(request)), Millis(1));
    let mut replies = effects.into_iter().filter_map(|effect| match effect {
        Effect::Respond(reply) => Some(reply.unwrap().reply),
        _ => None,
    });
    replies.next().unwrap()
}

#[test]
fn guard_what_turns_out_of_a_call_that_is_held_is_spent_once_and_the_rest_is_free() {
    for late in [false, true] {
        let disk = Disk::new(1);
        let to = Address::of(&team(), "");
        let mut object = Object::new(disk.clone(), to, String::new());
        let mut lease = Lease::new("p".to_owned());
        let needs = need(applied(1, &team()), 90);
        let request = lease.request(Millis(1), Millis(60_000), needs);
        let granted = reply(&mut object, request.message.clone());
        let reservation = lease.answered(Millis(1), request, &granted);
        let reservation = reservation.unwrap().unwrap();
        let mut held = lease.settle("x", reservation, |_, bound| bound);
        held.held = true;
        let known = Settled {
            id: "x-answer".to_owned(),
            holder: "x".to_owned(),
            parts: vec![Part {
                account: "a1".to_owned(),
                amount: 30,
            }],
            about: Vec::new(),
            held: false,
            closes: Some(Box::new(held.clone())),
        };
        let report = |settled: &Settled, holder: &str| Message {
            holder: holder.to_owned(),
            number: 9,
            settled: vec![settled.clone()],
            partial: true,
            ..Message::default()
        };
        let mut standing_after = |settled: &Settled, holder| {
            // An hour later nobody remembers that its row came.
            if settled.held {
                disk.0.borrow_mut().rows.clear();
            }
            reply(&mut object, report(settled, holder));
            let (_, ledger) = object.parts();
            let standing = ledger.unwrap().standings().remove(0);
            (standing.spent, standing.held.amount, standing.held.calls)
        };
        if !late {
            assert_eq!(standing_after(&held, "p"), (0, 90, 1));
            assert_eq!(standing_after(&held, "p"), (0, 90, 1));
        }
        assert_eq!(standing_after(&known, "q"), (30, 0, 0));
        // Both come again, and count no more.
        assert_eq!(standing_after(&known, "r"), (30, 0, 0));
        assert_eq!(standing_after(&held, "p"), (30, 0, 0));
    }
}

#[test]
fn a_lost_holders_call_that_turns_up_is_spent_and_no_longer_held() {
    let mut ledger = AccountLedger::new([team()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    let needs = need(applied(1, &team()), 90);
    let reservation = admit(&mut ledger, &mut lease, Millis(1), needs).unwrap();
    ledger.expire(Millis(1_000_000));
    let settled = lease.settle("late", reservation, |_, _| 30);
    let credit = ledger.credit(&settled.holder, &settled.parts).unwrap();
    assert_eq!((credit.money, credit.calls), (30, 1));
    let message = lease.report(Millis(1_000_001), vec![settled], false);
    assert!(ledger.take(Millis(1_000_001), &message).lost);
    let standing = &ledger.standings()[0];
    assert_eq!((standing.spent, standing.held.amount), (30, 60));
}

#[test]
fn what_was_stored_before_there_were_holds_is_read_as_it_was_meant() {
    let account = r#"{"applied":{"account":"a0","authority":{"team":"t"},"limit":"l0","whom":"","measure":"money","cap":1000,"window":{"start":0}},"cap":1000,"spent":50}"#;
    let lease = r#"{"until":9,"durable":false,"left":{"a0":7},"heard":1,"settled_up_to":0}"#;
    let charged = r#"{"at":5,"money":40,"left":{"a0":40}}"#;
    let stored = [
        ("account a0", account),
        ("lease p", lease),
        ("charged q", charged),
    ];
    let stored = stored.map(|(key, text)| (key.to_owned(), text.to_owned()));
    let mut ledger = AccountLedger::new([team()], stored.to_vec());
    assert_eq!(
        (ledger.lent("a0"), ledger.held("a0").amount),
        (7, 0),
        "it is in what is spent"
    );
    // What a call takes that was charged before is not spent twice.
    let late = r#"{"holder":"x","number":1,"settled":[{"id":"c","holder":"q","parts":[{"account":"a0","amount":30}]}]}"#;
    ledger.take(Millis(6), &serde_json::from_str(late).unwrap());
    assert_eq!(ledger.standings()[0].spent, 50);
    // The lease's accounts are stored apart from now on.
    let mut stored: BTreeMap<String, String> = stored.into_iter().collect();
    for change in ledger.changes() {
        match change.value {
            Some(value) => stored.insert(change.key, value),
            None => stored.remove(&change.key),
        };
    }
    assert!(!stored["lease p"].contains("left"), "{}", stored["lease p"]);
    let ledger = AccountLedger::new([team()], stored.into_iter().collect());
    assert_eq!(ledger.lent("a0"), 7);
}

#[test]
fn a_message_of_an_older_instance_says_all_that_it_holds() {
    let mut ledger = AccountLedger::new([team()], Vec::new());
    let mut lease = Lease::new("p".to_owned());
    for which in [0, 1] {
        admit(
            &mut ledger,
            &mut lease,
            Millis(1),
            need(applied(which, &team()), 5),
        )
        .unwrap();
    }
    assert!(ledger.lent("a0") > 0 && ledger.lent("a1") > 0);
    let old = r#"{"holder":"p","number":9,"settled":[],"totals":{},"holds":{"a1":5},"wants":[],"for_ms":100,"durable":false}"#;
    ledger.take(Millis(2), &serde_json::from_str(old).unwrap());
    assert_eq!((ledger.lent("a0"), ledger.lent("a1")), (0, 5));
}

/// A company's budget, and a team's object that asks for some of it.
fn shared(cap: i64, share: u8) -> Applied {
    Applied {
        cap,
        authority: Some(Authority::Company),
        team_share: Some(share),
        ..applied(0, &team())
    }
}

fn ask(
    ledger: &mut AccountLedger,
    now: u64,
    team: &str,
    number: u64,
    of: &Applied,
    want: [i64; 2],
) -> Reply {
    let request = Message {
        holder: format!("team eu {team}"),
        team: Some(team.to_owned()),
        number,
        durable: true,
        wants: vec![meridian::ledger::Want {
            applied: of.clone(),
            need: want[0],
            want: want[1],
        }],
        ..Message::default()
    };
    ledger.take(Millis(now), &request)
}

#[test]
fn guard_one_team_does_not_reserve_a_shared_budget() {
    let mut company = AccountLedger::new([Authority::Company], Vec::new());
    let budget = shared(200_000, 25);
    let replies: Vec<Reply> = (1..=7)
        .map(|n| ask(&mut company, n, "greedy", n, &budget, [28_511, 28_511 * 8]))
        .collect();
    let lent = replies.iter().filter(|reply| reply.granted.is_ok()).count();
    assert_eq!(lent, 1, "of seven calls");
    let exceeded = replies[6].granted.clone().unwrap_err();
    assert_eq!((exceeded.share, exceeded.reserved), (Some(25), 28_511));
    let exceeded = exceeded.as_of(Millis(9));
    assert_eq!(exceeded.retry_after, Some(5));
    let refusal = meridian::refusal::Refusal::Exceeded(Box::new(exceeded));
    assert_eq!(
        (refusal.status(), refusal.code()),
        (429, "team_share_exceeded")
    );
    // Another team has its own share.
    for n in 1..=15 {
        let reply = ask(&mut company, n, "modest", n, &budget, [2_000, 16_000]);
        assert!(reply.granted.is_ok(), "{n}");
    }
    // One call that is larger than the share goes, alone.
    let reply = ask(&mut company, 30, "large", 1, &budget, [100_000, 100_000]);
    assert!(reply.granted.is_ok());
    // The setting turns it off.
    let mut company = AccountLedger::new([Authority::Company], Vec::new());
    let open = shared(200_000, 100);
    for n in 1..=7 {
        let reply = ask(&mut company, n, "greedy", n, &open, [28_511, 28_511]);
        assert!(reply.granted.is_ok(), "{n}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked in whatever order, from however many objects: a team has
    /// no more than its share of what is left, or a little and one larger call.
    #[test]
    fn a_team_has_its_share_or_one_larger_call(
        asks in prop::collection::vec((0..3usize, 0..2usize, 1..60_000i64, 1..9i64, 0..=100i64), 1..80),
        share in 1..100u8,
    ) {
        let cap = 100_000_i64;
        let budget = shared(cap, share);
        let mut company = AccountLedger::new([Authority::Company], Vec::new());
        let (mut has, mut largest, mut spent) = ([[0_i64; 2]; 3], [0_i64; 3], 0_i64);
        for (n, (team, object, need, ahead, part)) in (1..).zip(asks) {
            let left = cap - spent;
            let holder = format!("team {object} {team}");
            let mut message = Message {
                holder: holder.clone(),
                team: Some(team.to_string()),
                number: n * 2,
                durable: true,
                wants: vec![meridian::ledger::Want { applied: budget.clone(), need, want: need * ahead }],
                ..Message::default()
            };
            let before: i64 = has[team].iter().sum();
            let most = left * i64::from(share) / 100;
            match company.take(Millis(n), &message).granted {
                Ok(grants) => {
                    has[team][object] += grants[0].amount;
                    largest[team] = largest[team].max(need);
                    let now = before + grants[0].amount;
                    prop_assert!(now <= most.max(most / 4 + need), "{now} of {left} at {share} %");
                }
                Err(exceeded) => {
                    let free = left - has.iter().flatten().sum::<i64>();
                    let fits = before + need <= most || before <= most / 4;
                    prop_assert!(need > free || !fits, "{exceeded:?}");
                    prop_assert_eq!(exceeded.share.is_some(), need <= free);
                }
            }
            // Some of it is spent, and sometimes all is given back.
            let took = has[team][object] * part / 100;
            spent += took;
            has[team][object] -= took;
            if part > 80 {
                has[team][object] = 0;
            }
            message.wants.clear();
            let settled = Settled {
                id: format!("c{n}"),
                holder,
                parts: vec![meridian::ledger::Part { account: "a0".to_owned(), amount: took }],
                about: Vec::new(),
                held: false,
                closes: None,
            };
            let back = Message {
                settled: vec![settled],
                holds: Some(BTreeMap::from([("a0".to_owned(), has[team][object])])),
                partial: true,
                number: n * 2 + 1,
                ..message
            };
            company.take(Millis(n), &back);
        }
    }
}
