//! A team that is too much for one object: instances that call, shards that
//! borrow from the team's object, and how many letters each of them gets. The
//! small run holds it to its rules, the large one, `cargo test --release --test
//! scale -- --ignored --nocapture`, says what a hundred thousand calls a second
//! come to.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods
)]

use meridian::config::limits::{Applied, Authority, Measure, Window};
use meridian::ledger::{Book, Load, Message, Need, Purse, Question, Reply, Reservation, Spread};
use meridian::units::Millis;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const STEP_MS: u64 = 10;
/// How long a letter and its answer are on the way.
const LETTER_MS: u64 = 30;
const CALL_MS: u64 = 2_000;
const GATHER_MS: u64 = 100;
const TELL_MS: u64 = 1_000;
const BOUND: i64 = 1_000;
const TOOK: i64 = 300;

struct Object {
    book: Book,
    load: Load,
    letters: BTreeMap<u64, u32>,
    busy: Duration,
}

impl Object {
    fn new(is: &[Authority]) -> Object {
        Object {
            book: Book::new(is.to_vec(), Vec::new()),
            load: Load::default(),
            letters: BTreeMap::new(),
            busy: Duration::ZERO,
        }
    }

    fn take(&mut self, now: Millis, message: &Message) -> Reply {
        *self.letters.entry(now.0 / 1_000).or_default() += 1;
        self.load.one_more(now);
        let began = Instant::now();
        let reply = self.book.take(now, message);
        self.book.changes();
        self.busy += began.elapsed();
        reply
    }
}

struct Instance {
    salt: u64,
    spread: Spread,
    purses: BTreeMap<u16, Purse>,
    finished: BTreeMap<u16, Vec<meridian::ledger::Settled>>,
    running: Vec<(Millis, u16, Reservation)>,
}

struct Asked {
    at: Millis,
    instance: usize,
    shard: u16,
    question: Question,
}

struct World {
    now: Millis,
    caps: [i64; 2],
    hot: u32,
    authority: Authority,
    objects: BTreeMap<u16, Object>,
    instances: Vec<Instance>,
    asked: Vec<Asked>,
    calls: u64,
    admitted: u64,
    waited: u64,
    refused: u64,
    reports: u64,
}

