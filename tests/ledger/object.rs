//! The ledger's objects as the platform would run them: what is stored outlives
//! an eviction, and calls are settled once.

use meridian::config::limits::Authority;
use meridian::ledger::{Book, Message, Reply, Settled};
use meridian::units::Millis;
use std::collections::{BTreeMap, BTreeSet};

/// An object as the platform would run it: the book, what it has stored, and
/// the calls it has settled.
pub struct Object {
    pub is: Vec<Authority>,
    pub book: Book,
    pub stored: BTreeMap<String, String>,
    pub settled: BTreeSet<String>,
    pub charged: i64,
    pub credited: i64,
    pub has_given_up: bool,
}

impl Object {
    pub fn new(is: &[Authority]) -> Object {
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

    pub fn store(&mut self) {
        for change in self.book.changes() {
            match change.value {
                Some(value) => self.stored.insert(change.key, value),
                None => self.stored.remove(&change.key),
            };
        }
    }

    pub fn evict(&mut self) {
        self.book = Book::new(self.is.clone(), self.stored.clone().into_iter().collect());
    }

    pub fn expire(&mut self, now: Millis) {
        let forfeits = self.book.expire(now);
        self.has_given_up |= !forfeits.is_empty();
        self.charged += forfeits.iter().map(|forfeit| forfeit.money).sum::<i64>();
        self.store();
    }

    pub fn take(&mut self, now: Millis, mut message: Message) -> Reply {
        self.expire(now);
        message.unfold();
        message
            .settled
            .retain(|one| self.settled.insert(one.id.clone()));
        let known = |one: &&Settled| one.closes.is_some();
        for one in message.settled.iter().filter(|one| !known(one)) {
            let credit = self.book.credit(&one.holder, &one.parts);
            self.credited += credit.map_or(0, |credit| credit.money);
        }
        let reply = self.book.take(now, &message);
        for one in message.settled.iter().filter(known) {
            self.book.let_go(&one.holder);
        }
        self.store();
        reply
    }
}

/// Shards and the authority they borrow from, or the authority alone.
pub struct Ledger {
    pub leaves: Vec<Object>,
    pub above: Option<Object>,
    pub authority: Authority,
    pub evictions: u32,
}

impl Ledger {
    pub fn evict(&mut self) {
        self.objects().for_each(Object::evict);
    }

    pub fn objects(&mut self) -> impl Iterator<Item = &mut Object> {
        self.leaves.iter_mut().chain(&mut self.above)
    }

    pub fn top(&self) -> &Object {
        self.above.as_ref().unwrap_or(&self.leaves[0])
    }
}
