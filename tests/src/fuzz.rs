//! Bytes to break readers with: random, but the same in every run.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
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

/// The longest input that is kept. Bytes.
const KEPT: usize = 8192;

/// The inputs that a reader took or refused in a way that no input before them did.
///
/// Where `SIGNPOST_FUZZ_CORPUS` names a folder that is there they are added to a file in it, one a line, so that
/// a long run leaves behind what it found; `tests/tests/corpus.rs` reads again what was kept in `tests/corpus`.
#[derive(Debug)]
pub struct Harvest {
    name: &'static str,
    file: Option<PathBuf>,
    seen: BTreeSet<String>,
    inputs: u64,
}

impl Harvest {
    /// Of one reader.
    pub fn of(name: &'static str) -> Self {
        let folder = std::env::var_os("SIGNPOST_FUZZ_CORPUS");
        let file = folder.map(|folder| Path::new(&folder).join(name).with_extension("hex"));
        Self { name, file, seen: BTreeSet::new(), inputs: 0 }
    }

    /// An input, and what the reader said of it. Numbers and names in that do not make it another thing.
    ///
    /// # Panics
    /// Where the input cannot be kept.
    pub fn saw(&mut self, said: &str, input: &[u8]) {
        self.inputs += 1;
        if self.file.is_none() || input.len() > KEPT || !self.seen.insert(gist(said)) {
            return;
        }
        if let Some(file) = &self.file {
            let digits = models::manifest::hexadecimal(input);
            let kept = File::options().create(true).append(true).open(file);
            kept.and_then(|mut kept| writeln!(kept, "{digits}")).expect("the corpus can be written");
        }
    }
}

impl Drop for Harvest {
    fn drop(&mut self) {
        println!("{}: {} inputs, {} kept", self.name, self.inputs, self.seen.len());
    }
}

/// A sentence without what is in quotes, brackets or digits.
fn gist(said: &str) -> String {
    let mut quoted = false;
    let plain = |c: &char| {
        quoted ^= matches!(c, '"' | '`');
        !quoted && !c.is_ascii_digit() && c.is_ascii()
    };
    let words: String = said.chars().filter(plain).collect();
    words.split_whitespace().filter(|word| word.len() < 20).take(12).collect::<Vec<_>>().join(" ")
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
