//! The request bodies that an instance holds in memory: their sizes, owners and
//! deadlines. `room.rs` has the rules for how much each team may hold.
//!
//! All calls of an instance share its memory, and nothing is set aside for bytes
//! that have not come.

mod gunzip;
mod room;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;

pub use gunzip::{Gunzip, Stop, MOST_TIMES};
use room::Sums;
use std::collections::BTreeMap;

/// Bodies up to here are small: they have a part of the memory to themselves,
/// so that large ones never keep them out.
const SMALL: usize = 1024 * 1024;
/// What all large bodies together may take: one of the largest there can be.
const MOST_LARGE: usize = 33 * 1024 * 1024;
/// What all bodies together may take.
const MOST: usize = 37 * 1024 * 1024;

/// How long a body may take, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until its first bytes come, and between two pieces of it.
    pub pause: u32,
    /// Until its end.
    pub whole: u32,
}

/// The deadlines of a call's body: 32 MiB within them are 1.5 Mbit/s.
pub const DEADLINES: Deadlines = Deadlines {
    pause: 15_000,
    whole: 180_000,
};

/// There is no room for a body, or for more of it, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// The owner of a body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The team of the key of a model call.
    Team(String),
    /// All users of the admin API together.
    Admins,
}

/// Names one body for as long as an instance lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(u64);

/// One body.
#[derive(Debug)]
struct Body {
    owner: Owner,
    /// How long it can be.
    most: usize,
    /// How much of it is held.
    length: usize,
    /// Its bytes while it is coming, nothing once it is complete.
    coming: Option<Vec<u8>>,
}

/// The bodies that an instance holds.
///
/// `large <= MOST_LARGE` and `all <= MOST` after every call.
#[derive(Debug, Default)]
pub struct Bodies {
    bodies: BTreeMap<Id, Body>,
    /// What each team holds of them; a team without bodies is not here.
    teams: BTreeMap<Owner, Sums>,
    /// What all teams hold.
    sum: Sums,
    next: u64,
}

impl Bodies {
    /// Opens a body that can be `most` long. It has to be released.
    pub fn open(&mut self, owner: Owner, most: usize) -> Id {
        let id = Id(self.next);
        self.next = self.next.saturating_add(1);
        let body = Body {
            owner,
            most,
            length: 0,
            coming: Some(Vec::new()),
        };
        self.count(&body.owner, Sums::default(), body.sums());
        self.bodies.insert(id, body);
        id
    }

    /// Takes the next bytes of a body. Where there is no room for them, bodies of
    /// teams that hold more end, or this one is refused. An ended body is gone at
    /// once, and takes no more bytes.
    pub fn push(&mut self, id: Id, more: &[u8]) -> Result<(), Full> {
        let body = self.bodies.get(&id).filter(|body| body.coming.is_some());
        let body = body.ok_or(Full)?;
        let before = body.sums();
        let length = body.length.saturating_add(more.len());
        let owner = body.owner.clone();
        for ended in self.bodies_to_end(&owner, before, length)? {
            self.release(ended);
        }
        let body = self.bodies.get_mut(&id).ok_or(Full)?;
        let bytes = body.coming.as_mut().ok_or(Full)?;
        append(bytes, more, body.most)?;
        body.length = bytes.len();
        let after = body.sums();
        self.count(&owner, before, after);
        Ok(())
    }

    /// A body is complete: returns its bytes, unless it has ended before. It counts as
    /// held until it is released, and does not end from here on.
    pub fn complete(&mut self, id: Id) -> Result<Vec<u8>, Full> {
        let body = self.bodies.get_mut(&id).ok_or(Full)?;
        let before = body.sums();
        let bytes = body.coming.take().ok_or(Full)?;
        let (owner, after) = (body.owner.clone(), body.sums());
        self.count(&owner, before, after);
        Ok(bytes)
    }

    /// Whether a body is held. One that has ended is not.
    pub fn holds(&self, id: Id) -> bool {
        self.bodies.contains_key(&id)
    }

    /// A body is no longer held, with all that has come of it.
    pub fn release(&mut self, id: Id) {
        if let Some(body) = self.bodies.remove(&id) {
            self.count(&body.owner, body.sums(), Sums::default());
        }
    }

    /// One body of a team has changed.
    fn count(&mut self, owner: &Owner, before: Sums, after: Sums) {
        self.sum = self.sum.changed(before, after);
        let team = self.team(owner).changed(before, after);
        if team == Sums::default() {
            self.teams.remove(owner);
        } else {
            self.teams.insert(owner.clone(), team);
        }
    }

    /// What a team holds.
    fn team(&self, owner: &Owner) -> Sums {
        self.teams.get(owner).copied().unwrap_or_default()
    }
}

impl Body {
    fn sums(&self) -> Sums {
        Sums::of(self.length, self.coming.is_none())
    }
}

/// Adds to the bytes of a body that can be `most` long. Where there is no memory,
/// this body alone is refused.
fn append(bytes: &mut Vec<u8>, more: &[u8], most: usize) -> Result<(), Full> {
    if bytes.capacity().saturating_sub(bytes.len()) < more.len() {
        let room = room_for(bytes.len(), more.len(), most);
        let ahead = room.saturating_sub(bytes.len());
        bytes.try_reserve_exact(ahead).map_err(|_| Full)?;
    }
    bytes.extend_from_slice(more);
    Ok(())
}

/// How much to make room for when so much has come of a body that can be `most`
/// long: half as much again, and never more than that.
fn room_for(come: usize, more: usize, most: usize) -> usize {
    let needed = come.saturating_add(more);
    let ahead = come.saturating_add(come / 2).max(needed);
    ahead.min(most.max(needed))
}
