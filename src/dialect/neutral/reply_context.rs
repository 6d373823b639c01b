//! What a writer must know of the one it writes to, beside the answer itself.

use super::json::Object;
use super::namespace::Named;
use crate::units::{Millis, RequestId};
use std::collections::{BTreeMap, BTreeSet};

/// Who answers whom, about what.
#[derive(Debug, Clone)]
pub struct ReplyContext {
    /// The request's id: the ids of what is said are made from it.
    pub id: RequestId,
    /// When the request came.
    pub at: Millis,
    /// The endpoint that answers: its name goes onto its blobs.
    pub endpoint: String,
    /// The model as the client named it.
    pub model: String,
    /// The client asked for usage in the stream.
    pub reports_usage: bool,
    /// The client asked to see how likely tokens were.
    pub reports_logprobs: bool,
    /// What an answer says again of its request, where a dialect has that.
    pub echo: Object<'static>,
    /// The tools that the client called custom: it gets text where others get JSON.
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
