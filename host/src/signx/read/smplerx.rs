//! SMPLer-X: the tool's own `.npz` of each frame (`00001_0.npz`, the number of the frame and of the person), or one
//! `.npz` of a clip with the same names and an axis of time in front.
//!
//! The tool stores each part by itself, as axis-angle in radians: `global_orient` 3, `body_pose` 63,
//! `left_hand_pose` and `right_hand_pose` 45 each, `jaw_pose`, `leye_pose` and `reye_pose` 3 each, beside shape,
//! expression and camera, which the track does not take. Here they stand in SMPL-X's order of joints.
//!
//! Hand poses of the tool count from the mean hand of the licensed model
//! ([`SmplX::hand_means`](crate::body::smplx::SmplX)), those of rendered signing from a flat hand.

use std::path::Path;

use super::super::track::Track;
use super::{Found, Frames, Gaps, by_frame};
use crate::Error;
use crate::data::npy::{Array, Npz};

/// SMPL-X's joints, three numbers each.
pub const JOINTS: usize = 55;

/// The arrays of a file in SMPL-X's order of joints, with the numbers that each takes a frame.
pub const CLIP_KEYS: [(&str, usize); 7] = [
    ("global_orient", 3),
    ("body_pose", 63),
    ("jaw_pose", 3),
    ("leye_pose", 3),
    ("reye_pose", 3),
    ("left_hand_pose", 45),
    ("right_hand_pose", 45),
];

/// Numbers of a hand by principal components, which SMPL-X's tools give by default.
const PRINCIPAL: usize = 6;

pub(super) fn read(path: &Path, gaps: Gaps) -> Result<Found, Error> {
    if !path.is_dir() {
        return clip(path);
    }
    let files = by_frame(path, Track::SmplerX, "npz", gaps)?;
    let mut frames = Frames { values: vec![], present: vec![] };
    for file in files {
        frames.present.push(file.is_some());
        match file {
            Some(file) => {
                let found = clip(&file)?.frames;
                if found.present.len() != 1 {
                    let why =
                        format!("it holds {} frames, and a file a frame holds one", found.present.len());
                    return Err(wrong(&file, why, "give the file itself, and not its folder"));
                }
                frames.values.extend(found.values);
            }
            None => frames.values.extend([0.0; JOINTS * 3]),
        }
    }
    Ok(Found { frames, fps: None })
}

/// A file of one frame or of many.
fn clip(path: &Path) -> Result<Found, Error> {
    let mut npz = Npz::open(path)?;
    let fps = npz.array("fps")?.and_then(|fps| fps.values.first().copied());
    let mut parts: Vec<(Array, usize)> = vec![];
    let mut length = 0;
    for (name, width) in CLIP_KEYS {
        let array = npz.one_of(&[name])?;
        let Some(frames) = array.frames(width) else {
            let hand = name.ends_with("hand_pose") && array.frames(PRINCIPAL).is_some();
            let next = if hand {
                "make it again without principal components of the hands (use_pca off)"
            } else {
                "make it again as rotations of SMPL-X's joints"
            };
            let why = format!("its {name} is {:?}, and {width} numbers a frame are wanted", array.shape);
            return Err(wrong(path, why, next));
        };
        if !parts.is_empty() && frames != length {
            let why = format!("its {name} has {frames} frames, and its {} has {length}", CLIP_KEYS[0].0);
            return Err(wrong(path, why, "make it again"));
        }
        length = frames;
        parts.push((array, width));
    }
    let mut values = Vec::with_capacity(length * JOINTS * 3);
    for t in 0..length {
        for (array, width) in &parts {
            values.extend(&array.values[t * width..(t + 1) * width]);
        }
    }
    Ok(Found { frames: Frames { values, present: vec![true; length] }, fps })
}

fn wrong(path: &Path, why: String, next: &'static str) -> Error {
    Error::Track { path: path.to_owned(), track: Track::SmplerX, frame: None, why, next }
}
