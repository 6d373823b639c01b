//! AWS event streams (`application/vnd.amazon.eventstream`), sans I/O: bytes
//! in, whole frames out, wherever the bytes were cut. Bedrock streams its
//! answers in this framing.
//!
//! A frame is, with all numbers big-endian: its length and that of its headers
//! (four bytes each), the CRC of these eight bytes, the headers, the payload,
//! and the CRC of everything before.

use crc::{Crc, Table, CRC_32_ISO_HDLC};

/// The longest frame that is held in memory.
pub const LONGEST_FRAME: usize = 16 * 1024 * 1024;

/// The two lengths and their CRC.
const PRELUDE: usize = 12;

/// What is in a frame besides headers and payload: the prelude and one CRC.
const FIXED: usize = PRELUDE + 4;

/// The small table: the large one is 16 KB of the worker for a checksum over
/// a few hundred bytes a frame.
static CRC32: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// Why a stream can not be read on. Nothing in it says where the next frame
/// would begin, so this is its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The prelude is not what its CRC says.
    Prelude,
    /// The lengths contradict each other.
    Lengths,
    /// A frame would be longer than [`LONGEST_FRAME`].
    TooLong,
    /// The frame is not what its CRC says.
    Checksum,
    /// The headers can not be read, or one that counts is there twice.
    Headers,
}

/// One frame. A header that is not there, or is no string, is empty here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frame<'a> {
    /// `:message-type`: `event`, `exception` or `error`.
    pub message_type: &'a str,
    /// `:event-type`: which event it is.
    pub event_type: &'a str,
    /// `:exception-type`: which of the exceptions that the API declares; of an
    /// error, which it does not declare, the `:error-code`.
    pub exception_type: &'a str,
    /// `:error-message`: an error says it here and not in the payload.
    pub error_message: &'a str,
    /// `:content-type` of the payload.
    pub content_type: &'a str,
    /// What the frame carries.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Whether it says that something failed.
    pub fn is_failure(&self) -> bool {
        matches!(self.message_type, "exception" | "error")
    }
}

/// Splits a stream into frames.
#[derive(Debug, Default)]
pub struct Splitter {
    /// What has come of the frame that is not complete.
    pending: Vec<u8>,
    /// How long that frame is; 0 until its prelude has come.
    length: usize,
    broken: Option<Broken>,
}

