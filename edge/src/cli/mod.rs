//! The commands of `signpost`, one a file.

mod input;
pub mod read;
mod report;
mod show;
pub mod sign;

use std::path::Path;

use crate::Fault;

/// Checks that a file can be put where it is wanted, before any work is done for it.
///
/// # Errors
/// [`Fault::File`] where its folder is not there.
fn check_folder_of(file: &Path) -> Result<(), Fault> {
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::metadata(folder).map(|_| ()).map_err(|source| Fault::File { path: folder.into(), source })
}
