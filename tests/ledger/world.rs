//! Instances and objects as they are deployed, on a network that loses, delays and
//! doubles, with a database that fails, evictions, crashes, contexts that end at any
//! point, and clocks that are off and jump.

use super::database::Database;
use super::disk::Disk;
use super::network::{Call, Context, Envelope, Owner, Purpose, What};
use super::op::Op;
use super::reference::Reference;
use super::{applied, valued, CAPS, VALUES};
use meridian::answer::record::{Outcome, Row};
use meridian::config::limits::{Authority, Measure, Unreachable};
use meridian::ledger::instance::{self, Admission, Finished, Instance};
use meridian::ledger::object::{self, Object};
use meridian::ledger::{AccountLedger, Address, Need, Reservation};
use meridian::units::{Millis, NanoUsd, RequestId};

/// So long a call may take.
const CALL_MS: u64 = 120_000;
pub const HOME: &str = "eu";

pub struct Gateway {
    pub instance: Instance,
    pub epoch: u32,
    /// It may have borrowed something.
    pub asked: bool,
}

pub struct Node {
    pub address: Address,
    pub disk: Disk,
    pub object: Object<Disk>,
    pub epoch: u32,
    pub alarm: Option<Millis>,
}

impl Node {
    fn new(address: Address, salt: u128) -> Node {
        let disk = Disk::new(salt);
        Node {
            object: Object::new(disk.clone(), address.clone(), HOME.to_owned()),
            address,
            disk,
            epoch: 0,
            alarm: None,
        }
    }

    /// The accounts as they are stored.
    pub fn ledger(&self) -> AccountLedger {
        let stored = self.disk.0.borrow().state.clone();
        AccountLedger::new(self.address.authorities(HOME), stored.into_iter().collect())
    }
}

/// A call under way.
pub struct Running {
    pub call: Call,
    pub instance: usize,
    pub epoch: u32,
}

pub struct World {
    pub now: Millis,
    pub gateways: Vec<Gateway>,
    /// The shards, and after them the team's own object.
    pub nodes: Vec<Node>,
    pub database: Database,
    pub contexts: Vec<Option<Context>>,
    pub sent: Vec<Envelope>,
    pub running: Vec<Running>,
    /// How much each clock is off: three instances, two shards, the team's object.
    pub off: [i64; 6],
    pub names: u128,
    pub reference: Reference,
    pub crashed: bool,
}

pub fn team() -> Authority {
    Authority::Team("t".to_owned())
}

fn address(shard: u16) -> Address {
    Address::Team {
        team: "t".to_owned(),
        store: HOME.to_owned(),
        shard,
    }
}

impl World {
    pub fn new(shards: u16) -> World {
        let gateway = |i: usize| Gateway {
            instance: Instance::new(format!("i{i}"), u32::MAX),
            epoch: 0,
            asked: false,
        };
        let objects = (1..=shards).map(address).chain([address(0)]);
        let nodes = objects.zip(1..);
        World {
            now: Millis(1_000_000),
            gateways: (0..3).map(gateway).collect(),
            nodes: nodes
                .map(|(address, salt)| Node::new(address, salt))
                .collect(),
            database: Database::default(),
            contexts: Vec::new(),
            sent: Vec::new(),
            running: Vec::new(),
            off: [0; 6],
            names: 0,
            reference: Reference::default(),
            crashed: false,
        }
    }

    /// The team's own object.
    pub fn top(&self) -> &Node {
        self.nodes.last().unwrap()
    }

    /// The objects that instances use.
    pub fn leaves(&self) -> &[Node] {
        &self.nodes[..(self.nodes.len() - 1).max(1)]
    }

    pub fn clock(&self, owner: Owner) -> Millis {
        let whose = match owner {
            Owner::Instance(at) => at,
            Owner::Object(at) if at + 1 == self.nodes.len() => 5,
            Owner::Object(at) => 3 + at,
        };
        Millis(self.now.0.saturating_add_signed(self.off[whose]))
    }

