//! The ledger: who may still spend what. A [`Book`] says yes, exactly once for
//! each part of a limit; a [`Purse`] holds what it was lent ahead, so that most
//! calls need not ask. Both are state machines without I/O: the time is handed
//! in, and what must be stored or sent is handed out.
//!
//! Money and counts go one way: a book lends to a holder (an instance's purse, or
//! another book that is nearer to callers); the holder reserves a call's upper
//! bound from it, tells the book what the call really took, and what it still
//! holds. What a holder that is never heard of again had borrowed is charged.

pub mod background;
mod book;
mod bound;
mod message;
mod purse;
mod refused;
mod spread;

pub use book::{Account, Book, Change, Crossed, Forfeit, Released, Standing, Stored};
pub use bound::{bound, Bound, Weighed};
pub use message::{Grant, Held, Message, Part, Reply, Settled, Want};
pub use purse::{Need, Purse, Question, Reservation};
pub use spread::{Load, Spread};
