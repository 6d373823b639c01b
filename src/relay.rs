//! Passing a stream on while the reading learns from its events what was used.
//! Sans I/O: bytes in, bytes out, any cut gives the same output. A stream that
//! breaks never gets a good end.
//!
//! Most streams reach the client untouched and unseen, and the relay only reads
//! along. Where an event has to be kept from the client, where the provider
//! frames its events otherwise, or speaks another dialect, all of them go
//! through here, whole events at a time.

use crate::dialect::form::Json;
use crate::dialect::{self, Api, Fault, Reading, Translator};
use crate::frame::{eventstream, sse};
use crate::regions::Dialect;
use crate::units::RequestId;
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
    /// The client went away.
    ClientGone,
}

/// What becomes of the events.
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
    /// They are told in the client's dialect.
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
    /// The stream is none, or is over; nothing more of it is read.
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

    /// Takes the provider's next bytes; what the client gets goes to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.given_up {
            return;
        }
        let (passage, reading) = (&mut self.passage, &mut self.reading);
        let broken = match &mut self.framing {
            Framing::Events(splitter) => {
                let on = |event: sse::Event<'_>| take_event(passage, &event, reading, out);
                splitter.push(bytes, on).is_err()
            }
            Framing::Frames(splitter) => {
                let on = |frame: eventstream::Frame<'_>| take_frame(passage, &frame, reading, out);
                splitter.push(bytes, on).is_err()
            }
        };
        if broken {
            self.reading.fault.get_or_insert(Fault::Garbled);
            self.framing = Framing::Events(sse::Splitter::default());
            self.given_up = true;
        }
    }

    /// Ends the stream: what is still to go to the client, and what was learnt.
    pub fn finish(mut self, end: End, out: &mut Vec<u8>) -> Reading {
        let rewrites = self.rewrites();
        let open = self.finish_event(end, rewrites, out);
        if end == End::ClientGone {
            return self.reading;
        }
        if let Passage::Translated(mut translator) = self.passage {
            translator.finish(end == End::Closed, &mut self.reading, out);
            return self.reading;
        }
        let complete = self.reading.ended || self.reading.stopped.is_some();
        if end == End::Broken && !self.reading.ended || !complete {
            self.reading.fault.get_or_insert(Fault::Cut);
        }
        match &self.reading.fault {
            // What the provider said itself has reached the client already.
            None | Some(Fault::Said { .. }) => {}
            Some(fault) => {
                if open {
                    out.extend_from_slice(dialect::abandon_event(self.api).as_bytes());
                }
                let last = dialect::broken_stream_event(self.api, fault, &self.id);
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
        // Some providers leave out the last blank line. But half an event is a
        // cut, and one without data is nothing to a client.
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
            // A comment: the provider lives, and the client may know it.
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
    // After an event that is none, a good end must not follow.
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
            // The client cannot read the frame; it is told at the end.
            Passage::AsIs { .. } => {
                reading.fault.get_or_insert(Fault::Garbled);
            }
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
mod tests {
    use super::*;
    use crate::units::Millis;

    const USAGE: &str =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\n";
    const START: &str =
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Größe\"}}]}\n\n";
    const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    const DONE: &str = "data: [DONE]\n\n";

    fn relay(api: Api, hide_usage: bool, id: RequestId) -> Relay {
        let passage = Passage::AsIs {
            dialect: api.native(),
            hide_usage,
        };
        Relay::new(api, passage, "text/event-stream", id)
    }

    fn run(stream: &str, cut: usize, hide: bool, end: End) -> (String, Reading) {
        let id = RequestId::new(Millis(0), 0);
        let mut relay = relay(Api::Chat, hide, id);
        let mut client = Vec::new();
        for piece in stream.as_bytes().chunks(cut) {
            if !relay.rewrites() {
                client.extend_from_slice(piece);
            }
            relay.push(piece, &mut client);
        }
        let reading = relay.finish(end, &mut client);
        (String::from_utf8(client).unwrap(), reading)
    }

    #[test]
    fn field_07_usage_the_client_did_not_ask_for_is_read_and_removed() {
        let stream = [START, STOP, USAGE, DONE].concat();
        for cut in 1..stream.len() {
            let (out, reading) = run(&stream, cut, true, End::Closed);
            assert_eq!(out, [START, STOP, DONE].concat(), "cut at every {cut}");
            assert_eq!((reading.tokens.input, reading.tokens.output), (3, 5));
            assert_eq!(run(&stream, cut, false, End::Closed).0, stream);
        }
    }

    #[test]
    fn field_14_a_stream_that_breaks_never_gets_a_good_end() {
        for (end, hide) in [
            (End::Broken, true),
            (End::Broken, false),
            (End::Closed, true),
        ] {
            let (out, reading) = run(&[START, "data: {\"half"].concat(), 7, hide, end);
            assert!(out.starts_with(START), "{out}");
            assert!(out.ends_with("\"type\":\"server_error\"}}\n\n"), "{out}");
            assert!(!out.contains("[DONE]"), "{out}");
            assert_eq!(out.contains("half"), !hide, "{out}");
            assert_eq!(reading.fault, Some(Fault::Cut));
        }
    }

    #[test]
    fn an_event_that_is_none_is_followed_by_an_error_not_by_a_good_end() {
        let (out, reading) = run(
            &[START, "data: {nonsense\n\n", DONE].concat(),
            9,
            true,
            End::Closed,
        );
        assert!(out.starts_with(START) && !out.contains("[DONE]"), "{out}");
        assert!(out.contains("stream_broken"), "{out}");
        assert_eq!(reading.fault, Some(Fault::Garbled));
    }

    #[test]
    fn a_broken_event_of_anthropics_is_made_one_its_clients_pass_over() {
        let id = RequestId::new(Millis(0), 0);
        let mut relay = relay(Api::Messages, false, id);
        let mut out = Vec::new();
        relay.push(
            b"event: content_block_delta\ndata: {\"type\":\"con",
            &mut out,
        );
        let reading = relay.finish(End::Broken, &mut out);
        let tail = String::from_utf8(out).unwrap();
        assert!(
            tail.starts_with("\nevent: ping\n\nevent: error\ndata: {"),
            "{tail}"
        );
        assert_eq!(reading.fault, Some(Fault::Cut));
    }

    #[test]
    fn field_22_a_missing_done_is_no_fault_when_the_answer_was_complete() {
        let (out, reading) = run(&[START, STOP].concat(), 9, false, End::Closed);
        assert_eq!((out, reading.fault), ([START, STOP].concat(), None));
        // The last blank line may be missing too.
        let stream = [START, STOP, USAGE.trim_end()].concat();
        let (_, reading) = run(&stream, 9, true, End::Closed);
        assert_eq!((reading.tokens.output, reading.fault), (5, None));
    }

    #[test]
    fn a_client_that_leaves_is_no_fault_of_the_stream() {
        let (_, reading) = run(START, 9, false, End::ClientGone);
        assert_eq!((reading.fault, reading.output_bytes), (None, 7));
    }
}
