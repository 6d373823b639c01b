//! Instances that call, crash and sleep, messages that are lost, late, crossed and
//! doubled, objects that are evicted, clocks that are off and jump; beside it the
//! naive reference, which adds up what calls really took.

use super::letters::{Kept, Running, Saying, Sent, Then, Up};
use super::object::{Ledger, Object};
use super::op::Op;
use super::{applied, valued, CAPS, ENDLESS, MOST_VALUES, VALUES};
use meridian::config::limits::{Authority, Measure};
use meridian::ledger::{Message, Need, Part, Purse, Reply, Reservation, Settled};
use meridian::units::Millis;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const CALL_MS: u64 = 60_000;
const LATEST_MS: u64 = 60_000;

pub struct World {
    pub now: Millis,
    pub ledger: Ledger,
    pub purses: Vec<(Purse, u32)>,
    pub finished: Vec<Vec<Settled>>,
    pub running: Vec<Running>,
    pub sent: Vec<Sent>,
    pub ups: Vec<Up>,
    /// How much each clock is off: three instances, two shards, the authority.
    pub off: [i64; 6],
    pub names: u32,
    // The naive reference: everything admitted calls took, by account.
    pub took: [i64; CAPS.len()],
    /// Of that, what calls took that were cut off, and the most they can have taken.
    pub cut: [i64; CAPS.len()],
    pub held: [i64; CAPS.len()],
    /// Calls that were cut off, and those of which it turned out what they took.
    pub kept: Vec<Kept>,
    pub known: BTreeSet<String>,
    pub calls: BTreeMap<String, i64>,
    pub limits: BTreeMap<String, &'static [usize]>,
    /// Calls of which the ledger hears only when they are over.
    pub unnoted: BTreeSet<String>,
    pub asked: [bool; 3],
    pub crashed: bool,
}

impl World {
    pub fn new(shards: usize) -> World {
        let authority = Authority::Team("t".to_owned());
        let own = [authority.clone()];
        World {
            now: Millis(1_000_000),
            ledger: Ledger {
                leaves: match shards {
                    0 => vec![Object::new(&own)],
                    _ => (0..shards).map(|_| Object::new(&[])).collect(),
                },
                above: (shards > 0).then(|| Object::new(&own)),
                authority,
                evictions: 0,
            },
            ups: Vec::new(),
            off: [0; 6],
            purses: (0..3).map(|i| (Purse::new(format!("p{i}")), 0)).collect(),
            finished: vec![Vec::new(); 3],
            running: Vec::new(),
            sent: Vec::new(),
            names: 100,
            took: [0; CAPS.len()],
            cut: [0; CAPS.len()],
            held: [0; CAPS.len()],
            kept: Vec::new(),
            known: BTreeSet::new(),
            calls: BTreeMap::new(),
            limits: BTreeMap::new(),
            unnoted: BTreeSet::new(),
            asked: [false; 3],
            crashed: false,
        }
    }

    pub fn clock(&self, whose: usize) -> Millis {
        Millis(self.now.0.saturating_add_signed(self.off[whose]))
    }

    pub fn name(&mut self) -> String {
        self.names += 1;
        format!("n{}", self.names)
    }

    pub fn needs(&self, bound: i64, limits: &[usize], value: usize) -> Vec<Need> {
        let needs = limits.iter().map(|&which| Need {
            applied: match which {
                VALUES => valued(value, &self.ledger.authority),
                _ => applied(which, &self.ledger.authority),
            },
            amount: if CAPS[which].0 == Measure::Money {
                bound
            } else {
                1
            },
        });
        needs.collect()
    }

    /// What a call takes of each account that took so much money.
    fn takes(&self, id: &str, money: i64) -> [i64; CAPS.len()] {
        let mut takes = [0; CAPS.len()];
        for which in self.limits[id] {
            takes[*which] = match CAPS[*which].0 {
                Measure::Money => money,
                Measure::Requests => 1,
                _ => 0,
            };
        }
        takes
    }

