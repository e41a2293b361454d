//! What set-up can fail at, each with the next step.

use std::io;
use std::path::{Path, PathBuf};

/// Why set-up stopped. What it had brought before stays, and it goes on there when run again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a home nor a cache directory is known.
    #[error(
        "no folder to keep things in is known: set SIGNPOST_CACHE to one and run `cargo xtask setup` again"
    )]
    NoStore,
    /// There is no `python3`.
    #[error(
        "python3 is not installed and {wheel} cannot be fetched: install python3 with pip (on Debian and Ubuntu `apt install python3-pip`), \
         or fetch the files that `cargo xtask setup --check` names elsewhere and run `cargo xtask setup --offline FOLDER`"
    )]
    NoPython {
        /// What was to be fetched.
        wheel: String,
    },
    /// `python3` has no pip.
    #[error(
        "python3 has no pip and {wheel} cannot be fetched: install it (on Debian and Ubuntu `apt install python3-pip`), \
         or fetch the files that `cargo xtask setup --check` names elsewhere and run `cargo xtask setup --offline FOLDER`"
    )]
    NoPip {
        /// What was to be fetched.
        wheel: String,
    },
    /// Pip could not fetch a wheel.
    #[error(
        "{wheel} could not be fetched ({said}): check the network and run `cargo xtask setup` again, \
         or fetch the files that `cargo xtask setup --check` names elsewhere and run `cargo xtask setup --offline FOLDER`"
    )]
    Fetch {
        /// What was to be fetched.
        wheel: String,
        /// What pip said, or what it means.
        said: String,
    },
    /// A wheel is not in the folder given.
    #[error("{} is not there: put {file} of PyPI's {wheel} into that folder and run this again", path.display())]
    NotInFolder {
        /// Where it was looked for.
        path: PathBuf,
        /// What it is.
        wheel: String,
        /// The file's name.
        file: String,
    },
    /// A wheel is not the one that the table names.
    #[error(
        "{file} is not the file that it should be (SHA-256 {found}, expected {expected}): it was not used; {next}"
    )]
    Hash {
        /// The file's name.
        file: String,
        /// The hash in the table.
        expected: String,
        /// The hash seen.
        found: String,
        /// What to do.
        next: &'static str,
    },
    /// A wheel cannot be unpacked.
    #[error("{file} cannot be unpacked ({said}): fetch it again and run `cargo xtask setup`")]
    Unpack {
        /// The file's name.
        file: String,
        /// What the archive's reader said.
        said: String,
    },
    /// A member of a wheel would land outside the store.
    #[error(
        "the member {member:?} of the wheel would land outside the store: use the wheels that the table names"
    )]
    Outside {
        /// The member's name.
        member: String,
    },
    /// A wheel lacks what the table takes.
    #[error("{file} has no {member}: the table and the wheel do not fit together; correct wheels.toml")]
    Missing {
        /// The file's name.
        file: String,
        /// The member's name.
        member: String,
    },
    /// A network cannot be converted.
    #[error("{member} cannot be converted")]
    Convert {
        /// The member's name.
        member: String,
        /// Why, and what to do.
        source: models::tflite::Error,
    },
    /// There is not enough room.
    #[error("{} has {free_mb} MB free and set-up needs {needed_mb}: free some space, or set SIGNPOST_CACHE to a folder elsewhere", path.display())]
    Space {
        /// The store.
        path: PathBuf,
        /// What is free, in units of 10⁶ bytes.
        free_mb: u64,
        /// What is needed, in units of 10⁶ bytes.
        needed_mb: u64,
    },
    /// The disk became full, by another program or by a quota.
    #[error("the disk is full at {}: free some space, or set SIGNPOST_CACHE to a folder elsewhere, and run `cargo xtask setup` again", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// The system refused to read or write.
    #[error("cannot {doing} {} ({error}): check its rights and run this again", path.display())]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A table cannot be read.
    #[error("{} is no table of wheels ({said}): correct it, or leave `--table` out", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// What its reader said.
        said: String,
    },
    /// `--check` found the store wanting.
    #[error("the store is not complete: run `cargo xtask setup`")]
    Incomplete,
}

impl Error {
    /// An error of the system, told apart from a full disk.
    pub fn io(doing: &'static str, path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path: path.into() },
            _ => Self::Io { doing, path: path.into(), error },
        }
    }

    /// Whether this machine only lacks the means to fetch: a network, `python3` or pip.
    ///
    /// Everything else is a fault of the table, the wheels, the converter or the disk.
    pub fn is_no_connection(&self) -> bool {
        matches!(self, Self::NoPython { .. } | Self::NoPip { .. } | Self::Fetch { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &Error, no_connection: bool) {
        assert_eq!(error.is_no_connection(), no_connection, "{error}");
    }

    #[test]
    fn a_fault_is_not_taken_for_a_missing_network() {
        let (wheel, path, file) = (String::from("a==1"), PathBuf::from("a"), String::from("a.whl"));
        check(&Error::Fetch { wheel: wheel.clone(), said: "no connection".into() }, true);
        check(&Error::NoPython { wheel: wheel.clone() }, true);
        check(&Error::NoPip { wheel }, true);
        let (expected, found) = (String::from("12"), String::from("13"));
        check(&Error::Hash { file: file.clone(), expected, found, next: "" }, false);
        check(&Error::Unpack { file, said: "cut".into() }, false);
        check(&Error::Space { path: path.clone(), free_mb: 1, needed_mb: 2 }, false);
        check(&Error::DiskFull { path }, false);
        check(&Error::Convert { member: "a".into(), source: models::tflite::Error::NotTflite }, false);
    }
}
