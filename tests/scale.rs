//! A team that is too much for one object: instances that call, shards that borrow from
//! the team's object, and how many requests each of them receives. The small run holds
//! the ledger to its rules, the large one, `cargo test --release --test scale --
//! --ignored --nocapture`, says what a hundred thousand calls a second come to.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods
)]

use meridian::answer::record::{Outcome, Row};
use meridian::config::limits::{Applied, Authority, Measure, Unreachable, Window};
use meridian::ledger::instance::{self, Admission, Instance, Timer};
use meridian::ledger::object::{self, Exchanged, Hook, Host, Object, Waiting};
use meridian::ledger::{Address, Change, LedgerRequest, LedgerResponse, Need, Spread, Stored};
use meridian::units::{Millis, NanoUsd, RequestId};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::{Duration, Instant};

const STEP_MS: u64 = 10;
/// How long a request, or its reply, is on the way.
const WAY_MS: u64 = 15;
const CALL_MS: u64 = 2_000;
const BOUND: i64 = 1_000;
const TOOK: i64 = 300;
const HOME: &str = "eu";

/// Storage that keeps the accounts and forgets rows.
#[derive(Debug, Default)]
struct Store {
    state: BTreeMap<String, String>,
    waiting: Vec<String>,
    ids: u128,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

impl Host for Store {
    type Error = Infallible;

    fn stored(&self) -> Result<Vec<Stored>, Infallible> {
        Ok(self.state.clone().into_iter().collect())
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), Infallible> {
        for Change { key, value } in changes {
            match value {
                Some(value) => self.state.insert(key.clone(), value.clone()),
                None => self.state.remove(key),
            };
        }
        Ok(())
    }

    fn add_rows(&mut self, _: Millis, rows: &str) -> Result<Vec<String>, Infallible> {
        let rows: Vec<Id> = serde_json::from_str(rows).unwrap();
        let ids: Vec<String> = rows.into_iter().map(|row| row.id).collect();
        self.waiting.extend(ids.iter().cloned());
        Ok(ids)
    }

    fn waiting(&self, most: usize) -> Result<Waiting, Infallible> {
        Ok(Waiting {
            count: self.waiting.len().min(most),
            rows: "[]".to_owned(),
            ids: "[]".to_owned(),
        })
    }

    fn written(&mut self, _: &str) -> Result<(), Infallible> {
        let most = self.waiting.len().min(200);
        self.waiting.drain(..most);
        Ok(())
    }

    fn forget_rows(&mut self, _: Millis) -> Result<(), Infallible> {
        Ok(())
    }

    fn keep_hook(&mut self, _: &str, _: &str) -> Result<(), Infallible> {
        Ok(())
    }

    fn hooks(&self) -> Result<Vec<Hook>, Infallible> {
        Ok(Vec::new())
    }

    fn tried_hook(&mut self, _: i64, _: bool, _: u32) -> Result<(), Infallible> {
        Ok(())
    }

