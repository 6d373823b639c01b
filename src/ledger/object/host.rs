//! What an object's host provides without waiting: its storage, and new ids.

use crate::ledger::{Change, Stored};
use crate::units::{Millis, RequestId};
use serde::Deserialize;

/// Storage of one object. What is stored outlives the object.
pub trait Host {
    /// Why something could not be stored or read.
    type Error;

    /// The accounts as they were stored.
    fn stored(&self) -> Result<Vec<Stored>, Self::Error>;
    /// Stores what has changed of the accounts.
    fn write(&mut self, changes: &[Change]) -> Result<(), Self::Error>;
    /// Stores a JSON list of rows, each once; the ids of those that are new.
    fn add_rows(&mut self, now: Millis, rows: &str) -> Result<Vec<String>, Self::Error>;
    /// The next rows for the database.
    fn waiting(&self, most: usize) -> Result<Waiting, Self::Error>;
    /// Rows are in the database: only their ids, a JSON list, are remembered.
    fn written(&mut self, ids: &str) -> Result<(), Self::Error>;
    /// Forgets ids that nobody will report again.
    fn forget_rows(&mut self, now: Millis) -> Result<(), Self::Error>;
    /// Stores a message for a webhook.
    fn keep_hook(&mut self, url: &str, body: &str) -> Result<(), Self::Error>;
    /// The next messages for webhooks.
    fn hooks(&self) -> Result<Vec<Hook>, Self::Error>;
    /// A message was taken, or could not be sent; after `most` tries it is dropped.
    fn tried_hook(&mut self, id: i64, taken: bool, most: u32) -> Result<(), Self::Error>;
    /// An id that nothing else has.
    fn new_id(&mut self, now: Millis) -> RequestId;
}

/// Rows for the database.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Waiting {
    /// How many.
    pub count: usize,
    /// The rows, as a JSON list.
    pub rows: String,
    /// Their ids, as a JSON list.
    pub ids: String,
}

/// A message for a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hook {
    /// Its number.
    pub id: i64,
    /// The address.
    pub url: String,
    /// The message.
    pub body: String,
    /// How often it was tried.
    pub tries: u32,
}