    fn epoch(&self, owner: Owner) -> u32 {
        match owner {
            Owner::Instance(at) => self.gateways[at].epoch,
            Owner::Object(at) => self.nodes[at].epoch,
        }
    }

    fn name(&mut self) -> u128 {
        self.names += 1;
        self.names
    }

    pub fn context(&mut self, owner: Owner, purpose: Purpose) -> usize {
        let epoch = self.epoch(owner);
        self.contexts.push(Some(Context {
            owner,
            epoch,
            purpose,
        }));
        self.contexts.len() - 1
    }

    /// The owner of a context that goes on.
    pub fn owner(&self, context: usize) -> Option<Owner> {
        let context = self.contexts[context].as_ref()?;
        (self.epoch(context.owner) == context.epoch).then_some(context.owner)
    }

    pub fn put(&mut self, context: usize, what: What) {
        self.sent.push(Envelope {
            context,
            since: self.now,
            what,
        });
    }

    // Instances.

    fn needs(&self, call: &Call, value: usize) -> Vec<Need> {
        let needs = call.limits.iter().map(|&which| Need {
            applied: match which {
                VALUES => valued(value, &team()),
                _ => applied(which, &team()),
            },
            amount: match CAPS[which].0 {
                Measure::Money => call.bound,
                _ => 1,
            },
        });
        needs.collect()
    }

    fn call(&mut self, at: usize, call: Call, value: usize) {
        let leaf = &self.leaves()[at % self.leaves().len()];
        let admission = Admission {
            address: leaf.address.clone(),
            deadline: call.deadline,
            needs: self.needs(&call, value),
            unreachable: Unreachable::Refuse,
        };
        self.reference.asked(&call);
        let context = self.context(Owner::Instance(at), Purpose::Call(call));
        self.instance(context, instance::Input::Admit(admission));
    }

    /// An instance handles an input, and its effects are under way.
    pub fn instance(&mut self, context: usize, input: instance::Input) {
        let Some(Owner::Instance(at)) = self.owner(context) else {
            return;
        };
        let now = self.clock(Owner::Instance(at));
        let effects = self.gateways[at].instance.handle(input, now);
        for effect in effects {
            match effect {
                instance::Effect::Decide(decided) => {
                    let ended = self.contexts[context].take();
                    let purpose = ended.map(|context| context.purpose);
                    if let (Some(Purpose::Call(call)), Ok(reservation)) = (purpose, decided) {
                        self.begin(at, call, reservation);
                    }
                }
                effect => {
                    self.gateways[at].asked |= matches!(effect, instance::Effect::Send { .. });
                    self.put(context, What::of_instance(self.now, effect));
                }
            }
        }
    }

    fn begin(&mut self, at: usize, call: Call, reservation: Reservation) {
        let leaf = &self.leaves()[at % self.leaves().len()];
        let address = leaf.address.clone();
        let row = self.row(&call);
        self.reference.begun(&call, &reservation);
        let gateway = &mut self.gateways[at];
        let instance = &mut gateway.instance;
        instance.begin(&row, address, reservation, call.deadline);
        self.running.push(Running {
            epoch: gateway.epoch,
            instance: at,
            call,
        });
    }

    fn row(&self, call: &Call) -> Row {
        let id = RequestId::new(self.now, 0);
        let mut row = Row::held(&id, self.now, "t", NanoUsd(0), 0);
        row.id.clone_from(&call.id);
        row.key_id = "key".to_owned();
        row.attempts = 1;
        row.reserved_nano = Some(NanoUsd(call.bound));
        row.cost_nano = Some(NanoUsd(call.took));
        row.lost_nano = Some(NanoUsd(0));
        row.outcome = Outcome::Ok;
        row
    }

