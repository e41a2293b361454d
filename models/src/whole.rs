//! Files that never stand half-written under their name.

use std::io;
use std::path::Path;

/// Writes a file beside its place first, and then puts it there.
///
/// # Errors
/// Those of the system; nothing is left beside the place then, and what stood in it stays.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        // It may not be there; the first error is the one to tell.
        let _ = std::fs::remove_file(&part);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_as_it_was() {
        let dir = std::env::temp_dir().join(format!("signpost-whole-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("folder")).unwrap();
        write(&dir.join("a.txt"), "old").unwrap();
        write(&dir.join("a.txt"), "new").unwrap();
        let refused = write(&dir.join("folder"), "a folder stands there");
        let read = std::fs::read_to_string(dir.join("a.txt"));
        let left = std::fs::read_dir(&dir).unwrap().count();
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!((read.unwrap().as_str(), refused.is_err(), left), ("new", true, 2));
    }
}
