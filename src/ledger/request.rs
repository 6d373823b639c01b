//! What is sent to an object of the ledger, and what it replies.

use super::{Address, Held, Message, Reply, Standing};
use crate::upstream::health::Notice;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A request to an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LedgerRequest {
    /// The object.
    pub to: Address,
    /// From a lease, or from another object's accounts.
    pub message: Message,
    /// Rows of calls that are over, as a JSON list: they are stored as they come.
    #[serde(default)]
    pub rows: Option<Box<RawValue>>,
    /// Changes in the health of endpoints.
    #[serde(default, rename = "news")]
    pub notices: Vec<Notice>,
    /// The time of the newest notice that the sender has received.
    #[serde(default, rename = "heard")]
    pub notices_until: u64,
    /// Whether the reply lists the accounts.
    #[serde(default)]
    pub look: bool,
    /// What an operator releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
}

/// Releases what is held for lost calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Release {
    /// Only what is held for calls under this limit.
    #[serde(default)]
    pub limit: Option<String>,
}

/// The reply of an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LedgerResponse {
    /// To the message.
    pub reply: Reply,
    /// Notices of other instances, each with its time.
    #[serde(default)]
    pub notices: Vec<(u64, Notice)>,
    /// The accounts.
    #[serde(default)]
    pub accounts: Vec<Standing>,
    /// Requests that the object receives in a second.
    #[serde(default)]
    pub load: u32,
    /// Names of objects that have borrowed from this one and hold something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holding: Vec<String>,
    /// What was released.
    #[serde(default)]
    pub released: Held,
}

impl LedgerRequest {
    /// A request with a message alone.
    pub fn new(to: Address, message: Message) -> LedgerRequest {
        LedgerRequest {
            to,
            message,
            rows: None,
            notices: Vec::new(),
            notices_until: 0,
            look: false,
            release: None,
        }
    }
}
