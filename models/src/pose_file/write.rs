//! Writing of version 0.2, byte for byte as pose-format writes it.

use std::io::Write;
use std::path::Path;

use super::{PoseFile, TrackWriter};
use crate::error::Error;
use crate::pose::{Layout, Pose, PoseTrack};

/// The version that is written.
const VERSION: f32 = 0.2;
/// The number of frames and that of people end the head.
pub(super) const COUNT_BEFORE_END: u64 = 6;

impl PoseFile {
    /// Writes all people, as version 0.2 whatever version they were read from.
    ///
    /// # Errors
    /// A count or a name does not fit the format, people differ in length, or the system refuses.
    pub fn write(&self, mut out: impl Write) -> Result<(), Error> {
        let people: Vec<&[Pose]> = self.people.iter().map(Vec::as_slice).collect();
        write(&self.layout, self.size, self.fps, &people, &mut out)
    }
}

/// Writes one signer's track, as version 0.2.
///
/// # Errors
/// A count or a name does not fit the format, a frame does not fit the layout, or the system refuses.
pub fn write_track(track: &PoseTrack, mut out: impl Write) -> Result<(), Error> {
    write(&track.layout, track.size, track.fps, &[&track.frames], &mut out)
}

/// Writes one signer's track to a path, whole or not at all.
///
/// # Errors
/// As [`write_track`].
pub fn write_track_file(path: impl AsRef<Path>, track: &PoseTrack) -> Result<(), Error> {
    let path = path.as_ref();
    let write = || {
        let mut writer = TrackWriter::create(path, &track.layout, track.fps, track.size)?;
        track.frames.iter().try_for_each(|pose| writer.push(pose))?;
        writer.finish()
    };
    write().map_err(|error| match error {
        Error::Io { .. } => error,
        other => other.within(path),
    })
}

fn write(
    layout: &Layout,
    size: [u32; 3],
    fps: f32,
    people: &[&[Pose]],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let encoder = Encoder::new(layout)?;
    let frames = people.first().map_or(0, |p| p.len());
    for (p, person) in people.iter().enumerate() {
        if person.len() != frames {
            return Err(shape("a person of another length, number", p, "all people need as many frames"));
        }
        person.iter().enumerate().try_for_each(|(t, pose)| encoder.check(t, pose))?;
    }
    let mut send =
        |bytes: &[u8]| out.write_all(bytes).map_err(Error::io("write", Path::new("the .pose file")));
    send(&head(layout, size, fps, Encoder::count(frames)?, people.len())?)?;

    let mut block = Vec::with_capacity(people.len() * layout.len() * 12);
    for t in 0..frames {
        block.clear();
        people.iter().for_each(|p| encoder.points(&mut block, &p[t]));
        send(&block)?;
    }
    for t in 0..frames {
        block.clear();
        people.iter().for_each(|p| encoder.confidences(&mut block, &p[t]));
        send(&block)?;
    }
    Ok(())
}

/// Turns poses of one layout into bytes.
pub(super) struct Encoder {
    landmarks: usize,
    /// Coordinates to store for each landmark: those of the richest component.
    dims: usize,
}

impl Encoder {
    pub(super) fn new(layout: &Layout) -> Result<Self, Error> {
        let letters = layout.components.iter().map(|c| c.format.chars().count()).max().unwrap_or(0);
        match letters {
            3 | 4 => Ok(Self { landmarks: layout.len(), dims: letters - 1 }),
            _ => Err(Error::PoseUnwritable {
                what: "the number of values of a landmark",
                found: letters.to_string(),
                expected: "3 (XYC) or 4 (XYZC) are known: set the components' format",
            }),
        }
    }

    /// The number of frames as the format holds it.
    pub(super) fn count(frames: usize) -> Result<u32, Error> {
        u32::try_from(frames)
            .map_err(|_| shape("the number of frames", frames, "4294967295 fit: cut the track into parts"))
    }

    /// Whether the pose of frame `t` fits the layout.
    pub(super) fn check(&self, t: usize, pose: &Pose) -> Result<(), Error> {
        if [pose.points.len(), pose.confidence.len()] == [self.landmarks; 2] {
            return Ok(());
        }
        let expected = "each needs one point and one confidence a landmark";
        Err(shape("a frame that does not fit its layout, number", t, expected))
    }

    /// Adds the coordinates of a pose.
    pub(super) fn points(&self, block: &mut Vec<u8>, pose: &Pose) {
        let values = pose.points.iter().flat_map(|point| &point[..self.dims]);
        values.for_each(|v| block.extend(v.to_le_bytes()));
    }

    /// Adds the confidences of a pose.
    pub(super) fn confidences(&self, block: &mut Vec<u8>, pose: &Pose) {
        pose.confidence.iter().for_each(|v| block.extend(v.to_le_bytes()));
    }
}

/// All that stands before the frames.
pub(super) fn head(
    layout: &Layout,
    size: [u32; 3],
    fps: f32,
    frames: u32,
    people: usize,
) -> Result<Vec<u8>, Error> {
    let mut head = header(layout, size)?;
    head.extend(fps.to_le_bytes());
    head.extend(frames.to_le_bytes());
    head.extend(short("the number of people", people)?);
    Ok(head)
}

fn header(layout: &Layout, size: [u32; 3]) -> Result<Vec<u8>, Error> {
    let mut bytes = VERSION.to_le_bytes().to_vec();
    for (side, what) in size.into_iter().zip(["the width", "the height", "the depth"]) {
        bytes.extend(short(what, side as usize)?);
    }
    bytes.extend(short("the number of components", layout.components.len())?);
    for c in &layout.components {
        text(&mut bytes, &c.name)?;
        text(&mut bytes, &c.format)?;
        bytes.extend(short("the number of landmarks of a component", c.points.len())?);
        bytes.extend(short("the number of limbs", c.limbs.len())?);
        bytes.extend(short("the number of colours", c.colors.len())?);
        for name in &c.points {
            text(&mut bytes, name)?;
        }
        let limbs = c.limbs.iter().flat_map(|&(a, b)| [a, b]);
        bytes.extend(limbs.chain(c.colors.iter().copied().flatten()).flat_map(u16::to_le_bytes));
    }
    Ok(bytes)
}

fn text(bytes: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    bytes.extend(short("the length of a name", text.len())?);
    bytes.extend(text.as_bytes());
    Ok(())
}

fn short(what: &'static str, found: usize) -> Result<[u8; 2], Error> {
    let expected = "at most 65535 fits the format: make it smaller";
    let small = u16::try_from(found);
    small.map(u16::to_le_bytes).map_err(|_| Error::PoseUnwritable {
        what,
        found: found.to_string(),
        expected,
    })
}

fn shape(what: &'static str, found: usize, expected: &'static str) -> Error {
    Error::PoseUnwritable { what, found: found.to_string(), expected }
}
