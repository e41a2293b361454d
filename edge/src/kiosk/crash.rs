//! What broke, kept for a technician: one small file beside the slots.
//!
//! It says what broke last, and how often in a row with no health in between. A run that ended without being told
//! to is noticed by the next one: whoever is killed writes nothing. The wall clock stands in it for people only.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use models::text::clipped;
use models::whole;
use serde::{Deserialize, Serialize};

/// So many in a row, and the version before is gone back to.
pub const MOST_IN_A_ROW: u32 = 10;
/// A message is kept up to so many bytes.
const MESSAGE: usize = 240;
/// The file is not longer. Bytes.
const LIMIT: u64 = 4096;
/// Its name below the unit's root.
const NAME: &str = "crash.json";

/// One thing that broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// When, by the wall clock, which may be wrong.
    pub at: String,
    /// Which thread it was.
    pub thread: String,
    /// What it said.
    pub said: String,
    /// The version that ran.
    pub version: String,
    /// How long it had run. Seconds.
    pub uptime_s: u64,
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// How many broke with no health in between.
    pub in_a_row: u32,
    /// What broke last, ever.
    pub last: Option<Crash>,
    /// The version that runs; none after an end that was ordered.
    pub running: Option<String>,
}

/// The record of a unit.
#[derive(Debug)]
pub struct Crashes {
    path: PathBuf,
    kept: Kept,
}

impl Crashes {
    /// The record below a unit's root; an empty one where there is none, or none that can be read: what broke
    /// must not keep anything from starting.
    pub fn open(root: &Path) -> Self {
        let path = root.join(NAME);
        let read =
            fs::metadata(&path).ok().filter(|meta| meta.len() <= LIMIT).and_then(|_| fs::read(&path).ok());
        let kept = read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path, kept }
    }

    /// What is kept.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// A version begins to run; gives whether the run before ended without being told to.
    ///
    /// # Errors
    /// What the system said; it is known until the end of this run all the same.
    pub fn begin(&mut self, version: &str, at: String) -> io::Result<bool> {
        let killed = self.kept.running.replace(version.into());
        if let Some(version) = &killed {
            let said = "it ended without being told to: it was killed, ran out of memory, or lost its power";
            let (thread, version) = ("the program".into(), version.clone());
            self.add(Crash { at, thread, said: said.into(), version, uptime_s: 0 });
        }
        self.write()?;
        Ok(killed.is_some())
    }

    /// Something broke.
    ///
    /// # Errors
    /// As [`Crashes::begin`].
    pub fn note(&mut self, crash: Crash) -> io::Result<()> {
        self.add(crash);
        self.write()
    }

    /// The unit is well.
    ///
    /// # Errors
    /// As [`Crashes::begin`].
    pub fn well(&mut self) -> io::Result<()> {
        if self.kept.in_a_row == 0 {
            return Ok(());
        }
        self.kept.in_a_row = 0;
        self.write()
    }

    /// The run ends in order, or in a way that was noted.
    ///
    /// # Errors
    /// As [`Crashes::begin`].
    pub fn end(&mut self) -> io::Result<()> {
        self.kept.running = None;
        self.write()
    }

    /// Whether so much broke in a row that the version before is to be gone back to.
    pub fn is_hopeless(&self) -> bool {
        self.kept.in_a_row >= MOST_IN_A_ROW
    }

    fn add(&mut self, mut crash: Crash) {
        crash.said = clipped(&crash.said, MESSAGE).replace(char::is_control, " ");
        self.kept.in_a_row = self.kept.in_a_row.saturating_add(1);
        self.kept.last = Some(crash);
    }

    fn write(&self) -> io::Result<()> {
        whole::write(&self.path, serde_json::to_vec(&self.kept).expect("a record has string keys only"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crash(said: &str) -> Crash {
        let (at, thread, version) = ("2026-11-22T07:00:00Z".into(), "vision".into(), "1.2.3".into());
        Crash { at, thread, said: said.into(), version, uptime_s: 7 }
    }

    #[test]
    fn what_broke_is_there_after_a_restart_and_health_ends_the_row() {
        let root = tempfile::tempdir().unwrap();
        let mut crashes = Crashes::open(root.path());
        for n in 1..MOST_IN_A_ROW {
            crashes.note(crash("a")).unwrap();
            crashes = Crashes::open(root.path());
            assert_eq!((crashes.kept().in_a_row, crashes.is_hopeless()), (n, false));
        }
        crashes.note(crash("b")).unwrap();
        assert!(Crashes::open(root.path()).is_hopeless());
        crashes.well().unwrap();
        let kept = Crashes::open(root.path()).kept().clone();
        assert_eq!((kept.in_a_row, kept.last.unwrap().said.as_str()), (0, "b"), "what broke last stays");
    }

    #[test]
    fn whoever_was_killed_is_told_of_by_the_next_run() {
        let root = tempfile::tempdir().unwrap();
        let begin = || Crashes::open(root.path()).begin("1.2.3", "now".into()).unwrap();
        assert!(!begin(), "the first run");
        assert!(begin());
        let mut crashes = Crashes::open(root.path());
        assert_eq!(crashes.kept().in_a_row, 1);
        assert!(crashes.kept().last.as_ref().unwrap().said.contains("killed"));
        crashes.end().unwrap();
        assert!(!begin(), "that one ended in order");
    }

    #[test]
    fn a_record_of_any_bytes_is_read_or_taken_for_none() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(NAME);
        for bytes in [&b""[..], b"{}", b"\xff\xff", b"{\"in_a_row\":-1}", &[b' '; 5000]] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(*Crashes::open(root.path()).kept(), Kept::default());
        }
        let mut crashes = Crashes::open(root.path());
        crashes.note(crash(&"\u{1}ü".repeat(10_000))).unwrap();
        assert!(fs::metadata(&path).unwrap().len() < LIMIT);
        assert_eq!(Crashes::open(root.path()).kept(), crashes.kept());
    }
}
