//! What may happen next.

use proptest::prelude::*;

/// Some calls have no budget.
const LIMITS: &[&[usize]] = &[
    &[0, 2, 3],
    &[0, 1, 2, 3],
    &[3, 4],
    &[4],
    &[0, 5],
    &[0, 2, 5],
];

#[derive(Debug, Clone)]
pub enum Op {
    Call {
        instance: usize,
        bound: i64,
        took: i64,
        /// The limits that it goes from.
        limits: &'static [usize],
        /// What it says of itself.
        value: usize,
    },
    Finish(usize),
    /// A call goes on in the background: what it takes is not known yet.
    Background(usize),
    /// The platform ends a call, and its instance does not notice.
    CutOff(usize),
    /// Somebody asks for an answer that was made in the background.
    Known(usize),
    /// An instance looks at its leases.
    Linger(usize),
    /// What is under way arrives.
    Deliver {
        which: usize,
        lose_reply: bool,
        twice: bool,
    },
    /// It fails: its sender notices. A request may arrive all the same, later.
    Fail {
        which: usize,
        late: bool,
    },
    /// The platform ends the context that it belongs to.
    End(usize),
    Crash(usize),
    Evict,
    /// The database fails, or works again.
    Database(bool),
    Pass(u64),
    Jump(usize, i64),
}

pub fn op() -> impl Strategy<Value = Op> {
    let call = (
        0..3usize,
        1..90i64,
        0..=100i64,
        prop::sample::select(LIMITS),
        0..4usize,
    )
        .prop_map(|(instance, bound, part, limits, value)| Op::Call {
            instance,
            bound,
            took: bound * part / 100,
            limits,
            value,
        });
    let deliver = (
        any::<usize>(),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(which, lose_reply, twice)| Op::Deliver {
            which,
            lose_reply,
            twice,
        });
    prop_oneof![
        8 => call,
        6 => any::<usize>().prop_map(Op::Finish),
        1 => any::<usize>().prop_map(Op::Background),
        1 => any::<usize>().prop_map(Op::CutOff),
        2 => any::<usize>().prop_map(Op::Known),
        1 => (0..3usize).prop_map(Op::Linger),
        20 => deliver,
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, late)| Op::Fail { which, late }),
        1 => any::<usize>().prop_map(Op::End),
        1 => (0..3usize).prop_map(Op::Crash),
        1 => Just(Op::Evict),
        1 => any::<bool>().prop_map(Op::Database),
        8 => (1..2_000u64).prop_map(Op::Pass),
        2 => (1..90_000u64).prop_map(Op::Pass),
        1 => (0..6usize, -90_000..90_000i64).prop_map(|(whose, ms)| Op::Jump(whose, ms)),
    ]
}