impl World {
    fn new(instances: usize, caps: [i64; 2], hot: u32) -> World {
        let authority = Authority::Team("t".to_owned());
        let instance = |i: usize| Instance {
            salt: (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20,
            spread: Spread::default(),
            purses: BTreeMap::new(),
            finished: BTreeMap::new(),
            running: Vec::new(),
        };
        World {
            now: Millis(1_000_000_000_000),
            caps,
            hot,
            objects: BTreeMap::from([(0, Object::new(std::slice::from_ref(&authority)))]),
            authority,
            instances: (0..instances).map(instance).collect(),
            asked: Vec::new(),
            calls: 0,
            admitted: 0,
            waited: 0,
            refused: 0,
            reports: 0,
        }
    }

    /// A budget, and requests in each minute.
    fn needs(&self) -> Vec<Need> {
        let minute = self.now.0 / 60_000;
        let window = Window {
            start: Millis(minute * 60_000),
            end: Some(Millis((minute + 1) * 60_000)),
        };
        let of = |account: String, measure, cap, window| Applied {
            limit: account.clone(),
            account,
            authority: Some(self.authority.clone()),
            whom: String::new(),
            measure,
            cap,
            window,
            takes_all: true,
            downgrade: None,
            webhook: None,
            others: None,
            team_share: None,
        };
        vec![
            Need {
                applied: of(
                    "budget".to_owned(),
                    Measure::Money,
                    self.caps[0],
                    Window::EVER,
                ),
                amount: BOUND,
            },
            Need {
                applied: of(
                    format!("requests {minute}"),
                    Measure::Requests,
                    self.caps[1],
                    window,
                ),
                amount: 1,
            },
        ]
    }

    /// What the host of a book does with a message.
    fn deliver(&mut self, shard: u16, mut message: Message) -> (Reply, u32) {
        let now = self.now;
        let mut above = (shard > 0).then(|| self.objects.remove(&0).unwrap());
        let object = self
            .objects
            .entry(shard)
            .or_insert_with(|| Object::new(&[]));
        let mut refused = None;
        if let Some(above) = &mut above {
            refused = object.book.refused_lately(now, &message.wants);
            let short = if refused.is_some() {
                BTreeMap::new()
            } else {
                object.book.short_of(now, &message.wants)
            };
            for missing in short.into_values() {
                let mut question = object.book.ask(now, &self.authority, &missing);
                question.holder = format!("shard {shard}");
                let reply = above.take(now, &question);
                refused = object.book.answered(now, &question, &reply).err();
            }
        }
        if refused.is_some() {
            message.wants.clear();
        }
        let mut reply = object.take(now, &message);
        let load = object.load.clone().one_more(now);
        if let Some(exceeded) = refused {
            reply.granted = Err(exceeded);
        }
        self.objects.extend(above.map(|above| (0, above)));
        (reply, load)
    }

    fn call(&mut self, at: usize) {
        self.calls += 1;
        let (now, needs) = (self.now, self.needs());
        let instance = &mut self.instances[at];
        let shard = instance.spread.shard(instance.salt);
        let purse = instance
            .purses
            .entry(shard)
            .or_insert_with(|| Purse::new(format!("p{at} {shard}")));
        let deadline = Millis(now.0 + 60_000);
        if let Some(reservation) = purse.reserve(now, deadline, &needs) {
            self.admitted += 1;
            instance
                .running
                .push((Millis(now.0 + CALL_MS), shard, reservation));
        } else if purse.refused_lately(now, &needs).is_some() {
            self.refused += 1;
        } else {
            let question = purse.ask(now, deadline, needs);
            self.asked.push(Asked {
                at: now,
                instance: at,
                shard,
                question,
            });
        }
    }

    fn answer(&mut self) {
        let (now, due) = (
            self.now,
            self.asked
                .iter()
                .take_while(|asked| self.now.since(asked.at) >= LETTER_MS)
                .count(),
        );
        for Asked {
            at,
            instance,
            shard,
            question,
        } in self.asked.drain(..due).collect::<Vec<_>>()
        {
            let (reply, load) = self.deliver(shard, question.message.clone());
            let asking = &mut self.instances[instance];
            asking.spread.told(now, load, self.hot);
            match asking
                .purses
                .get_mut(&shard)
                .unwrap()
                .answered(at, question, &reply)
            {
                Ok(Some(reservation)) => {
                    self.admitted += 1;
                    self.waited += 1;
                    asking
                        .running
                        .push((Millis(now.0 + CALL_MS), shard, reservation));
                }
                Ok(None) | Err(_) => self.refused += 1,
            }
        }
    }

    fn report(&mut self, at: usize) {
        let now = self.now;
        let Instance {
            running,
            purses,
            finished,
            ..
        } = &mut self.instances[at];
        for (_, shard, reservation) in running.extract_if(.., |(ends, ..)| *ends <= now) {
            let took = |measure, _| if measure == Measure::Money { TOOK } else { 1 };
            let settled = purses
                .get_mut(&shard)
                .unwrap()
                .settle("a call", reservation, took);
            finished.entry(shard).or_default().push(settled);
        }
        let mut reports: Vec<(u16, Message)> = std::mem::take(finished)
            .into_iter()
            .map(|(shard, settled)| {
                (
                    shard,
                    purses.get_mut(&shard).unwrap().report(now, settled, false),
                )
            })
            .collect();
        let idle = purses.iter_mut().filter(|(_, purse)| purse.is_idle(now));
        reports.extend(idle.map(|(shard, purse)| (*shard, purse.report(now, Vec::new(), true))));
        for (shard, report) in reports {
            self.reports += 1;
            let (reply, load) = self.deliver(shard, report.clone());
            let instance = &mut self.instances[at];
            instance.spread.told(now, load, self.hot);
            instance
                .purses
                .get_mut(&shard)
                .unwrap()
                .heard(now, &report, &reply);
        }
    }

    /// Shards tell the team's object what was spent, and give back.
    fn tell(&mut self) {
        let (now, authority) = (self.now, self.authority.clone());
        let mut above = self.objects.remove(&0).unwrap();
        for (shard, object) in &mut self.objects {
            if let Some(mut told) = object.book.report(now, &authority) {
                told.holder = format!("shard {shard}");
                let reply = above.take(now, &told);
                object.book.reported(&authority, &told, Some(&reply));
            }
        }
        self.objects.insert(0, above);
    }

    /// So many calls a second, for so long.
    fn run(&mut self, seconds: u64, per_second: usize) {
        let mut next = 0;
        for step in 0..seconds * 1_000 / STEP_MS {
            self.now = Millis(self.now.0 + STEP_MS);
            self.answer();
            let until = (step as usize + 1) * per_second * STEP_MS as usize / 1_000;
            for _ in next..until {
                // Neighbours in time are not neighbours in place.
                let at = self.calls as usize * 7_919 % self.instances.len();
                self.call(at);
            }
            next = until;
            let gathers = |at: &usize| {
                (self.now.0 / STEP_MS + *at as u64).is_multiple_of(GATHER_MS / STEP_MS)
            };
            for at in (0..self.instances.len())
                .filter(gathers)
                .collect::<Vec<_>>()
            {
                self.report(at);
            }
            if self.now.0.is_multiple_of(TELL_MS) {
                self.tell();
            }
        }
    }

    /// The most letters that an object got in one of the last seconds; the
    /// team's own, and of the shards.
    fn most_letters(&self, seconds: u64) -> (u32, u32) {
        let since = self.now.0 / 1_000 - seconds;
        let most = |object: &Object| {
            object
                .letters
                .range(since..)
                .map(|(_, n)| *n)
                .max()
                .unwrap_or(0)
        };
        let shards = self.objects.iter().filter(|(shard, _)| **shard > 0);
        (
            most(&self.objects[&0]),
            shards.map(|(_, object)| most(object)).max().unwrap_or(0),
        )
    }

    fn spent(&self, kind: &str) -> i64 {
        let accounts = self.objects[&0].book.accounts();
        let of_kind = accounts.filter(|account| account.applied.account.starts_with(kind));
        of_kind.map(|account| account.spent).sum()
    }

    fn shards(&self) -> BTreeSet<u16> {
        self.instances
            .iter()
            .map(|instance| instance.spread.shard(instance.salt))
            .collect()
    }
}

const NO_END: i64 = i64::MAX / 1_000;

#[test]
fn a_hot_team_is_spread_and_gathers_again() {
    let mut world = World::new(60, [NO_END, NO_END], 20);
    world.run(30, 300);
    let (base, shards) = world.most_letters(5);
    assert!(world.shards().len() > 10, "{:?}", world.shards());
    // The team's own object hears of each shard every second.
    assert!(base <= 120 && shards <= 40, "{base} {shards}");
    assert_eq!(world.refused, 0);
    // A call every few seconds: one object is enough.
    world.hot = 80;
    for _ in 0..3_000 {
        world.now = Millis(world.now.0 + 5_000);
        world.run(1, 1);
    }
    assert_eq!(world.shards(), BTreeSet::from([0]));
    world.now = Millis(world.now.0 + 10_000);
    world.run(20, 0);
    let took = i64::try_from(world.admitted).unwrap() * TOOK;
    assert_eq!(world.spent("budget"), took);
}

#[test]
fn limits_hold_over_shards_and_refusals_do_not_reach_the_team_s_object() {
    let mut world = World::new(60, [1_500_000, NO_END], 20);
    world.run(60, 300);
    let (base, shards) = world.most_letters(30);
    world.run(10, 0);
    assert!(world.shards().len() > 4, "{:?}", world.shards());
    assert!(world.refused > 10_000, "{}", world.refused);
    let took = i64::try_from(world.admitted).unwrap() * TOOK;
    assert!(took <= 1_500_000 && took > 1_450_000, "{took}");
    // Nearly all of the 300 calls a second are refused.
    assert!(
        base <= 150 && shards <= 40,
        "{base} and {shards} letters a second"
    );

    let mut world = World::new(60, [NO_END, 2_000], 20);
    let left = 60_000 - world.now.0 % 60_000;
    world.now = Millis(world.now.0 + left);
    world.run(50, 300);
    assert_eq!(world.admitted, 2_000);
}

#[test]
#[ignore = "figures for people; takes a minute"]
fn a_hundred_thousand_calls_a_second() {
    println!("calls/s, instances: waited and reports per 1,000 calls; objects; letters/s at the team's object, at the busiest shard; time of a book for a letter");
    for (per_second, instances) in [
        (100, 20),
        (1_000, 100),
        (10_000, 500),
        (100_000, 2_000),
        (100_000, 10_000),
    ] {
        let mut world = World::new(instances, [NO_END, NO_END], Spread::HOT);
        world.run(20, per_second);
        let (calls, waited, reports) = (world.calls, world.waited, world.reports);
        world.run(5, per_second);
        let per_mille =
            |now: u64, before: u64| (now - before) as f64 * 1_000.0 / (world.calls - calls) as f64;
        let (base, shard) = world.most_letters(4);
        let letters: u32 = world
            .objects
            .values()
            .flat_map(|object| object.letters.values())
            .sum();
        let busy: Duration = world.objects.values().map(|object| object.busy).sum();
        println!(
            "{per_second}, {instances}: {:.1} and {:.1}; {}; {base}, {shard}; {:?}",
            per_mille(world.waited, waited),
            per_mille(world.reports, reports),
            world.shards().len(),
            busy / letters.max(1)
        );
    }
}
