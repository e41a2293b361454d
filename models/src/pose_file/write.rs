//! Writing of version 0.2, byte for byte as pose-format writes it.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::PoseFile;
use crate::error::Error;
use crate::pose::{Layout, Pose, PoseTrack};

/// The version that is written.
const VERSION: f32 = 0.2;

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
/// The bytes go to a file beside it first, so that a full disk or a pulled
/// plug leaves what stood at the path before.
///
/// # Errors
/// As [`write_track`].
pub fn write_track_file(path: impl AsRef<Path>, track: &PoseTrack) -> Result<(), Error> {
    let path = path.as_ref();
    let beside = beside(path);
    let written = write_whole(&beside, track)
        .and_then(|()| fs::rename(&beside, path).map_err(Error::io("write", path)))
        .map_err(|error| match error {
            // The file beside is nobody's concern.
            Error::Io { error, .. } => Error::io("write", path)(error),
            other => other.within(path),
        });
    if written.is_err() {
        // It may not be there; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_whole(path: &Path, track: &PoseTrack) -> Result<(), Error> {
    let io = || Error::io("write", path);
    let file = File::create(path).map_err(io())?;
    let mut out = BufWriter::new(&file);
    write_track(track, &mut out)?;
    out.flush().map_err(io())?;
    drop(out);
    file.sync_all().map_err(io())
}

/// A name in the same folder that no other program of this kind uses now.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

fn write(
    layout: &Layout,
    size: [u32; 3],
    fps: f32,
    people: &[&[Pose]],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let dims = dims(layout)?;
    let frames = people.first().map_or(0, |p| p.len());
    check_shape(layout, people, frames)?;
    let mut send =
        |bytes: &[u8]| out.write_all(bytes).map_err(Error::io("write", Path::new("the .pose file")));

    let mut head = header(layout, size)?;
    head.extend(fps.to_le_bytes());
    let too_many =
        |what, found: usize, expected| Error::PoseUnwritable { what, found: found.to_string(), expected };
    let count = u32::try_from(frames)
        .map_err(|_| too_many("the number of frames", frames, "4294967295 fit: cut the track into parts"))?;
    head.extend(count.to_le_bytes());
    head.extend(short("the number of people", people.len())?);
    send(&head)?;

    let mut block = Vec::with_capacity(people.len() * layout.len() * 12);
    for t in 0..frames {
        block.clear();
        for point in people.iter().flat_map(|p| &p[t].points) {
            point[..dims].iter().for_each(|v| block.extend(v.to_le_bytes()));
        }
        send(&block)?;
    }
    for t in 0..frames {
        block.clear();
        people.iter().flat_map(|p| &p[t].confidence).for_each(|v| block.extend(v.to_le_bytes()));
        send(&block)?;
    }
    Ok(())
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

/// Coordinates to store for each landmark: those of the richest component.
fn dims(layout: &Layout) -> Result<usize, Error> {
    let letters = layout.components.iter().map(|c| c.format.chars().count()).max().unwrap_or(0);
    match letters {
        3 | 4 => Ok(letters - 1),
        _ => Err(Error::PoseUnwritable {
            what: "the number of values of a landmark",
            found: letters.to_string(),
            expected: "3 (XYC) or 4 (XYZC) are known: set the components' format",
        }),
    }
}

fn check_shape(layout: &Layout, people: &[&[Pose]], frames: usize) -> Result<(), Error> {
    let landmarks = layout.len();
    let fits = |pose: &Pose| pose.points.len() == landmarks && pose.confidence.len() == landmarks;
    let shape =
        |what, found: usize, expected| Error::PoseUnwritable { what, found: found.to_string(), expected };
    for (p, person) in people.iter().enumerate() {
        if person.len() != frames {
            return Err(shape("a person of another length, number", p, "all people need as many frames"));
        }
        if let Some(t) = person.iter().position(|pose| !fits(pose)) {
            return Err(shape(
                "a frame that does not fit its layout, number",
                t,
                "each needs one point and one confidence a landmark",
            ));
        }
    }
    Ok(())
}
