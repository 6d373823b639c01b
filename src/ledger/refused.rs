//! Refusals that hold for a moment. Where a limit is spent, everybody who comes
//! would ask the one object that has it; what it said to the last who did is
//! as good as what it would say now.

use crate::config::limits::Applied;
use crate::refusal::Exceeded;
use crate::units::Millis;
use std::collections::BTreeMap;

/// What was refused lately, by account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    holds_ms: u64,
    said: BTreeMap<String, (Millis, Box<Exceeded>)>,
}

impl Refused {
    /// By a ledger, to an instance: for no longer than what is over waits before the
    /// ledger hears of it.
    pub fn by_a_ledger() -> Refused {
        Refused::holding(100)
    }

    /// By an authority, to a ledger, on which many instances may call.
    pub fn by_an_authority() -> Refused {
        Refused::holding(1_000)
    }

    fn holding(holds_ms: u64) -> Refused {
        Refused {
            holds_ms,
            said: BTreeMap::new(),
        }
    }

    /// Remembers what was said to one who wanted something of these accounts.
    pub fn note<'a>(
        &mut self,
        now: Millis,
        mut wanted: impl Iterator<Item = &'a Applied>,
        exceeded: &Exceeded,
    ) {
        let holds_ms = self.holds_ms;
        self.said
            .retain(|_, (at, _)| now.0.abs_diff(at.0) < holds_ms);
        if let Some(applied) = wanted.find(|applied| exceeded.is_of(applied)) {
            let said = (now, Box::new(exceeded.clone()));
            self.said.insert(applied.account.clone(), said);
        }
    }

    /// What was said a moment ago to one who wanted no more of an account.
    pub fn lately(&self, now: Millis, account: &str, amount: i64) -> Option<Box<Exceeded>> {
        let (at, exceeded) = self.said.get(account)?;
        let holds = now.0.abs_diff(at.0) < self.holds_ms && amount >= exceeded.needed;
        holds.then(|| exceeded.clone())
    }
}
