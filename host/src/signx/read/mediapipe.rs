//! MediaPipe Holistic: a `.pose` file of any layout that shows body or hands, or rows of 258 numbers as `.npy`.

use std::path::Path;

use models::pose::rows::{ROW_258, track_to_rows258};
use models::pose_file::read_track;

use super::super::track::Track;
use super::{Found, Frames, MAX_FRAMES};
use crate::Error;
use crate::data::npy::Array;

pub(super) fn read(path: &Path) -> Result<Found, Error> {
    let wrong =
        |why, next| Error::Track { path: path.to_owned(), track: Track::MediaPipe, frame: None, why, next };
    if path.extension().is_some_and(|e| e == "pose") {
        let track = read_track(path)?;
        if track.frames.len() > MAX_FRAMES {
            let why =
                format!("it has {} frames, more than the {MAX_FRAMES} of an utterance", track.frames.len());
            return Err(wrong(why, "cut it into utterances"));
        }
        let fps = Some(track.fps);
        return Ok(Found { frames: with_presence(track_to_rows258(&track.with_z_in_pixels())), fps });
    }
    let array = Array::read(path)?;
    match *array.shape {
        [_, ROW_258] => Ok(Found { frames: with_presence(array.values), fps: None }),
        _ => {
            let why = format!("its shape is {:?}, and [T, {ROW_258}] is wanted", array.shape);
            Err(wrong(why, "store body (33 × 4), left hand and right hand (21 × 3 each) of each frame"))
        }
    }
}

/// A row of zeros says that nobody was found.
fn with_presence(values: Vec<f32>) -> Frames {
    let present = values.chunks_exact(ROW_258).map(|row| row.iter().any(|&v| v != 0.0)).collect();
    Frames { values, present }
}
