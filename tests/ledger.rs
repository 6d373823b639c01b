//! The ledger against a naive reference: instances that call, crash and sleep,
//! messages that are lost, late and doubled, an object that is evicted, a clock
//! that jumps. Whatever happens, what calls really took never exceeds a limit,
//! and nothing that was taken goes uncounted.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use meridian::ledger::{Book, Message, Need, Purse, Question, Reply, Reservation};
use meridian::limits::{Applied, Authority, Measure, Window};
use meridian::units::Millis;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const CALL_MS: u64 = 60_000;
const CAPS: [(Measure, i64); 4] = [
    (Measure::Money, 1_000),
    (Measure::Money, 400),
    (Measure::Requests, 30),
    (Measure::Concurrent, 5),
];

fn applied(which: usize, authority: &Authority) -> Applied {
    let (measure, cap) = CAPS[which];
    Applied {
        account: format!("a{which}"),
        authority: authority.clone(),
        limit: format!("l{which}"),
        whom: String::new(),
        measure,
        cap,
        window: Window::EVER,
        takes_all: which == 0,
        downgrade: None,
        webhook: None,
    }
}

/// An object as the platform would run it: the book, what it has stored, and
/// the calls it has settled.
struct Object {
    is: Vec<Authority>,
    book: Book,
    stored: BTreeMap<String, String>,
    settled: BTreeSet<String>,
    charged: i64,
    credited: i64,
    has_given_up: bool,
}

impl Object {
    fn new(is: &[Authority]) -> Object {
        Object {
            is: is.to_vec(),
            book: Book::new(is.to_vec(), Vec::new()),
            stored: BTreeMap::new(),
            settled: BTreeSet::new(),
            charged: 0,
            credited: 0,
            has_given_up: false,
        }
    }

    fn store(&mut self) {
        for change in self.book.changes() {
            match change.value {
                Some(value) => self.stored.insert(change.key, value),
                None => self.stored.remove(&change.key),
            };
        }
    }

    fn evict(&mut self) {
        self.book = Book::new(self.is.clone(), self.stored.clone().into_iter().collect());
    }

    fn expire(&mut self, now: Millis) {
        let forfeits = self.book.expire(now);
        self.has_given_up |= !forfeits.is_empty();
        self.charged += forfeits.iter().map(|forfeit| forfeit.money).sum::<i64>();
        self.store();
    }

    fn take(&mut self, now: Millis, mut message: Message) -> Reply {
        self.expire(now);
        message
            .settled
            .retain(|one| self.settled.insert(one.id.clone()));
        for one in &message.settled {
            self.credited += self.book.credit(&one.holder, &one.parts);
        }
        let reply = self.book.take(now, &message);
        self.store();
        reply
    }
}

/// Shards and the authority they borrow from, or the authority alone.
struct Ledger {
    leaves: Vec<Object>,
    above: Option<Object>,
    authority: Authority,
    evictions: u32,
}

/// From a shard to the authority, and back.
struct Up {
    leaf: usize,
    evictions: u32,
    message: Message,
    reply: Option<Reply>,
    /// Its sender does not wait for it any more.
    is_ghost: bool,
    /// What the shard goes on with.
    then: Option<(Message, Option<(Sent, bool)>)>,
}

impl Ledger {
    fn evict(&mut self) {
        self.objects().for_each(Object::evict);
    }

    fn objects(&mut self) -> impl Iterator<Item = &mut Object> {
        self.leaves.iter_mut().chain(&mut self.above)
    }

    fn top(&self) -> &Object {
        self.above.as_ref().unwrap_or(&self.leaves[0])
    }
}

struct Running {
    id: String,
    instance: usize,
    epoch: u32,
    reservation: Reservation,
    took: i64,
    ends: Millis,
}

enum Saying {
    Question(Box<Question>),
    Report(Message),
}

struct Sent {
    saying: Saying,
    at: Millis,
    from: (usize, u32),
    call: Option<(String, i64)>,
}

