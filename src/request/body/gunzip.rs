//! Decompresses a body as it arrives. Output bytes are counted, and no memory is
//! reserved ahead of them, so a decompression bomb is refused at the limit.

use super::Full;
use crc::{Crc, Digest, Table, CRC_32_ISO_HDLC};
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
};
use miniz_oxide::inflate::core::{decompress, DecompressorOxide};
use miniz_oxide::inflate::TINFLStatus;

/// The largest ratio of decompressed to compressed bytes.
pub const MOST_TIMES: usize = 100;
/// The ratio does not apply up to this length.
const ANY_TIMES: usize = 1024 * 1024;
/// How many blocks it may have, and for how many of its bytes one more. Compressors
/// make one of many thousand bytes; each takes time of its own, however little is
/// in it.
const BLOCKS: usize = 1_000;
const BYTES_A_BLOCK: usize = 64;
/// How far back what comes out may repeat itself.
const WINDOW: usize = 32 * 1024;

static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

/// Why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It is longer than a body may be.
    TooLong,
    /// It exceeds the ratio.
    Grows,
    /// There is no room for it.
    Full,
    /// It is not valid gzip, or incomplete.
    Broken,
}

/// Takes what comes out.
type Sink<'s> = &'s mut dyn FnMut(&[u8]) -> Result<(), Full>;

/// The part of a gzip that is coming.
enum Part {
    /// What has come of its head.
    Head(Vec<u8>),
    /// What is compressed.
    Blocks,
    /// What has come of the checksum and the length of what came out.
    Tail(Vec<u8>),
}

/// A head has ten bytes and mostly a file's name.
const LONGEST_HEAD: usize = 1_024;
const TAIL_LENGTH: usize = 8;

/// A body on its way.
pub struct Gunzip {
    part: Part,
    inflater: Box<DecompressorOxide>,
    window: Box<[u8]>,
    at: usize,
    sum: Digest<'static, u32, Table<16>>,
    /// How long it may become.
    limit: usize,
    /// How many compressed bytes have come.
    come: usize,
    /// How many bytes have come out.
    out: usize,
    blocks: usize,
}

impl Gunzip {
    /// A body that may become `limit` long.
    pub fn new(limit: usize) -> Gunzip {
        Gunzip {
            part: Part::Head(Vec::new()),
            inflater: Box::default(),
            window: vec![0; WINDOW].into_boxed_slice(),
            at: 0,
            sum: CRC.digest(),
            limit,
            come: 0,
            out: 0,
            blocks: 0,
        }
    }

    /// Takes the next compressed bytes.
    pub fn push(&mut self, mut bytes: &[u8], sink: Sink<'_>) -> Result<(), Stop> {
        self.come = self.come.saturating_add(bytes.len());
        if let Part::Head(head) = &mut self.part {
            let had = head.len();
            head.extend(bytes.iter().take(LONGEST_HEAD - had));
            let Some(length) = head_length(head)? else {
                return match head.len() < LONGEST_HEAD {
                    true => Ok(()),
                    false => Err(Stop::Broken),
                };
            };
            bytes = bytes.get(length - had..).unwrap_or_default();
            self.part = Part::Blocks;
        }
        if let Part::Blocks = self.part {
            bytes = self.inflate(bytes, sink)?;
        }
        if let Part::Tail(tail) = &mut self.part {
            tail.extend(bytes.iter().take(TAIL_LENGTH + 1));
            if tail.len() > TAIL_LENGTH {
                return Err(Stop::Broken);
            }
        }
        Ok(())
    }

    /// There are no more.
    pub fn finish(self) -> Result<(), Stop> {
        let Part::Tail(tail) = self.part else {
            return Err(Stop::Broken);
        };
        let sum = self.sum.finalize().to_le_bytes();
        let length = (self.out as u32).to_le_bytes();
        match tail == [sum, length].concat() {
            true => Ok(()),
            false => Err(Stop::Broken),
        }
    }

    /// Decompresses as much as there is; what is left belongs to the tail.
    fn inflate<'b>(&mut self, mut bytes: &'b [u8], sink: Sink<'_>) -> Result<&'b [u8], Stop> {
        let flags = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        loop {
            let (inflater, window) = (&mut *self.inflater, &mut *self.window);
            let (status, read, written) = decompress(inflater, bytes, window, self.at, flags);
            bytes = bytes.get(read..).unwrap_or_default();
            self.take(written, sink)?;
            match status {
                TINFLStatus::Done => {
                    self.part = Part::Tail(Vec::new());
                    return Ok(bytes);
                }
                TINFLStatus::BlockBoundary => {
                    self.blocks += 1;
                    if self.blocks > BLOCKS + self.come / BYTES_A_BLOCK {
                        return Err(Stop::Broken);
                    }
                }
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput if bytes.is_empty() => return Ok(bytes),
                _ => return Err(Stop::Broken),
            }
        }
    }

    /// Passes on what has come out.
    fn take(&mut self, length: usize, sink: Sink<'_>) -> Result<(), Stop> {
        self.out = self.out.saturating_add(length);
        if self.out > self.limit {
            return Err(Stop::TooLong);
        }
        if self.out > ANY_TIMES.max(self.come.saturating_mul(MOST_TIMES)) {
            return Err(Stop::Grows);
        }
        let end = self.at.saturating_add(length);
        let out = self.window.get(self.at..end).ok_or(Stop::Broken)?;
        self.sum.update(out);
        self.at = end % WINDOW;
        sink(out).map_err(|Full| Stop::Full)
    }
}

