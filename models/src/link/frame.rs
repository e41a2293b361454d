//! Frames: where a message begins and ends on a line that may lose, add and flip bytes.
//!
//! A frame is `COBS(channel, message, CRC-32C of both)` and a zero. COBS leaves no zero inside, so that
//! whatever came before, the next frame begins behind the next zero. The CRC is that of RFC 3720, low byte
//! first.

use serde::Serialize;

use super::Error;

/// The longest message, in bytes as `postcard` writes it.
pub const MAX_MESSAGE: usize = 4224;
/// Channel and CRC.
const AROUND: usize = 5;
/// The longest frame without its zero: COBS adds one byte in 254.
const MAX_FRAME: usize = MAX_MESSAGE + AROUND + (MAX_MESSAGE + AROUND) / 254 + 1;

/// Which of the three a message belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Questions, answers, receipts and captions. Never waits behind the others.
    Control = 0,
    /// What the unit's programs log.
    Logs = 1,
    /// Blocks of files.
    Bulk = 2,
}

impl Channel {
    /// The channel with this number.
    pub fn of(number: u8) -> Option<Self> {
        [Self::Control, Self::Logs, Self::Bulk].into_iter().find(|c| *c as u8 == number)
    }
}

/// Writes a message as a frame behind what stands in `out`.
///
/// # Errors
/// [`Error::TooLong`] where it is longer than [`MAX_MESSAGE`]; nothing is written then.
pub fn encode(channel: Channel, message: &impl Serialize, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut plain = Vec::with_capacity(256);
    plain.push(channel as u8);
    let mut plain = postcard::to_extend(message, plain).expect("a list takes any number of bytes");
    let length = plain.len() - 1;
    if length > MAX_MESSAGE {
        return Err(Error::TooLong { length, most: MAX_MESSAGE });
    }
    plain.extend(crc32c::crc32c(&plain).to_le_bytes());
    let start = out.len();
    out.resize(start + cobs::max_encoding_length(plain.len()) + 1, 0);
    let length = cobs::encode(&plain, &mut out[start..]);
    out.truncate(start + length);
    out.push(0);
    Ok(())
}

/// What a decoder has seen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Bytes.
    pub bytes: u64,
    /// Whole frames of a known channel.
    pub frames: u64,
    /// Pieces between zeros that are no frames: too long, no COBS, another CRC.
    pub spoiled: u64,
    /// Whole frames of a channel that only a newer program knows.
    pub newer: u64,
}

/// Finds the frames in a stream of bytes. Holds one frame's worth of memory, whatever comes.
#[derive(Debug)]
pub struct Decoder {
    piece: Vec<u8>,
    /// The piece has become too long: nothing of it is kept up to the next zero.
    skipping: bool,
    seen: Seen,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { piece: Vec::with_capacity(MAX_FRAME), skipping: false, seen: Seen::default() }
    }
}

impl Decoder {
    /// Takes bytes and gives each message that they complete, as its channel and what `postcard` wrote.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Channel, &[u8])) {
        self.seen.bytes += bytes.len() as u64;
        while let Some(end) = bytes.iter().position(|b| *b == 0) {
            self.keep(&bytes[..end]);
            bytes = &bytes[end + 1..];
            if self.skipping {
                self.seen.spoiled += 1;
            } else if !self.piece.is_empty() {
                match open(&mut self.piece) {
                    Some((number, message)) => match Channel::of(number) {
                        Some(channel) => {
                            self.seen.frames += 1;
                            each(channel, message);
                        }
                        None => self.seen.newer += 1,
                    },
                    None => self.seen.spoiled += 1,
                }
            }
            self.piece.clear();
            self.skipping = false;
        }
        self.keep(bytes);
    }

    /// What has been seen so far.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.piece.len() + bytes.len() > MAX_FRAME {
            self.skipping = true;
            self.piece.clear();
        }
        if !self.skipping {
            self.piece.extend_from_slice(bytes);
        }
    }
}

