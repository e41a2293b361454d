//! A training that was killed goes on from its checkpoint: one file, written whole.
//!
//! The file is [`MAGIC`], the SHA-256 of all that follows, the length of the head (4 bytes, little-endian),
//! the head as JSON, and three records of burn one after the other. The hash finds what a disk or a copy
//! broke; it is no defence against somebody who forges a checkpoint.

use std::path::{Path, PathBuf};

use models::manifest::sha256;
use serde::{Deserialize, Serialize};

use super::watch::Watch;
use crate::Error;

/// How a checkpoint begins; its last letter is the version of the format.
const MAGIC: &[u8] = b"signpost checkpoint 1\n";
/// Characters of a hash.
const HASH: usize = 64;
/// Its folder in the folder of the run, and the file there.
const FOLDER: &str = "checkpoint";
const FILE: &str = "state.bin";

/// What a run is known by: names with their values. A checkpoint serves the run that has all the same.
pub type Identity = Vec<(String, String)>;

/// All that a run needs to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Which run it is.
    pub identity: Identity,
    /// The next step.
    pub step: usize,
    /// What was known of the loss.
    pub watch: Watch,
    /// Bytes of the log.
    pub log: u64,
    /// The network, as burn records it.
    pub net: Vec<u8>,
    /// The average of its weights.
    pub average: Vec<u8>,
    /// The state of the optimizer.
    pub optimizer: Vec<u8>,
}

/// What stands before the records.
#[derive(Serialize, Deserialize)]
struct Head {
    identity: Identity,
    step: usize,
    watch: Watch,
    log: u64,
    /// Bytes of each record.
    records: [usize; 3],
}

/// Where the checkpoint of a run lies.
pub fn path(run: &Path) -> PathBuf {
    run.join(FOLDER).join(FILE)
}

/// Removes the checkpoint of a run, with what a killed writer left beside it.
///
/// # Errors
/// Where a file that is there cannot be removed.
pub fn remove(run: &Path) -> Result<(), Error> {
    let folder = run.join(FOLDER);
    // Where there is no folder there is nothing to remove.
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(()) };
    let ours = |path: &PathBuf| {
        path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n == FILE || n.starts_with("state."))
    };
    for path in entries.flatten().map(|e| e.path()).filter(ours) {
        std::fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    }
    // It stays where somebody put something else into it.
    let _ = std::fs::remove_dir(&folder);
    Ok(())
}

impl Checkpoint {
    /// Writes it into the folder of a run; the old one stays until the new one is complete.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write(&self, run: &Path) -> Result<(), Error> {
        let folder = run.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
        let path = path(run);
        models::whole::write(&path, self.to_bytes()).map_err(Error::io("write", &path))
    }

    /// Reads that of a run with this identity; none where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, is broken, or is another run's.
    pub fn read(run: &Path, identity: &Identity) -> Result<Option<Self>, Error> {
        let path = path(run);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(Error::io("read", &path))?,
        };
        let refused = |why| Error::Checkpoint { path: path.clone(), why };
        let checkpoint = Self::from_bytes(&bytes).ok_or_else(|| refused("it is broken".into()))?;
        if let Some(other) = difference(&checkpoint.identity, identity) {
            return Err(refused(format!("it is of another run ({other})")));
        }
        Ok(Some(checkpoint))
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let records = [&self.net, &self.average, &self.optimizer];
        let head = Head {
            identity: self.identity.clone(),
            step: self.step,
            watch: self.watch.clone(),
            log: self.log,
            records: records.map(Vec::len),
        };
        let head = serde_json::to_vec(&head).expect("a head has text keys only");
        let mut rest = (u32::try_from(head.len()).expect("a head is a few kilobytes")).to_le_bytes().to_vec();
        rest.extend(head);
        records.iter().for_each(|record| rest.extend(*record));
        [MAGIC, sha256(&rest).as_bytes(), &rest].concat()
    }

    /// Reads the bytes of a file; none where they are not those that were written.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (hash, rest) = bytes.strip_prefix(MAGIC)?.split_at_checked(HASH)?;
        if hash != sha256(rest).as_bytes() {
            return None;
        }
        let (length, rest) = rest.split_first_chunk()?;
        let (head, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let Head { identity, step, watch, log, records } = serde_json::from_slice(head).ok()?;
        let (net, rest) = rest.split_at_checked(records[0])?;
        let (average, optimizer) = rest.split_at_checked(records[1])?;
        let [net, average, optimizer] = [net, average, optimizer].map(<[u8]>::to_vec);
        (optimizer.len() == records[2]).then_some(Self {
            identity,
            step,
            watch,
            log,
            net,
            average,
            optimizer,
        })
    }
}