#[derive(Debug, Clone)]
enum Op {
    Call {
        instance: usize,
        bound: i64,
        took: i64,
        narrow: bool,
    },
    Finish(usize),
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

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..3usize, 1..90i64, 0..=100i64, any::<bool>()).prop_map(|(instance, bound, part, narrow)| Op::Call { instance, bound, took: bound * part / 100, narrow }),
        6 => any::<usize>().prop_map(Op::Finish),
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

struct World {
    now: Millis,
    ledger: Ledger,
    purses: Vec<(Purse, u32)>,
    finished: Vec<Vec<meridian::ledger::Settled>>,
    running: Vec<Running>,
    sent: Vec<Sent>,
    ups: Vec<Up>,
    /// How much each clock is off: three instances, two shards, the authority.
    off: [i64; 6],
    names: u32,
    // The naive reference: everything admitted calls took, by account.
    took: [i64; CAPS.len()],
    narrow: BTreeMap<String, bool>,
    asked: [bool; 3],
    crashed: bool,
}

impl World {
    fn new(shards: usize) -> World {
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
            narrow: BTreeMap::new(),
            asked: [false; 3],
            crashed: false,
        }
    }

    fn clock(&self, whose: usize) -> Millis {
        Millis(self.now.0.saturating_add_signed(self.off[whose]))
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("n{}", self.names)
    }

    fn needs(&self, bound: i64, narrow: bool) -> Vec<Need> {
        let which: &[usize] = if narrow { &[0, 1, 2, 3] } else { &[0, 2, 3] };
        let needs = which.iter().map(|&which| Need {
            applied: applied(which, &self.ledger.authority),
            amount: if CAPS[which].0 == Measure::Money {
                bound
            } else {
                1
            },
        });
        needs.collect()
    }

    fn begin(&mut self, id: String, instance: usize, reservation: Reservation, took: i64) {
        for (which, (measure, _)) in CAPS.iter().enumerate() {
            let narrow = self.narrow[&id] || which != 1;
            self.took[which] += match measure {
                Measure::Money if narrow => took,
                Measure::Requests => 1,
                _ => 0,
            };
        }
        let epoch = self.purses[instance].1;
        let ends = Millis(self.now.0 + CALL_MS);
        self.running.push(Running {
            id,
            instance,
            epoch,
            reservation,
            took,
            ends,
        });
    }

    fn finish(&mut self, at: usize) {
        let call = self.running.swap_remove(at);
        if self.purses[call.instance].1 != call.epoch {
            return;
        }
        let took = |measure| {
            if measure == Measure::Requests {
                1
            } else {
                call.took
            }
        };
        let settled = self.purses[call.instance]
            .0
            .settle(&call.id, call.reservation, took);
        self.finished[call.instance].push(settled);
    }

    fn report(&mut self, instance: usize, idle: bool) {
        let now = self.clock(instance);
        let settled = std::mem::take(&mut self.finished[instance]);
        let (purse, epoch) = &mut self.purses[instance];
        let message = purse.report(now, settled, idle);
        let from = (instance, *epoch);
        self.sent.push(Sent {
            saying: Saying::Report(message),
            at: now,
            from,
            call: None,
        });
    }

    fn deliver(&mut self, at: usize, lose_reply: bool, twice: bool) {
        let sent = self.sent.remove(at);
        let message = match &sent.saying {
            Saying::Question(question) => question.message.clone(),
            Saying::Report(message) => message.clone(),
        };
        let shard = sent.from.0 % self.ledger.leaves.len();
        if twice {
            self.take(shard, message.clone(), None);
        }
        self.take(shard, message, Some((sent, lose_reply)));
    }

    /// What an object does with a message: what is said first, then what is
    /// wanted, for which it may have to ask.
    fn take(&mut self, at: usize, mut message: Message, whom: Option<(Sent, bool)>) {
        let (now, authority) = (self.clock(3 + at), self.ledger.authority.clone());
        let wants = std::mem::take(&mut message.wants);
        let leaf = &mut self.ledger.leaves[at];
        let reply = leaf.take(now, message.clone());
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
                },
            );
        }
        let missing: Vec<_> = leaf.book.short_of(&wants).into_values().flatten().collect();
        message.settled.clear();
        message.holds = None;
        message.wants = wants;
        if missing.is_empty() {
            let reply = leaf.take(now, message);
            return self.reply(whom, reply);
        }
        let mut question = leaf.book.ask(now, &authority, &missing);
        question.holder = format!("leaf{at}");
        leaf.store();
        self.up(at, question, Some((message, whom)));
    }

    fn up(&mut self, leaf: usize, message: Message, then: Option<(Message, Option<(Sent, bool)>)>) {
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
    fn step_up(&mut self, at: usize, lose: bool, late: bool) {
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
        let Some((message, whom)) = up.then else {
            return;
        };
        let leaf = &mut self.ledger.leaves[up.leaf];
        if up.evictions != self.ledger.evictions {
            return self.not_replied(whom);
        }
        let Some(reply) = up.reply.filter(|_| !lose) else {
            leaf.book.not_answered(&up.message);
            return self.not_replied(whom);
        };
        let answered = leaf.book.answered(here, &up.message, &reply);
        leaf.store();
        let reply = match answered {
            Ok(()) => leaf.take(here, message),
            Err(exceeded) => Reply {
                granted: Err(exceeded),
                lost: false,
            },
        };
        self.reply(whom, reply);
    }

    fn not_replied(&mut self, whom: Option<(Sent, bool)>) {
        if let Some((sent, _)) = whom {
            self.lose(sent);
        }
    }

    fn reply(&mut self, whom: Option<(Sent, bool)>, reply: Reply) {
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
        if let (Some(reservation), Some((id, took))) = (admitted, sent.call) {
            self.begin(id, instance, reservation, took);
        }
    }

    // The sender hears nothing: it tells what was settled once more.
    fn lose(&mut self, sent: Sent) {
        let (instance, epoch) = sent.from;
        if self.purses[instance].1 != epoch {
            return;
        }
        let purse = &mut self.purses[instance].0;
        match sent.saying {
            Saying::Question(question) => purse.failed(*question),
            Saying::Report(report) => {
                purse.unheard(&report);
                self.finished[instance].extend(report.settled);
            }
        }
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Call {
                instance,
                bound,
                took,
                narrow,
            } => {
                let (id, needs) = (self.name(), self.needs(bound, narrow));
                self.narrow.insert(id.clone(), narrow);
                let now = self.clock(instance);
                let deadline = Millis(now.0 + CALL_MS);
                let (purse, epoch) = &mut self.purses[instance];
                match purse.reserve(now, deadline, &needs) {
                    Some(reservation) => self.begin(id, instance, reservation, took),
                    None if purse.refused_lately(now, &needs).is_some() => {}
                    None => {
                        self.asked[instance] = true;
                        let question = purse.ask(now, deadline, needs);
                        let from = (instance, *epoch);
                        self.sent.push(Sent {
                            saying: Saying::Question(Box::new(question)),
                            at: now,
                            from,
                            call: Some((id, took)),
                        });
                    }
                }
            }
            Op::Finish(which) if !self.running.is_empty() => {
                self.finish(which % self.running.len())
            }
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
                self.finished[instance].clear();
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
                // No call outlives its deadline.
                while let Some(at) = self.running.iter().position(|call| call.ends <= self.now) {
                    self.finish(at);
                }
            }
            _ => {}
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let top = self.ledger.top();
        for account in top.book.accounts() {
            let (spent, lent) = (account.spent, account.lent());
            prop_assert!(spent + lent <= account.cap && lent >= 0, "{account:?}");
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
            prop_assert!(
                self.took[which] <= *cap,
                "{} of {cap} of {measure:?} were taken",
                self.took[which]
            );
        }
        let open = self
            .running
            .iter()
            .filter(|call| self.purses[call.instance].1 == call.epoch);
        prop_assert!(open.count() as i64 <= CAPS[3].1);
        Ok(())
    }

    /// Everything comes to rest: calls end, messages arrive, leases run out.
    fn rest(&mut self) {
        for _ in 0..4 {
            while !self.running.is_empty() {
                self.finish(0);
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

    fn arrive(&mut self) {
        while !self.sent.is_empty() || !self.ups.is_empty() {
            while !self.ups.is_empty() {
                self.step_up(0, false, false);
            }
            if !self.sent.is_empty() {
                self.deliver(0, false, false);
            }
        }
    }

    fn report_up(&mut self) {
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
        let spent = |world: &World, which: usize| {
            let accounts = world.ledger.top().book.accounts();
            accounts.filter(|account| account.applied.account == format!("a{which}")).map(|account| account.spent).sum::<i64>()
        };
        for object in world.ledger.objects() {
            prop_assert!(object.credited <= object.charged);
            // Nothing came through for as long as things are lent.
            world.crashed |= object.has_given_up;
        }
        if !world.crashed {
            // To the last unit, and everything that was lent is back.
            for which in 0..3 {
                prop_assert_eq!(spent(&world, which), world.took[which], "of account {}", which);
            }
            for account in world.ledger.top().book.accounts() {
                prop_assert_eq!(account.lent(), 0, "{:?}", account);
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
        for which in 0..3 {
            let counted = spent(&world, which);
            prop_assert!(counted >= world.took[which], "{} were taken, {counted} counted", world.took[which]);
        }
    }
}

#[test]
fn a_question_whose_sender_has_given_up_is_lent_nothing() {
    let authority = Authority::Team("t".to_owned());
    let mut book = Book::new([authority.clone()], Vec::new());
    let mut purse = Purse::new("p".to_owned());
    let need = Need {
        applied: applied(0, &authority),
        amount: 10,
    };
    let late = purse.ask(Millis(1), Millis(2), vec![need]);
    let message = late.message.clone();
    purse.failed(late);
    book.take(Millis(3), &purse.report(Millis(3), Vec::new(), false));
    let reply = book.take(Millis(4), &message);
    assert_eq!((reply.granted, book.lent("a0")), (Ok(Vec::new()), 0));
}

/// A book, and a purse that has let a call in from it.
fn one_call() -> (Book, Purse, Reservation) {
    let authority = Authority::Team("t".to_owned());
    let mut book = Book::new([authority.clone()], Vec::new());
    let mut purse = Purse::new("p".to_owned());
    let need = Need {
        applied: applied(0, &authority),
        amount: 10,
    };
    let question = purse.ask(Millis(1), Millis(100_000), vec![need]);
    let reply = book.take(Millis(1), &question.message);
    let reservation = purse.answered(Millis(1), question, &reply);
    (book, purse, reservation.unwrap().unwrap())
}

#[test]
fn what_two_reports_at_once_overstate_is_put_right() {
    let (mut book, mut purse, reservation) = one_call();
    let settled = purse.settle("call", reservation, |_| 7);
    let first = purse.report(Millis(2), vec![settled], false);
    let second = purse.report(Millis(3), Vec::new(), true);
    for (at, report) in [(2, first), (3, second)] {
        let reply = book.take(Millis(at), &report);
        purse.heard(Millis(at), &report, &reply);
    }
    assert!(
        purse.has_some_idle(),
        "the book thinks that {} are left",
        book.lent("a0")
    );
    let third = purse.report(Millis(4), Vec::new(), true);
    let reply = book.take(Millis(4), &third);
    purse.heard(Millis(4), &third, &reply);
    assert_eq!((book.lent("a0"), purse.has_some_idle()), (0, false));
}

#[test]
fn what_was_given_back_and_not_heard_is_given_back_again() {
    let (mut book, mut purse, reservation) = one_call();
    let settled = purse.settle("call", reservation, |_| 7);
    let report = purse.report(Millis(2), vec![settled], false);
    let reply = book.take(Millis(2), &report);
    purse.heard(Millis(2), &report, &reply);
    let lost = purse.report(Millis(3), Vec::new(), true);
    purse.unheard(&lost);
    assert!(purse.is_idle(Millis(3_000)) && book.lent("a0") > 0);
    book.take(Millis(4), &purse.report(Millis(4), Vec::new(), true));
    assert_eq!(book.lent("a0"), 0);
}
