//! Whatever happens, what calls really took never exceeds a limit, and nothing
//! that was taken goes uncounted.

use super::op::op;
use super::world::World;
use super::{applied, ENDLESS, VALUES};
use meridian::ledger::Account;
use meridian::units::Millis;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, max_shrink_iters: 20_000,
        failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn limits_are_kept_and_nothing_goes_uncounted(ops in prop::collection::vec(op(), 1..120), shards in 0..3usize) {
        let mut world = World::new(shards);
        for op in ops {
            world.step(op);
            world.check()?;
        }
        world.rest();
        world.check()?;
        // What an account has, of a kind.
        let all = |world: &World, which: usize, of: fn(&Account) -> i64| {
            let limit = applied(which, &world.ledger.authority).limit;
            let accounts: Vec<_> = match which {
                ENDLESS => world.ledger.leaves.iter().flat_map(|leaf| leaf.book.accounts()).collect(),
                _ => world.ledger.top().book.accounts().collect(),
            };
            accounts.iter().filter(|account| account.applied.limit == limit).map(|account| of(account)).sum::<i64>()
        };
        let spent = |world: &World, which| all(world, which, |account| account.spent);
        // Of limits, the authority says what is held anywhere.
        let held = |world: &World, which| match which {
            ENDLESS => all(world, which, Account::held),
            _ => {
                let limit = applied(which, &world.ledger.authority).limit;
                let standings = world.ledger.top().book.standings().into_iter();
                standings.filter(|one| one.applied.limit == limit).map(|one| one.held.amount).sum::<i64>()
            }
        };
        for object in world.ledger.objects() {
            prop_assert!(object.credited <= object.charged);
            // Nothing came through for as long as things are lent.
            world.crashed |= object.has_given_up;
        }
        if !world.crashed {
            // To the last unit, and everything that was lent is back.
            for which in [0, 1, 2, ENDLESS, VALUES] {
                prop_assert_eq!(spent(&world, which) + world.cut[which], world.took[which], "of account {}", which);
                prop_assert_eq!(held(&world, which), world.held[which], "held of account {}", which);
            }
            for one in world.ledger.top().book.standings() {
                prop_assert_eq!(one.reserved, 0, "{:?}", one);
            }
        }
        // What crashed instances had is charged once its time is over.
        world.now = Millis(world.now.0 + 4 * 3_600_000);
        let now = world.now;
        world.ledger.leaves.iter_mut().for_each(|leaf| leaf.expire(now));
        world.report_up();
        world.arrive();
        if let Some(above) = &mut world.ledger.above {
            above.expire(world.now);
        }
        world.check()?;
        for which in [0, 1, 2, ENDLESS, VALUES] {
            let counted = spent(&world, which) + held(&world, which);
            prop_assert!(counted >= world.took[which], "{} were taken, {counted} counted", world.took[which]);
        }
        // Calls that nobody told of are in the rows of those that were given up.
        let leaves = &world.ledger.leaves;
        let untold = world.calls.iter().filter(|(id, _)| !leaves.iter().any(|leaf| leaf.settled.contains(*id)));
        let untold: i64 = untold.map(|(_, took)| took).sum();
        let charged: i64 = leaves.iter().map(|leaf| leaf.charged - leaf.credited).sum();
        prop_assert!(charged >= untold, "{untold} were taken without a word, {charged} charged");
    }
}
