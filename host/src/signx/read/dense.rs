//! Pictures of 24 × 24 numbers a frame: depth (PrimeDepth) and labels of body parts (Sapiens), as `.npy`.

use std::path::Path;

use super::super::track::Track;
use super::{Found, Frames};
use crate::Error;
use crate::body::part::Part;
use crate::data::npy::Array;

/// Side of a picture, in pixels.
pub const SIDE: usize = 24;

/// Reads `[T, 24, 24]` or `[T, 576]`.
pub(super) fn read(path: &Path, track: Track) -> Result<Found, Error> {
    let wrong = |frame, why, next| Error::Track { path: path.to_owned(), track, frame, why, next };
    let array = Array::read(path)?;
    let frames = match *array.shape {
        [frames, SIDE, SIDE] => frames,
        [frames, width] if width == SIDE * SIDE => frames,
        _ => {
            let why = format!("its shape is {:?}, and [T, {SIDE}, {SIDE}] is wanted", array.shape);
            return Err(wrong(None, why, "bring each frame's picture to that size first"));
        }
    };
    if track == Track::Sapiens {
        let label = |v: f32| v.fract() == 0.0 && (0.0..Part::ALL.len() as f32).contains(&v);
        if let Some(at) = array.values.iter().position(|v| v.is_finite() && !label(*v)) {
            let why = format!("{} is no label from 0 to {}", array.values[at], Part::ALL.len() - 1);
            let next = "take the class of the highest score a pixel, of the 28-class network";
            return Err(wrong(Some(at / (SIDE * SIDE)), why, next));
        }
    }
    Ok(Found { frames: Frames { values: array.values, present: vec![true; frames] }, fps: None })
}
