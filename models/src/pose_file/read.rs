//! Reading: the three forms of the body, after one header.

use std::sync::Arc;

use super::header::{Bytes, Header};
use super::{PoseFile, Version};
use crate::error::Error;
use crate::pose::{Pose, PoseTrack};

/// Memory that people who are absent from frames of version 0.0 may always take, in bytes.
///
/// A frame without people takes two bytes of such a file but a whole pose of
/// memory, so the file's length alone bounds little. A film of some minutes
/// in which nobody is seen fits.
const ABSENT: usize = 64 << 20;

/// Memory that they may take besides for each byte of the file.
const ABSENT_GROWTH: usize = 4;

/// Reads a `.pose` file of version 0.0, 0.1 or 0.2.
///
/// What is allocated is bounded by the bytes that are there, whatever the
/// counts in the file say.
///
/// # Errors
/// The bytes end too early, or state something that no pose has; each says at which byte.
pub fn read(bytes: &[u8]) -> Result<PoseFile, Error> {
    let mut bytes = Bytes::new(bytes);
    let header = Header::read(&mut bytes)?;
    let (fps, people) = match header.version {
        Version::V0_0 => frame_by_frame(&mut bytes, &header)?,
        Version::V0_1 => counted_by_length(&mut bytes, &header)?,
        Version::V0_2 => counted(&mut bytes, &header)?,
    };
    let Header { version, size, layout, .. } = header;
    Ok(PoseFile { layout: Arc::new(layout), size, version, fps, people })
}

/// The body of version 0.2.
fn counted(bytes: &mut Bytes, header: &Header) -> Result<(f32, Vec<Vec<Pose>>), Error> {
    let offset = bytes.at;
    let fps = rate(offset, bytes.f32("the frame rate")?)?;
    let frames = bytes.u32("the number of frames")?;
    let people = bytes.u16("the number of people")?;
    Ok((fps, blocks(bytes, header, frames as usize, people.into())?))
}

/// The body of version 0.1: the stored number of frames is only a lower bound.
fn counted_by_length(bytes: &mut Bytes, header: &Header) -> Result<(f32, Vec<Vec<Pose>>), Error> {
    let offset = bytes.at;
    let fps = rate(offset, bytes.u16("the frame rate")?.into())?;
    let stated = u128::from(bytes.u16("the number of frames")?);
    let people = usize::from(bytes.u16("the number of people")?);
    let each = people as u128 * header.layout.len() as u128 * (stored_dims(header) as u128 + 1) * 4;
    if each == 0 {
        return Ok((fps, Vec::new()));
    }
    let (left, frames) = (bytes.left() as u128, bytes.left() as u128 / each);
    if frames < stated || left % each > 0 {
        let needed = stated.max(left.div_ceil(each)) * each;
        return Err(Error::PoseTruncated {
            offset: bytes.at,
            what: "the frames",
            needed,
            left: bytes.left(),
        });
    }
    Ok((fps, blocks(bytes, header, frames as usize, people)?))
}

/// All coordinates `[T, people, K, C]`, then all confidences `[T, people, K]`.
fn blocks(bytes: &mut Bytes, header: &Header, frames: usize, people: usize) -> Result<Vec<Vec<Pose>>, Error> {
    let (landmarks, dims) = (header.layout.len(), stored_dims(header));
    let count = frames as u128 * people as u128 * landmarks as u128;
    // Both blocks are there before anything is allocated for them.
    let both = bytes.take(count * (dims as u128 + 1) * 4, "the frames")?;
    let (coordinates, confidences) = both.split_at(both.len() / (dims + 1) * dims);
    if both.is_empty() {
        return Ok(vec![Vec::new(); people]);
    }
    let coordinates: Vec<&[u8]> = coordinates.chunks_exact(landmarks * dims * 4).collect();
    let confidences: Vec<&[u8]> = confidences.chunks_exact(landmarks * 4).collect();
    let pose =
        |slot: usize| Pose { points: points(coordinates[slot], dims), confidence: values(confidences[slot]) };
    Ok((0..people).map(|p| (0..frames).map(|t| pose(t * people + p)).collect()).collect())
}

/// The body of version 0.0: people are numbered anew in each frame, and may be absent.
fn frame_by_frame(bytes: &mut Bytes, header: &Header) -> Result<(f32, Vec<Vec<Pose>>), Error> {
    let offset = bytes.at;
    let fps = rate(offset, bytes.u16("the frame rate")?.into())?;
    let frames = usize::from(bytes.u16("the number of frames")?);
    let mut absent = Absent::new(header.layout.len(), bytes);
    let mut people: Vec<Vec<Pose>> = vec![Vec::new()];
    for t in 0..frames {
        let present = usize::from(bytes.u16("the number of people in a frame")?);
        for p in 0..present {
            bytes.u16("a person's number")?;
            let pose = person(bytes, header)?;
            if p == people.len() {
                people.push(Vec::new());
            }
            absent.fill(&mut people[p], t, bytes.at)?;
            people[p].push(pose);
        }
    }
    for person in &mut people {
        absent.fill(person, frames, bytes.at)?;
    }
    Ok((fps, people))
}

/// Makes the poses of people who are absent, within bounds.
struct Absent {
    landmarks: usize,
    /// How many more poses may be made.
    left: usize,
}

impl Absent {
    fn new(landmarks: usize, bytes: &Bytes) -> Self {
        let each = size_of::<Pose>() + landmarks * 16;
        Self { landmarks, left: (ABSENT + bytes.left().saturating_mul(ABSENT_GROWTH)) / each }
    }

