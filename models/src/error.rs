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
    /// A compiled lexicon cannot be used.
    #[error("{}: {why}; make it again with `signpost-host lexicon build`", path.display())]
    LexiconFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A lexicon entry names a clip outside the lexicon's folder.
    #[error("the lexicon names the clip {}, which is not within its folder: correct that row of index.csv", path.display())]
    LexiconEscape {
        /// The clip.
        path: PathBuf,
    },
    /// Bytes are no ELAN document.
    #[error(
        "at byte {offset} the .eaf file is no annotation document: {why}; open it in ELAN and save it again"
    )]
    Eaf {
        /// Where the fault stands, in bytes.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
    /// The bytes are none of SignStream's XML.
    #[error(
        "at byte {offset} the file is no SignStream XML: {why}; export the utterances again from SignStream or its web interface"
    )]
    SignStream {
        /// Where the fault stands, in bytes.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
    /// A line of subtitles is none.
    #[error("line {line} of the subtitles: {why}; correct that line in a text editor")]
    Subtitles {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// An annotation cannot be written in a format.
    #[error("the annotation {text:?} at {start_ms} ms cannot be written: {why}")]
    AnnotationUnwritable {
        /// Its text.
        text: String,
        /// When it begins.
        start_ms: u32,
        /// What does not fit, and what to do.
        why: &'static str,
    },
    /// A name in a document cannot be written.
    #[error("{text:?} cannot be written as {what} of a .eaf file: {why}")]
    EafUnwritable {
        /// What it should become.
        what: &'static str,
        /// The name.
        text: String,
        /// What does not fit, and what to do.
        why: &'static str,
    },
    /// A model's folder lacks one of its files, or the file cannot be read.
    #[error("no model in {}: {} is missing; give a folder with model.onnx and manifest.json, or one of the shipped models ({known})", dir.display(), file)]
    NoModel {
        /// The folder, or the name that was asked for.
        dir: PathBuf,
        /// Which file is missing.
        file: &'static str,
        /// The shipped models, with commas between.
        known: String,
    },
    /// A model's manifest is not one.
    #[error("{}: {why}; make the model again with its recipe, or take it again from the repository", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of enrolled signs is not one.
    #[error("{}: {why}; take it back from a copy, or delete it and enrol the signs again", path.display())]
    Enrolled {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of an embedder is not one.
    #[error("{}: {why}; take it back from a copy, or train it again with its recipe", path.display())]
    Embedder {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A network's bytes are not those that its manifest describes.
    #[error("{} was changed after it was made: its SHA-256 begins with {found:.12}, the manifest says {stated:.12}; take it again from the repository or make it again with its recipe", path.display())]
    ModelChanged {
        /// The network.
        path: PathBuf,
        /// The hash of the bytes.
        found: String,
        /// The hash that the manifest states.
        stated: String,
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
