//! What the tests share: where the real data is, and how a test says that it skips.

use std::path::PathBuf;

/// The folder of real data, where it is on this machine: `$SIGNPOST_DATA`, or `../shared/data` beside the project.
///
/// Where it is absent this prints why the test named skips.
pub fn data(test: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("SIGNPOST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")),
        PathBuf::from,
    );
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("{test} skips: no real data at {} (set SIGNPOST_DATA)", dir.display());
    None
}