    fn new_id(&mut self, now: Millis) -> RequestId {
        self.ids += 1;
        RequestId::new(now, self.ids)
    }
}

/// An object, and the requests that it received in each second.
struct Node {
    object: Object<Store>,
    alarm: Option<u64>,
    requests: BTreeMap<u64, u32>,
    busy: Duration,
}

/// Who waits for a reply.
#[derive(Debug, Clone, Copy)]
enum Asker {
    /// An instance; and its call, if one waits to begin.
    Instance(usize, Option<u64>),
    /// An object that serves somebody's request, or reports.
    Object(u16, Option<(usize, Option<u64>, u64)>),
}

/// What happens at a time.
enum Event {
    Arrives(Asker, u64, Box<LedgerRequest>),
    Replied(Asker, u64, Box<LedgerResponse>),
    Due(usize, Timer),
    Alarm(u16),
    Ends(usize, Box<Row>),
}

struct World {
    now: Millis,
    caps: [i64; 2],
    nodes: BTreeMap<u16, Node>,
    instances: Vec<Instance>,
    /// By their time and number.
    events: BTreeMap<(u64, u64), Event>,
    number: u64,
    template: Row,
    /// The objects of calls that wait to begin.
    asking: BTreeMap<u64, Address>,
    calls: u64,
    admitted: u64,
    waited: u64,
    refused: u64,
    reports: u64,
}

fn team() -> Authority {
    Authority::Team("t".to_owned())
}

fn shard(address: &Address) -> u16 {
    match address {
        Address::Team { shard, .. } => *shard,
        Address::Company => 0,
    }
}

impl World {
    fn new(instances: usize, caps: [i64; 2], hot: u32) -> World {
        let now = Millis(1_000_000_000_000);
        let mut template = Row::held(&RequestId::new(now, 1), now, "t", NanoUsd(0), 0);
        template.outcome = Outcome::Ok;
        template.attempts = 1;
        template.reserved_nano = Some(NanoUsd(BOUND));
        template.cost_nano = Some(NanoUsd(TOOK));
        template.lost_nano = Some(NanoUsd(0));
        World {
            now,
            caps,
            nodes: BTreeMap::new(),
            instances: (0..instances)
                .map(|i| Instance::new(format!("instance {i}"), hot))
                .collect(),
            events: BTreeMap::new(),
            number: 0,
            template,
            asking: BTreeMap::new(),
            calls: 0,
            admitted: 0,
            waited: 0,
            refused: 0,
            reports: 0,
        }
    }

    fn at(&mut self, ms: u64, event: Event) {
        self.number += 1;
        self.events.insert((self.now.0 + ms, self.number), event);
    }

    fn node(&mut self, shard: u16) -> &mut Node {
        self.nodes.entry(shard).or_insert_with(|| {
            let address = Address::Team {
                team: "t".to_owned(),
                store: HOME.to_owned(),
                shard,
            };
            Node {
                object: Object::new(Store::default(), address, HOME.to_owned()),
                alarm: None,
                requests: BTreeMap::new(),
                busy: Duration::ZERO,
            }
        })
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
            authority: Some(team()),
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
        let budget = of(
            "budget".to_owned(),
            Measure::Money,
            self.caps[0],
            Window::EVER,
        );
        let name = format!("requests {minute}");
        let requests = of(name, Measure::Requests, self.caps[1], window);
        vec![
            Need {
                applied: budget,
                amount: BOUND,
            },
            Need {
                applied: requests,
                amount: 1,
            },
        ]
    }

    fn call(&mut self, at: usize) {
        self.calls += 1;
        let address = self.instances[at].object_for("t", HOME);
        self.asking.insert(self.calls, address.clone());
        let admission = Admission {
            address,
            deadline: Millis(self.now.0 + 60_000),
            needs: self.needs(),
            unreachable: Unreachable::Refuse,
        };
        let effects = self.instances[at].handle(instance::Input::Admit(admission), self.now);
        self.instance(at, Some(self.calls), effects);
    }

    /// Effects of an instance, for a call that waits to begin or for none.
    fn instance(&mut self, at: usize, call: Option<u64>, effects: Vec<instance::Effect>) {
        for effect in effects {
            match effect {
                instance::Effect::Decide(Ok(reservation)) => {
                    self.admitted += 1;
                    let mut row = Box::new(self.template.clone());
                    row.id = format!("call {}", call.unwrap());
                    let address = self.asking.remove(&call.unwrap()).unwrap();
                    let deadline = Millis(self.now.0 + 60_000);
                    self.instances[at].begin(&row, address, reservation, deadline);
                    self.at(CALL_MS, Event::Ends(at, row));
                    self.linger(at);
                }
                instance::Effect::Decide(Err(_)) => {
                    self.refused += 1;
                    self.linger(at);
                }
                instance::Effect::Send { id, request, .. } => {
                    match call {
                        Some(_) => self.waited += 1,
                        None => self.reports += 1,
                    }
                    let asker = Asker::Instance(at, call);
                    self.at(WAY_MS, Event::Arrives(asker, id, request));
                }
                instance::Effect::Wait(ms, timer) => self.at(ms, Event::Due(at, timer)),
                instance::Effect::Spill(spill) => panic!("{spill:?}"),
            }
        }
    }

