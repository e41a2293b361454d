//! What stands in the way of an update, and the next step.

use std::io;

use super::Slot;
use crate::bundle;

/// Why an update stopped. Whatever the reason, the unit starts the version that it had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundle is refused.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// What runs has not proven itself.
    #[error("what runs now is on trial; confirm it or roll it back first")]
    OnTrial,
    /// What runs is not what the next start will run.
    #[error("the unit has to start anew before it takes another version; restart it first")]
    Restart,
    /// Nothing waits to be confirmed.
    #[error("nothing is on trial; install a bundle and restart the unit first")]
    NotOnTrial,
    /// There is no version before this one.
    #[error("there is no version to go back to; install one")]
    NothingBefore,
    /// There is not enough space.
    #[error(
        "the new version needs {needed} bytes, and {free} are free; free some space on the unit, for example old recordings"
    )]
    Full {
        /// What it needs.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// What was read back is not what was written.
    #[error("what was written reads otherwise ({said}); the unit's storage is damaged: have it replaced")]
    ReadBack {
        /// Where, and how.
        said: String,
    },
    /// Neither slot can be started.
    #[error("neither slot holds a whole version (a: {a}; b: {b}); install one with a USB stick")]
    Nothing {
        /// What is wrong with the first.
        a: String,
        /// What is wrong with the second.
        b: String,
    },
    /// A slot is not what its manifest says.
    #[error("slot {slot} is damaged ({said}); install the version anew")]
    Damaged {
        /// Which slot.
        slot: Slot,
        /// What is wrong with it.
        said: String,
    },
    /// The storage said no.
    #[error("cannot {doing} ({said}); {next}")]
    Disk {
        /// What was being done.
        doing: String,
        /// What the system said.
        said: String,
        /// The next step.
        next: &'static str,
    },
}

impl Error {
    /// What the storage said.
    pub fn disk(doing: impl Into<String>, error: &io::Error) -> Self {
        let next = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space on the unit",
            _ => "see whether the unit's storage can be written",
        };
        Self::Disk { doing: doing.into(), said: error.to_string(), next }
    }
}