    pub fn begin(
        &mut self,
        (id, bound, took): (String, i64, i64),
        instance: usize,
        reservation: Reservation,
    ) {
        let takes = self.takes(&id, took);
        add(&mut self.took, takes);
        self.calls.insert(id.clone(), took);
        let epoch = self.purses[instance].1;
        let ends = Millis(self.now.0 + CALL_MS);
        self.running.push(Running {
            id,
            instance,
            epoch,
            reservation,
            bound,
            took,
            ends,
        });
    }

    /// A call is over, or the platform cuts it off and nobody knows what it took.
    pub fn finish(&mut self, at: usize, is_cut: bool) {
        let call = self.running.swap_remove(at);
        if self.purses[call.instance].1 != call.epoch {
            return;
        }
        let money = if is_cut { call.bound } else { call.took };
        let took = |measure, _| match measure {
            Measure::Requests => 1,
            _ => money,
        };
        if is_cut {
            let (took, bound) = (call.took, call.bound);
            let takes = [took, bound].map(|money| self.takes(&call.id, money));
            add(&mut self.cut, takes[0]);
            add(&mut self.held, takes[1]);
        }
        let (purse, _) = &mut self.purses[call.instance];
        let mut settled = purse.settle(&call.id, call.reservation, took);
        settled.held = is_cut;
        if is_cut {
            self.kept.push(Kept {
                held: settled.clone(),
                instance: call.instance,
                bound: call.bound,
                took: call.took,
            });
        }
        self.finished[call.instance].push(settled);
    }

    /// It turns out what a call took that was cut off: perhaps before the ledger hears
    /// that it is held, and not only once.
    pub fn turns_out(&mut self, which: usize) {
        let which = which.checked_rem(self.kept.len());
        let Some(kept) = which.map(|which| self.kept[which].clone()) else {
            return;
        };
        if self.known.insert(kept.held.id.clone()) {
            let takes = [kept.took, kept.bound].map(|money| self.takes(&kept.held.id, money));
            add(&mut self.cut, takes[0].map(|one| -one));
            add(&mut self.held, takes[1].map(|one| -one));
        }
        let requests = &applied(2, &self.ledger.authority).account;
        let parts = kept.held.parts.iter().map(|part| Part {
            account: part.account.clone(),
            amount: match part.account == *requests {
                true => 1,
                false => kept.took,
            },
        });
        let settled = Settled {
            id: format!("{}-answer", kept.held.id),
            holder: kept.held.id.clone(),
            parts: parts.collect(),
            about: kept.held.about.clone(),
            held: false,
            closes: Some(Box::new(kept.held)),
        };
        // Whoever tells of it may crash before.
        self.asked[kept.instance] = true;
        self.finished[kept.instance].push(settled);
    }

    pub fn report(&mut self, instance: usize, idle: bool) {
        let now = self.clock(instance);
        if idle && self.purses[instance].0.is_done() {
            // As instances do: one is made anew when it is needed.
            self.purses[instance].0 = Purse::new(self.name());
        }
        let settled = std::mem::take(&mut self.finished[instance]);
        let (purse, epoch) = &mut self.purses[instance];
        let message = purse.report(now, settled, idle);
        let from = (instance, *epoch);
        self.sent.push(Sent {
            saying: Saying::Report(Box::new(message)),
            at: now,
            since: self.now,
            from,
            call: None,
        });
    }

    pub fn deliver(&mut self, at: usize, lose_reply: bool, twice: bool) {
        let sent = self.sent.remove(at);
        let message = match &sent.saying {
            Saying::Question(question) => question.message.clone(),
            Saying::Report(message) => message.as_ref().clone(),
        };
        let shard = sent.from.0 % self.ledger.leaves.len();
        if twice {
            self.take(shard, message.clone(), None);
        }
        self.take(shard, message, Some((sent, lose_reply)));
    }