    fn set_alarm(&mut self, shard: u16, ms: u64) {
        self.node(shard).alarm = Some(self.now.0 + ms);
        self.at(ms, Event::Alarm(shard));
    }

    fn linger(&mut self, at: usize) {
        let effects = self.instances[at].handle(instance::Input::Linger, self.now);
        self.instance(at, None, effects);
    }

    /// An object handles an input; effects are for who waits for its reply.
    fn object(
        &mut self,
        shard: u16,
        asker: Option<(usize, Option<u64>, u64)>,
        input: object::Input,
    ) {
        let now = self.now;
        let node = self.node(shard);
        let began = Instant::now();
        let Ok(effects) = node.object.handle(input, now);
        node.busy += began.elapsed();
        for effect in effects {
            match effect {
                object::Effect::Respond(reply) => {
                    let (instance, call, id) = asker.unwrap();
                    let asker = Asker::Instance(instance, call);
                    self.at(WAY_MS, Event::Replied(asker, id, reply.unwrap()));
                }
                object::Effect::Send(id, request) => {
                    let asker = Asker::Object(shard, asker);
                    self.at(WAY_MS, Event::Arrives(asker, id, request));
                }
                object::Effect::SetAlarm(ms) => self.set_alarm(shard, ms),
                object::Effect::Exchange(exchange) => {
                    let found = Ok(Exchanged::default());
                    self.object(shard, None, object::Input::Exchanged(exchange, found));
                }
                object::Effect::ReadSpilled { .. } => {
                    self.object(shard, None, object::Input::SpilledRead(Ok(Vec::new())));
                }
                effect => panic!("{effect:?}"),
            }
        }
    }

    /// A request arrives at an object. The team's object replies to shards at once.
    fn arrives(&mut self, asker: Asker, id: u64, request: Box<LedgerRequest>) {
        let (to, second) = (shard(&request.to), self.now.0 / 1_000);
        *self.node(to).requests.entry(second).or_default() += 1;
        let input = object::Input::Request(request);
        match asker {
            Asker::Instance(at, call) => self.object(to, Some((at, call, id)), input),
            Asker::Object(..) => {
                let now = self.now;
                let node = self.node(to);
                let began = Instant::now();
                let Ok(effects) = node.object.handle(input, now);
                node.busy += began.elapsed();
                for effect in effects {
                    match effect {
                        object::Effect::Respond(reply) => {
                            self.at(WAY_MS, Event::Replied(asker, id, reply.unwrap()));
                        }
                        object::Effect::SetAlarm(ms) => self.set_alarm(to, ms),
                        effect => panic!("{effect:?}"),
                    }
                }
            }
        }
    }

    fn happens(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Arrives(asker, id, request) => self.arrives(asker, id, request),
            Event::Replied(Asker::Instance(at, call), id, reply) => {
                let input = instance::Input::Replied(id, Ok(reply));
                let effects = self.instances[at].handle(input, now);
                self.instance(at, call, effects);
            }
            Event::Replied(Asker::Object(shard, asker), id, reply) => {
                self.object(shard, asker, object::Input::Replied(id, Ok(reply)));
            }
            Event::Due(at, timer) => {
                let effects = self.instances[at].handle(instance::Input::Due(timer), now);
                self.instance(at, None, effects);
            }
            Event::Alarm(shard) => {
                // Only the one that was set last is due.
                if self.node(shard).alarm.is_some_and(|at| at <= now.0) {
                    self.node(shard).alarm = None;
                    self.object(shard, None, object::Input::Alarm);
                }
            }
            Event::Ends(at, row) => {
                let finished = self.instances[at].settle(HOME, *row);
                let input = instance::Input::Finished(vec![finished]);
                let effects = self.instances[at].handle(input, now);
                self.instance(at, None, effects);
            }
        }
    }

