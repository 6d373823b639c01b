//! Every bound and rule, one by one and over generated sequences.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const MIB: usize = 1024 * 1024;
/// What is pushed comes from here.
static BYTES: [u8; 33 * MIB] = [0; 33 * MIB];

fn team(name: &str) -> Owner {
    Owner::Team(name.to_owned())
}

/// A body of so many bytes, as far as there is room for it.
fn coming(bodies: &mut Bodies, name: &str, length: usize) -> Result<Id, Full> {
    let id = bodies.open(team(name), 32 * MIB);
    let mut left = length;
    while left > 0 {
        let piece = left.min(65536);
        if let Err(full) = bodies.push(id, &BYTES[..piece]) {
            bodies.release(id);
            return Err(full);
        }
        left -= piece;
    }
    Ok(id)
}

fn complete(bodies: &mut Bodies, name: &str, length: usize) -> Result<Id, Full> {
    let id = coming(bodies, name, length)?;
    assert_eq!(bodies.complete(id).map(|bytes| bytes.len()), Ok(length));
    Ok(id)
}

#[test]
fn guard_large_bodies_never_keep_small_ones_out() {
    let mut bodies = Bodies::default();
    complete(&mut bodies, "a", 32 * MIB).unwrap();
    for name in ["a", "b"] {
        complete(&mut bodies, name, MIB).unwrap();
    }
    assert_eq!(complete(&mut bodies, "b", 2 * MIB), Err(Full));
    complete(&mut bodies, "c", MIB).unwrap();
}

#[test]
fn guard_a_slow_body_ends_for_one_of_another_team() {
    let mut bodies = Bodies::default();
    let slow = coming(&mut bodies, "a", 30 * MIB).unwrap();
    let other = coming(&mut bodies, "b", 2 * MIB).unwrap();
    assert!(bodies.holds(slow), "there is room for both");
    let third = coming(&mut bodies, "c", 2 * MIB).unwrap();
    assert!(!bodies.holds(slow));
    assert_eq!(bodies.sum.all, 4 * MIB, "its bytes are gone at once");
    assert_eq!(bodies.push(slow, b"x"), Err(Full));
    assert_eq!(bodies.complete(slow), Err(Full));
    assert!(bodies.holds(other) && bodies.holds(third));
}

#[test]
fn guard_slow_small_bodies_end_too() {
    let mut bodies = Bodies::default();
    let mut slow = Vec::new();
    for name in ["a", "b", "c"] {
        slow.extend((0..40).map_while(|_| coming(&mut bodies, name, MIB - 1).ok()));
    }
    assert_eq!(bodies.sum.all.div_ceil(MIB), 37, "all is taken");
    let before = slow.iter().filter(|id| bodies.holds(**id)).count();
    complete(&mut bodies, "d", MIB / 2).unwrap();
    let after = slow.iter().filter(|id| bodies.holds(**id)).count();
    assert_eq!(after + 1, before, "no more end than have to");
}

#[test]
fn the_team_that_would_hold_the_most_is_refused() {
    let mut bodies = Bodies::default();
    let first = coming(&mut bodies, "a", 16 * MIB).unwrap();
    assert_eq!(coming(&mut bodies, "b", 18 * MIB), Err(Full));
    assert!(bodies.holds(first));
    complete(&mut bodies, "b", 17 * MIB).unwrap();
}

#[test]
fn the_largest_of_a_team_ends_first_and_none_in_vain() {
    let mut bodies = Bodies::default();
    let small = coming(&mut bodies, "a", 3 * MIB).unwrap();
    let large = coming(&mut bodies, "a", 12 * MIB).unwrap();
    complete(&mut bodies, "b", 16 * MIB).unwrap();
    coming(&mut bodies, "c", 4 * MIB).unwrap();
    assert!(bodies.holds(small) && !bodies.holds(large));

    let mut bodies = Bodies::default();
    complete(&mut bodies, "b", 25 * MIB).unwrap();
    let other = coming(&mut bodies, "a", 7 * MIB).unwrap();
    let id = bodies.open(team("c"), 32 * MIB);
    let mut at_once = |length| bodies.push(id, &BYTES[..length]);
    assert_eq!(
        at_once(9 * MIB),
        Err(Full),
        "with and without the other one"
    );
    assert_eq!(at_once(6 * MIB), Ok(()));
    assert!(!bodies.holds(other));
}