/// How long a head is, if it has come whole.
fn head_length(head: &[u8]) -> Result<Option<usize>, Stop> {
    const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
    const SUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let known = head.len().min(MAGIC.len());
    if head.get(..known) != MAGIC.get(..known) {
        return Err(Stop::Broken);
    }
    let Some(flags) = head.get(3).copied().filter(|_| head.len() >= 10) else {
        return Ok(None);
    };
    if flags > 31 {
        return Err(Stop::Broken);
    }
    let mut length = 10;
    if flags & EXTRA != 0 {
        let Some([low, high]) = head.get(length..length + 2) else {
            return Ok(None);
        };
        length += 2 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let text = head.get(length..).unwrap_or_default();
            let Some(end) = text.iter().position(|byte| *byte == 0) else {
                return Ok(None);
            };
            length += end + 1;
        }
    }
    length += if flags & SUM != 0 { 2 } else { 0 };
    Ok((head.len() >= length).then_some(length))
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use flate2::{Compression, GzBuilder};
    use std::io::Write;
    use std::time::{Duration, Instant};

    const MIB: usize = 1024 * 1024;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// What comes out of a body in pieces.
    fn gunzip(body: &[u8], piece: usize, limit: usize) -> Result<Vec<u8>, Stop> {
        let mut got: Vec<u8> = Vec::new();
        let mut gunzip = Gunzip::new(limit);
        for piece in body.chunks(piece) {
            gunzip.push(piece, &mut |bytes| {
                got.extend_from_slice(bytes);
                assert!(got.len() <= limit);
                Ok(())
            })?;
        }
        gunzip.finish()?;
        Ok(got)
    }

    #[test]
    fn any_split_gives_the_same() {
        let numbers = (0..60_000_u32).flat_map(|n| (n * n % 977).to_le_bytes());
        let plain: Vec<u8> = numbers.collect();
        let body = gzip(&plain);
        for piece in [1, 2, 3, 7, 64, 4_096, body.len()] {
            assert_eq!(gunzip(&body, piece, MIB).as_deref(), Ok(plain.as_slice()));
        }
        assert_eq!(gunzip(&gzip(b""), 1, MIB), Ok(Vec::new()));
    }

    #[test]
    fn a_head_may_say_more() {
        let head = GzBuilder::new()
            .filename("body.json")
            .comment("a")
            .extra(vec![1; 300]);
        let mut encoder = head.write(Vec::new(), Compression::fast());
        encoder.write_all(b"{}").unwrap();
        let body = encoder.finish().unwrap();
        for piece in [1, 5, 11, 299, 400] {
            assert_eq!(gunzip(&body, piece, MIB).as_deref(), Ok(b"{}".as_slice()));
        }
        let endless = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0][..], &[b'x'; 2_000]].concat();
        assert_eq!(gunzip(&endless, 100, MIB), Err(Stop::Broken));
    }

    #[test]
    fn what_is_no_gzip_or_not_all_of_it_is_broken() {
        let whole = gzip(b"{\"model\":\"m\"}");
        for end in 0..whole.len() {
            assert_eq!(gunzip(&whole[..end], 5, MIB), Err(Stop::Broken), "{end}");
        }
        for at in [0, 2, whole.len() - 9, whole.len() - 5, whole.len() - 1] {
            let mut other = whole.clone();
            other[at] ^= 0x55;
            assert_eq!(gunzip(&other, 5, MIB), Err(Stop::Broken), "{at}");
        }
        assert_eq!(gunzip(b"{\"model\":\"m\"}", 5, MIB), Err(Stop::Broken));
        let twice = [whole.as_slice(), &whole].concat();
        assert_eq!(gunzip(&twice, 5, MIB), Err(Stop::Broken));
    }

    #[test]
    fn a_bomb_is_stopped_where_it_becomes_too_much() {
        let bomb = gzip(&vec![b' '; 64 * MIB]);
        assert!(bomb.len() < 70_000);
        for piece in [1, 1_000, bomb.len()] {
            assert_eq!(gunzip(&bomb, piece, 32 * MIB), Err(Stop::Grows), "{piece}");
        }
        // What stays small may be anything.
        let small = gzip(&vec![b' '; MIB]);
        assert_eq!(gunzip(&small, 100, 32 * MIB).map(|out| out.len()), Ok(MIB));
        assert_eq!(gunzip(&small, 100, MIB - 1), Err(Stop::TooLong));
    }

    #[test]
    fn blocks_of_nothing_take_no_time() {
        // Each block of nothing takes ten bits, and as long as one with something in it.
        let mut body = gzip(b"")[..10].to_vec();
        body.extend([0b0000_0010, 0b0000_1000, 0b0010_0000, 0b1000_0000, 0].repeat(4 * MIB / 5));
        let began = Instant::now();
        assert_eq!(gunzip(&body, 65_536, 32 * MIB), Err(Stop::Broken));
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
        // A compressor that is made to write out every few bytes stays below that.
        let mut flushed = GzEncoder::new(Vec::new(), Compression::fast());
        for n in 0..20_000_u32 {
            let line = format!(
                "{{\"n\":{n},\"square\":{},\"cube\":{}}}",
                n * n,
                u64::from(n).pow(3)
            );
            flushed.write_all(line.repeat(2).as_bytes()).unwrap();
            if n % 8 == 0 {
                flushed.flush().unwrap();
            }
        }
        let flushed = flushed.finish().unwrap();
        assert!(gunzip(&flushed, 65_536, 32 * MIB).is_ok());
    }

    #[test]
    fn no_more_comes_out_than_there_is_room_for() {
        let mut left = 100_000;
        let mut sink = |bytes: &[u8]| match left >= bytes.len() {
            true => {
                left -= bytes.len();
                Ok(())
            }
            false => Err(Full),
        };
        let mut gunzip = Gunzip::new(32 * MIB);
        let body = gzip(&vec![b'x'; MIB]);
        assert_eq!(gunzip.push(&body, &mut sink), Err(Stop::Full));
    }
}
