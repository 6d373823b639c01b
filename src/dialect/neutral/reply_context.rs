//! What a writer needs beside the response itself.

use super::json::Object;
use super::namespace::Named;
use crate::units::{Millis, RequestId};
use std::collections::{BTreeMap, BTreeSet};

/// The context of a reply.
#[derive(Debug, Clone)]
pub struct ReplyContext {
    /// The request's id, from which ids in the reply are made.
    pub id: RequestId,
    /// When the request came.
    pub at: Millis,
    /// The endpoint that responds: its name goes onto its blobs.
    pub endpoint: String,
    /// The model as the client named it.
    pub model: String,
    /// The client asked for usage in the stream.
    pub reports_usage: bool,
    /// The client asked for log probabilities.
    pub reports_logprobs: bool,
    /// Fields of the request that the response repeats, in dialects that do so.
    pub echo: Object<'static>,
    /// The client's custom tools, whose input is text and not JSON.
    pub custom: BTreeSet<String>,
    /// The tools that stand in namespaces, by their full names.
    pub namespaces: BTreeMap<String, Named>,
}

impl ReplyContext {
    /// An id of the kind that a dialect's clients expect.
    pub fn mint(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.id)
    }

    /// The same for one of many things in an answer.
    pub fn mint_nth(&self, prefix: &str, nth: usize) -> String {
        format!("{prefix}{}{nth:02}", self.id)
    }

    /// When the request came, in seconds.
    pub fn seconds(&self) -> u64 {
        self.at.0 / 1000
    }
}