    /// Lengthens a person's poses to `frames` with unseen ones.
    fn fill(&mut self, person: &mut Vec<Pose>, frames: usize, offset: usize) -> Result<(), Error> {
        let missing = frames - person.len();
        let Some(left) = self.left.checked_sub(missing) else {
            let (what, expected) = ("the number of frames without a person", "people in most frames");
            return Err(Error::PoseHeader { offset, what, found: missing.to_string(), expected });
        };
        self.left = left;
        person.resize_with(frames, || Pose::unseen(self.landmarks));
        Ok(())
    }
}

/// One person in one frame of version 0.0: each landmark's coordinates and confidence together.
fn person(bytes: &mut Bytes, header: &Header) -> Result<Pose, Error> {
    let components = || header.layout.components.iter().zip(&header.dims);
    let size: usize = components().map(|(c, dims)| c.points.len() * (dims + 1) * 4).sum();
    let mut rest = bytes.take(size as u128, "a person's landmarks")?;
    let mut pose = Pose {
        points: Vec::with_capacity(header.layout.len()),
        confidence: Vec::with_capacity(header.layout.len()),
    };
    for (component, &dims) in components() {
        let (block, after) = rest.split_at(component.points.len() * (dims + 1) * 4);
        for landmark in block.chunks_exact((dims + 1) * 4) {
            let (point, confidence) = landmark.split_at(dims * 4);
            pose.points.push(xyz(point));
            pose.confidence.push(value(confidence));
        }
        rest = after;
    }
    Ok(pose)
}

/// Coordinates that versions 0.1 and 0.2 store for every landmark: those of the richest component.
fn stored_dims(header: &Header) -> usize {
    header.dims.iter().copied().max().expect("a header without components is refused")
}

fn rate(offset: usize, fps: f32) -> Result<f32, Error> {
    if PoseTrack::FPS.contains(&fps) {
        return Ok(fps);
    }
    let expected = "0.01 to 1000 frames a second";
    Err(Error::PoseHeader { offset, what: "the frame rate", found: fps.to_string(), expected })
}

fn points(bytes: &[u8], dims: usize) -> Vec<[f32; 3]> {
    match dims {
        2 => bytes.chunks_exact(8).map(|b| [value(&b[..4]), value(&b[4..]), 0.0]).collect(),
        3 => bytes.chunks_exact(12).map(|b| [value(&b[..4]), value(&b[4..8]), value(&b[8..])]).collect(),
        _ => bytes.chunks_exact(dims * 4).map(xyz).collect(),
    }
}

fn xyz(bytes: &[u8]) -> [f32; 3] {
    let mut point = [0.0; 3];
    for (v, b) in point.iter_mut().zip(bytes.chunks_exact(4)) {
        *v = value(b);
    }
    point
}

fn values(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(value).collect()
}

fn value(b: &[u8]) -> f32 {
    f32::from_le_bytes([b[0], b[1], b[2], b[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of version 0.2 with one component of two flat landmarks, seen in one frame.
    fn file() -> Vec<u8> {
        let mut bytes = Vec::from(0.2f32.to_le_bytes());
        let shorts = |values: &[u16]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        bytes.extend(shorts(&[640, 480, 0, 1]));
        bytes.extend(b"\x04\0HAND\x03\0XYC");
        bytes.extend(shorts(&[2, 2, 1]));
        bytes.extend(b"\x05\0WRIST\x03\0TIP");
        bytes.extend(shorts(&[0, 1, 1, 7, 255, 128, 0]));
        bytes.extend(25f32.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(shorts(&[1]));
        bytes.extend([1f32, 2.0, 3.0, 4.0, 0.5, 0.0].map(f32::to_le_bytes).as_flattened());
        bytes
    }

    #[test]
    fn values_stand_where_the_format_says() {
        let read = read(&file()).unwrap();
        assert_eq!((read.version, read.size, read.fps), (Version::V0_2, [640, 480, 0], 25.0));
        let hand = &read.layout.components[0];
        assert_eq!((hand.name.as_str(), hand.format.as_str()), ("HAND", "XYC"));
        assert_eq!(hand.points, ["WRIST", "TIP"]);
        assert_eq!(hand.colors, [[255, 128, 0]]);
        assert_eq!(hand.limbs, [(0, 1)], "the limb to landmark 7, which is not there, is left out");
        let expect = Pose { points: vec![[1.0, 2.0, 0.0], [3.0, 4.0, 0.0]], confidence: vec![0.5, 0.0] };
        assert_eq!(read.people, [[expect]]);
    }

    /// Overwrites bytes, and says what is wrong then.
    #[track_caller]
    fn check(offset: usize, bytes: &[u8], expect: &str) {
        let mut file = file();
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
        let error = read(&file).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        check(
            0,
            &0.3f32.to_le_bytes(),
            "not a .pose file of version 0.0, 0.1 or 0.2 (its version reads 0.3)",
        );
        check(0, b"RIFF", "check that this is the right file");
        check(10, &[9, 0], "the components should take 90 bytes");
        check(12, &[255, 255], "a component's name should take 65535 bytes");
        check(14, &[0xff; 4], "at byte 14 of the .pose file, a component's name is not UTF-8");
        check(
            18,
            &[2, 0],
            "a component's format is \"XY\"; expected at least two coordinates and the confidence",
        );
        check(55, &0f32.to_le_bytes(), "the frame rate is 0; expected 0.01 to 1000 frames a second");
        check(59, &[0xff; 4], "at byte 65, the frames should take 103079215080 bytes and 24 are left");
    }
}