    /// A call is over; or it goes on in the background, and is held.
    fn finish(&mut self, which: usize, is_background: bool) {
        let Running {
            call,
            instance,
            epoch,
            ..
        } = self.running.swap_remove(which);
        if self.gateways[instance].epoch != epoch {
            return;
        }
        let mut row = self.row(&call);
        if is_background {
            row.cut_off(self.now);
            row.outcome = Outcome::Background;
        }
        let finished = self.gateways[instance].instance.settle(HOME, row);
        // By a clock that has jumped, the platform had ended the call before.
        if is_background || finished.settled.as_ref().is_some_and(|one| one.held) {
            self.reference.held(&call);
        }
        if is_background {
            let settled = finished.settled.clone();
            self.reference
                .keep(instance, call, finished.to.clone(), settled);
        }
        self.write(instance, vec![finished]);
    }

    fn write(&mut self, at: usize, finished: Vec<Finished>) {
        let context = self.context(Owner::Instance(at), Purpose::Background);
        self.instance(context, instance::Input::Finished(finished));
    }

    /// It turns out what a call in the background took: perhaps before the ledger
    /// knows that it is held, and not only once.
    fn turns_out(&mut self, which: usize) {
        let Some((at, call, to, settled)) = self.reference.turns_out(which) else {
            return;
        };
        let mut row = self.row(&call);
        row.attempts = 0;
        row.id = format!("{}-answer", call.id);
        let mut held = self.row(&call);
        held.cut_off(self.now);
        // Its own row may not have come yet.
        let rows = [(held, None), (row, Some(settled))];
        let finished = rows.map(|(row, settled)| Finished {
            to: to.clone(),
            row,
            settled,
        });
        // Whoever reports it may crash before.
        self.gateways[at].asked = true;
        self.write(at, finished.into());
    }

    fn linger(&mut self, at: usize) {
        let context = self.context(Owner::Instance(at), Purpose::Background);
        self.instance(context, instance::Input::Linger);
    }

    fn crash(&mut self, at: usize) {
        let name = self.name();
        let gateway = &mut self.gateways[at];
        // Whatever it ever asked for may be lent to it.
        self.crashed |= gateway.asked;
        gateway.instance = Instance::new(format!("i{at}-{name}"), u32::MAX);
        gateway.epoch += 1;
        gateway.asked = false;
    }

    // Objects.

    /// An object handles an input, and its effects are under way.
    pub fn object(&mut self, context: usize, input: object::Input) {
        let Some(Owner::Object(at)) = self.owner(context) else {
            return;
        };
        let now = self.clock(Owner::Object(at));
        let Ok(effects) = self.nodes[at].object.handle(input, now);
        for effect in effects {
            match effect {
                object::Effect::SetAlarm(ms) => {
                    self.nodes[at].alarm = Some(Millis(self.now.0 + ms));
                }
                object::Effect::Respond(result) => self.respond(context, result),
                effect => {
                    if let Some(what) = What::of_object(effect) {
                        self.put(context, what);
                    }
                }
            }
        }
    }

    fn respond(
        &mut self,
        context: usize,
        result: Result<Box<meridian::ledger::LedgerResponse>, String>,
    ) {
        if let Some(Context {
            purpose: Purpose::Serve { asker, id },
            ..
        }) = self.contexts[context].take()
        {
            self.put(asker, What::Reply(id, result));
        }
    }

    pub fn node_named(&self, address: &Address) -> usize {
        let mut nodes = self.nodes.iter();
        nodes.position(|node| node.address == *address).unwrap()
    }

    pub fn evict(&mut self) {
        for node in &mut self.nodes {
            node.epoch += 1;
            let (disk, address) = (node.disk.clone(), node.address.clone());
            node.object = Object::new(disk, address, HOME.to_owned());
        }
        let all = 0..self.contexts.len();
        for context in all
            .filter(|at| self.owner(*at).is_none())
            .collect::<Vec<_>>()
        {
            self.end(context);
        }
    }

    // Time.

