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
use live::live;
pub use pictures::{Pictures, png, write_png};
pub use video::Video;
#[cfg(any(feature = "drm", feature = "window"))]
pub use watched::Watched;
#[cfg(feature = "window")]
pub use window::play_show;

use super::Canvas;
use super::press::Press;
use crate::Fault;

/// Something that frames can be given to, one after the other.
pub trait Present {
    /// Takes the next frame.
    ///
    /// # Errors
    /// The frame could not be kept.
    fn show(&mut self, canvas: &Canvas) -> Result<(), Fault>;

    /// What was asked for since by whoever stands before it; nothing where nobody can.
    fn presses(&mut self) -> Vec<Press> {
        Vec::new()
    }

    /// Completes what was made. Without it nothing stands under the final name of a video.
    ///
    /// # Errors
    /// What was made could not be completed.
    fn finish(self: Box<Self>) -> Result<(), Fault>;
}

/// What calls the screen of a desktop a place to present to.
pub const WINDOW: &str = "window";
/// What calls the unit's own screen so.
pub const SCREEN: &str = "screen";

/// Does work that presents to a place: the `window` of a desktop, the unit's own `screen`, or a folder that pictures
/// are put into.
///
/// # Errors
/// [`Fault::NoDisplay`] where there is no desktop, or windows were not built in; [`Fault::NoScreen`] where there is no
/// screen; where the folder cannot be made.
pub fn on<R: Send>(
    place: &Path,
    screen: &boards::Screen,
    work: impl FnOnce(Box<dyn Present + Send>) -> R + Send,
) -> Result<R, Fault> {
    match place.to_str() {
        Some(WINDOW) => on_window((screen.width_px, screen.height_px), work),
        Some(SCREEN) => on_screen(screen, work),
        _ => Ok(work(Box::new(Pictures::new(place)?))),
    }
}

#[cfg(feature = "window")]
fn on_window<R: Send>(
    size: (u32, u32),
    work: impl FnOnce(Box<dyn Present + Send>) -> R + Send,
) -> Result<R, Fault> {
    live(size, work)
}

#[cfg(not(feature = "window"))]
fn on_window<R: Send>(
    _: (u32, u32),
    _: impl FnOnce(Box<dyn Present + Send>) -> R + Send,
) -> Result<R, Fault> {
    Err(Fault::NoDisplay { why: "this program was built without windows".into() })
}

#[cfg(feature = "drm")]
fn on_screen<R>(
    screen: &boards::Screen,
    work: impl FnOnce(Box<dyn Present + Send>) -> R,
) -> Result<R, Fault> {
    Ok(work(Box::new(drm::Drm::open(screen)?)))
}

#[cfg(not(feature = "drm"))]
fn on_screen<R>(_: &boards::Screen, _: impl FnOnce(Box<dyn Present + Send>) -> R) -> Result<R, Fault> {
    Err(Fault::NoScreen { why: "this program was built without one".into() })
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