    /// What an object does with a message: what is said first, then what is
    /// wanted, for which it may have to ask.
    pub fn take(&mut self, at: usize, mut message: Message, whom: Option<(Sent, bool)>) {
        let (now, authority) = (self.clock(3 + at), self.ledger.authority.clone());
        let wants = std::mem::take(&mut message.wants);
        let leaf = &mut self.ledger.leaves[at];
        let reply = leaf.take(now, message.clone());
        let noted = reply.noted;
        if wants.is_empty() {
            return self.reply(whom, reply);
        }
        if let Some(said) = leaf.book.refused_lately(now, &wants) {
            let granted = Err(said);
            return self.reply(
                whom,
                Reply {
                    granted,
                    lost: false,
                    noted,
                },
            );
        }
        let missing: Vec<_> = leaf
            .book
            .short_of(now, &wants)
            .into_values()
            .flatten()
            .collect();
        message.settled.clear();
        message.holds = None;
        message.wants = wants;
        if missing.is_empty() {
            let mut reply = leaf.take(now, message);
            reply.noted |= noted;
            return self.reply(whom, reply);
        }
        let mut question = leaf.book.ask(now, &authority, &missing);
        question.holder = format!("leaf{at}");
        leaf.store();
        self.up(at, question, Some((message, whom, noted)));
    }

    pub fn up(&mut self, leaf: usize, message: Message, then: Option<Then>) {
        self.ups.push(Up {
            leaf,
            evictions: self.ledger.evictions,
            message,
            reply: None,
            is_ghost: false,
            then,
        });
    }

    /// A message to the authority, or its answer, arrives or is lost.
    pub fn step_up(&mut self, at: usize, lose: bool, late: bool) {
        let mut up = self.ups.remove(at);
        let (here, there) = (self.clock(3 + up.leaf), self.clock(5));
        if up.reply.is_none() && !lose {
            let above = self.ledger.above.as_mut().unwrap();
            up.reply = Some(above.take(there, up.message.clone()));
            return self.ups.push(up);
        }
        if up.is_ghost {
            return;
        }
        if late && up.reply.is_none() {
            let message = up.message.clone();
            self.up(up.leaf, message, None);
            self.ups.last_mut().unwrap().is_ghost = true;
        }
        let leaf = &mut self.ledger.leaves[up.leaf];
        let Some((message, whom, noted)) = up.then else {
            if up.evictions == self.ledger.evictions {
                let reply = up.reply.filter(|_| !lose);
                let authority = &self.ledger.authority;
                leaf.book.reported(authority, &up.message, reply.as_ref());
            }
            return;
        };
        if up.evictions != self.ledger.evictions {
            return self.not_replied(whom);
        }
        let Some(reply) = up.reply.filter(|_| !lose) else {
            leaf.book.not_answered(&up.message);
            return self.not_replied(whom);
        };
        let answered = leaf.book.answered(here, &up.message, &reply);
        leaf.store();
        let mut reply = match answered {
            Ok(()) => leaf.take(here, message),
            Err(exceeded) => Reply::refuses(exceeded),
        };
        reply.noted |= noted;
        self.reply(whom, reply);
    }

    pub fn not_replied(&mut self, whom: Option<(Sent, bool)>) {
        if let Some((sent, _)) = whom {
            self.lose(sent);
        }
    }

    pub fn reply(&mut self, whom: Option<(Sent, bool)>, reply: Reply) {
        let Some((sent, lose_reply)) = whom else {
            return;
        };
        let (instance, epoch) = sent.from;
        if self.purses[instance].1 != epoch {
            return;
        }
        if lose_reply {
            return self.lose(sent);
        }
        let fresh = self.name();
        let purse = &mut self.purses[instance].0;
        let mut admitted = None;
        let holder;
        match sent.saying {
            Saying::Question(question) => {
                holder = question.message.holder.clone();
                admitted = purse
                    .answered(sent.at, *question, &reply)
                    .unwrap_or_default();
            }
            Saying::Report(report) => {
                purse.heard(sent.at, &report, &reply);
                holder = report.holder;
            }
        }
        if reply.lost && holder == purse.holder() {
            purse.lose(fresh);
        }
        if let (Some(reservation), Some(call)) = (admitted, sent.call) {
            self.begin(call, instance, reservation);
        }
    }

