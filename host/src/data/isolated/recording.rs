//! The same data sets as pose tracks, for whoever needs more of the body than features do.

use std::path::Path;

use models::pose::PoseTrack;
use models::pose::rows::{rows126_to_track, rows258_to_track};

use super::frames::{Frames, Row};
use super::{Aspect, NOMINAL_FPS, aspect, index, index_file, with_ending};
use crate::Error;

/// The height of the picture that landmarks are put into: that of a plain webcam.
const HEIGHT: u32 = 480;

/// One clip of a data set as a track of pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// What is signed, as the data set writes it.
    pub label: String,
    /// Who signed, or which recording set it belongs to; may be empty.
    pub group: String,
    /// Its number among the clips of its label.
    pub seq: u32,
    /// The part of its corpus (`train`, `val`, `test`); empty where the corpus has none.
    pub split: String,
    /// Body and hands, or hands alone; at a nominal 20 frames a second, since the rate is not recorded.
    pub track: PoseTrack,
}

/// Reads `STEM.f16.gz` and `STEM.tsv` as [`super::Isolated::read`] does, with all landmarks of the rows.
///
/// # Errors
/// Where a file is missing, too large, cut off, or not of the form of these data sets.
pub fn recordings(stem: &Path, shape: Aspect) -> Result<Vec<Recording>, Error> {
    let entries = index::read(&index_file(stem))?;
    let total = entries.iter().map(|e| e.offset + e.frames).max().unwrap_or(0);
    let frames = Frames::read(&with_ending(stem, ".f16.gz"), total)?;
    let aspect = match shape {
        Aspect::Known(aspect) => aspect,
        Aspect::Guess => aspect::guess(&frames),
    };
    let size = [(HEIGHT as f32 * aspect).round() as u32, HEIGHT];
    let mut row = Row::default();
    let recording = |e: index::Entry| {
        let rows: Vec<f32> =
            (0..e.frames).flat_map(|i| frames.row(e.offset + i, &mut row).to_vec()).collect();
        let fps = NOMINAL_FPS as f32;
        let track = if frames.has_body() {
            rows258_to_track(&rows, fps, size)
        } else {
            rows126_to_track(&rows, fps, size)
        };
        Ok(Recording { label: e.label, group: e.group, seq: e.seq, split: e.split, track: track? })
    };
    entries.into_iter().map(recording).collect()
}