    /// Timers and alarms whose time has come.
    fn fire(&mut self) {
        let is_due = |one: &Envelope, now: Millis| match one.what {
            What::Timer(at, _) => at <= now,
            _ => false,
        };
        while let Some(which) = self.sent.iter().position(|one| is_due(one, self.now)) {
            self.deliver(which, false, false);
        }
        for at in 0..self.nodes.len() {
            let due = self.nodes[at].alarm.is_some_and(|alarm| alarm <= self.now);
            // One alarm of an object runs at a time.
            let runs = self.contexts.iter().flatten().any(|context| {
                context.owner == Owner::Object(at) && matches!(context.purpose, Purpose::Alarm)
            });
            if due && !runs {
                self.nodes[at].alarm = None;
                let context = self.context(Owner::Object(at), Purpose::Alarm);
                self.object(context, object::Input::Alarm);
            }
        }
        self.end_alarms();
    }

    /// An alarm ends when nothing of it is under way.
    fn end_alarms(&mut self) {
        for context in 0..self.contexts.len() {
            let is_alarm = self.contexts[context]
                .as_ref()
                .is_some_and(|context| matches!(context.purpose, Purpose::Alarm));
            if is_alarm && !self.sent.iter().any(|one| one.context == context) {
                self.contexts[context] = None;
            }
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now = Millis(self.now.0 + ms);
        self.lose_what_is_late();
        self.fire();
        // No call outlives its deadline.
        while let Some(at) = self
            .running
            .iter()
            .position(|one| one.call.ends <= self.now)
        {
            self.finish(at, false);
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
                let id = format!("call{}", self.name());
                let deadline = self.clock(Owner::Instance(instance)).0 + CALL_MS;
                let call = Call {
                    id,
                    bound,
                    took,
                    limits,
                    deadline: Millis(deadline),
                    ends: Millis(self.now.0 + CALL_MS),
                };
                self.call(instance, call, value);
            }
            Op::Finish(which) if !self.running.is_empty() => {
                self.finish(which % self.running.len(), false);
            }
            Op::Background(which) if !self.running.is_empty() => {
                self.finish(which % self.running.len(), true);
            }
            Op::CutOff(which) if !self.running.is_empty() => {
                let cut = self.running.swap_remove(which % self.running.len());
                if self.gateways[cut.instance].epoch == cut.epoch {
                    self.reference.held(&cut.call);
                }
            }
            Op::Known(which) => self.turns_out(which),
            Op::Linger(instance) => self.linger(instance),
            Op::Deliver {
                which,
                lose_reply,
                twice,
            } if !self.movable().is_empty() => {
                let all = self.movable();
                self.deliver(all[which % all.len()], lose_reply, twice);
            }
            Op::Fail { which, late } if !self.movable().is_empty() => {
                let all = self.movable();
                self.fail(all[which % all.len()], late);
            }
            Op::End(which) if !self.sent.is_empty() => {
                let Envelope { context, .. } = self.sent.remove(which % self.sent.len());
                self.end(context);
            }
            Op::Crash(instance) => self.crash(instance),
            Op::Evict => self.evict(),
            Op::Database(fails) => self.database.fails = fails,
            Op::Jump(whose, ms) => self.off[whose] += ms,
            Op::Pass(ms) => self.pass(ms),
            _ => {}
        }
        self.end_alarms();
    }

    /// What arrives when it arrives: all but timers, which wait for their time.
    fn movable(&self) -> Vec<usize> {
        let all = 0..self.sent.len();
        let is_timer = |at: &usize| matches!(self.sent[*at].what, What::Timer(..));
        all.filter(|at| !is_timer(at)).collect()
    }

    /// Everything comes to rest: calls end, messages arrive, leases are returned.
    pub fn rest(&mut self) {
        self.database.fails = false;
        // Those that the platform has ended are noticed a while after their deadline.
        for seconds in [0, 0, 190, 0, 190, 0, 10, 10] {
            self.now = Millis(self.now.0 + seconds * 1_000);
            while !self.running.is_empty() {
                self.finish(0, false);
            }
            for at in 0..3 {
                self.write(at, Vec::new());
                self.linger(at);
            }
            self.settle_down(8);
        }
    }

    /// What is under way arrives, for so many seconds.
    pub fn settle_down(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            while let Some(first) = self.movable().first() {
                self.deliver(*first, false, false);
            }
            self.end_alarms();
            self.now = Millis(self.now.0 + 250);
            self.fire();
        }
    }
}
