//! Why a bundle is refused. Each reason has its own sentence: a technician must never be told of a broken
//! cable where the board is the wrong one.

use std::io;
use std::path::PathBuf;

use super::{FORMAT, Sum, Version};

/// Why a bundle is refused. Nothing was changed on the unit then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It begins like something else.
    #[error("the file is no bundle of Signpost's; choose the file that `cargo xtask bundle` wrote")]
    NotABundle,
    /// It is of a later format.
    #[error("the bundle has format {format}, and this program knows {FORMAT}; update the program first")]
    TooNew {
        /// The format that it says.
        format: u32,
    },
    /// A part of its beginning claims to be larger than any is.
    #[error("the bundle's {part} claims {length} bytes, where {most} is the most; get the bundle again")]
    Header {
        /// Which part.
        part: &'static str,
        /// What is claimed.
        length: u64,
        /// The most.
        most: u64,
    },
    /// It ends too early.
    #[error("the bundle ends {missing} bytes too early; send it again")]
    Truncated {
        /// How much is missing. Bytes.
        missing: u64,
    },
    /// Something follows it.
    #[error("{extra} bytes follow the bundle's end; get the bundle again")]
    Trailing {
        /// How much. Bytes.
        extra: u64,
    },
    /// No trusted key was given.
    #[error("no key is trusted here; put the public key of whoever makes the bundles into place")]
    NoKeys,
    /// The unit's file of trusted keys is not there, or is no file of keys.
    #[error(
        "{} cannot be read; put the public key there that `cargo xtask bundle --new-key` wrote",
        path.display()
    )]
    KeyFile {
        /// Where it is looked for.
        path: PathBuf,
    },
    /// A file of trusted keys is none.
    #[error(
        "the trusted keys cannot be read ({said}); give the file that `cargo xtask bundle --new-key` wrote"
    )]
    Keys {
        /// What is wrong.
        said: String,
    },
    /// What stands in the place of the signature is none.
    #[error("the bundle's signature cannot be read ({said}); get the bundle again")]
    Signature {
        /// What is wrong.
        said: String,
    },
    /// Somebody else signed it.
    #[error(
        "the bundle was signed with a key that this unit does not trust; get it from whoever looks after this unit"
    )]
    WrongKey,
    /// It was changed after it was signed.
    #[error("the bundle was changed after it was signed; do not use it, and get it again")]
    Tampered,
    /// The manifest is signed, and yet not one.
    #[error("the bundle's manifest cannot be read ({said}); make the bundle again")]
    Manifest {
        /// What is wrong.
        said: String,
    },
    /// A file's name is not one that may be written.
    #[error("the bundle names a file {name:?}, {why}; make the bundle again")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is for another board.
    #[error(
        "the bundle is for board `{bundle}`, and this unit is a `{unit}`; choose the bundle of this board"
    )]
    OtherBoard {
        /// The board that it is for.
        bundle: String,
        /// The board that this is.
        unit: String,
    },
    /// The unit must be updated to something between first.
    #[error(
        "the bundle wants version {least} or later on the unit, which has {installed}; install {least} first"
    )]
    TooOld {
        /// The least version.
        least: Version,
        /// What is installed.
        installed: Version,
    },
    /// It is older than what is installed.
    #[error(
        "the bundle has version {bundle}, and the unit {installed} already; going back needs a bundle that was made with --downgrade by whoever has the key"
    )]
    Older {
        /// Its version.
        bundle: Version,
        /// What is installed.
        installed: Version,
    },
    /// It does not fit into a slot.
    #[error("the bundle unpacks to {size} bytes, and a slot of this board holds {most}; make it smaller")]
    TooLarge {
        /// What it unpacks to.
        size: u64,
        /// The most.
        most: u64,
    },
    /// A packed file has another hash.
    #[error("{name} in the bundle has the SHA-256 {found} where {expected} was signed; get the bundle again")]
    Spoiled {
        /// Which file.
        name: String,
        /// What was signed.
        expected: Sum,
        /// What is there.
        found: Sum,
    },
    /// A file does not unpack.
    #[error("{name} in the bundle does not unpack ({said}); make the bundle again")]
    Unpack {
        /// Which file.
        name: String,
        /// What is wrong.
        said: String,
    },
    /// A file unpacks to more than it declares.
    #[error("{name} in the bundle unpacks to more than the {size} bytes that it declares; do not use it")]
    Bomb {
        /// Which file.
        name: String,
        /// What is declared.
        size: u64,
    },
    /// A file unpacks to other bytes than it declares.
    #[error("{name} unpacks to {found} ({size} bytes) where {expected} was signed; make the bundle again")]
    Content {
        /// Which file.
        name: String,
        /// What was signed.
        expected: Sum,
        /// What came out.
        found: Sum,
        /// How much came out. Bytes.
        size: u64,
    },
    /// What the differences are against is not there.
    #[error(
        "the bundle holds only what is new in {name}, and the file that it was made against is not on this unit; use the whole bundle"
    )]
    Base {
        /// Which file.
        name: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} ({said}); {next}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        said: String,
        /// The next step.
        next: &'static str,
    },
}

impl Error {
    /// What the system said.
    pub fn io(doing: impl Into<String>, error: &io::Error) -> Self {
        let next = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space, and try again",
            _ => "see that it is there and that this user may use it",
        };
        Self::Io { doing: doing.into(), said: error.to_string(), next }
    }
}
