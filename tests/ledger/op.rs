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
    CutOff(usize),
    /// Somebody asks for an answer that was made in the background.
    Known(usize),
    Report(usize),
    GiveBack(usize),
    Deliver {
        which: usize,
        lose_reply: bool,
        twice: bool,
    },
    Lose(usize),
    Crash(usize),
    Evict,
    ReportUp,
    Up {
        which: usize,
        lose: bool,
        late: bool,
    },
    Pass(u64),
    Jump(usize, i64),
}

pub fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..3usize, 1..90i64, 0..=100i64, prop::sample::select(LIMITS), 0..4usize).prop_map(|(instance, bound, part, limits, value)| Op::Call { instance, bound, took: bound * part / 100, limits, value }),
        6 => any::<usize>().prop_map(Op::Finish),
        1 => any::<usize>().prop_map(Op::CutOff),
        2 => any::<usize>().prop_map(Op::Known),
        3 => (0..3usize).prop_map(Op::Report),
        1 => (0..3usize).prop_map(Op::GiveBack),
        8 => (any::<usize>(), prop::bool::weighted(0.1), prop::bool::weighted(0.1)).prop_map(|(which, lose_reply, twice)| Op::Deliver { which, lose_reply, twice }),
        1 => any::<usize>().prop_map(Op::Lose),
        1 => (0..3usize).prop_map(Op::Crash),
        1 => Just(Op::Evict),
        3 => Just(Op::ReportUp),
        10 => (any::<usize>(), prop::bool::weighted(0.1), any::<bool>()).prop_map(|(which, lose, late)| Op::Up { which, lose, late }),
        2 => (1..90_000u64).prop_map(Op::Pass),
        1 => (0..6usize, -90_000..90_000i64).prop_map(|(whose, ms)| Op::Jump(whose, ms)),
    ]
}