#[test]
fn guard_complete_bodies_do_not_end_and_leave_room() {
    let mut bodies = Bodies::default();
    let mut held = Vec::new();
    for name in ["a", "b", "c", "d"] {
        held.extend((0..40).map_while(|_| complete(&mut bodies, name, 2 * MIB).ok()));
        let before = held.len();
        held.extend((0..400).map_while(|_| complete(&mut bodies, name, MIB / 10).ok()));
        assert!(held.len() > before, "{name} has no share of small ones");
    }
    assert!(held.iter().all(|id| bodies.holds(*id)));
    assert!(bodies.sum.all < MOST && bodies.sum.large < MOST_LARGE);

    let mut bodies = Bodies::default();
    for name in ["a", "b", "c", "d"] {
        for _ in 0..40 {
            let _full = complete(&mut bodies, name, 2 * MIB);
        }
    }
    let larges = |name: &str| bodies.team(&team(name)).large / MIB;
    assert_eq!(["a", "b", "c", "d"].map(larges), [16, 8, 4, 2]);
}

#[test]
fn one_single_body_may_be_larger_than_the_share() {
    let mut bodies = Bodies::default();
    let single = complete(&mut bodies, "a", 32 * MIB).unwrap();
    bodies.release(single);
    let first = complete(&mut bodies, "a", 12 * MIB).unwrap();
    assert_eq!(complete(&mut bodies, "a", 5 * MIB), Err(Full));
    complete(&mut bodies, "a", 4 * MIB).unwrap();
    complete(&mut bodies, "b", 16 * MIB).unwrap();
    bodies.release(first);
    complete(&mut bodies, "a", 4 * MIB).unwrap();
}

#[test]
fn what_is_released_is_free_again() {
    let mut bodies = Bodies::default();
    for size in [1, SMALL, SMALL + 1, 32 * MIB] {
        for _ in 0..20 {
            let id = complete(&mut bodies, "a", size).unwrap();
            let other = coming(&mut bodies, "b", size.min(MIB)).unwrap();
            for id in [id, other, other] {
                bodies.release(id);
            }
        }
    }
    assert_eq!((bodies.sum, bodies.teams.len()), (Sums::default(), 0));
    let id = bodies.open(Owner::Admins, 32 * MIB);
    assert_eq!(bodies.push(id, &BYTES), Ok(()));
    assert_eq!(bodies.push(id, b"x"), Err(Full));
    assert_eq!(bodies.sum.all, 33 * MIB, "a refused piece counts nothing");
}

#[test]
fn guard_nothing_is_set_aside_for_bytes_that_have_not_come() {
    assert_eq!(room_for(0, 9, 32 * MIB), 9);
    assert_eq!(room_for(9, 9, 32 * MIB), 18);
    assert_eq!(room_for(100, 10, 32 * MIB), 150);
    assert_eq!(room_for(20 * MIB, 10, 20 * MIB + 20), 20 * MIB + 20);
    assert_eq!(room_for(100, 10, 50), 110, "it is longer than it said");
    let mut bodies = Bodies::default();
    for _ in 0..1000 {
        bodies.open(team("a"), 32 * MIB);
    }
    assert_eq!(bodies.sum.all, 0);
}

