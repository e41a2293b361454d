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
}
