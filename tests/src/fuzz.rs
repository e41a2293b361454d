//! Bytes to break readers with: random, but the same in every run.

use std::time::{Duration, Instant};

/// How many random inputs a test tries where nobody says otherwise.
const ROUNDS: u32 = 2000;

/// How many random inputs a test tries: what `SIGNPOST_FUZZ_ROUNDS` says.
///
/// # Panics
/// Where it says no number.
pub fn rounds() -> u32 {
    std::env::var("SIGNPOST_FUZZ_ROUNDS")
        .map_or(ROUNDS, |rounds| rounds.parse().expect("SIGNPOST_FUZZ_ROUNDS is a number"))
}

/// The numbers of the rounds of a test, from 0: as many as [`rounds`], or for as many seconds as
/// `SIGNPOST_FUZZ_SECONDS` says, whichever is more. Only somebody who asks for it gets a clock.
///
/// # Panics
/// Where it says no number.
pub fn each_round() -> impl Iterator<Item = u32> {
    let seconds = std::env::var("SIGNPOST_FUZZ_SECONDS")
        .map(|seconds| seconds.parse().expect("SIGNPOST_FUZZ_SECONDS is a number"));
    let until = seconds.ok().map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let least = rounds();
    (0..).take_while(move |round| *round < least || until.is_some_and(|until| Instant::now() < until))
}

/// A small generator (SplitMix64), so that every run tries the same bytes.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below the limit; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Some of: other bytes, other lengths, parts of another file, noise.
    pub fn mutate(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                1 if bytes.len() > 4 => {
                    let at = self.below(bytes.len() - 4);
                    let value = (self.next() >> self.below(64)) as u32;
                    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
                }
                2 => bytes.truncate(at),
                3 => {
                    let from = self.below(other.len());
                    let length = self.below(other.len() - from + 1);
                    bytes.splice(at..at, other[from..from + length].iter().copied());
                }
                4 => bytes.extend((0..self.below(64)).map(|i| i as u8)),
                _ => {
                    let end = at + self.below(bytes.len() - at + 1);
                    bytes.drain(at..end);
                }
            }
        }
        bytes
    }
}