/// The first thing in which two runs differ, in words.
fn difference(written: &Identity, wanted: &Identity) -> Option<String> {
    let pair = |(name, value): &(String, String)| format!("{name} {value}");
    let mut pairs = written.iter().zip(wanted);
    match pairs.find(|(a, b)| a != b) {
        Some((a, b)) => Some(format!("{}, not {}", pair(a), pair(b))),
        None => (written.len() != wanted.len()).then(|| "of another version of this program".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            identity: vec![("recipe".into(), "a".into()), ("seed".into(), "1".into())],
            step: 40,
            watch: Watch::default(),
            log: 7,
            net: vec![1, 2, 3],
            average: vec![],
            optimizer: vec![4; 100],
        }
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let bytes = checkpoint().to_bytes();
        assert_eq!(Checkpoint::from_bytes(&bytes), Some(checkpoint()));
        for length in 0..bytes.len() {
            assert_eq!(Checkpoint::from_bytes(&bytes[..length]), None, "cut at {length}");
        }
        let mut flipped = bytes.clone();
        for at in 0..bytes.len() {
            flipped[at] ^= 1 << (at % 8);
            assert_eq!(Checkpoint::from_bytes(&flipped), None, "flipped at {at}");
            flipped[at] = bytes[at];
        }
        assert_eq!(Checkpoint::from_bytes(&[&bytes[..], &[0]].concat()), None);
    }

    #[test]
    fn whatever_stands_behind_a_hash_that_fits_is_read_or_refused() {
        let bytes = checkpoint().to_bytes();
        let rest = &bytes[MAGIC.len() + HASH..];
        let read = |rest: &[u8]| Checkpoint::from_bytes(&[MAGIC, sha256(rest).as_bytes(), rest].concat());
        assert_eq!(read(rest), Some(checkpoint()));
        for length in 0..rest.len() {
            assert_eq!(read(&rest[..length]), None, "cut at {length}");
        }
        let mut broken = rest.to_vec();
        for at in 0..rest.len() {
            for value in [rest[at] ^ 1, b'9', b'-', b'"', b'[', 0xff] {
                broken[at] = value;
                if let Some(checkpoint) = read(&broken) {
                    let own = [&checkpoint.net, &checkpoint.average, &checkpoint.optimizer].map(Vec::len);
                    assert_eq!(own.iter().sum::<usize>(), 103, "at {at}");
                }
            }
            broken[at] = rest[at];
        }
    }

    #[test]
    fn another_runs_checkpoint_is_refused_and_says_why() {
        let run = std::env::temp_dir().join(format!("signpost-checkpoint-{}", std::process::id()));
        let own = checkpoint();
        let none = Checkpoint::read(&run, &own.identity).unwrap();
        own.write(&run).unwrap();
        let read = Checkpoint::read(&run, &own.identity).unwrap();
        let mut other = own.identity.clone();
        other[1].1 = "2".into();
        let refused = Checkpoint::read(&run, &other).unwrap_err().to_string();
        std::fs::write(run.join(FOLDER).join("state.1.part"), "half").unwrap();
        std::fs::write(path(&run), "noise").unwrap();
        let broken = Checkpoint::read(&run, &own.identity).unwrap_err().to_string();
        remove(&run).unwrap();
        remove(&run).unwrap();
        let left = std::fs::read_dir(&run).unwrap().count();
        std::fs::remove_dir_all(&run).unwrap();
        assert_eq!((none, read, left), (None, Some(own), 0));
        assert!(refused.contains("(seed 1, not seed 2)") && refused.contains("--fresh"), "{refused}");
        assert!(broken.contains("broken") && broken.contains("--fresh"), "{broken}");
    }
}
