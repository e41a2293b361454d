//! The folder in which one run makes its files before they get their names.
//!
//! Every run has its own, so that no two ever write to one file, on whatever machines they are. A run
//! that was killed leaves its folder; the next one removes it. Whether its owner lives is told by a lock
//! that ends with the owner, however that ends; where a file system has no locks nothing is removed.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::Error;

/// What the folders' names begin with.
const PREFIX: &str = ".run-";
/// The lock of one run, in its folder.
const LOCK: &str = "lock";
/// The lock under which folders are made and removed, beside them.
const GATE: &str = ".lock";

/// The folder of this run; removed when this is dropped.
#[derive(Debug)]
pub struct Room {
    path: PathBuf,
    /// Held as long as it is open.
    _lock: File,
}

impl Room {
    /// Makes a folder for this run within `out`, and removes those of runs that are dead.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be made.
    pub fn open(out: &Path) -> Result<Self, Error> {
        let gate_path = out.join(GATE);
        let gate = File::create(&gate_path).map_err(Error::io("write", &gate_path))?;
        // Without it a folder whose owner has not locked it yet could be taken for a dead one's.
        if flock(&gate, FlockOperation::LockExclusive).is_ok() {
            remove_dead(out).map_err(Error::io("clean", out))?;
        }
        let path = make(out).map_err(Error::io("make a folder in", out))?;
        let lock = File::create(path.join(LOCK)).map_err(Error::io("write", &path))?;
        // Where there are no locks nobody will take this folder for a dead one's either.
        let _ = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        Ok(Self { path, _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Makes a folder that nobody else has.
fn make(out: &Path) -> std::io::Result<PathBuf> {
    let mut number = u64::from(std::process::id());
    loop {
        let path = out.join(format!("{PREFIX}{number}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            // A process of another machine may have the same number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Removes the folders of runs whose locks nobody holds.
fn remove_dead(out: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        let ours =
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
        if !ours {
            continue;
        }
        let alive = match File::options().write(true).open(path.join(LOCK)) {
            Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err(),
            // It was killed before it had one.
            Err(_) => false,
        };
        if !alive {
            // A program that it started may still write there; then the next run removes it.
            let _ = fs::remove_dir_all(&path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rooms_of_the_dead_are_cleared_and_those_of_the_living_are_not() {
        let out = std::env::temp_dir().join(format!("signpost-room-{}", std::process::id()));
        fs::create_dir_all(out.join(".run-1")).unwrap();
        fs::create_dir_all(out.join(".run-2")).unwrap();
        fs::write(out.join(".run-1/lock"), "").unwrap();
        fs::write(out.join(".run-1/.a.pose.1.part"), "half").unwrap();
        let first = Room::open(&out).unwrap();
        let second = Room::open(&out).unwrap();
        assert_ne!(first.path(), second.path());
        assert!(first.path().is_dir() && second.path().is_dir());
        let rooms = || fs::read_dir(&out).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir()).count();
        assert_eq!(rooms(), 2, "those of the dead are gone");
        drop((first, second));
        assert_eq!(rooms(), 0);
        fs::remove_dir_all(out).unwrap();
    }
}
