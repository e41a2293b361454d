//! The record: which slot starts next, and what it has to prove.
//!
//! It stands in two files of fixed length that are written in turns, each with its own SHA-256 and a number
//! that grows; the valid one with the higher number counts. Writing one leaves the other as it is, and
//! overwrites in place, so that a unit whose disk is full can still confirm and roll back. Should the newer
//! copy rot, the older one says what stood before: every step of an update is such that this, too, starts a
//! whole version.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use super::{Disk, Error, Slot};
use crate::bundle::{Sum, Version};
use crate::text::clipped;

/// The two copies.
const COPIES: [&str; 2] = ["record.0", "record.1"];
/// Each has this length. Bytes.
const LENGTH: usize = 1024;
/// The longest reason that is kept. Bytes.
const REASON: usize = 200;

/// What is known of the slots.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Grows with every change.
    pub sequence: u64,
    /// The slot that has proven itself; none before the first.
    pub active: Option<Slot>,
    /// What is going on.
    pub state: State,
    /// What is in the slots, `a` and `b`, as far as it may be started.
    pub slots: [Option<Held>; 2],
    /// Why the last version that did not stay was given up.
    pub fallen: Option<Fallen>,
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum State {
    /// Nothing.
    #[default]
    Steady,
    /// A slot is being written, and may hold anything.
    Writing {
        /// Which.
        slot: Slot,
    },
    /// A slot is whole, and has yet to prove itself.
    Trial {
        /// Which.
        slot: Slot,
        /// How often it may still start.
        left: u8,
    },
}

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Its version.
    pub version: Version,
    /// The SHA-256 of its manifest, which has those of its files.
    pub manifest: Sum,
}

/// A version that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fallen {
    /// Which; none where the storage lost it.
    pub version: Option<Version>,
    /// Why.
    pub why: String,
}

impl Record {
    /// What a slot holds, as far as it may be started.
    pub fn held(&self, slot: Slot) -> Option<Held> {
        self.slots[slot.index()]
    }

    /// The version that has proven itself.
    pub fn version(&self) -> Option<Version> {
        Some(self.held(self.active?)?.version)
    }

    /// Gives a slot up: it is not started again.
    pub(super) fn give_up(&mut self, slot: Slot, why: &str) {
        // Control characters take six bytes in JSON.
        let why = why.replace(char::is_control, " ");
        let version = self.slots[slot.index()].take().map(|held| held.version);
        self.fallen = Some(Fallen { version, why: clipped(&why, REASON).into() });
        self.state = State::Steady;
    }

    /// The bytes of a copy.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = serde_json::to_string(self).expect("a record has string keys only");
        text.push('\n');
        text.push_str(&format!("{}\n", Sum::of(text.as_bytes())));
        assert!(text.len() <= LENGTH, "a record of {} bytes", text.len());
        // Whoever reads it with `cat` sees no zero bytes.
        let mut bytes = text.into_bytes();
        bytes.resize(LENGTH, b' ');
        bytes
    }

    /// What a copy says; `None` where it is not one that was written whole.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|_| bytes.len() == LENGTH)?;
        let end = text.find('\n')? + 1;
        let (sum, blanks) = text[end..].split_once('\n')?;
        let is_whole = Sum::try_from(sum.to_string()).ok()? == Sum::of(&bytes[..end]);
        if !is_whole || blanks.bytes().any(|b| b != b' ') {
            return None;
        }
        serde_json::from_str(&text[..end]).ok()
    }

    /// The record of a unit; `None` where it has none that can be read.
    pub fn load(disk: &impl Disk) -> Option<Self> {
        let copies = COPIES.iter().enumerate().filter_map(|(parity, name)| {
            let record = Self::decode(&read(disk, name).ok()?)?;
            // A copy in the other's place would be overwritten as the older one.
            (record.sequence % 2 == parity as u64).then_some(record)
        });
        copies.max_by_key(|record| record.sequence)
    }

    /// Writes the record in the place of the older copy, and reads it back. Only then does it count.
    ///
    /// # Errors
    /// [`Error::Disk`], [`Error::ReadBack`]; what stood before counts on then.
    pub fn store(&mut self, disk: &impl Disk) -> Result<(), Error> {
        let next = Self { sequence: self.sequence + 1, ..self.clone() };
        let name = COPIES[(next.sequence % 2) as usize];
        let bytes = next.encode();
        put(disk, name, &bytes).map_err(|e| Error::disk("write the record", &e))?;
        if read(disk, name).ok().as_ref() != Some(&bytes) {
            return Err(Error::ReadBack { said: format!("{name} has other bytes") });
        }
        *self = next;
        Ok(())
    }
}

/// Puts a copy in its place, and returns when it is there for good.
fn put(disk: &impl Disk, name: &str, bytes: &[u8]) -> io::Result<()> {
    if read(disk, name).is_ok_and(|old| old.len() == LENGTH) {
        disk.overwrite(name, bytes)?;
        return disk.sync(name);
    }
    disk.create(name, false)?;
    disk.append(name, bytes)?;
    disk.sync(name)?;
    disk.sync("")
}

fn read(disk: &impl Disk, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    disk.open(name)?.take(LENGTH as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_record_fits_and_is_read_again() {
        let held = Held { version: Version(u32::MAX, u32::MAX, u32::MAX), manifest: Sum::of(b"") };
        let mut record = Record {
            sequence: u64::MAX,
            active: Some(Slot::A),
            state: State::Writing { slot: Slot::B },
            slots: [Some(held), Some(held)],
            fallen: None,
        };
        for why in ["\u{1}".repeat(300), "\"".repeat(300), format!("a{}", "ü".repeat(300))] {
            let mut fallen = record.clone();
            fallen.give_up(Slot::A, &why);
            (fallen.slots, fallen.state) = (record.slots, record.state);
            assert_eq!(Record::decode(&fallen.encode()), Some(fallen));
        }
        record.sequence = 7;
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes), Some(record));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Record::decode(&flipped), None, "bit {bit}");
        }
    }
}
