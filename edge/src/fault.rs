//! All that can go wrong on the unit, each with what, where and the next step.

use std::path::PathBuf;

/// A fault of the unit. Its message is one sentence that ends in the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A file could not be read or written.
    #[error("{path}: {source}; check that it exists and that this user may use it")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No `ffmpeg` was found.
    #[error("no ffmpeg program was found; run `cargo xtask setup`, or install ffmpeg")]
    NoFfmpeg,
    /// `ffmpeg` could not be started, or ended with an error.
    #[error("ffmpeg could not handle {path}: {said}; check that the file is a whole video")]
    Ffmpeg {
        /// The file that it worked on.
        path: PathBuf,
        /// The last line that it printed.
        said: String,
    },
    /// A format's own error: a `.pose`, a lexicon.
    #[error(transparent)]
    Format(#[from] models::Error),
    /// There is nothing to sign.
    #[error("the text is empty; give at least one word")]
    TextEmpty,
    /// The text is longer than is signed at once.
    #[error("the text has {length} characters; give at most {most} at a time")]
    TextTooLong {
        /// Characters given.
        length: usize,
        /// Characters allowed.
        most: usize,
    },
    /// No lexicon was given.
    #[error("there is no lexicon; run `cargo xtask setup`, or name a folder with --lexicon")]
    NoLexicon,
    /// No lexicon has this sign language.
    #[error("no lexicon has the sign language \"{signed}\"; choose one of {known}")]
    UnknownLanguage {
        /// As asked for.
        signed: String,
        /// Those that there are.
        known: String,
    },
    /// The lexicons have no entries of this sign language for this spoken language.
    #[error(
        "the lexicons have no words in \"{spoken}\" for the sign language {signed}; choose one of {known}"
    )]
    UnknownSpoken {
        /// Sign language.
        signed: String,
        /// As asked for.
        spoken: String,
        /// Those that there are.
        known: String,
    },
    /// No word of the text is in a lexicon, and none can be spelled.
    #[error(
        "nothing in \"{text}\" can be signed in {signed}: no lexicon has these words, and its alphabet has none of these letters; write it in the script of that alphabet, or add a lexicon with --lexicon"
    )]
    NothingToSign {
        /// The text.
        text: String,
        /// Sign language.
        signed: String,
    },
    /// Clips were found, and none could be used.
    #[error(
        "none of the clips for this text can be used ({why}); run `cargo xtask setup` again, or mend the lexicon"
    )]
    NoUsableClip {
        /// What was wrong with the first.
        why: String,
    },
    /// A frame rate that no track is made in.
    #[error("{fps} frames a second is not possible; choose {least} to {most}")]
    FrameRate {
        /// As asked for.
        fps: f32,
        /// The lowest.
        least: f32,
        /// The highest.
        most: f32,
    },
    /// A video could not be written.
    #[error("ffmpeg could not write {path}: {said}; check the free space and the rights of its folder")]
    Encode {
        /// The video.
        path: PathBuf,
        /// The last line that it printed.
        said: String,
    },
    /// There is no desktop to open a window on.
    #[error("no window can be opened ({why}); pass --out FILE.mp4 to write a video instead")]
    NoDisplay {
        /// What was missing.
        why: String,
    },
    /// The folder of an output is not there.
    #[error("there is no folder for {path}; make it first, or choose another place")]
    NoFolder {
        /// The output.
        path: PathBuf,
    },
    /// An output of a kind that is not written.
    #[error(
        "{path}: outputs end in .mp4, .gif, .png, .pose or .json, or name a folder for pictures with a / at the end; choose one of these"
    )]
    UnknownOutput {
        /// The output.
        path: PathBuf,
    },
}
