//! What holders and ledgers say to each other. A message may be lost, come late,
//! or come twice: each carries its number, and what it says is what is, never
//! what is to be added.

use crate::config::limits::Applied;
use crate::refusal::Exceeded;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So long an answer is waited for; one that comes later brings nothing.
pub(super) const WAITED_FOR_MS: u64 = 10_000;

/// From a holder to a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Message {
    /// Who says it.
    pub holder: String,
    /// The holder's number for it, which rises.
    pub number: u64,
    /// Calls that are over.
    pub settled: Vec<Settled>,
    /// What callers of the holder, itself a ledger, have taken of each account in
    /// all.
    pub totals: BTreeMap<String, i64>,
    /// Everything the holder has of each account, the calls above taken off but
    /// none that the ledger may not have heard of; left out while another message
    /// may still bring more.
    pub holds: Option<BTreeMap<String, i64>>,
    /// `holds` has only accounts that have changed: of all others the holder has
    /// what it had.
    pub partial: bool,
    /// Of what the holder, itself a ledger, has of the accounts in `holds`: what is
    /// held for calls of which nobody knows what they took.
    pub held: BTreeMap<String, Held>,
    /// The team whose calls the holder, itself a ledger, is for.
    pub team: Option<String>,
    /// Calls of the holder that are under way.
    pub open: u64,
    /// What it wants; all of it, or none is given.
    pub wants: Vec<Want>,
    /// Accounts in `totals` from which nothing was ever lent: the ledger may not
    /// know them.
    pub about: Vec<Applied>,
    /// How long it needs what it is lent, in milliseconds.
    pub for_ms: u64,
    /// The holder keeps what it has in storage: however late, it will still tell
    /// what became of it.
    pub durable: bool,
}

/// A message as it is written. Holdings that have changed are apart from whole
/// ones: a ledger that does not know them yet must not take what is left out for
/// nothing.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    holder: String,
    number: u64,
    #[serde(default)]
    settled: Vec<Settled>,
    #[serde(default)]
    totals: BTreeMap<String, i64>,
    #[serde(default)]
    holds: Option<BTreeMap<String, i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed: Option<BTreeMap<String, i64>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    held: BTreeMap<String, Held>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    #[serde(default)]
    open: u64,
    #[serde(default)]
    wants: Vec<Want>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    about: Vec<Applied>,
    #[serde(default)]
    for_ms: u64,
    #[serde(default)]
    durable: bool,
}

impl From<Written> for Message {
    fn from(written: Written) -> Message {
        let partial = written.changed.is_some();
        Message {
            holder: written.holder,
            number: written.number,
            settled: written.settled,
            totals: written.totals,
            holds: written.changed.or(written.holds),
            partial,
            held: written.held,
            team: written.team,
            open: written.open,
            wants: written.wants,
            about: written.about,
            for_ms: written.for_ms,
            durable: written.durable,
        }
    }
}

impl From<Message> for Written {
    fn from(message: Message) -> Written {
        let (holds, changed) = match message.partial {
            true => (None, message.holds),
            false => (message.holds, None),
        };
        Written {
            holder: message.holder,
            number: message.number,
            settled: message.settled,
            totals: message.totals,
            holds,
            changed,
            held: message.held,
            team: message.team,
            open: message.open,
            wants: message.wants,
            about: message.about,
            for_ms: message.for_ms,
            durable: message.durable,
        }
    }
}

impl Message {
    /// Calls that turned out to be known are held before that, should the message that
    /// says so come later than this one.
    pub fn unfold(&mut self) {
        let settled = std::mem::take(&mut self.settled);
        for one in settled {
            self.settled.extend(one.closes.as_deref().cloned());
            self.settled.push(one);
        }
    }

    /// Whether it says and wants nothing.
    pub fn is_empty(&self) -> bool {
        let holds_nothing = self.holds.as_ref().is_none_or(BTreeMap::is_empty);
        let says_nothing = self.settled.is_empty() && self.totals.is_empty();
        holds_nothing && says_nothing && self.wants.is_empty()
    }
}

/// The most that calls can have taken of which nobody knows what they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Held {
    /// How much at most.
    pub amount: i64,
    /// How many calls were known to be under way.
    pub calls: u64,
}

impl Held {
    /// Both together.
    pub(super) fn and(self, other: Held) -> Held {
        Held {
            amount: self.amount.saturating_add(other.amount),
            calls: self.calls.saturating_add(other.calls),
        }
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
    /// Their accounts, where the ledger was not asked for any of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<Applied>,
    /// The call was cut off: its parts are the most it can have taken, and are held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// The holder is this call, which is held, and now it is known what it took:
    /// nothing of it is held any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes: Option<Box<Settled>>,
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

/// From a ledger to a holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What is lent, or what there is too little of.
    pub granted: Result<Vec<Grant>, Box<Exceeded>>,
    /// The holder was given up: what it had has been charged.
    #[serde(default)]
    pub lost: bool,
    /// What the message says of holdings is the newest, and was taken.
    #[serde(default)]
    pub noted: bool,
}

impl Reply {
    /// One that lends nothing.
    pub fn nothing() -> Reply {
        Reply {
            granted: Ok(Vec::new()),
            lost: false,
            noted: false,
        }
    }

    /// One that refuses.
    pub fn refuses(exceeded: Box<Exceeded>) -> Reply {
        Reply {
            granted: Err(exceeded),
            ..Reply::nothing()
        }
    }
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
    /// The account that was asked for, where this one counts in its place: its
    /// limit has as many values already as may have an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
}

impl Grant {
    /// Whether it answers this.
    pub(super) fn is_for(&self, want: &Want) -> bool {
        self.asked.as_ref().unwrap_or(&self.account) == &want.applied.account
    }
}
