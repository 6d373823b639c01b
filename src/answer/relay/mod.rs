//! Relays a stream to the client and reads its usage. Sans I/O: bytes in, bytes out,
//! and any split of the input gives the same output. A stream that breaks never gets a
//! success ending.
//!
//! Most streams reach the client unchanged, and the relay only reads a copy. Streams
//! with a hidden event, with another framing or in another dialect go through the
//! relay, whole events at a time.

use crate::dialect::neutral::Json;
use crate::dialect::{self, Api, Fault, Reading, Translator};
use crate::frame::{eventstream, sse};
use crate::regions::Dialect;
use crate::units::RequestId;
use crate::upstream::judge::{judge_event, Start};
use base64::Engine;

/// The content type of AWS's event streams.
pub const AWS_FRAMES: &str = "application/vnd.amazon.eventstream";

/// How a stream stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The provider closed it.
    Closed,
    /// The connection to the provider broke.
    Broken,
    /// Nothing came for too long, or it took too long in all.
    TimedOut,
    /// The client disconnected.
    ClientGone,
}

/// How far a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before the first content: another endpoint can still serve the request.
    Preamble,
    /// The first content has arrived: the client gets this stream.
    Content,
    /// It failed before the first content.
    Failed,
}

/// What happens to the events.
#[derive(Debug)]
pub enum Passage {
    /// They stay as they are.
    AsIs {
        /// The dialect of both sides.
        dialect: Dialect,
        /// The event that carries usage alone is kept from the client, who
        /// did not ask for it.
        hide_usage: bool,
    },
    /// They are translated into the client's dialect.
    Translated(Box<Translator>),
}

/// How the provider frames its events.
#[derive(Debug)]
enum Framing {
    Events(sse::Splitter),
    Frames(eventstream::Splitter),
}

/// One stream on its way through.
#[derive(Debug)]
pub struct Relay {
    api: Api,
    id: RequestId,
    passage: Passage,
    framing: Framing,
    reading: Reading,
    /// It failed before the first content, whatever followed in the same chunk.
    failed_before_content: bool,
    /// The stream is malformed; the rest is ignored.
    given_up: bool,
}

impl Relay {
    /// A relay of a stream of a content type to a client.
    pub fn new(api: Api, passage: Passage, content_type: &str, id: RequestId) -> Relay {
        let framing = match content_type.starts_with(AWS_FRAMES) {
            true => Framing::Frames(eventstream::Splitter::default()),
            false => Framing::Events(sse::Splitter::default()),
        };
        Relay {
            api,
            id,
            passage,
            framing,
            reading: Reading::default(),
            failed_before_content: false,
            given_up: false,
        }
    }

    /// Whether the client gets what comes out of here. If not, it gets the
    /// provider's bytes, and from here only the end that [`Relay::finish`] adds.
    pub fn rewrites(&self) -> bool {
        let plain = matches!(
            self.passage,
            Passage::AsIs {
                hide_usage: false,
                ..
            }
        );
        !plain || matches!(self.framing, Framing::Frames(_))
    }

    /// Whether it only removes some events and passes the others on unchanged.
    pub fn sieves(&self) -> bool {
        matches!(self.passage, Passage::AsIs { .. })
            && self.rewrites()
            && matches!(self.framing, Framing::Events(_))
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        match &self.reading.fault {
            // The caller's own error: every endpoint would refuse the request.
            Some(Fault::Reported { kind }) if judge_event(kind) == Start::Answer => Stage::Content,
            Some(_) if self.failed_before_content || !self.reading.has_content => Stage::Failed,
            _ if self.reading.has_content => Stage::Content,
            _ => Stage::Preamble,
        }
    }

    /// Whether what has come ends with a whole event, so that another may be
    /// put behind it.
    pub fn is_between_events(&self) -> bool {
        match &self.framing {
            // The LF of a CR that ended an event may have gone to the client already.
            Framing::Events(splitter) => match splitter.rest() {
                Some(rest) => rest.raw == b"\n" && !self.rewrites(),
                None => true,
            },
            Framing::Frames(_) => true,
        }
    }

