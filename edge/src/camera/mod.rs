//! Where frames come from: a video file, a folder of pictures, a camera.
//!
//! Every source gives frames as they stand in the world: a phone's video is turned
//! upright, and nothing is mirrored. [`Feed`] reads one on its own thread. A camera may
//! go and come back: [`Steadfast`] goes on, and tells of it.

mod device;
mod feed;
mod folder;
mod format;
mod jpeg;
mod negotiate;
mod pixels;
mod steadfast;
mod timeline;
#[cfg(feature = "camera")]
mod v4l;
mod video;

use std::path::Path;

use crate::Fault;
use crate::stage::Stamp;

pub use device::{Clock, Device, Granted, Opener, Raw, SystemClock, Wish};
pub use feed::{Closer, Feed};
pub use folder::{DEFAULT_FPS, Folder};
pub use format::{Coding, Format, Matrix, Packing};
pub use steadfast::Steadfast;
pub use video::Video;

/// The largest picture that is taken in: 8K. A larger one is refused before it is held.
pub const MAX_PIXELS: u64 = 7680 * 4320;

/// A frame that stands so much before a time is at that time: times are often rounded to milliseconds. Seconds.
const ROUNDED_S: f64 = 0.001;

/// The number of the first frame at or after a time, at a constant rate.
pub fn first_frame(at_s: f64, fps: f32) -> u64 {
    ((at_s - ROUNDED_S) * f64::from(fps)).ceil().max(0.0) as u64
}

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When it was taken.
    pub at: Stamp,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `[height, width, 3]`: red, green, blue.
    pub rgb: Vec<u8>,
}

impl Frame {
    /// A frame of the size and pixels given.
    ///
    /// # Errors
    /// [`Fault::Picture`] where there is no pixel, there are too many, or they do not fit the size.
    pub fn new(at: Stamp, width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, Fault> {
        let frame = Self { at, width, height, rgb };
        frame.check()?;
        Ok(frame)
    }

    /// Whether the pixels are as many as the size says, at least one and at most [`MAX_PIXELS`].
    ///
    /// # Errors
    /// [`Fault::Picture`] where they are not.
    pub fn check(&self) -> Result<(), Fault> {
        let pixels = check_size("frame", self.width, self.height)?;
        if self.rgb.len() != pixels * 3 {
            let said = format!(
                "{} bytes where {}×{} px need {}",
                self.rgb.len(),
                self.width,
                self.height,
                pixels * 3
            );
            return Err(Fault::Picture { from: "frame".into(), said });
        }
        Ok(())
    }

    /// True where a place lies in the picture.
    pub fn holds(&self, [x, y]: [f32; 2]) -> bool {
        (0.0..self.width as f32).contains(&x) && (0.0..self.height as f32).contains(&y)
    }
}

/// The number of pixels, where it is at least one and at most [`MAX_PIXELS`].
fn check_size(source: &str, width: u32, height: u32) -> Result<usize, Fault> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MAX_PIXELS {
        let said = format!("{width}×{height} px; at least one and at most {MAX_PIXELS} can be read");
        return Err(Fault::Picture { from: source.into(), said });
    }
    // MAX_PIXELS fits a usize of 32 bits.
    Ok(pixels as usize)
}

/// What a source gives, and what becomes of it meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A picture.
    Frame(Frame),
    /// For a while nothing came, up to this time; a live camera says so a few times a second, so that nobody
    /// waits in vain who wants to stop.
    Quiet(Stamp),
    /// The camera is gone; it is waited for. Told once for each reason until it is back.
    Lost {
        /// When it was missed.
        at: Stamp,
        /// What was tried, and what the system said.
        why: String,
    },
    /// It is there again, and its first picture comes next. What was known of the picture before is stale.
    Back(Back),
}

/// A camera that came back: it may be another than before.
#[derive(Debug, Clone, PartialEq)]
pub struct Back {
    /// When its first picture was taken.
    pub at: Stamp,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Frames a second.
    pub fps: f32,
    /// What its pictures are.
    pub format: String,
}

