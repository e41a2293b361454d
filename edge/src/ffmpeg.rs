//! Finds the `ffmpeg` program: video files are decoded and encoded through it.

use std::path::PathBuf;

use models::store::Store;

use crate::Fault;

/// The system's `ffmpeg` where it has one, otherwise the one that set-up brought.
///
/// # Errors
/// [`Fault::NoFfmpeg`] where there is neither.
pub fn program() -> Result<PathBuf, Fault> {
    let on_path = std::env::var_os("PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .map(|dir| dir.join("ffmpeg"))
        .find(|file| file.is_file());
    on_path
        .or_else(|| Store::locate().map(|store| store.ffmpeg()).filter(|file| file.is_file()))
        .ok_or(Fault::NoFfmpeg)
}
