//! Takes frames of the screen to pictures, to a video, to a window, or to the unit's own display.

#[cfg(feature = "window")]
mod desktop;
#[cfg(feature = "drm")]
pub mod drm;
#[cfg(feature = "window")]
mod live;
mod pictures;
mod video;
#[cfg(any(feature = "drm", feature = "window"))]
mod watched;
#[cfg(feature = "window")]
mod window;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

#[cfg(feature = "window")]
pub use live::live;
pub use pictures::{Pictures, write_png};
pub use video::Video;
#[cfg(feature = "window")]
pub use window::{play, play_show};

use super::Canvas;
use crate::Fault;

/// Something that frames can be given to, one after the other.
pub trait Present {
    /// Takes the next frame.
    ///
    /// # Errors
    /// The frame could not be kept.
    fn show(&mut self, canvas: &Canvas) -> Result<(), Fault>;

    /// Completes what was made. Without it nothing stands under the final name of a video.
    ///
    /// # Errors
    /// What was made could not be completed.
    fn finish(self: Box<Self>) -> Result<(), Fault>;
}

/// Writes a file so that it is there whole or not at all.
///
/// # Errors
/// The file cannot be written; what stood there before is kept.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let part = Part::beside(path);
    std::fs::write(part.path(), bytes).map_err(|source| Fault::file(path, source))?;
    part.complete()
}

/// A file in the making beside its final place; removed where it is not completed.
#[derive(Debug)]
struct Part {
    part: PathBuf,
    whole: PathBuf,
    completed: bool,
}

impl Part {
    fn beside(whole: &Path) -> Self {
        let mut name = OsString::from(".");
        name.push(whole.file_name().unwrap_or_default());
        name.push(format!(".{}.part", std::process::id()));
        Self { part: whole.with_file_name(name), whole: whole.to_owned(), completed: false }
    }

    fn path(&self) -> &Path {
        &self.part
    }

    fn complete(mut self) -> Result<(), Fault> {
        std::fs::rename(&self.part, &self.whole).map_err(|source| Fault::file(&self.whole, source))?;
        self.completed = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.completed {
            // It may never have been made; there is nobody to tell.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_whole(&path, b"one").unwrap();
        drop(Part::beside(&path));
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        let part = Part::beside(&path);
        std::fs::write(part.path(), b"half").unwrap();
        drop(part);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let fault = write_whole(&folder.path().join("none/a.json"), b"x").unwrap_err();
        assert!(fault.to_string().contains("none/a.json"), "{fault}");
    }
}
