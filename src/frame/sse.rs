//! Server-sent events, sans I/O: bytes in, whole events out, wherever the
//! bytes were cut. Each event comes with the bytes it was made of, so that a
//! relay can pass on exactly what it received.

use std::borrow::Cow;

/// The longest event that is held in memory. An image in a stream is a few
/// megabytes; what is longer is no event but a fault.
pub const LONGEST_EVENT: usize = 16 * 1024 * 1024;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// An event grew past [`LONGEST_EVENT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// One block of lines up to and with its blank line.
#[derive(Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The bytes it was made of.
    pub raw: &'a [u8],
    /// The `event` field; empty where there was none.
    pub name: &'a [u8],
    /// The `data` lines, joined; `None` for comments and other blocks that
    /// carry no data and so are no event to a client.
    pub data: Option<Cow<'a, [u8]>>,
}

/// Splits a stream into events.
#[derive(Debug, Default)]
pub struct Splitter {
    /// What has come of the event that is not complete.
    pending: Vec<u8>,
    /// Where in `pending` the current line begins.
    line: usize,
    /// How far `pending` was searched for line ends.
    searched: usize,
    /// The last byte was a CR that ended an event: an LF still belongs to it.
    after_cr: bool,
    /// Something came before: a byte order mark is only one at the very start.
    started: bool,
}

impl Splitter {
    /// Takes the next bytes and hands each completed event to `on`.
    pub fn push(&mut self, bytes: &[u8], mut on: impl FnMut(Event<'_>)) -> Result<(), TooLong> {
        self.pending.extend_from_slice(bytes);
        let mut begin = 0;
        while let Some(end) = self.next_end() {
            let raw = self.pending.get(begin..end).unwrap_or_default();
            on(parse(raw, !self.started));
            self.started = true;
            begin = end;
        }
        self.pending.drain(..begin);
        self.line -= begin;
        self.searched -= begin;
        match self.pending.len() > LONGEST_EVENT {
            true => Err(TooLong),
            false => Ok(()),
        }
    }

    /// What is left when the stream ends: an event whose blank line never came.
    pub fn rest(&self) -> Option<Event<'_>> {
        (!self.pending.is_empty()).then(|| parse(&self.pending, !self.started))
    }

    /// Where the next complete event ends.
    fn next_end(&mut self) -> Option<usize> {
        loop {
            let unsearched = self.pending.get(self.searched..)?;
            let Some(found) = memchr::memchr2(b'\n', b'\r', unsearched) else {
                self.searched = self.pending.len();
                return None;
            };
            let at = self.searched + found;
            let is_cr = self.pending.get(at) == Some(&b'\r');
            // The LF of a CRLF: its CR has ended the line already.
            let second_half = self.after_cr && found == 0 && !is_cr;
            let blank = at == self.line && !second_half;
            self.after_cr = is_cr;
            self.searched = at + 1;
            self.line = at + 1;
            if blank {
                return Some(at + 1);
            }
        }
    }
}

/// Reads the fields of one block of lines.
fn parse(raw: &[u8], first: bool) -> Event<'_> {
    let text = match first {
        true => raw.strip_prefix(BOM).unwrap_or(raw),
        false => raw,
    };
    let mut name: &[u8] = b"";
    let mut data: Option<Cow<'_, [u8]>> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let (field, value) = line.split_at(colon);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        match field {
            b"event" => name = value,
            b"data" => match &mut data {
                None => data = Some(Cow::Borrowed(value)),
                Some(joined) => {
                    joined.to_mut().push(b'\n');
                    joined.to_mut().extend_from_slice(value);
                }
            },
            _ => {}
        }
    }
    Event { raw, name, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_of(stream: &[u8], cut: usize) -> (Vec<String>, Vec<u8>) {
        let mut splitter = Splitter::default();
        let (mut data, mut raw) = (Vec::new(), Vec::new());
        for piece in stream.chunks(cut.max(1)) {
            splitter
                .push(piece, |event| {
                    raw.extend_from_slice(event.raw);
                    data.extend(event.data.map(|d| String::from_utf8_lossy(&d).into_owned()));
                })
                .unwrap();
        }
        raw.extend_from_slice(splitter.rest().map_or(&b""[..], |event| event.raw));
        (data, raw)
    }

    #[test]
    fn any_cut_gives_the_same_events_and_loses_no_byte() {
        let stream =
            "data: Größe\r\n\r\n: note\n\nevent: x\ndata: a\ndata: b\n\ndata: c\r\rdata: d";
        for cut in 1..stream.len() {
            let (data, raw) = data_of(stream.as_bytes(), cut);
            assert_eq!(data, ["Größe", "a\nb", "c"], "cut at every {cut}");
            assert_eq!(raw, stream.as_bytes(), "cut at every {cut}");
        }
    }

    #[test]
    fn an_endless_event_is_refused_not_kept() {
        let mut splitter = Splitter::default();
        let megabyte = vec![b'x'; 1024 * 1024];
        let mut pushed = 0;
        while splitter.push(&megabyte, |_| {}).is_ok() {
            pushed += 1;
            assert!(pushed <= 16, "kept {pushed} MiB of one event");
        }
    }
}
