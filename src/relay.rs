//! Passing a stream on, byte for byte, while the reading learns from its events
//! what was used. Sans I/O: bytes in, bytes out, any cut gives the same output.
//! A stream that breaks never gets a good end.
//!
//! Most streams reach the client untouched and unseen, and the relay only reads
//! along. Where an event has to be kept from the client, all of them go through
//! here, whole events at a time.

use crate::dialect::{self, Fault, Reading};
use crate::frame::sse::{Event, Splitter};
use crate::regions::Dialect;
use crate::units::RequestId;

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

/// One stream on its way through.
#[derive(Debug)]
pub struct Relay {
    dialect: Dialect,
    hide_usage: bool,
    id: RequestId,
    splitter: Splitter,
    reading: Reading,
    /// The stream is none; nothing more of it is read.
    given_up: bool,
}

impl Relay {
    /// A relay of a stream in a dialect. With `hide_usage` the event that
    /// carries usage alone is kept from the client, who did not ask for it.
    pub fn new(dialect: Dialect, hide_usage: bool, id: RequestId) -> Relay {
        Relay {
            dialect,
            hide_usage,
            id,
            splitter: Splitter::default(),
            reading: Reading::default(),
            given_up: false,
        }
    }

    /// Whether the client gets what comes out of here. If not, it gets the
    /// provider's bytes, and from here only the end that [`Relay::finish`] adds.
    pub fn rewrites(&self) -> bool {
        self.hide_usage
    }

    /// Takes the provider's next bytes; what the client gets goes to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.given_up {
            return;
        }
        let (dialect, hide_usage, reading) = (self.dialect, self.hide_usage, &mut self.reading);
        let pushed = self.splitter.push(bytes, |event| {
            take(dialect, hide_usage, &event, reading, out)
        });
        if pushed.is_err() {
            self.reading.fault = Some(Fault::Garbled);
            self.splitter = Splitter::default();
            self.given_up = true;
        }
    }

    /// Ends the stream: what is still to go to the client, and what was learnt.
    pub fn finish(mut self, end: End, out: &mut Vec<u8>) -> Reading {
        // The client has the beginning of an event that does not end.
        let mut open = !self.hide_usage && self.splitter.rest().is_some();
        if let (End::Closed, Some(rest)) = (end, self.splitter.rest()) {
            // Some providers leave out the last blank line. But half an event
            // is a cut, and one without data is nothing to a client.
            let sound = self.reading.fault.is_none();
            let blank = rest.raw.iter().all(|b| matches!(b, b'\r' | b'\n'));
            let hide = self.hide_usage && (blank || rest.data.is_some());
            take(self.dialect, hide, &rest, &mut self.reading, out);
            open |= !out.is_empty();
            if sound && self.reading.fault == Some(Fault::Garbled) {
                self.reading.fault = Some(Fault::Cut);
            }
        }
        if end == End::ClientGone {
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
                    out.extend_from_slice(dialect::abandon_event(self.dialect).as_bytes());
                }
                let last = dialect::broken_stream_event(self.dialect, fault, &self.id);
                out.extend_from_slice(last.as_bytes());
            }
        }
        self.reading
    }
}

fn take(
    dialect: Dialect,
    hide_usage: bool,
    event: &Event<'_>,
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

    fn run(stream: &str, cut: usize, hide: bool, end: End) -> (String, Reading) {
        let id = RequestId::new(Millis(0), 0);
        let mut relay = Relay::new(Dialect::OpenAiChat, hide, id);
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
        let mut relay = Relay::new(Dialect::AnthropicMessages, false, id);
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
