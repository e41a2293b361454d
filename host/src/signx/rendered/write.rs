//! Writes what was observed into a folder, in the formats that the readers read.

use std::path::Path;

use models::pose_file::write_track_file;

use super::super::read::{CLIP_KEYS, DENSE_SIDE};
use super::observe::Observed;
use crate::Error;
use crate::body::pose::BodyPose;
use crate::body::skeleton::joint;
use crate::data::npy::{Values, write_npy, write_npz};

/// The file of MediaPipe's landmarks.
pub(super) const MEDIAPIPE: &str = "mediapipe.pose";

/// Writes the tracks of an utterance, and its video as `video.npz` with `frames` `[T, side, side, 3]`, `fps`, and,
/// where every pixel has them, `depth` and `parts` `[T, side, side]`.
pub(super) fn folder(folder: &Path, observed: &Observed) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
    let frames = observed.smplerx.len();
    let fps = [observed.fps];
    smplerx(&folder.join("smplerx.npz"), observed, &fps)?;
    dwpose(&folder.join("dwpose.npz"), observed, &fps)?;
    write_track_file(folder.join(MEDIAPIPE), &observed.mediapipe)?;
    let shape = [frames, DENSE_SIDE, DENSE_SIDE];
    write_npy(&folder.join("primedepth.npy"), &shape, Values::F32(&observed.depth))?;
    write_npy(&folder.join("sapiens.npy"), &shape, Values::U8(&observed.parts))?;
    let side = observed.video_side;
    if side > 0 {
        let (shape, pixels) = ([frames, side, side, 3], [frames, side, side]);
        let mut arrays: Vec<(&str, &[usize], Values<'_>)> =
            vec![("frames", &shape, Values::U8(&observed.video)), ("fps", &[], Values::F32(&fps))];
        if let Some((depth, parts)) = &observed.pixels {
            arrays.push(("depth", &pixels, Values::F32(depth)));
            arrays.push(("parts", &pixels, Values::U8(parts)));
        }
        write_npz(&folder.join("video.npz"), &arrays)?;
    }
    Ok(())
}

/// The tool's own names, with an axis of time in front.
fn smplerx(path: &Path, observed: &Observed, fps: &[f32]) -> Result<(), Error> {
    let frames = observed.smplerx.len();
    // First joint of each part, in the order of the keys.
    let first =
        [joint::PELVIS, 1, joint::JAW, joint::EYES[0], joint::EYES[1], joint::HANDS[0], joint::HANDS[1]];
    let parts: Vec<Vec<f32>> = CLIP_KEYS
        .iter()
        .zip(first)
        .map(|((_, width), first)| {
            let of = |pose: &BodyPose| pose.rotations[first..first + width / 3].concat();
            observed.smplerx.iter().flat_map(of).collect()
        })
        .collect();
    let shapes = CLIP_KEYS.map(|(_, width)| [frames, width]);
    let places: Vec<f32> = observed.smplerx.iter().flat_map(|pose| pose.place).collect();
    let mut arrays: Vec<(&str, &[usize], Values<'_>)> = CLIP_KEYS
        .iter()
        .zip(&shapes)
        .zip(&parts)
        .map(|(((name, _), shape), values)| (*name, shape.as_slice(), Values::F32(values)))
        .collect();
    let shape = [frames, 3];
    arrays.push(("transl", &shape, Values::F32(&places)));
    arrays.push(("fps", &[], Values::F32(fps)));
    write_npz(path, &arrays)
}

fn dwpose(path: &Path, observed: &Observed, fps: &[f32]) -> Result<(), Error> {
    let frames = observed.dwpose.len();
    let parts = [("body", 0, 18), ("left_hand", 18, 21), ("right_hand", 39, 21), ("face", 60, 68)];
    let mut owned = vec![];
    for (name, first, points) in parts {
        let of = |frame: &[[f32; 3]; 128]| frame[first..first + points].to_vec();
        let all: Vec<[f32; 3]> = observed.dwpose.iter().flat_map(of).collect();
        let places: Vec<f32> = all.iter().flat_map(|p| [p[0], p[1]]).collect();
        owned.push((format!("{name}_keypoints"), vec![frames, points, 2], places));
        owned.push((format!("{name}_scores"), vec![frames, points], all.iter().map(|p| p[2]).collect()));
    }
    let mut arrays: Vec<(&str, &[usize], Values<'_>)> =
        owned.iter().map(|(name, shape, values)| (&**name, &**shape, Values::F32(values))).collect();
    arrays.push(("fps", &[], Values::F32(fps)));
    write_npz(path, &arrays)
}
