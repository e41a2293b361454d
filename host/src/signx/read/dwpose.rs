//! DWPose: `.npz` of a clip, or `.json` of a frame or a clip.
//!
//! - `.npz`: `body_keypoints` `[T, 18, 2]`, `left_hand_keypoints` and `right_hand_keypoints` `[T, 21, 2]`,
//!   `face_keypoints` `[T, 68, 2]`, each with `…_scores` `[T, n]`; x and y in units of the picture.
//! - `.json` of a frame: the detector's own `bodies`, `hands` (left first), `faces` with `body_scores`,
//!   `hands_scores`, `faces_scores`; or OpenPose's `people` with `pose_keypoints_2d`, `hand_left_keypoints_2d`,
//!   `hand_right_keypoints_2d` and `face_keypoints_2d` as x, y, confidence, in pixels of `canvas_width` and
//!   `canvas_height`. A list of such objects is a clip. Of several people the first is taken.
//!
//! DWPose's own code gives a body landmark that was found its number instead of its score, and one that was not
//! −1; such numbers become 1 and 0. Scores are kept within 0 to 1: the network lets some pass.

use std::path::Path;

use serde_json::Value;

use super::super::track::Track;
use super::{Found, Frames, Gaps, MAX_FRAMES, by_frame, read_text};
use crate::Error;
use crate::data::npy::Npz;

/// Points of body, left hand, right hand and face, in the order of the track.
const PARTS: [(&str, usize); 4] = [("body", 18), ("left_hand", 21), ("right_hand", 21), ("face", 68)];
/// Numbers of a frame.
const WIDTH: usize = Track::DwPose.width();
/// A coordinate in units of the picture is never larger: points beyond its edge are guessed near it.
const MOST_PICTURES: f32 = 4.0;

pub(super) fn read(path: &Path, gaps: Gaps) -> Result<Found, Error> {
    if path.is_dir() {
        let mut values = vec![];
        for file in by_frame(path, Track::DwPose, "json", gaps)? {
            let row = match file {
                Some(file) => {
                    let rows = dwpose_json(&read_text(&file)?, &file)?;
                    if rows.len() != WIDTH {
                        let why =
                            format!("it holds {} frames, and a file a frame holds one", rows.len() / WIDTH);
                        return Err(wrong(&file, None, why, "give the file itself, and not its folder"));
                    }
                    rows
                }
                None => vec![0.0; WIDTH],
            };
            values.extend(row);
        }
        return Ok(Found { frames: with_presence(values), fps: None });
    }
    if path.extension().is_some_and(|e| e == "json") {
        let values = dwpose_json(&read_text(path)?, path)?;
        return Ok(Found { frames: with_presence(values), fps: None });
    }
    archive(path)
}

/// The rows `[T, 384]` of a `.json` of one frame or of a list of frames; `path` is what errors call it.
///
/// # Errors
/// [`Error::Track`] where it is none.
pub fn dwpose_json(text: &str, path: &Path) -> Result<Vec<f32>, Error> {
    let value: Value = serde_json::from_str(text).map_err(|e| {
        wrong(path, None, format!("it is no JSON ({e})"), "copy the file again from its source")
    })?;
    let frames = match &value {
        Value::Array(frames) => frames.as_slice(),
        frame => std::slice::from_ref(frame),
    };
    if frames.len() > MAX_FRAMES {
        let why = format!("it has {} frames, more than the {MAX_FRAMES} of an utterance", frames.len());
        return Err(wrong(path, None, why, "cut it into utterances"));
    }
    let mut rows = Vec::with_capacity(frames.len() * WIDTH);
    for (t, frame) in frames.iter().enumerate() {
        let row = if frame.get("people").is_some() { openpose(frame) } else { detector(frame) };
        let next = "write bodies, hands and faces with their scores, or OpenPose's people";
        let mut row = row.map_err(|why| wrong(path, Some(t), why, next))?;
        tidy(&mut row);
        rows.extend(row);
    }
    Ok(rows)
}

fn archive(path: &Path) -> Result<Found, Error> {
    let mut npz = Npz::open(path)?;
    let fps = npz.array("fps")?.and_then(|fps| fps.values.first().copied());
    let mut parts = vec![];
    let mut length = None;
    for (name, points) in PARTS {
        let keypoints = npz.one_of(&[&format!("{name}_keypoints")])?;
        let scores = npz.one_of(&[&format!("{name}_scores")])?;
        for (array, what, width) in [(&keypoints, "keypoints", points * 2), (&scores, "scores", points)] {
            let Some(frames) = array.frames(width) else {
                let why =
                    format!("its {name}_{what} is {:?}, and {width} numbers a frame are wanted", array.shape);
                return Err(wrong(
                    path,
                    None,
                    why,
                    "make it again with the 128 points of body, hands and face",
                ));
            };
            if *length.get_or_insert(frames) != frames {
                let why = format!("its {name}_{what} has {frames} frames, and others have another number");
                return Err(wrong(path, None, why, "make it again"));
            }
        }
        parts.push((keypoints.values, scores.values, points));
    }
    let length = length.unwrap_or(0);
    let mut values = Vec::with_capacity(length * WIDTH);
    for t in 0..length {
        let mut row = Vec::with_capacity(WIDTH);
        for (keypoints, scores, points) in &parts {
            for k in t * points..(t + 1) * points {
                row.extend([keypoints[2 * k], keypoints[2 * k + 1], scores[k]]);
            }
        }
        tidy(&mut row);
        values.extend(row);
    }
    Ok(Found { frames: with_presence(values), fps })
}

