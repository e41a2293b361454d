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
    /// An engine was asked for that is not there.
    #[error(
        "no engine of [{wanted}] can run here ({why}); there is [{have}]: name one of these in the board file, or run `cargo xtask setup`"
    )]
    Backend {
        /// The engines that were asked for.
        wanted: String,
        /// Why they cannot run.
        why: String,
        /// The engines that can.
        have: String,
    },
    /// A file is not a network that the engine can run.
    #[error(
        "{path} is not a network that can be run ({said}); bring it again with `cargo xtask setup`, or with `git checkout` where it came with the repository"
    )]
    Network {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        said: String,
    },
    /// A network failed while it ran.
    #[error("the network {path} failed ({said}); check that its inputs are those that its manifest names")]
    Inference {
        /// The file that the network came from.
        path: PathBuf,
        /// What the engine said.
        said: String,
    },
    /// A tensor has not the shape that it should have.
    #[error(
        "{what} has shape {got:?} where {expected:?} is needed; check that the file is the one that set-up brings"
    )]
    Shape {
        /// The tensor.
        what: String,
        /// The shape that was needed.
        expected: Vec<usize>,
        /// The shape that came.
        got: Vec<usize>,
    },
    /// A picture cannot be read, or is none.
    #[error(
        "{from} holds no picture that can be read ({said}); give a picture or clip that other programs can show"
    )]
    Picture {
        /// The file, device or frame.
        from: String,
        /// What is wrong with it.
        said: String,
    },
    /// A folder holds no picture.
    #[error("{path} holds no picture; put .jpg or .png files into it, named in their order")]
    NoPictures {
        /// The folder.
        path: PathBuf,
    },
    /// A video ends before its time.
    #[error(
        "{path} is cut short: {got} of {promised} frames could be read; they were used, but copy the file again for the rest"
    )]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Frames that were read.
        got: u64,
        /// Frames that it promised.
        promised: u64,
    },
    /// A camera cannot be used.
    #[error("no picture from the camera {device} ({tried}); {next}")]
    Camera {
        /// The device.
        device: PathBuf,
        /// What was tried, and how it ended.
        tried: String,
        /// The next step.
        next: String,
    },
    /// The system gave no thread.
    #[error("the thread `{name}` could not be started: {source}; free some memory and try again")]
    Thread {
        /// The thread.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
}
