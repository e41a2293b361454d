//! Reads data sets of isolated signs: `STEM.f16.gz` (frames) with `STEM.tsv` (clips).
//!
//! A row has 258 values (33 body points of x, y, z, visibility, then the left and the
//! right hand of 21 × x, y, z) or 126 (two hands). A hand of zeros or with a NaN was
//! not seen. x and z are in units of the picture's width, y of its height; the shape
//! of the picture is not recorded, see [`Aspect`].
//!
//! `models::pose::rows258_to_track` reads the same rows into a track of pixels. It takes a body's
//! visibility for a confidence, so that 0 is unseen; here visibility is passed over, because the
//! shipped models were trained so.

mod aspect;
mod frames;
mod index;
mod recording;

use std::path::{Path, PathBuf};

use models::features::{BODY_POINTS, HAND_POINTS, Picture, Sight};

use super::Clip;
use crate::Error;
pub use aspect::Aspect;
use frames::{Frames, Row};
pub use recording::{Recording, recordings};

/// Values of the body in a row, and of a hand.
const BODY: usize = 33 * 4;
const HAND: usize = HAND_POINTS * 3;
/// Where the body points that features use stand in a row, in the order of `BODY_POINTS`.
const BODY_ROWS: [usize; BODY_POINTS.len()] = [0, 11, 12, 13, 14, 15, 16];

/// The frame rate is not recorded; a webcam with MediaPipe Holistic gave about this. Frames a second.
const NOMINAL_FPS: f64 = 20.0;
/// The most frames that are read from a file, and that the clips have together: some 14 hours at 20 a second.
const FRAMES_LIMIT: usize = 1_000_000;

/// A data set of isolated signs.
#[derive(Debug, Clone, PartialEq)]
pub struct Isolated {
    /// The name of its files, without folder and ending.
    pub name: String,
    /// Width over height of its pictures, given or guessed; `None` where landmarks came in pixels.
    pub aspect: Option<f32>,
    /// `[N]` clips, in the order of the index.
    pub clips: Vec<Clip>,
}

impl Isolated {
    /// Reads `STEM.f16.gz` and `STEM.tsv`.
    ///
    /// The index may list a part of the frames only, and clips may overlap.
    ///
    /// # Errors
    /// Where a file is missing, too large, cut off, or not in the form described above.
    pub fn read(stem: &Path, aspect: Aspect) -> Result<Self, Error> {
        let entries = index::read(&index_file(stem))?;
        let total = entries.iter().map(|e| e.offset + e.frames).max().unwrap_or(0);
        let frames = Frames::read(&with_ending(stem, ".f16.gz"), total)?;
        let aspect = match aspect {
            Aspect::Known(aspect) => aspect,
            Aspect::Guess => aspect::guess(&frames),
        };
        let mut row = Row::default();
        let clips = entries
            .into_iter()
            .map(|e| {
                let sight = |i: usize| sight(i, frames.row(e.offset + i, &mut row), aspect);
                let sights = (0..e.frames).map(sight).collect();
                Clip { label: e.label, group: e.group, seq: e.seq, split: e.split, tier: e.tier, sights }
            })
            .collect();
        let name = stem.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Self { name, aspect: Some(aspect), clips })
    }
}

/// The index of the data set with this stem.
pub fn index_file(stem: &Path) -> PathBuf {
    with_ending(stem, ".tsv")
}

/// The path with an ending after its name; a stem may have dots of its own.
fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// One row as a sight.
fn sight(index: usize, row: &[f32], aspect: f32) -> Sight {
    let mut sight = Sight::unseen(index as f64 / NOMINAL_FPS);
    sight.picture = Some(Picture { middle: [aspect / 2.0, 0.5], height: 1.0 });
    let (body, hands) = row.split_at(row.len() - 2 * HAND);
    if body.len() == BODY && body.iter().any(|v| *v != 0.0) {
        for (slot, &k) in BODY_ROWS.iter().enumerate() {
            let [x, y] = [body[k * 4] * aspect, body[k * 4 + 1]];
            sight.body_seen[slot] = x.is_finite() && y.is_finite();
            sight.body[slot] = [x, y];
        }
    }
    for (side, hand) in hands.chunks_exact(HAND).enumerate() {
        sight.hand_seen[side] = hand.iter().all(|v| v.is_finite()) && hand.iter().any(|v| *v != 0.0);
        if sight.hand_seen[side] {
            for (point, xyz) in sight.hands[side].iter_mut().zip(hand.chunks_exact(3)) {
                *point = [xyz[0] * aspect, xyz[1], xyz[2] * aspect];
            }
        }
    }
    sight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_becomes_a_sight() {
        let mut row = vec![0.0; 258];
        row[..BODY].fill(0.5);
        row[BODY..BODY + HAND].fill(0.25);
        row[BODY + HAND] = f32::NAN;
        let sight = sight(20, &row, 2.0);
        assert_eq!(sight.at_s, 20.0 / NOMINAL_FPS);
        assert_eq!(sight.body_seen, [true; BODY_POINTS.len()]);
        assert_eq!(sight.body[1], [1.0, 0.5], "x is stretched to the unit of y");
        assert_eq!(sight.hand_seen, [true, false], "a hand with a NaN was not seen");
        assert_eq!(sight.hands[0][3], [0.5, 0.25, 0.5]);
    }
}