/// A source of frames.
pub trait Camera: Send {
    /// The next frame, or `None` after the last.
    ///
    /// # Errors
    /// Where the source ends before it should, or is damaged: what came before stays good.
    fn next(&mut self) -> Result<Option<Frame>, Fault>;

    /// The next frame or news of the camera, or `None` after the last; a live camera answers several times a
    /// second.
    ///
    /// # Errors
    /// As [`Camera::next`].
    fn event(&mut self) -> Result<Option<Event>, Fault> {
        Ok(self.next()?.map(Event::Frame))
    }

    /// Frames a second.
    fn fps(&self) -> f32;

    /// Width and height in pixels.
    fn size(&self) -> [u32; 2];

    /// How many frames there will be, as far as the source says.
    fn frames(&self) -> Option<u64>;

    /// True where frames come whether they are read or not.
    fn is_live(&self) -> bool {
        false
    }

    /// How many frames came so damaged that they were passed over, or were left out by the camera's driver.
    fn lost(&self) -> u64 {
        0
    }

    /// What its pictures are before they are converted, where that was chosen.
    fn format(&self) -> Option<String> {
        None
    }
}

/// Opens a source: a camera (`/dev/video0`), a folder of pictures, one picture, or a video file.
///
/// `wanted` is what a camera is asked for; files are as they are.
///
/// # Errors
/// One that says what was tried and what to do.
pub fn open(source: &str, wanted: &boards::Camera) -> Result<Box<dyn Camera>, Fault> {
    let path = Path::new(source);
    if source.starts_with("/dev/") {
        return open_device(path, wanted);
    }
    open_file(path, 0.0)
}

/// Opens a folder of pictures, one picture, or a video file, at its first frame at or after a time.
///
/// That frame's stamp is 0.
///
/// # Errors
/// One that says what was tried and what to do.
pub fn open_file(path: &Path, from_s: f64) -> Result<Box<dyn Camera>, Fault> {
    let meta = std::fs::metadata(path).map_err(|source| Fault::file(path, source))?;
    if meta.is_dir() || folder::is_picture(path) {
        let mut folder = Folder::open(path, DEFAULT_FPS)?;
        folder.pass_over(first_frame(from_s, DEFAULT_FPS));
        return Ok(Box::new(folder));
    }
    Ok(Box::new(Video::open_from(path, from_s)?))
}

#[cfg(feature = "camera")]
fn open_device(path: &Path, wanted: &boards::Camera) -> Result<Box<dyn Camera>, Fault> {
    Ok(Box::new(Steadfast::open(path, v4l::Node::at(path), wanted)?))
}

#[cfg(not(feature = "camera"))]
fn open_device(path: &Path, _: &boards::Camera) -> Result<Box<dyn Camera>, Fault> {
    let tried = "this program was built without cameras".into();
    let next = "build it with `cargo build -p signpost-edge --features camera`".into();
    Err(Fault::Camera { device: path.into(), tried, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expect: &[&str]) {
        let wanted = boards::Board::named("desk").unwrap().camera;
        let said = open(source, &wanted).err().expect("it must not open").to_string();
        assert!(expect.iter().all(|e| said.contains(e)), "{said}");
    }

    #[test]
    fn a_missing_source_says_what_was_tried_and_what_to_do() {
        check("nowhere/clip.mp4", &["nowhere/clip.mp4", "check"]);
        check("/dev/video-none", &["/dev/video-none", ";"]);
    }

    #[test]
    fn a_frame_holds_as_many_pixels_as_it_says() {
        let at = Stamp::default();
        assert!(Frame::new(at, 2, 1, vec![0; 6]).is_ok());
        assert!(Frame::new(at, 0, 0, vec![]).is_err());
        assert!(Frame::new(at, 2, 1, vec![0; 5]).is_err());
        assert!(Frame::new(at, u32::MAX, u32::MAX, vec![]).is_err());
    }
}
