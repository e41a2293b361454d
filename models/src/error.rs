//! What can go wrong in this crate. Each message is one sentence that ends in the next step.

use std::path::{Path, PathBuf};

/// An error of the formats.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An error within a file that is known by name.
    #[error("{}: {error}", file.display())]
    In {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: Box<Error>,
    },
    /// The system refused to read or write.
    #[error("cannot {doing} {}: {error}; check the path, the rights and the free space, then try again", path.display())]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file is larger than is ever read into memory.
    #[error("{} is larger than the {limit} bytes that are read at most: cut it into parts", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The bytes do not begin like a `.pose` file.
    #[error(
        "not a .pose file of version 0.0, 0.1 or 0.2 (its version reads {found}): check that this is the right file"
    )]
    PoseVersion {
        /// The version number that the file states.
        found: f32,
    },
    /// A `.pose` file ends too early.
    #[error(
        "the .pose file is cut off: at byte {offset}, {what} should take {needed} bytes and {left} are left; copy the file again from its source"
    )]
    PoseTruncated {
        /// Where the missing part begins, in bytes.
        offset: usize,
        /// What was expected there.
        what: &'static str,
        /// How many bytes it takes.
        needed: u128,
        /// How many there are.
        left: usize,
    },
    /// A name in a `.pose` header is not UTF-8.
    #[error(
        "at byte {offset} of the .pose file, {what} is not UTF-8 text: copy the file again from its source"
    )]
    PoseText {
        /// Where the text begins, in bytes.
        offset: usize,
        /// What was expected there.
        what: &'static str,
    },
    /// A `.pose` header states something that no pose has.
    #[error(
        "at byte {offset} of the .pose file, {what} is {found}; expected {expected}: write the file again with a tool that knows the format"
    )]
    PoseHeader {
        /// Where the value stands, in bytes.
        offset: usize,
        /// Which value.
        what: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// A `.pose` file shows fewer people than were asked for.
    #[error(
        "the .pose file shows {people} people, so there is no number {person} (counted from 0): choose another"
    )]
    PosePerson {
        /// The person asked for, from 0.
        person: usize,
        /// How many there are.
        people: usize,
    },
    /// A track cannot be written as a `.pose` file.
    #[error("cannot write this as a .pose file: {what} is {found}, and {expected}")]
    PoseUnwritable {
        /// What does not fit.
        what: &'static str,
        /// What it is.
        found: String,
        /// What fits, and what to do.
        expected: &'static str,
    },
    /// Rows of values do not have the length that their layout needs.
    #[error("{found} values are no whole number of rows of {row}: check which kind of rows these are")]
    Rows {
        /// How many values there are.
        found: usize,
        /// How many make one row.
        row: usize,
    },
    /// A frame rate is outside what a track may have.
    #[error("{found} frames a second is not within 0.01 to 1000: give the true frame rate")]
    FrameRate {
        /// The rate asked for.
        found: f32,
    },
    /// A track would become longer than memory should hold.
    #[error(
        "at {fps} frames a second this track would take {landmarks} landmarks, more than {limit}: cut it into parts first"
    )]
    TrackTooLong {
        /// The rate asked for.
        fps: f32,
        /// Frames times landmarks.
        landmarks: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// A lexicon's index has no such column.
    #[error("{} has no column \"{column}\": its first line must name path, signed_language, and words or glosses", index.display())]
    LexiconColumn {
        /// The index.
        index: PathBuf,
        /// The column that is missing.
        column: &'static str,
    },
    /// A lexicon entry names a clip outside the lexicon's folder.
    #[error("the lexicon names the clip {}, which is not within its folder: correct that row of index.csv", path.display())]
    LexiconEscape {
        /// The clip.
        path: PathBuf,
    },
}

impl Error {
    /// The same error, with the file in which it was found.
    pub fn within(self, file: &Path) -> Self {
        Self::In { file: file.to_owned(), error: Box::new(self) }
    }

    /// What the system said about a file or folder; `doing` is a verb.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Io { doing, path: path.to_owned(), error }
    }
}
