//! The commands of `signpost`, one a file.

mod captions;
pub mod enrol;
pub(crate) mod input;
mod kept;
pub mod kiosk;
pub mod landmarks;
pub mod read;
mod report;
pub mod selftest;
pub(crate) mod show;
pub mod sign;
pub mod update;

use std::path::Path;

use crate::Fault;

/// The endings of videos that can be written.
const VIDEOS: [&str; 2] = ["mp4", "gif"];

/// Whether a path has one of these endings, in whatever case.
fn ends_in(path: &Path, endings: &[&str]) -> bool {
    endings.iter().any(|ending| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending)))
}

/// Checks that a file can be put where it is wanted, before any work is done for it.
///
/// # Errors
/// [`Fault::WrongEnding`] where it has another ending than those given, [`Fault::NoFolder`] where its
/// folder is not there.
fn check_output(file: &Path, endings: &[&str]) -> Result<(), Fault> {
    if !ends_in(file, endings) {
        let endings = endings.iter().map(|e| format!(".{e}")).collect::<Vec<_>>().join(" or ");
        return Err(Fault::WrongEnding { path: file.into(), endings });
    }
    check_folder_of(file)
}

/// # Errors
/// [`Fault::NoFolder`] where the folder is not there that a file or folder is to be put into.
fn check_folder_of(file: &Path) -> Result<(), Fault> {
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() { Ok(()) } else { Err(Fault::NoFolder { path: file.into() }) }
}

/// A length of time in seconds, above 0.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|s: &f64| s.is_finite() && *s > 0.0);
    seconds.ok_or_else(|| "give a number of seconds above 0, for example 2.5".into())
}
