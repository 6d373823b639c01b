//! The naive reference: it adds up what calls really took.

use super::network::Call;
use super::world::team;
use super::{applied, CAPS, UNBUDGETED};
use meridian::config::limits::Measure;
use meridian::ledger::{Address, Part, Reservation, Settled};
use std::collections::{BTreeMap, BTreeSet};

type Sums = [i64; CAPS.len()];

/// A call in the background.
struct Kept {
    call: Call,
    instance: usize,
    to: Address,
    held: Settled,
}

#[derive(Default)]
pub struct Reference {
    /// What calls took that began, by account.
    pub took: Sums,
    /// Of that, what calls took of which nobody knows, and the most they can have taken.
    pub cut: Sums,
    pub held: Sums,
    pub calls: BTreeMap<String, Call>,
    /// Calls that began.
    pub began: BTreeSet<String>,
    /// Calls of which the ledger learns only when they are over.
    unnoted: BTreeSet<String>,
    kept: Vec<Kept>,
    known: BTreeSet<String>,
}

fn takes(call: &Call, money: i64) -> Sums {
    let mut takes = [0; CAPS.len()];
    for which in call.limits {
        takes[*which] = match CAPS[*which].0 {
            Measure::Money => money,
            Measure::Requests => 1,
            _ => 0,
        };
    }
    takes
}

fn add(all: &mut Sums, more: Sums, times: i64) {
    let pairs = all.iter_mut().zip(more);
    pairs.for_each(|(all, more)| *all += times * more);
}

impl Reference {
    pub fn asked(&mut self, call: &Call) {
        self.calls.insert(call.id.clone(), call.clone());
    }

    pub fn begun(&mut self, call: &Call, reservation: &Reservation) {
        add(&mut self.took, takes(call, call.took), 1);
        self.began.insert(call.id.clone());
        if reservation.is_unasked() {
            self.unnoted.insert(call.id.clone());
        }
    }

    /// Nobody knows what a call took.
    pub fn held(&mut self, call: &Call) {
        add(&mut self.cut, takes(call, call.took), 1);
        add(&mut self.held, takes(call, call.bound), 1);
    }

    /// A call goes on in the background.
    pub fn keep(&mut self, instance: usize, call: Call, to: Address, held: Option<Settled>) {
        self.kept.extend(held.map(|held| Kept {
            call,
            instance,
            to,
            held,
        }));
    }

    /// It turns out what one took, and where that is reported.
    pub fn turns_out(&mut self, which: usize) -> Option<(usize, Call, Address, Settled)> {
        let kept = &self.kept[which.checked_rem(self.kept.len())?];
        if self.known.insert(kept.held.id.clone()) {
            add(&mut self.cut, takes(&kept.call, kept.call.took), -1);
            add(&mut self.held, takes(&kept.call, kept.call.bound), -1);
        }
        let requests = &applied(2, &team()).account;
        let parts = kept.held.parts.iter().map(|part| Part {
            account: part.account.clone(),
            amount: match part.account == *requests {
                true => 1,
                false => kept.call.took,
            },
        });
        let settled = Settled {
            id: format!("{}-answer", kept.held.id),
            holder: kept.held.id.clone(),
            parts: parts.collect(),
            about: kept.held.about.clone(),
            held: false,
            closes: Some(Box::new(kept.held.clone())),
        };
        Some((kept.instance, kept.call.clone(), kept.to.clone(), settled))
    }

    /// Of calls that were never noted, and whose instance is gone, nobody can know.
    pub fn forget_unnoted(&mut self, is_known: impl Fn(&str) -> bool) {
        for id in std::mem::take(&mut self.unnoted) {
            if !is_known(&id) {
                if let Some(call) = self.calls.remove(&id) {
                    self.took[UNBUDGETED] -= call.took;
                }
            }
        }
    }
}
