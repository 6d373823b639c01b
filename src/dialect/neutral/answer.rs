//! A response assembled from its pieces, for clients that did not ask for a stream.

use super::blob::Blob;
use super::delta::{Citation, Delta, Stop};
use super::json::Json;
use crate::units::Tokens;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The model that served it.
    pub model: Option<String>,
    /// Its parts, in order.
    pub parts: Vec<Part>,
    /// Its log probabilities.
    pub logprobs: Vec<Json<'static>>,
    /// Its usage.
    pub tokens: Option<Tokens>,
    /// The class of service.
    pub tier: Option<String>,
    /// Its stop reason.
    pub stop: Option<Stop>,
    /// The provider's explanation of a refusal.
    pub explained: Option<String>,
    /// The place of each call among the parts.
    pub calls: BTreeMap<u32, usize>,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text, and its citations.
    Text(String, Vec<Citation>),
    /// A refusal.
    Refusal(String),
    /// Thinking.
    Thinking {
        /// Its text.
        text: String,
        /// The provider's signature.
        blob: Option<Blob<'static>>,
        /// Nothing more belongs to it.
        over: bool,
    },
    /// A tool call.
    Call {
        /// Which call.
        call: u32,
        /// Its id.
        id: String,
        /// The tool.
        name: String,
        /// The arguments, as JSON text.
        input: String,
        /// The provider's blob that belongs to it.
        blob: Option<Blob<'static>>,
    },
}

impl Answer {
    /// Takes the next piece. The caller handles failures.
    pub fn take(&mut self, delta: Delta<'_>) {
        match delta {
            Delta::Model(model) => self.model = Some(model.into_owned()),
            Delta::Text(text) => match self.parts.last_mut() {
                Some(Part::Text(said, cited)) if cited.is_empty() => said.push_str(&text),
                _ if text.is_empty() => {}
                _ => self.parts.push(Part::Text(text.into_owned(), Vec::new())),
            },
            Delta::Refusal(text) => match self.parts.last_mut() {
                Some(Part::Refusal(said)) => said.push_str(&text),
                _ => self.parts.push(Part::Refusal(text.into_owned())),
            },
            Delta::Thinking(text) => match self.parts.last_mut() {
                Some(Part::Thinking {
                    text: said,
                    over: false,
                    ..
                }) => said.push_str(&text),
                _ => self.parts.push(Part::Thinking {
                    text: text.into_owned(),
                    blob: None,
                    over: false,
                }),
            },
            Delta::Thought(proof) => self.thought(Some(proof.into_owned())),
            Delta::ThinkingEnds => self.thought(None),
            Delta::Call {
                call,
                id,
                name,
                blob,
            } => {
                self.calls.entry(call).or_insert(self.parts.len());
                self.parts.push(Part::Call {
                    call,
                    id: id.into_owned(),
                    name: name.into_owned(),
                    input: String::new(),
                    blob: blob.map(Blob::into_owned),
                });
            }
            Delta::Input { call: to, json } => self.input(to, &json),
            Delta::Cited(citation) => {
                if let Some(Part::Text(_, cited)) = self.parts.last_mut() {
                    cited.push(citation);
                }
            }
            Delta::Logprobs(logprobs) => self
                .logprobs
                .extend(logprobs.into_iter().map(Json::into_owned)),
            Delta::Usage(usage) => self.tokens = Some(usage.tokens),
            Delta::Tier(tier) => self.tier = Some(Cow::into_owned(tier)),
            Delta::Stop(stop) => self.stop = Some(stop),
            Delta::RefusalReason(why) => self.explained = Some(why.into_owned()),
            Delta::End
            | Delta::Failed { .. }
            | Delta::Stored(_)
            | Delta::InBackground
            | Delta::Compacted(_)
            | Delta::Beyond(_)
            | Delta::KeepAlive
            | Delta::Aside
            | Delta::Unsupported(_) => {}
        }
    }

    fn thought(&mut self, proof: Option<Blob<'static>>) {
        match self.parts.last_mut() {
            Some(Part::Thinking { blob, over, .. }) if !*over => {
                *over = true;
                *blob = proof;
            }
            _ if proof.is_none() => {}
            _ => self.parts.push(Part::Thinking {
                text: String::new(),
                blob: proof,
                over: true,
            }),
        }
    }

    fn input(&mut self, to: u32, json: &str) {
        let at = self.calls.get(&to).copied();
        if let Some(Part::Call { input, .. }) = at.and_then(|at| self.parts.get_mut(at)) {
            input.push_str(json);
        }
    }
}
