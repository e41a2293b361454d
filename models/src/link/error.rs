//! What can go wrong between a tool and a unit: what was seen on the wire, and the next step.

use std::path::PathBuf;

use super::message::{Hash, Hello};
use crate::manifest::hexadecimal;

/// Why a port cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It is not there.
    Missing,
    /// Another program has it.
    Taken,
    /// This user may not.
    Forbidden,
    /// It is no serial port.
    NoPort,
    /// It does not take the speed.
    Speed,
    /// Something else.
    Other,
}

/// Why the link stopped. The sentences are for technicians: what is a mismatch is never called a time-out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port cannot be opened.
    #[error("{port} cannot be opened ({said}); {next}")]
    Open {
        /// The port.
        port: String,
        /// Of what kind that is.
        why: Closed,
        /// What the system said.
        said: String,
        /// The next step.
        next: &'static str,
    },
    /// The port went away while it was used.
    #[error(
        "{port} is gone ({said}); see that the cable sits and the unit has power, and run this again: it goes on where it was"
    )]
    Gone {
        /// The port.
        port: String,
        /// What the system said.
        said: String,
    },
    /// Nothing came from the other end.
    #[error(
        "nothing came from {port} in {waited_s:.0} s; see that the cable sits, that the unit has power and that `signpost serve` runs on it"
    )]
    Silent {
        /// The port.
        port: String,
        /// How long it was waited for. Seconds.
        waited_s: f64,
    },
    /// Something came that is no frame of this link.
    #[error(
        "{bytes} bytes came from {port} and no frame of Signpost's among them (they begin with {sample:?}); another program or a login console has that line, or its speed is another one: stop that program, or choose the right port and --baud"
    )]
    Garbage {
        /// The port.
        port: String,
        /// How many bytes.
        bytes: u64,
        /// The first of them, as text.
        sample: String,
    },
    /// What was sent came back.
    #[error(
        "{port} gives back what is sent to it; another tool has the other end, or the line is looped: choose the port that leads to a unit"
    )]
    Echo {
        /// The port.
        port: String,
    },
    /// There is no version of the link that both ends speak.
    #[error(
        "the {who} (product {}, link versions {} to {}) is too old for the other end (product {}, link versions {} to {}); update the {who}",
        older.product, older.oldest, older.newest, newer.product, newer.oldest, newer.newest
    )]
    Version {
        /// Who is to be updated.
        who: &'static str,
        /// The older end.
        older: Box<Hello>,
        /// The newer one.
        newer: Box<Hello>,
    },
    /// The unit was there, and did not answer a question in time.
    #[error("the unit on {port} gave no answer about {what} in {waited_s:.0} s; {heard}")]
    NoAnswer {
        /// The port.
        port: String,
        /// What it was asked.
        what: &'static str,
        /// How long it was waited for. Seconds.
        waited_s: f64,
        /// What came meanwhile, and the next step.
        heard: String,
    },
    /// The port takes no bytes.
    #[error(
        "{port} has taken no byte for {waited_s:.0} s; the program on its other end reads nothing: restart `signpost serve` there"
    )]
    Stuck {
        /// The port.
        port: String,
        /// For how long. Seconds.
        waited_s: f64,
    },
    /// The unit is older than the tool.
    #[error("the unit does not know {what}, because its program is older than this tool; update the unit")]
    UnitTooOld {
        /// What it was asked.
        what: &'static str,
    },
    /// The tool is older than the unit.
    #[error("the unit's answer about {what} is of a kind that this tool does not know; update the tool")]
    ToolTooOld {
        /// What it was asked.
        what: &'static str,
    },
    /// The unit answered another question.
    #[error("the unit's answer about {what} belongs to another question; report this, with both versions")]
    Unexpected {
        /// What it was asked.
        what: &'static str,
    },
    /// The unit will not or cannot.
    #[error("the unit refused {what}: {why}")]
    Refused {
        /// What it was asked.
        what: &'static str,
        /// Why, and what to do.
        why: String,
    },
    /// A message does not fit into a frame.
    #[error("a message of {length} bytes does not fit into a frame of {most}; send less at once")]
    TooLong {
        /// Its length.
        length: usize,
        /// The most there may be.
        most: usize,
    },
    /// The queue of a channel is full.
    #[error("the other end has taken nothing for too long; see that its program still runs")]
    Full,
    /// A file arrived with another hash, twice.
    #[error(
        "what the unit has written of {name} has the SHA-256 {} where {} was sent; if the file was changed meanwhile send it again, otherwise the unit's storage is damaged",
        hexadecimal(found),
        hexadecimal(sent)
    )]
    Spoiled {
        /// What was sent.
        name: String,
        /// Its hash.
        sent: Hash,
        /// The hash of what was written.
        found: Hash,
    },
    /// The unit could not write the file.
    #[error("the unit could not keep {name}: {why}")]
    NotKept {
        /// What was sent.
        name: String,
        /// Why, and what to do.
        why: String,
    },
    /// The unit's program started anew again and again.
    #[error(
        "the unit forgot the transfer of {name} {times} times, as if its program started anew; see its log, and send the file again: it goes on where it was"
    )]
    Forgotten {
        /// What was sent.
        name: String,
        /// How often.
        times: u32,
    },
    /// The line does not work at the speed that both ends had agreed on.
    #[error(
        "the line does not work at {baud} bits a second ({said}), so {kept} is kept; choose a lower --baud, or a shorter cable"
    )]
    Speed {
        /// What was tried.
        baud: u32,
        /// What works.
        kept: u32,
        /// What was seen.
        said: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} {} ({said}); {next}", path.display())]
    File {
        /// A verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        said: String,
        /// The next step.
        next: &'static str,
    },
}

impl Error {
    /// Whether another try on the same port may help: the port or the other end went away.
    pub fn is_gone(&self) -> bool {
        matches!(
            self,
            Self::Gone { .. }
                | Self::Silent { .. }
                | Self::NoAnswer { .. }
                | Self::Stuck { .. }
                | Self::Open { .. }
        )
    }

    /// What the system said about a file.
    pub fn file(doing: &'static str, path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        let next = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "free some space",
            _ => "see that it is there and that this user may use it",
        };
        Self::File { doing, path: path.into(), said: error.to_string(), next }
    }
}
