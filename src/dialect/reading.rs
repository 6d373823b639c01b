//! The facts read from a response so far: which model served it, what was used, whether
//! it ended and how. They are read event by event or from one JSON body.

use super::neutral::{Delta, Json, Stop};
use super::{bedrock, Beyond, Fingerprint, Reader, TooLong};
use crate::regions::Dialect;
use crate::units::Tokens;
use std::collections::BTreeSet;

/// What went wrong inside a response that started with a good status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The provider reported an error in the stream.
    Reported {
        /// The provider's own word for it, as `overloaded_error`.
        kind: String,
    },
    /// The stream stopped before its end.
    Cut,
    /// The stream was malformed, such as an event without an end.
    Garbled,
    /// Nothing came for too long, or it took too long in all.
    TimedOut,
}

impl Fault {
    /// A word for rows and metrics.
    pub fn as_str(&self) -> &str {
        match self {
            Fault::Reported { kind } => kind,
            Fault::Cut => "cut",
            Fault::Garbled => "garbled",
            Fault::TimedOut => "timed_out",
        }
    }
}

/// The most blobs that are remembered of one response.
const MOST_MADE: usize = 64;
/// The most names that are kept of what was left out of a response, and their longest
/// length.
const MOST_LEFT_OUT: usize = 16;
const LONGEST_NAME: usize = 80;

/// The reading of one answer.
#[derive(Debug, Default)]
pub struct Reading {
    /// Usage as counted so far.
    pub tokens: Tokens,
    /// The provider reported usage that covers the output.
    pub has_usage: bool,
    /// The provider reported some usage, perhaps before the end of the output.
    pub(super) counted: bool,
    /// What was used beyond tokens.
    pub beyond: Beyond,
    /// The model thinks: some of its thinking may be counted only at the end.
    pub thought: bool,
    /// The model that the provider says has served it.
    pub served_model: Option<String>,
    /// The service tier that the provider says has served it.
    pub tier: Option<String>,
    /// Why the model stopped, in the provider's words.
    pub stopped: Option<String>,
    /// The provider reported that the response is complete.
    pub ended: bool,
    /// The provider continues in the background; the response has to be fetched later.
    pub goes_on: bool,
    /// Bytes of visible output so far, for estimates.
    pub output_bytes: u64,
    /// The first content has arrived: text, thinking, a tool call, a server tool's
    /// work, or the end of an empty response.
    pub has_content: bool,
    /// This event only carries usage, no content.
    pub usage_only: bool,
    /// What went wrong.
    pub fault: Option<Fault>,
    /// Parts that only the provider's dialect supports, by their names there.
    pub left_out: BTreeSet<String>,
    /// The provider reported that the request is too long.
    pub too_long: Option<TooLong>,
    /// Blobs that only this endpoint may get back.
    pub made: Vec<Fingerprint>,
    /// The id under which the provider may store the response.
    pub kept: Option<String>,
    /// Anthropic's usage merges field by field; its parts are kept here.
    pub(super) anthropic: super::anthropic::usage::Counts,
    /// Reads a stream whose dialect has no reader of its own for usage.
    reader: Option<Box<Reader>>,
}

impl Reading {
    /// Adds a piece of the response.
    pub fn take(&mut self, delta: &Delta<'_>) {
        let written = match delta {
            Delta::Text(text) | Delta::Refusal(text) | Delta::Thinking(text) => text.len(),
            Delta::Input { json, .. } => json.len(),
            _ => 0,
        };
        self.output_bytes = self.output_bytes.saturating_add(written as u64);
        self.has_content |= match delta {
            Delta::Model(_) | Delta::Tier(_) | Delta::Usage(_) | Delta::Stored(_) => false,
            Delta::InBackground => false,
            Delta::Beyond(_) | Delta::RefusalReason(_) => false,
            Delta::Failed { .. } | Delta::KeepAlive | Delta::ThinkingEnds => false,
            Delta::Text(text) | Delta::Refusal(text) | Delta::Thinking(text) => !text.is_empty(),
            _ => true,
        };
        match delta {
            Delta::Model(model) => {
                self.served_model.get_or_insert_with(|| model.to_string());
            }
            Delta::Tier(tier) => self.tier = Some(tier.to_string()),
            Delta::Usage(usage) => {
                self.tokens = usage.tokens;
                self.has_usage |= usage.complete;
            }
            Delta::Beyond(beyond) => self.beyond.merge((**beyond).clone()),
            Delta::Thinking(_) | Delta::ThinkingEnds => self.thought = true,
            Delta::Stop(stop) => self.stopped = Some(word(stop).to_owned()),
            Delta::Thought(blob) => {
                self.thought = true;
                self.made(&blob.data);
            }
            Delta::Call {
                blob: Some(blob), ..
            }
            | Delta::Compacted(blob) => self.made(&blob.data),
            Delta::Unsupported(name) if self.left_out.len() < MOST_LEFT_OUT => {
                self.left_out.insert(header_safe(name));
            }
            Delta::Stored(id) => self.kept = Some(id.to_string()),
            Delta::InBackground => self.goes_on = true,
            Delta::End => self.ended = true,
            Delta::Failed { kind, message } => {
                self.too_long = TooLong::read(None, kind, message);
                let kind = kind.clone();
                self.fault.get_or_insert(Fault::Reported { kind });
            }
            _ => {}
        }
    }

    /// Adds a blob that the provider made.
    pub fn made(&mut self, blob: &str) {
        if self.made.len() < MOST_MADE {
            self.made.push(Fingerprint::of(blob));
        }
    }

    /// Reads an event that is passed on unchanged.
    pub fn event(&mut self, dialect: Dialect, data: &[u8]) {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => match Reader::of(dialect) {
                Some(reader) => Box::new(reader),
                None => return,
            },
        };
        let mut on = |delta: Delta<'_>| self.take(&delta);
        if reader.event("", data, &mut on).is_err() {
            self.fault.get_or_insert(Fault::Garbled);
        }
        self.reader = Some(reader);
    }

    /// Reads an AWS exception frame.
    pub fn exception(&mut self, kind: &str, payload: &[u8]) {
        let body = Json::parse_bytes(payload).unwrap_or(Json::Null);
        self.take(&bedrock::answer_read::failure(kind, &body));
    }

    /// Reads a whole body that is passed on unchanged.
    pub fn whole(&mut self, dialect: Dialect, body: &[u8]) {
        let read = Reader::of(dialect).and_then(|mut reader| {
            let json = Json::parse_bytes(body).ok()?;
            reader.whole(&json, &mut |delta| self.take(&delta)).ok()
        });
        if read.is_none() {
            self.fault.get_or_insert(Fault::Garbled);
        }
    }
}

/// A provider's name for a part, safe for a header and a comment.
pub(super) fn header_safe(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    name.chars().take(LONGEST_NAME).map(plain).collect()
}

/// A word for rows.
fn word(stop: &Stop) -> &'static str {
    match stop {
        Stop::Done => "stop",
        Stop::Sequence(_) => "stop_sequence",
        Stop::Length => "length",
        Stop::Tool => "tool_calls",
        Stop::Filtered => "filtered",
        Stop::Paused => "paused",
    }
}
