//! Whatever happens, what calls really took never exceeds a limit, and nothing
//! that was taken goes uncounted.

use super::op::op;
use super::world::{Node, World};
use super::{applied, CAPS, MOST_VALUES, UNBUDGETED, VALUES};
use meridian::ledger::{Account, AccountLedger};
use meridian::units::Millis;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::BTreeSet;

/// The accounts whose sums are compared, all but those that count calls under way.
const SUMS: [usize; 5] = [0, 1, 2, UNBUDGETED, VALUES];

/// What holds after every step.
fn check(world: &World) -> Result<(), TestCaseError> {
    for node in &world.nodes {
        let Some(ledger) = node.object.parts().1 else {
            continue;
        };
        let values = ledger.accounts();
        let values = values.filter(|account| account.applied.others.is_some());
        prop_assert!(values.count() <= MOST_VALUES as usize, "accounts of values");
    }
    if let Some(top) = world.top().object.parts().1 {
        check_top(world, top)?;
    }
    for (which, (measure, cap)) in CAPS.iter().enumerate() {
        let cap = match which {
            VALUES => cap * (i64::from(MOST_VALUES) + 1),
            _ => *cap,
        };
        let took = world.reference.took[which];
        prop_assert!(took <= cap, "{took} of {cap} of {measure:?} were taken");
    }
    let open = world.running.iter();
    let open = open.filter(|one| world.gateways[one.instance].epoch == one.epoch);
    let open = open.filter(|one| one.call.limits.contains(&3));
    prop_assert!(open.count() as i64 <= CAPS[3].1);
    Ok(())
}

fn check_top(world: &World, top: &AccountLedger) -> Result<(), TestCaseError> {
    let shards = &world.nodes[..world.nodes.len() - 1];
    for account in top.accounts() {
        let (spent, lent, held) = (account.spent, account.lent(), account.held());
        let is_kept = spent + lent + held <= account.cap && lent >= 0 && held >= 0;
        prop_assert!(is_kept, "{account:?}");
        let name = &account.applied.account;
        let ledgers = shards.iter().filter_map(|node| node.object.parts().1);
        let of_it = ledgers.flat_map(|ledger| ledger.accounts());
        let of_it = of_it.filter(|one| one.applied.account == *name);
        let funded: i64 = of_it.map(|one| one.cap).sum();
        let is_own = account.applied.is_unbudgeted();
        prop_assert!(is_own || funded <= spent + lent, "{funded} of {account:?}");
    }
    Ok(())
}

/// What the accounts of a limit have, of a kind.
fn all(world: &World, which: usize, of: fn(&Account) -> i64) -> i64 {
    let limit = applied(which, &super::world::team()).limit;
    let nodes = match which {
        UNBUDGETED => world.leaves(),
        _ => std::slice::from_ref(world.top()),
    };
    let ledgers: Vec<AccountLedger> = nodes.iter().map(Node::ledger).collect();
    let accounts = ledgers.iter().flat_map(AccountLedger::accounts);
    let accounts = accounts.filter(|account| account.applied.limit == limit);
    accounts.map(of).sum()
}

fn spent(world: &World, which: usize) -> i64 {
    all(world, which, |account| account.spent)
}

/// What is held; of limits, the team's object says what is held anywhere.
fn held(world: &World, which: usize) -> i64 {
    if which == UNBUDGETED {
        return all(world, which, Account::held);
    }
    let limit = applied(which, &super::world::team()).limit;
    let standings = world.top().ledger().standings().into_iter();
    let of_it = standings.filter(|one| one.applied.limit == limit);
    of_it.map(|one| one.held.amount).sum()
}

/// Whether an object has the row of a call.
fn has_row(world: &World, id: &str) -> bool {
    world.leaves().iter().any(|leaf| leaf.disk.has_row(id))
}

/// The same histories each time, or others: `SEED=7 cargo test --test ledger`.
fn seed() -> RngSeed {
    let seed = std::env::var("SEED").ok();
    RngSeed::Fixed(seed.and_then(|seed| seed.parse().ok()).unwrap_or(1))
}

/// The calls whose rows an object has.
fn stored(world: &World) -> BTreeSet<String> {
    let calls = world.reference.calls.keys();
    calls.filter(|id| has_row(world, id)).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, max_shrink_iters: 20_000,
        failure_persistence: None, rng_seed: seed(), ..ProptestConfig::default() })]

    #[test]
    fn limits_are_kept_and_nothing_goes_uncounted(ops in prop::collection::vec(op(), 1..120), shards in 0..3u16) {
        let mut world = World::new(shards);
        for op in ops {
            world.step(op);
            check(&world)?;
        }
        world.rest();
        check(&world)?;
        let stored = stored(&world);
        world.reference.forget_unnoted(|id| stored.contains(id));
        for node in &world.nodes {
            let tables = node.disk.0.borrow();
            prop_assert!(tables.credited <= tables.charged);
            // Nothing came through for as long as things are lent.
            world.crashed |= tables.has_given_up();
        }
        if !world.crashed {
            // To the last unit, and everything that was lent is back.
            for which in SUMS {
                let (took, cut) = (world.reference.took[which], world.reference.cut[which]);
                prop_assert_eq!(spent(&world, which) + cut, took, "of account {}", which);
                prop_assert_eq!(held(&world, which), world.reference.held[which], "held of account {}", which);
            }
            for one in world.top().ledger().standings() {
                prop_assert_eq!(one.reserved, 0, "{:?}", one);
            }
        }
        // What crashed instances had is charged once its time is over.
        world.now = Millis(world.now.0 + 4 * 3_600_000);
        world.evict();
        world.nodes.iter_mut().for_each(|node| node.alarm = Some(Millis(0)));
        world.settle_down(8);
        check(&world)?;
        for which in SUMS {
            let counted = spent(&world, which) + held(&world, which);
            let took = world.reference.took[which];
            prop_assert!(counted >= took, "{took} of account {which} were taken, {counted} counted");
        }
        // Calls that nobody reported are in the rows of those that were given up.
        let unreported = world.reference.began.iter().filter(|id| !has_row(&world, id));
        let unreported: i64 = unreported.filter_map(|id| world.reference.calls.get(id)).map(|call| call.took).sum();
        let charged: i64 = world.leaves().iter().map(|leaf| {
            let tables = leaf.disk.0.borrow();
            tables.charged - tables.credited - tables.held.values().sum::<i64>()
        }).sum();
        prop_assert!(unreported == 0 || charged >= unreported, "{unreported} were taken without a word, {charged} charged");
        // The database has every row that an object has.
        for node in &world.nodes {
            let tables = node.disk.0.borrow();
            for id in tables.rows.keys() {
                prop_assert!(world.database.rows.contains(id), "{id} is not in the database");
            }
        }
        // An object has settled every call whose row the database has.
        for id in world.reference.began.iter().filter(|id| world.database.rows.contains(*id)) {
            prop_assert!(has_row(&world, id), "{id} was not settled");
        }
        prop_assert!(world.database.spilled.is_empty(), "{:?}", world.database.spilled);
    }
}
