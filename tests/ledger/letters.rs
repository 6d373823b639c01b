//! What is under way: calls, and messages between instances, shards and the
//! authority.

use meridian::ledger::{Message, Question, Reply, Reservation, Settled};
use meridian::units::Millis;

pub struct Running {
    pub id: String,
    pub instance: usize,
    pub epoch: u32,
    pub reservation: Reservation,
    pub bound: i64,
    pub took: i64,
    pub ends: Millis,
}

/// A call that was cut off, as it was settled.
#[derive(Clone)]
pub struct Kept {
    pub held: Settled,
    pub instance: usize,
    pub bound: i64,
    pub took: i64,
}

pub enum Saying {
    Question(Box<Question>),
    Report(Box<Message>),
}

pub struct Sent {
    pub saying: Saying,
    pub at: Millis,
    /// The same by nobody's clock.
    pub since: Millis,
    pub from: (usize, u32),
    /// The call, its bound and what it takes.
    pub call: Option<(String, i64, i64)>,
}

/// The message that a shard goes on with, who waits for its reply, and whether what
/// it says of holdings was noted.
pub type Then = (Message, Option<(Sent, bool)>, bool);

/// From a shard to the authority, and back.
pub struct Up {
    pub leaf: usize,
    pub evictions: u32,
    pub message: Message,
    pub reply: Option<Reply>,
    /// Its sender does not wait for it any more.
    pub is_ghost: bool,
    /// What the shard goes on with.
    pub then: Option<Then>,
}