    /// So many calls a second, for so long.
    fn run(&mut self, seconds: u64, per_second: usize) {
        let mut next = 0;
        for step in 0..seconds * 1_000 / STEP_MS {
            self.now = Millis(self.now.0 + STEP_MS);
            while let Some(first) = self.events.first_entry() {
                if first.key().0 > self.now.0 {
                    break;
                }
                let event = first.remove();
                self.happens(event);
            }
            let until = (step as usize + 1) * per_second * STEP_MS as usize / 1_000;
            for _ in next..until {
                // Neighbours in time are not neighbours in place.
                let at = self.calls as usize * 7_919 % self.instances.len();
                self.call(at);
            }
            next = until;
        }
    }

    /// The most requests that an object received in one of the last seconds: the
    /// team's object, and the busiest shard.
    fn most_requests(&self, seconds: u64) -> (u32, u32) {
        let since = self.now.0 / 1_000 - seconds;
        let most = |node: &Node| {
            let lately = node.requests.range(since..);
            lately.map(|(_, n)| *n).max().unwrap_or(0)
        };
        let shards = self.nodes.iter().filter(|(shard, _)| **shard > 0);
        let busiest = shards.map(|(_, node)| most(node)).max();
        (most(&self.nodes[&0]), busiest.unwrap_or(0))
    }

    fn spent(&self, kind: &str) -> i64 {
        let (_, ledger) = self.nodes[&0].object.parts();
        let accounts = ledger.unwrap().accounts();
        let of_kind = accounts.filter(|account| account.applied.account.starts_with(kind));
        of_kind.map(|account| account.spent).sum()
    }

    fn shards(&self) -> BTreeSet<u16> {
        let objects = self.instances.iter().map(|one| one.object_for("t", HOME));
        objects.map(|address| shard(&address)).collect()
    }
}

const NO_END: i64 = i64::MAX / 1_000;

#[test]
fn a_hot_team_is_spread_and_gathers_again() {
    let mut world = World::new(60, [NO_END, NO_END], 40);
    world.run(30, 300);
    let (base, shards) = world.most_requests(5);
    assert!(world.shards().len() > 10, "{:?}", world.shards());
    // The team's own object hears of each shard every second.
    assert!(base <= 120 && shards <= 60, "{base} {shards}");
    assert_eq!(world.refused, 0);
    // A call every few seconds: one object is enough.
    for _ in 0..3_000 {
        world.now = Millis(world.now.0 + 5_000);
        world.run(1, 1);
    }
    assert_eq!(world.shards(), BTreeSet::from([0]));
    world.run(20, 0);
    let took = i64::try_from(world.admitted).unwrap() * TOOK;
    assert_eq!(world.spent("budget"), took);
}

#[test]
fn limits_hold_over_shards_and_refusals_do_not_reach_the_team_s_object() {
    let mut world = World::new(60, [1_500_000, NO_END], 20);
    world.run(60, 300);
    let (base, shards) = world.most_requests(30);
    world.run(10, 0);
    assert!(world.shards().len() > 4, "{:?}", world.shards());
    assert!(world.refused > 10_000, "{}", world.refused);
    let took = i64::try_from(world.admitted).unwrap() * TOOK;
    assert!(took <= 1_500_000 && took > 1_450_000, "{took}");
    // Nearly all of the 300 calls a second are refused.
    assert!(
        base <= 150 && shards <= 40,
        "{base} and {shards} requests a second"
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
    println!("calls/s, instances: waited and reports per 1,000 calls; objects; requests/s at the team's object, at the busiest shard; time of an object for a request");
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
        let (base, shard) = world.most_requests(4);
        let requests: u32 = world
            .nodes
            .values()
            .flat_map(|node| node.requests.values())
            .sum();
        let busy: Duration = world.nodes.values().map(|node| node.busy).sum();
        println!(
            "{per_second}, {instances}: {:.1} and {:.1}; {}; {base}, {shard}; {:?}",
            per_mille(world.waited, waited),
            per_mille(world.reports, reports),
            world.shards().len(),
            busy / requests.max(1)
        );
    }
}