/// Channel and message of one piece between zeros, where it is a frame.
fn open(piece: &mut [u8]) -> Option<(u8, &[u8])> {
    let length = cobs::decode_in_place(piece).ok()?;
    let (plain, crc) = piece.get(..length)?.split_last_chunk::<4>()?;
    if crc32c::crc32c(plain) != u32::from_le_bytes(*crc) {
        return None;
    }
    let (channel, message) = plain.split_first()?;
    Some((*channel, message))
}

#[cfg(test)]
mod tests {
    use super::super::message::{Bulk, Control};
    use super::*;

    /// Decodes in pieces of all lengths, and compares the blocks' indices with those expected.
    #[track_caller]
    fn check(bytes: &[u8], expect: &[u32], spoiled: u64) {
        for piece in [1, 2, 3, 7, 64, bytes.len().max(1)] {
            let mut decoder = Decoder::default();
            let mut found = Vec::new();
            for part in bytes.chunks(piece) {
                decoder.push(part, |channel, message| {
                    assert_eq!(channel, Channel::Bulk);
                    let Bulk::Block { index, .. } = postcard::from_bytes(message).unwrap();
                    found.push(index);
                });
            }
            assert_eq!((found.as_slice(), decoder.seen().spoiled), (expect, spoiled), "in pieces of {piece}");
        }
    }

    fn block(index: u32, length: usize) -> Vec<u8> {
        let bytes: Vec<u8> = (0..length).map(|i| (i % 256) as u8).collect();
        let mut out = Vec::new();
        encode(Channel::Bulk, &Bulk::Block { transfer: 0, index, bytes: &bytes }, &mut out).unwrap();
        assert_eq!(out.iter().position(|b| *b == 0), Some(out.len() - 1), "one zero, at the end");
        out
    }

    #[test]
    fn frames_of_every_length_come_back() {
        for length in (0..=1100).chain(4000..=4200) {
            let mut decoder = Decoder::default();
            let mut found = 0;
            decoder.push(&block(9, length), |_, message| {
                let Bulk::Block { bytes, .. } = postcard::from_bytes(message).unwrap();
                found = bytes.len() + 1;
            });
            assert_eq!(found, length + 1);
        }
    }

    #[test]
    fn after_garbage_the_next_frame_is_found() {
        let frames = [block(1, 10), block(2, 1000), block(3, 0)].concat();
        check(&frames, &[1, 2, 3], 0);
        check(&[b"login: \0".as_slice(), &frames].concat(), &[1, 2, 3], 1);
        check(&[b"login: ".as_slice(), &frames].concat(), &[2, 3], 1);
        check(&[&[0; 9], frames.as_slice()].concat(), &[1, 2, 3], 0);
        check(&[vec![0xff; 100_000], vec![0], frames.clone()].concat(), &[1, 2, 3], 1);
        check(&[vec![0x55; 1 << 20], frames.clone()].concat(), &[2, 3], 1);
        check(&frames[..frames.len() - 1], &[1, 2], 0);
    }

    #[test]
    fn a_flipped_bit_anywhere_never_gives_another_message() {
        let whole = block(5, 40);
        for bit in 0..(whole.len() - 1) * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut found = 0;
            Decoder::default().push(&bytes, |_, _| found += 1);
            assert_eq!(found, 0, "bit {bit}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_sent() {
        let bytes = vec![0; MAX_MESSAGE];
        let mut out = vec![1];
        let refused = encode(Channel::Bulk, &Bulk::Block { transfer: 0, index: 0, bytes: &bytes }, &mut out);
        assert!(matches!(refused, Err(Error::TooLong { .. })));
        assert_eq!(out, [1]);
    }

    #[test]
    fn a_channel_of_a_newer_program_is_no_garbage() {
        let mut plain = vec![9, 1, 2];
        plain.extend(crc32c::crc32c(&plain).to_le_bytes());
        let mut bytes = vec![0; 20];
        let length = cobs::encode(&plain, &mut bytes);
        bytes.truncate(length + 1);
        let mut decoder = Decoder::default();
        decoder.push(&bytes, |_, _| panic!("nobody knows this channel"));
        assert_eq!((decoder.seen().newer, decoder.seen().spoiled), (1, 0));
    }

    #[test]
    fn an_empty_message_is_no_control_message() {
        assert!(postcard::from_bytes::<Control>(&[]).is_err());
    }
}
