//! The ledger: who may still spend what. All of it are state machines without I/O: the
//! time is handed in, and what must be stored or sent is handed out.
//!
//! [`object::Object`] is one object: [`AccountLedger`] has its accounts, and grants each
//! part of a limit once. [`instance::Instance`] is the side of a gateway's instance: it
//! holds a [`Lease`] of each object, granted ahead, so that most calls need not ask.
//! `edge/` performs the effects of both.
//!
//! Money and counts go one way: an account ledger lends to a holder (the lease of an
//! instance, or another object's accounts, nearer to callers). The holder reserves a
//! call's upper bound from what it has, and reports what the call really took and what
//! it still holds. What a holder had is held when its lease runs out without a report.

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
