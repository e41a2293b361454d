//! Finds the `ffmpeg` program: video files are decoded and encoded through it.

use std::path::PathBuf;

use models::store::{Store, program_on_path};

use crate::Fault;

/// The system's `ffmpeg` where it has one, otherwise the one that set-up brought.
///
/// # Errors
/// [`Fault::NoFfmpeg`] where there is neither.
pub fn program() -> Result<PathBuf, Fault> {
    program_on_path("ffmpeg")
        .or_else(|| Store::locate().map(|store| store.ffmpeg()).filter(|file| file.is_file()))
        .ok_or(Fault::NoFfmpeg)
}
