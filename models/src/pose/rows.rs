//! Rows of values, as the corpora of isolated signs store a frame.
//!
//! A row of 258 values is the body's 33 landmarks as x, y, z, visibility, then
//! the left and the right hand's 21 as x, y, z. A row of 126 is both hands.
//! x and y are in units of the picture's width and height, z in its width. A
//! block of zeros was not detected; values that are not numbers are empty.
//!
//! The importer that training and evaluation use (`host`) takes a landmark of the body for seen
//! whatever its visibility, as the shipped models were trained; here visibility is the confidence.

use super::{Known, Pose, PoseTrack};
use crate::error::Error;
use crate::features::HAND_POINTS;

/// Values of a row of body and hands.
pub const ROW_258: usize = BODY * 4 + 2 * HAND * 3;
/// Values of a row of two hands.
pub const ROW_126: usize = 2 * HAND * 3;

const BODY: usize = 33;
const HAND: usize = HAND_POINTS;

/// The track of rows of 258 values, `[T, 258]`, in the layout [`Known::BodyHands75`].
///
/// `size` is the width and height of the picture in pixels. The body's
/// confidence is its visibility, that of a detected hand is 1.
///
/// # Errors
/// The values are no whole number of rows, or the rate is outside [`PoseTrack::FPS`].
pub fn rows258_to_track(rows: &[f32], fps: f32, size: [u32; 2]) -> Result<PoseTrack, Error> {
    to_track(rows, ROW_258, Known::BodyHands75, fps, size)
}

/// The track of rows of 126 values, `[T, 126]`, in the layout [`Known::Hands42`]: the left hand first.
///
/// # Errors
/// As [`rows258_to_track`].
pub fn rows126_to_track(rows: &[f32], fps: f32, size: [u32; 2]) -> Result<PoseTrack, Error> {
    to_track(rows, ROW_126, Known::Hands42, fps, size)
}

/// The rows `[T, 258]` of a track in any layout; what it does not show is 0.
pub fn track_to_rows258(track: &PoseTrack) -> Vec<f32> {
    to_rows(track, Known::BodyHands75)
}

/// The rows `[T, 126]` of a track in any layout; what it does not show is 0.
pub fn track_to_rows126(track: &PoseTrack) -> Vec<f32> {
    to_rows(track, Known::Hands42)
}

fn to_track(rows: &[f32], row: usize, known: Known, fps: f32, size: [u32; 2]) -> Result<PoseTrack, Error> {
    if !rows.len().is_multiple_of(row) {
        return Err(Error::Rows { found: rows.len(), row });
    }
    if !PoseTrack::FPS.contains(&fps) {
        return Err(Error::FrameRate { found: fps });
    }
    let [width, height] = size;
    let scale = [width as f32, height as f32, width as f32];
    let mut track = PoseTrack::new(known.layout(), fps, [width, height, 0]);
    track.frames.extend(rows.chunks_exact(row).map(|row| {
        let (body, hands) = row.split_at(row.len() - ROW_126);
        let (left, right) = hands.split_at(HAND * 3);
        let mut pose = Pose::default();
        push(&mut pose, body, 4, scale);
        push(&mut pose, left, 3, scale);
        push(&mut pose, right, 3, scale);
        pose
    }));
    Ok(track)
}

/// Adds the landmarks of one block, each of `width` values; the fourth is the confidence.
fn push(pose: &mut Pose, block: &[f32], width: usize, scale: [f32; 3]) {
    let detected = block.iter().any(|&v| v != 0.0);
    for landmark in block.chunks_exact(width) {
        let seen = detected && landmark.iter().all(|v| v.is_finite());
        let point = [0, 1, 2].map(|i| landmark[i] * scale[i]);
        pose.points.push(if seen { point } else { [0.0; 3] });
        let confidence = landmark.get(3).map_or(1.0, |visibility| visibility.clamp(0.0, 1.0));
        pose.confidence.push(if seen { confidence } else { 0.0 });
    }
}

fn to_rows(track: &PoseTrack, known: Known) -> Vec<f32> {
    let scale = [track.size[0], track.size[1], track.size[0]].map(|side| side.max(1) as f32);
    let track = track.to_layout(&known.layout());
    let body = track.layout.len() - 2 * HAND;
    let mut rows = Vec::with_capacity(track.frames.len() * (body * 4 + ROW_126));
    for frame in &track.frames {
        for (k, point) in frame.points.iter().enumerate() {
            rows.extend([0, 1, 2].map(|i| point[i] / scale[i]));
            if k < body {
                rows.push(frame.confidence[k]);
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of 258 values whose body is seen, whose left hand is not, and whose right hand is.
    fn row() -> Vec<f32> {
        let mut row: Vec<f32> = (0..ROW_258).map(|i| (i + 1) as f32 / 512.0).collect();
        row[BODY * 4..BODY * 4 + HAND * 3].fill(0.0);
        row
    }

    #[test]
    fn units_of_the_picture_become_pixels() {
        let track = rows258_to_track(&row(), 30.0, [640, 480]).unwrap();
        let frame = &track.frames[0];
        assert_eq!(frame.points[0], [640.0 / 512.0, 480.0 * 2.0 / 512.0, 640.0 * 3.0 / 512.0]);
        assert_eq!(frame.confidence[0], 4.0 / 512.0);
        assert!((BODY..BODY + HAND).all(|k| frame.seen(k).is_none()), "the left hand is not detected");
        assert!((BODY + HAND..BODY + 2 * HAND).all(|k| frame.confidence[k] == 1.0));
    }

    #[test]
    fn rows_come_back_as_they_were() {
        // A power of two scales without rounding.
        let track = rows258_to_track(&row(), 30.0, [1024, 512]).unwrap();
        assert_eq!(track_to_rows258(&track), row());
        let whole = track.to_layout(&Known::Holistic576.layout());
        assert_eq!(track_to_rows258(&whole), row());
        assert_eq!(track_to_rows126(&whole), row()[BODY * 4..]);
    }

    #[test]
    fn values_that_are_not_numbers_are_empty() {
        let mut row = vec![0.5; ROW_126];
        row[..HAND * 3].fill(f32::NAN);
        let track = rows126_to_track(&row, 25.0, [100, 100]).unwrap();
        let seen: Vec<bool> = (0..2 * HAND).map(|k| track.frames[0].seen(k).is_some()).collect();
        assert_eq!(seen, [[false; HAND], [true; HAND]].concat());
        assert!(track.frames[0].points.iter().flatten().all(|v| v.is_finite()));
    }

    #[test]
    fn other_lengths_are_refused() {
        assert!(matches!(
            rows258_to_track(&[0.0; 257], 30.0, [1, 1]),
            Err(Error::Rows { found: 257, row: 258 })
        ));
        assert!(matches!(rows126_to_track(&[], 0.0, [1, 1]), Err(Error::FrameRate { .. })));
    }
}
