//! The ledger: who may still spend what. A [`AccountLedger`] says yes, exactly once for
//! each part of a limit; a [`Lease`] holds what it was lent ahead, so that most
//! calls need not ask. Both are state machines without I/O: the time is handed
//! in, and what must be stored or sent is handed out.
//!
//! Money and counts go one way: a ledger lends to a holder (an instance's lease, or
//! another ledger that is nearer to callers); the holder reserves a call's upper
//! bound from it, tells the ledger what the call really took, and what it still
//! holds. What a holder that is never heard of again had borrowed is charged.

mod accounts;
mod address;
pub mod background;
mod bound;
pub mod instance;
mod lease;
mod message;
pub mod object;
mod refused;
mod request;
mod spread;

pub use accounts::{
    Account, AccountLedger, Change, Crossed, LostHolder, Released, Standing, Stored,
};
pub use address::Address;
pub use bound::{bound, Bound, Weighed};
pub use lease::{Lease, LeaseRequest, Need, Reservation};
pub use message::{Grant, Held, Message, Part, Reply, Settled, Want};
pub use request::{LedgerRequest, LedgerResponse, Release};
pub use spread::{Load, Spread};