/// Numbers of body landmarks become scores, scores come within 0 to 1, and points without a score are zeros.
fn tidy(row: &mut [f32]) {
    let body = PARTS[0].1;
    let numbered = row.chunks(3).take(body).enumerate().all(|(k, p)| p[2] == -1.0 || p[2] == k as f32);
    if numbered {
        row.chunks_mut(3).take(body).for_each(|p| p[2] = f32::from(u8::from(p[2] >= 0.0)));
    }
    for point in row.chunks_mut(3) {
        // A value that is no number stays, and is an error of its frame.
        if point.iter().all(|v| v.is_finite()) {
            point[2] = point[2].clamp(0.0, 1.0);
            if point[2] == 0.0 {
                point.fill(0.0);
            }
        }
    }
}

/// The detector's own form.
fn detector(frame: &Value) -> Result<Vec<f32>, String> {
    let numbers = |name: &str| -> Result<Vec<f32>, String> {
        let value = frame.get(name).ok_or_else(|| format!("it has no {name}"))?;
        let mut found = vec![];
        flatten(value, &mut found).map_err(|()| format!("its {name} is no list of numbers"))?;
        Ok(found)
    };
    let mut row = Vec::with_capacity(WIDTH);
    for (points_of, scores_of, points) in
        [("bodies", "body_scores", 18), ("hands", "hands_scores", 42), ("faces", "faces_scores", 68)]
    {
        let (keypoints, scores) = (numbers(points_of)?, numbers(scores_of)?);
        if keypoints.is_empty() && scores.is_empty() {
            row.extend(std::iter::repeat_n(0.0, points * 3));
            continue;
        }
        // Of several people the first.
        if keypoints.len() < points * 2 || scores.len() < points || keypoints.len() != 2 * scores.len() {
            return Err(format!(
                "its {points_of} has {} numbers and its {scores_of} {}, and {} and {points} are wanted",
                keypoints.len(),
                scores.len(),
                2 * points
            ));
        }
        for k in 0..points {
            row.extend([keypoints[2 * k], keypoints[2 * k + 1], scores[k]]);
        }
    }
    Ok(row)
}

/// OpenPose's form.
fn openpose(frame: &Value) -> Result<Vec<f32>, String> {
    let people = frame.get("people").and_then(Value::as_array).ok_or("its people is no list")?;
    let Some(person) = people.first() else { return Ok(vec![0.0; WIDTH]) };
    let side = |name: &str| frame.get(name).and_then(Value::as_f64).filter(|v| *v > 0.0).map(|v| v as f32);
    let size = [side("canvas_width"), side("canvas_height")];
    let mut row = Vec::with_capacity(WIDTH);
    for (name, points) in [
        ("pose_keypoints_2d", 18),
        ("hand_left_keypoints_2d", 21),
        ("hand_right_keypoints_2d", 21),
        ("face_keypoints_2d", 68),
    ] {
        let mut found = vec![];
        match person.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => {
                flatten(value, &mut found).map_err(|()| format!("its {name} is no list of numbers"))?
            }
        }
        if found.is_empty() {
            found = vec![0.0; points * 3];
        }
        // Some writers add both pupils to the face.
        if found.len() == 70 * 3 && points == 68 {
            found.truncate(68 * 3);
        }
        if found.len() != points * 3 {
            return Err(format!("its {name} has {} numbers, and {} are wanted", found.len(), points * 3));
        }
        row.extend(found);
    }
    match size {
        [Some(width), Some(height)] => {
            for point in row.chunks_mut(3) {
                (point[0], point[1]) = (point[0] / width, point[1] / height);
            }
            Ok(row)
        }
        _ if row.chunks(3).any(|p| p[0].abs().max(p[1].abs()) > MOST_PICTURES) => {
            Err("its points are in pixels, and canvas_width and canvas_height are not there".into())
        }
        _ => Ok(row),
    }
}

/// All numbers of nested lists, in order; a null is a point that was not found.
fn flatten(value: &Value, found: &mut Vec<f32>) -> Result<(), ()> {
    match value {
        Value::Array(values) => values.iter().try_for_each(|value| flatten(value, found)),
        Value::Number(number) => {
            found.push(number.as_f64().ok_or(())? as f32);
            Ok(())
        }
        Value::Null => {
            found.push(0.0);
            Ok(())
        }
        _ => Err(()),
    }
}

/// A frame without any score shows nobody.
fn with_presence(values: Vec<f32>) -> Frames {
    let present = values.chunks_exact(WIDTH).map(|row| row.chunks(3).any(|p| p[2] != 0.0)).collect();
    Frames { values, present }
}

fn wrong(path: &Path, frame: Option<usize>, why: String, next: &'static str) -> Error {
    Error::Track { path: path.to_owned(), track: Track::DwPose, frame, why, next }
}
