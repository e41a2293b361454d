//! The `.pose` file format: reading of versions 0.0, 0.1 and 0.2, writing of 0.2.
//!
//! All numbers are little-endian. A header gives the version (`f32`), width,
//! height and depth of the picture (`u16` each) and the [`Layout`]; the body
//! gives the frames:
//!
//! | version | body |
//! |---|---|
//! | 0.0 | `u16` rate, `u16` frames; each frame `u16` people; each person `i16` number, then for each landmark its coordinates and its confidence |
//! | 0.1 | `u16` rate, `u16` frames (too small for long films, so the frames are counted from the file's length), `u16` people; then as 0.2 |
//! | 0.2 | `f32` rate, `u32` frames, `u16` people; all coordinates `[T, people, K, C]`, then all confidences `[T, people, K]` |
//!
//! Coordinates are pixels, but what z means is the writer's: pose-format stores
//! MediaPipe's z, which is in picture widths; see [`PoseTrack::with_z_in_pixels`].
//!
//! The meaning of each field follows the Python package `pose-format` 0.15.0;
//! `tests/tests/pose_file.rs` holds that both read the same values.

mod header;
mod read;
mod write;
mod writer;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

pub use read::read;
pub use write::{write_track, write_track_file};
pub use writer::TrackWriter;

use crate::error::Error;
use crate::pose::{Layout, Pose, PoseTrack};

/// The largest file that is read, in bytes: about an hour of 576 landmarks at 30 frames a second.
const MAX_FILE: u64 = 1 << 30;

/// Which version of the format a file was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 0.0: people are stored frame by frame.
    V0_0,
    /// 0.1: whole rates, frames counted from the file's length.
    V0_1,
    /// 0.2: what pose-format writes today.
    V0_2,
}

/// A `.pose` file as it was stored, with all people that it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct PoseFile {
    /// Which landmarks the frames hold. Coordinates past x, y and z are not kept.
    pub layout: Arc<Layout>,
    /// Width, height and depth of the source picture, in pixels.
    pub size: [u32; 3],
    /// The version that the file was written in.
    pub version: Version,
    /// Frames a second, 0.01 to 1000.
    pub fps: f32,
    /// `[people]` of `[T]` poses with the stored values, bit for bit.
    ///
    /// In version 0.0 they are in the order in which each frame names them; who
    /// is not in a frame is unseen there.
    pub people: Vec<Vec<Pose>>,
}

impl PoseFile {
    /// The person who is seen best over the whole file; with one person, that one.
    pub fn best_seen(&self) -> usize {
        let total = |frames: &Vec<Pose>| -> f64 {
            frames.iter().flat_map(|f| &f.confidence).filter(|c| c.is_finite()).map(|&c| f64::from(c)).sum()
        };
        let totals: Vec<f64> = self.people.iter().map(total).collect();
        (0..totals.len()).max_by(|&a, &b| totals[a].total_cmp(&totals[b]).then(b.cmp(&a))).unwrap_or(0)
    }

    /// The track of one person, counted from 0.
    ///
    /// Confidences are brought within 0 to 1, and a landmark with a value that
    /// is not a number becomes unseen.
    ///
    /// # Errors
    /// The file does not show that person.
    pub fn signer(mut self, person: usize) -> Result<PoseTrack, Error> {
        let people = self.people.len();
        if person >= people {
            return Err(Error::PosePerson { person, people });
        }
        let mut frames = self.people.swap_remove(person);
        frames.iter_mut().for_each(clean);
        Ok(PoseTrack { layout: self.layout, fps: self.fps, size: self.size, frames })
    }
}

/// Reads the file at a path, with all people that it shows.
///
/// # Errors
/// The file cannot be read, or [`read`] refuses it.
pub fn read_file(path: impl AsRef<Path>) -> Result<PoseFile, Error> {
    let path = path.as_ref();
    let file = File::open(path).map_err(Error::io("open", path))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::TooLarge { path: path.to_owned(), limit: MAX_FILE });
    }
    read(&bytes).map_err(|error| error.within(path))
}

/// Reads the track of the person who is seen best in the file at a path.
///
/// # Errors
/// As [`read_file`]; and the file may show nobody.
pub fn read_track(path: impl AsRef<Path>) -> Result<PoseTrack, Error> {
    let path = path.as_ref();
    let file = read_file(path)?;
    let person = file.best_seen();
    file.signer(person).map_err(|error| error.within(path))
}

fn clean(pose: &mut Pose) {
    for (point, confidence) in pose.points.iter_mut().zip(&mut pose.confidence) {
        let valid = *confidence > 0.0 && point.iter().all(|v| v.is_finite());
        if !valid {
            *confidence = 0.0;
            *point = [0.0; 3];
        }
        *confidence = confidence.min(1.0);
    }
}