    /// Takes the provider's next bytes; what the client gets goes to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.given_up {
            return;
        }
        let (passage, reading) = (&mut self.passage, &mut self.reading);
        let failed_before_content = &mut self.failed_before_content;
        let broken = match &mut self.framing {
            Framing::Events(splitter) => {
                let on = |event: sse::Event<'_>| {
                    take_event(passage, &event, reading, out);
                    *failed_before_content |= reading.fault.is_some() && !reading.has_content;
                };
                splitter.push(bytes, on).is_err()
            }
            Framing::Frames(splitter) => {
                let on = |frame: eventstream::Frame<'_>| {
                    take_frame(passage, &frame, reading, out);
                    *failed_before_content |= reading.fault.is_some() && !reading.has_content;
                };
                splitter.push(bytes, on).is_err()
            }
        };
        if broken {
            self.reading.fault.get_or_insert(Fault::Garbled);
            self.framing = Framing::Events(sse::Splitter::default());
            self.given_up = true;
        }
    }

    /// Ends the stream: writes its last bytes to `out` and returns the reading.
    pub fn finish(mut self, end: End, out: &mut Vec<u8>) -> Reading {
        let rewrites = self.rewrites();
        let open = self.finish_event(end, rewrites, out);
        if end == End::ClientGone {
            return self.reading;
        }
        if let Passage::Translated(mut translator) = self.passage {
            if end == End::TimedOut {
                self.reading.fault.get_or_insert(Fault::TimedOut);
            }
            translator.finish(end == End::Closed, &mut self.reading, out);
            return self.reading;
        }
        if end == End::TimedOut {
            self.reading.fault.get_or_insert(Fault::TimedOut);
        }
        let complete = self.reading.ended || self.reading.stopped.is_some();
        if end == End::Broken && !self.reading.ended || !complete {
            self.reading.fault.get_or_insert(Fault::Cut);
        }
        let framed = matches!(self.framing, Framing::Frames(_));
        match &self.reading.fault {
            // The client has already received the provider's error event.
            None => {}
            Some(Fault::Reported { kind }) if !framed || !is_exception(kind) => {}
            Some(fault) => {
                if open {
                    out.extend_from_slice(dialect::abandon_event(self.api).as_bytes());
                }
                let last = match &self.reading.too_long {
                    Some(too_long) => {
                        dialect::failure_event(self.api, &too_long.body(self.api, &self.id))
                    }
                    None => dialect::broken_stream_event(self.api, fault, &self.id),
                };
                out.extend_from_slice(last.as_bytes());
            }
        }
        self.reading
    }

    /// Takes what is left of an event whose end never came. Whether the client
    /// has the beginning of one that does not end.
    fn finish_event(&mut self, end: End, rewrites: bool, out: &mut Vec<u8>) -> bool {
        let splitter = match &self.framing {
            Framing::Events(splitter) => splitter,
            Framing::Frames(splitter) => {
                if splitter.rest() && end == End::Closed {
                    self.reading.fault.get_or_insert(Fault::Cut);
                }
                return false;
            }
        };
        let Some(rest) = splitter.rest() else {
            return false;
        };
        if end != End::Closed {
            return !rewrites;
        }
        // Some providers leave out the last blank line. An incomplete event is a cut,
        // and an event without data is ignored by clients.
        let sound = self.reading.fault.is_none();
        let blank = rest.raw.iter().all(|b| matches!(b, b'\r' | b'\n'));
        let before = out.len();
        match &mut self.passage {
            Passage::AsIs {
                dialect,
                hide_usage,
            } => {
                let hide = *hide_usage && (blank || rest.data.is_some());
                take_plain(*dialect, hide, &rest, &mut self.reading, out);
            }
            passage => take_event(passage, &rest, &mut self.reading, out),
        }
        if sound && self.reading.fault == Some(Fault::Garbled) {
            self.reading.fault = Some(Fault::Cut);
        }
        !rewrites || out.len() > before
    }
}

fn take_event(
    passage: &mut Passage,
    event: &sse::Event<'_>,
    reading: &mut Reading,
    out: &mut Vec<u8>,
) {
    match passage {
        Passage::AsIs {
            dialect,
            hide_usage,
        } => take_plain(*dialect, *hide_usage, event, reading, out),
        Passage::Translated(translator) => match &event.data {
            Some(data) => translator.event("", data, reading, out),
            // A comment is a keep-alive, which is passed on.
            None => out.extend_from_slice(b": keep-alive\n\n"),
        },
    }
}

fn take_plain(
    dialect: Dialect,
    hide_usage: bool,
    event: &sse::Event<'_>,
    reading: &mut Reading,
    out: &mut Vec<u8>,
) {
    reading.usage_only = false;
    if let Some(data) = &event.data {
        dialect::read_event(dialect, data, reading);
    }
    // No success ending may follow a malformed event.
    let sound = reading.fault != Some(Fault::Garbled);
    if hide_usage && sound && !reading.usage_only {
        out.extend_from_slice(event.raw);
    }
}

fn take_frame(
    passage: &mut Passage,
    frame: &eventstream::Frame<'_>,
    reading: &mut Reading,
    out: &mut Vec<u8>,
) {
    if frame.is_failure() {
        match passage {
            Passage::Translated(translator) => {
                translator.exception(frame.exception_type, frame.payload, reading, out);
            }
            // The client cannot read the frame; it gets the error at the end.
            Passage::AsIs { .. } => reading.exception(frame.exception_type, frame.payload),
        }
        return;
    }
    // A model's own events come wrapped.
    let inner = match frame.event_type {
        "chunk" => match unwrapped(frame.payload) {
            Some(inner) => Some(inner),
            None => {
                reading.fault.get_or_insert(Fault::Garbled);
                return;
            }
        },
        _ => None,
    };
    let data = inner.as_deref().unwrap_or(frame.payload);
    match passage {
        Passage::Translated(translator) => {
            translator.event(frame.event_type, data, reading, out);
        }
        Passage::AsIs { dialect, .. } => {
            dialect::read_event(*dialect, data, reading);
            if reading.fault != Some(Fault::Garbled) {
                write_event(data, out);
            }
        }
    }
}

/// Whether an error code is AWS's own, and not one of the model's.
fn is_exception(kind: &str) -> bool {
    // A model's own words for errors are of the form `overloaded_error`.
    !kind.contains('_')
}

/// `{"bytes": …}`, in base64.
fn unwrapped(payload: &[u8]) -> Option<Vec<u8>> {
    let json = Json::parse_bytes(payload).ok()?;
    let bytes = json.text("bytes")?;
    base64::engine::general_purpose::STANDARD.decode(bytes).ok()
}

/// An event as Anthropic's own API would send it.
fn write_event(data: &[u8], out: &mut Vec<u8>) {
    let json = Json::parse_bytes(data).ok();
    if let Some(name) = json.as_ref().and_then(|json| json.text("type")) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests;