    /// What is under way for so long never arrives.
    fn lose_what_is_late(&mut self) {
        let is_late = |one: &Sent| self.now.since(one.since) > LATEST_MS;
        let (late, sent): (Vec<Sent>, Vec<Sent>) = self.sent.drain(..).partition(is_late);
        self.sent = sent;
        late.into_iter().for_each(|sent| self.lose(sent));
    }

    /// Nobody is left who knows of these: of those that were never noted nobody can.
    fn forget(&mut self, calls: Vec<String>) {
        for id in calls.iter().filter(|id| self.unnoted.contains(*id)) {
            self.took[ENDLESS] -= self.calls.remove(id).unwrap_or_default();
        }
    }

    // The sender hears nothing: it tells what was settled once more.
    pub fn lose(&mut self, sent: Sent) {
        let (instance, epoch) = sent.from;
        if self.purses[instance].1 != epoch {
            if let Saying::Report(report) = sent.saying {
                self.forget(report.settled.into_iter().map(|call| call.id).collect());
            }
            return;
        }
        let purse = &mut self.purses[instance].0;
        match sent.saying {
            Saying::Question(question) => purse.failed(*question),
            Saying::Report(report) => {
                purse.unheard(&report);
                return self.finished[instance].extend(report.settled);
            }
        }
        // Who is under no limit goes on without an answer.
        let Some(call) = sent.call else { return };
        if self.limits[&call.0] == [ENDLESS] {
            let reservation = Reservation::unasked(&self.needs(1, &[ENDLESS], 0));
            self.unnoted.insert(call.0.clone());
            self.begin(call, instance, reservation);
        }
    }

    pub fn step(&mut self, op: Op) {
        match op {
            Op::Call {
                instance,
                bound,
                took,
                limits,
                value,
            } => {
                let (id, needs) = (self.name(), self.needs(bound, limits, value));
                self.limits.insert(id.clone(), limits);
                let now = self.clock(instance);
                let deadline = Millis(now.0 + CALL_MS);
                let (purse, epoch) = &mut self.purses[instance];
                match purse.reserve(now, deadline, &needs) {
                    Some(reservation) => self.begin((id, bound, took), instance, reservation),
                    None if purse.refused_lately(now, &needs).is_some() => {}
                    None => {
                        self.asked[instance] = true;
                        let question = purse.ask(now, deadline, needs);
                        let from = (instance, *epoch);
                        self.sent.push(Sent {
                            saying: Saying::Question(Box::new(question)),
                            at: now,
                            since: self.now,
                            from,
                            call: Some((id, bound, took)),
                        });
                    }
                }
            }
            Op::Finish(which) if !self.running.is_empty() => {
                self.finish(which % self.running.len(), false)
            }
            Op::CutOff(which) if !self.running.is_empty() => {
                self.finish(which % self.running.len(), true)
            }
            Op::Known(which) => self.turns_out(which),
            Op::Report(instance) => self.report(instance, false),
            Op::GiveBack(instance) => self.report(instance, true),
            Op::Deliver {
                which,
                lose_reply,
                twice,
            } if !self.sent.is_empty() => {
                self.deliver(which % self.sent.len(), lose_reply, twice);
            }
            Op::Lose(which) if !self.sent.is_empty() => {
                let sent = self.sent.remove(which % self.sent.len());
                self.lose(sent);
            }
            Op::Crash(instance) => {
                // Whatever it ever asked for may be lent to it.
                self.crashed |= std::mem::take(&mut self.asked[instance]);
                let name = self.name();
                let epoch = self.purses[instance].1 + 1;
                self.purses[instance] = (Purse::new(name), epoch);
                let running = self.running.iter();
                let running = running.filter(|call| call.instance == instance);
                let mut ids: Vec<String> = running.map(|call| call.id.clone()).collect();
                ids.extend(self.finished[instance].drain(..).map(|call| call.id));
                self.forget(ids);
            }
            Op::Evict => {
                self.ledger.evictions += 1;
                self.ledger.evict();
            }
            Op::ReportUp => self.report_up(),
            Op::Up { which, lose, late } if !self.ups.is_empty() => {
                self.step_up(which % self.ups.len(), lose, late);
            }
            Op::Jump(whose, ms) => self.off[whose] += ms,
            Op::Pass(ms) => {
                self.now = Millis(self.now.0 + ms);
                self.lose_what_is_late();
                // No call outlives its deadline.
                while let Some(at) = self.running.iter().position(|call| call.ends <= self.now) {
                    self.finish(at, false);
                }
            }
            _ => {}
        }
    }

