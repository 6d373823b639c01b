//! What holders and books say to each other. A message may be lost, come late,
//! or come twice: each carries its number, and what it says is what is, never
//! what is to be added.

use crate::limits::Applied;
use crate::refusal::Exceeded;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So long an answer is waited for; one that comes later brings nothing.
pub(super) const WAITED_FOR_MS: u64 = 10_000;

/// From a holder to a book.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// Who says it.
    pub holder: String,
    /// The holder's number for it, which rises.
    pub number: u64,
    /// Calls that are over.
    #[serde(default)]
    pub settled: Vec<Settled>,
    /// What callers of the holder, itself a book, have taken of each account in
    /// all.
    #[serde(default)]
    pub totals: BTreeMap<String, i64>,
    /// Everything the holder has of each account, the calls above taken off but
    /// none that the book may not have heard of; left out while another message
    /// may still bring more.
    #[serde(default)]
    pub holds: Option<BTreeMap<String, i64>>,
    /// What it wants; all of it, or none is given.
    #[serde(default)]
    pub wants: Vec<Want>,
    /// Accounts in `totals` from which nothing was ever lent: the book may not
    /// know them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<Applied>,
    /// How long it needs what it is lent, in milliseconds.
    #[serde(default)]
    pub for_ms: u64,
    /// The holder keeps what it has in storage: however late, it will still tell
    /// what became of it.
    #[serde(default)]
    pub durable: bool,
}

impl Message {
    /// Whether it says and wants nothing.
    pub fn is_empty(&self) -> bool {
        let holds_nothing = self.holds.as_ref().is_none_or(BTreeMap::is_empty);
        let says_nothing = self.settled.is_empty() && self.totals.is_empty();
        holds_nothing && says_nothing && self.wants.is_empty()
    }
}

/// What a call took from each account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The call. One that is told twice counts once.
    pub id: String,
    /// Who had reserved it.
    pub holder: String,
    /// Its parts.
    pub parts: Vec<Part>,
    /// Their accounts, where the book was not asked for any of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<Applied>,
}

/// An amount of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The account.
    pub account: String,
    /// How much.
    pub amount: i64,
}

/// What a holder wants of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// The account, and what is known of it.
    pub applied: Applied,
    /// How much it must be at least.
    pub need: i64,
    /// How much it would best be.
    pub want: i64,
}

/// From a book to a holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What is lent, or what there is too little of.
    pub granted: Result<Vec<Grant>, Box<Exceeded>>,
    /// The holder was given up: what it had has been charged.
    #[serde(default)]
    pub lost: bool,
}

/// What is lent of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The account.
    pub account: String,
    /// How much.
    pub amount: i64,
    /// How much of the limit is spent, in percent.
    pub level: u8,
}