/// What happens next; which body it happens to is taken modulo those there are.
#[derive(Debug, Clone, Copy)]
enum Step {
    Open(u8),
    Push(usize, usize),
    Complete(usize),
    Release(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![
        4 => 0..2 * SMALL,
        2 => Just(SMALL),
        2 => 0..12 * MIB,
        1 => 0..34 * MIB,
    ];
    prop_oneof![
        2 => (0..5_u8).prop_map(Step::Open),
        6 => (any::<usize>(), length).prop_map(|(which, length)| Step::Push(which, length)),
        2 => any::<usize>().prop_map(Step::Complete),
        1 => any::<usize>().prop_map(Step::Release),
    ]
}

/// What is held, summed up anew.
fn summed(bodies: &Bodies, of: impl Fn(&Body) -> bool) -> Sums {
    let held = bodies.bodies.values().filter(|body| of(body));
    held.fold(Sums::default(), |sum, body| {
        sum.changed(Sums::default(), body.sums())
    })
}

/// Whether a team would hold no more than an equal part of what the complete
/// bodies of others leave, in every room that the body takes part of.
fn has_a_right_to(bodies: &Bodies, id: Id, more: usize) -> bool {
    let body = &bodies.bodies[&id];
    let length = body.length + more;
    let wants = bodies.team(&body.owner);
    let wants = wants.changed(body.sums(), Sums::of(length, false));
    let others = summed(bodies, |other| other.owner != body.owner);
    let count = |holds: fn(Sums) -> usize| {
        let others = bodies
            .teams
            .iter()
            .filter(|(owner, _)| **owner != body.owner);
        1 + others.filter(|(_, sums)| holds(**sums) > 0).count().max(1)
    };
    let all = wants.all * count(|sums| sums.all) <= MOST.saturating_sub(others.complete);
    let room = MOST_LARGE.saturating_sub(others.complete_large);
    let large = wants.large * count(|sums| sums.large) <= room;
    all && (length <= SMALL || large)
}

fn push(bodies: &mut Bodies, id: Id, length: usize) {
    let owner = bodies.bodies[&id].owner.clone();
    let was_complete = bodies.bodies[&id].coming.is_none();
    let (team, sum) = (bodies.team(&owner), bodies.sum);
    let right = !was_complete && has_a_right_to(bodies, id, length);
    let complete = |bodies: &Bodies| -> BTreeSet<Id> {
        let held = bodies.bodies.iter();
        held.filter(|(_, body)| body.coming.is_none())
            .map(|(id, _)| *id)
            .collect()
    };
    let complete_before = complete(bodies);
    let before: Vec<(Id, Owner)> = bodies
        .bodies
        .iter()
        .map(|(id, body)| (*id, body.owner.clone()))
        .collect();
    let teams = bodies.teams.clone();
    let pushed = bodies.push(id, &BYTES[..length.min(BYTES.len())]);
    assert_eq!(complete(bodies), complete_before, "a complete body ended");
    if pushed.is_err() {
        assert!(!right, "a team is refused what it has a right to");
        assert_eq!(bodies.sum, sum, "a refusal changes something");
        return;
    }
    let wants = bodies.team(&owner);
    for (ended, whose) in before.iter().filter(|(id, _)| !bodies.holds(*id)) {
        assert_ne!(*whose, owner, "{ended:?} is of the same team");
        let held = teams[whose];
        assert!(held.all > wants.all || held.large > wants.large);
    }
    let grown = wants.large > team.large && bodies.bodies[&id].length != wants.large;
    assert!(!grown || wants.large <= MOST_LARGE / 2, "more than a share");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn guard_whatever_comes_the_sums_hold_and_nobody_is_kept_out(steps in prop::collection::vec(step(), 1..120)) {
        let mut bodies = Bodies::default();
        let mut ids: Vec<Id> = Vec::new();
        for step in steps {
            ids.retain(|id| bodies.holds(*id));
            let pick = |which: usize| ids.get(which.checked_rem(ids.len())?).copied();
            match step {
                Step::Open(4) => ids.push(bodies.open(Owner::Admins, 32 * MIB)),
                Step::Open(name) => ids.push(bodies.open(team(&name.to_string()), 32 * MIB)),
                Step::Push(which, length) => {
                    if let Some(id) = pick(which) {
                        push(&mut bodies, id, length);
                    }
                }
                Step::Complete(which) => {
                    if let Some(id) = pick(which) {
                        let _twice = bodies.complete(id);
                    }
                }
                Step::Release(which) => {
                    if let Some(id) = pick(which) {
                        bodies.release(id);
                    }
                }
            }
            prop_assert_eq!(bodies.sum, summed(&bodies, |_| true));
            for (owner, sums) in &bodies.teams {
                prop_assert_eq!(*sums, summed(&bodies, |body| body.owner == *owner));
            }
            let bytes = |body: &Body| body.coming.as_ref().is_none_or(|bytes| bytes.len() == body.length);
            prop_assert!(bodies.bodies.values().all(bytes));
            prop_assert!(bodies.sum.all <= MOST && bodies.sum.large <= MOST_LARGE);
        }
    }
}