    pub fn check(&self) -> Result<(), TestCaseError> {
        let top = self.ledger.top();
        for account in top.book.accounts() {
            let (spent, lent, held) = (account.spent, account.lent(), account.held());
            let is_kept = spent + lent + held <= account.cap && lent >= 0 && held >= 0;
            prop_assert!(is_kept, "{account:?}");
        }
        for object in self.ledger.leaves.iter().chain(&self.ledger.above) {
            let values = object.book.accounts();
            let values = values.filter(|account| account.applied.others.is_some());
            prop_assert!(values.count() <= MOST_VALUES as usize, "accounts of values");
        }
        for account in self
            .ledger
            .above
            .iter()
            .flat_map(|above| above.book.accounts())
        {
            let name = &account.applied.account;
            let at_leaves = self
                .ledger
                .leaves
                .iter()
                .flat_map(|leaf| leaf.book.accounts());
            let of_it = at_leaves.filter(|one| one.applied.account == *name);
            let funded: i64 = of_it.map(|one| one.cap).sum();
            prop_assert!(
                funded <= account.spent + account.lent(),
                "{funded} of {account:?}"
            );
        }
        for (which, (measure, cap)) in CAPS.iter().enumerate() {
            let cap = match which {
                VALUES => cap * (i64::from(MOST_VALUES) + 1),
                _ => *cap,
            };
            prop_assert!(
                self.took[which] <= cap,
                "{} of {cap} of {measure:?} were taken",
                self.took[which]
            );
        }
        let open = self
            .running
            .iter()
            .filter(|call| self.purses[call.instance].1 == call.epoch)
            .filter(|call| self.limits[&call.id].contains(&3));
        prop_assert!(open.count() as i64 <= CAPS[3].1);
        Ok(())
    }

    /// Everything comes to rest: calls end, messages arrive, leases run out.
    pub fn rest(&mut self) {
        for _ in 0..4 {
            while !self.running.is_empty() {
                self.finish(0, false);
            }
            self.arrive();
            for instance in 0..3 {
                self.report(instance, true);
            }
            self.arrive();
            // Nobody waits for what was lost.
            self.now = Millis(self.now.0 + 10_000);
            self.report_up();
            self.arrive();
        }
    }

    pub fn arrive(&mut self) {
        while !self.sent.is_empty() || !self.ups.is_empty() {
            while !self.ups.is_empty() {
                self.step_up(0, false, false);
            }
            if !self.sent.is_empty() {
                self.deliver(0, false, false);
            }
        }
    }

    pub fn report_up(&mut self) {
        if self.ledger.above.is_none() {
            return;
        }
        for at in 0..self.ledger.leaves.len() {
            let now = self.clock(3 + at);
            let leaf = &mut self.ledger.leaves[at];
            let told = leaf.book.report(now, &self.ledger.authority);
            leaf.store();
            if let Some(mut message) = told {
                message.holder = format!("leaf{at}");
                self.up(at, message, None);
            }
        }
    }
}

fn add(all: &mut [i64; CAPS.len()], more: [i64; CAPS.len()]) {
    all.iter_mut()
        .zip(more)
        .for_each(|(all, more)| *all += more);
}