impl Splitter {
    /// Takes the next bytes and hands each completed frame to `on`. A stream
    /// that broke once stays broken.
    pub fn push(&mut self, bytes: &[u8], on: impl FnMut(Frame<'_>)) -> Result<(), Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        self.take(bytes, on).inspect_err(|broken| {
            self.broken = Some(*broken);
            self.pending = Vec::new();
        })
    }

    /// Whether the stream ended within a frame.
    pub fn rest(&self) -> bool {
        !self.pending.is_empty()
    }

    fn take(&mut self, mut bytes: &[u8], mut on: impl FnMut(Frame<'_>)) -> Result<(), Broken> {
        while !bytes.is_empty() {
            // Up to the prelude's end first: it says how much is worth keeping.
            let until = self.length.max(PRELUDE);
            let missing = until.saturating_sub(self.pending.len());
            let (now, later) = bytes.split_at(missing.min(bytes.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            if self.pending.len() < until {
                break;
            }
            if self.length == 0 {
                (self.length, _) = lengths(&self.pending)?;
            } else {
                on(frame(&self.pending)?);
                self.pending.clear();
                self.length = 0;
            }
        }
        Ok(())
    }
}

/// How long the frame and its headers are, of the prelude that `bytes` begin with.
fn lengths(bytes: &[u8]) -> Result<(usize, usize), Broken> {
    let mut rest = bytes;
    let frame = number(&mut rest).ok_or(Broken::Prelude)?;
    let headers = number(&mut rest).ok_or(Broken::Prelude)?;
    checked(bytes, PRELUDE).ok_or(Broken::Prelude)?;
    let size = |number: u32| usize::try_from(number).map_err(|_| Broken::TooLong);
    let (frame, headers) = (size(frame)?, size(headers)?);
    if frame > LONGEST_FRAME {
        return Err(Broken::TooLong);
    }
    match frame.checked_sub(FIXED) {
        Some(room) if headers <= room => Ok((frame, headers)),
        _ => Err(Broken::Lengths),
    }
}

/// Reads a whole frame.
fn frame(raw: &[u8]) -> Result<Frame<'_>, Broken> {
    let (_, length) = lengths(raw)?;
    let checked = checked(raw, raw.len()).ok_or(Broken::Checksum)?;
    let body = checked.get(PRELUDE..).ok_or(Broken::Lengths)?;
    let (mut headers, payload) = body.split_at_checked(length).ok_or(Broken::Lengths)?;
    let mut frame = Frame {
        payload,
        ..Frame::default()
    };
    while !headers.is_empty() {
        let (name, value) = header(&mut headers).ok_or(Broken::Headers)?;
        let place = match name {
            b":message-type" => &mut frame.message_type,
            b":event-type" => &mut frame.event_type,
            b":exception-type" | b":error-code" => &mut frame.exception_type,
            b":error-message" => &mut frame.error_message,
            b":content-type" => &mut frame.content_type,
            _ => continue,
        };
        if !place.is_empty() {
            return Err(Broken::Headers);
        }
        *place = std::str::from_utf8(value).map_err(|_| Broken::Headers)?;
    }
    Ok(frame)
}

/// Takes one header: its name, and its value if that is a string.
fn header<'a>(bytes: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let length = usize::from(*take(bytes, 1)?.first()?);
    let name = take(bytes, length)?;
    let kind = *take(bytes, 1)?.first()?;
    let length = match kind {
        // True and false: the type is the value.
        0 | 1 => 0,
        // Integers of one, two, four and eight bytes.
        2 => 1,
        3 => 2,
        4 => 4,
        // 8 is a time in milliseconds.
        5 | 8 => 8,
        // Bytes and strings, after their length.
        6 | 7 => {
            let (length, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            usize::from(u16::from_be_bytes(*length))
        }
        // A UUID.
        9 => 16,
        _ => return None,
    };
    let value = take(bytes, length)?;
    Some((name, if kind == 7 { value } else { b"" }))
}

/// The first `length` bytes without the last four, if these are their CRC.
fn checked(bytes: &[u8], length: usize) -> Option<&[u8]> {
    let (data, crc) = bytes.get(..length)?.split_last_chunk()?;
    (CRC32.checksum(data) == u32::from_be_bytes(*crc)).then_some(data)
}

/// Takes a number of four bytes.
fn number(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*number))
}

/// Takes the next `length` bytes.
fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with these headers and no payload.
    fn with_headers(headers: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend((FIXED as u32 + headers.len() as u32).to_be_bytes());
        bytes.extend((headers.len() as u32).to_be_bytes());
        bytes.extend(CRC32.checksum(&bytes).to_be_bytes());
        bytes.extend(headers);
        bytes.extend(CRC32.checksum(&bytes).to_be_bytes());
        bytes
    }

    #[test]
    fn a_stream_that_broke_hands_out_nothing_more() {
        let sound = with_headers(b"\x0b:event-type\x07\x00\x01a");
        let twice = with_headers(b"\x0b:event-type\x07\x00\x01a\x0b:event-type\x07\x00\x01b");
        let mut splitter = Splitter::default();
        let mut seen = Vec::new();
        for bytes in [[sound.clone(), twice].concat(), sound] {
            let on = |frame: Frame<'_>| seen.push(frame.event_type.to_owned());
            assert_eq!(splitter.push(&bytes, on), Err(Broken::Headers));
        }
        assert_eq!(seen, ["a"]);
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_by_its_prelude() {
        let mut prelude = Vec::new();
        prelude.extend((LONGEST_FRAME as u32 + 1).to_be_bytes());
        prelude.extend(0_u32.to_be_bytes());
        prelude.extend(CRC32.checksum(&prelude).to_be_bytes());
        let mut splitter = Splitter::default();
        assert_eq!(splitter.push(&prelude, |_| {}), Err(Broken::TooLong));
        assert_eq!(splitter.push(b"more", |_| {}), Err(Broken::TooLong));
        assert_eq!(splitter.pending.capacity(), 0);
    }
}
