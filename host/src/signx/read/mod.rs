//! Reads what pose estimators wrote about one utterance into tracks of one length and one rate.
//!
//! Any track may be absent. A frame in which an estimator found nobody is not present: a row of zeros, scores of
//! zero, or, where [`Gaps::Absent`] says so, a frame of which there is no file. All else that does not fit together
//! is an error which names file, track and frame.
//!
//! In a folder the tracks have these names, whichever stand there:
//!
//! | track | file | what it is |
//! |---|---|---|
//! | SMPLer-X | `smplerx.npz`, or a folder `smplerx` or `smplx` | one file a clip, or the tool's own one file a frame |
//! | DWPose | `dwpose.npz`, `dwpose.json`, or a folder `dwpose` | points and scores; a folder has one `.json` a frame |
//! | MediaPipe | `mediapipe.pose`, `mediapipe.npy` | landmarks of body and hands |
//! | PrimeDepth | `primedepth.npy` | `[T, 24, 24]` or `[T, 576]` |
//! | Sapiens | `sapiens.npy` | as many labels from 0 to 27 |

mod dense;
mod dwpose;
mod mediapipe;
mod smplerx;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use models::pose::PoseTrack;

use super::track::{FRAME, Track};
use crate::Error;

pub use dense::SIDE as DENSE_SIDE;
pub use dwpose::dwpose_json;
pub use smplerx::{CLIP_KEYS, JOINTS};

/// The most frames of an utterance: ten minutes at 60 a second.
pub const MAX_FRAMES: usize = 36_000;
/// The longest file of points as text, in bytes.
const MAX_TEXT: u64 = 256 << 20;
/// Two rates are the same within this share: files round them.
const SAME_RATE: f32 = 1e-3;

/// What a folder of one file a frame means where a number is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gaps {
    /// A frame was lost, which is an error.
    #[default]
    Refuse,
    /// The estimator found nobody there, as SMPLer-X leaves such frames out.
    Absent,
}

/// Where the tracks of one utterance are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sources {
    /// A file or folder for each of [`Track::ALL`].
    pub paths: [Option<PathBuf>; 5],
    /// Frames a second, where no file says it.
    pub fps: Option<f32>,
    /// What numbers that are left out mean.
    pub gaps: Gaps,
}

/// One track of an utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Frames {
    /// `[T, width]`, row by row; frames that are not present are zeros.
    pub values: Vec<f32>,
    /// `[T]`: whether the estimator found somebody.
    pub present: Vec<bool>,
}

/// The tracks of one utterance, of one length and one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Utterance {
    /// Frames a second.
    pub fps: f32,
    /// How many frames each track has.
    pub frames: usize,
    tracks: [Option<Frames>; 5],
}

/// What a reader gives: the frames, and the rate where the file says it.
struct Found {
    frames: Frames,
    fps: Option<f32>,
}

impl Sources {
    /// The tracks that stand in a folder under the names above.
    pub fn in_folder(folder: &Path) -> Self {
        let paths = Track::ALL.map(|track| {
            let names: &[&str] = match track {
                Track::SmplerX => &["smplerx.npz", "smplerx", "smplx"],
                Track::DwPose => &["dwpose.npz", "dwpose.json", "dwpose"],
                Track::MediaPipe => &["mediapipe.pose", "mediapipe.npy"],
                Track::PrimeDepth => &["primedepth.npy"],
                Track::Sapiens => &["sapiens.npy"],
            };
            names.iter().map(|name| folder.join(name)).find(|path| path.exists())
        });
        Self { paths, ..Self::default() }
    }

    /// The tracks of an utterance that a corpus lists: its poses as MediaPipe's landmarks, and what else stands in
    /// the poses' folder under the names above.
    pub fn of(corpus: &Path, utterance: &models::utterance::Utterance) -> Self {
        let Some(pose) = &utterance.pose else { return Self::default() };
        let pose = corpus.join(pose);
        let mut sources = pose.parent().map_or_else(Self::default, Self::in_folder);
        sources.paths[Track::MediaPipe as usize] = Some(pose);
        sources
    }

    /// Reads all of them.
    ///
    /// # Errors
    /// [`Error::Track`] with file, track and frame where a width, a value, a length or a rate does not fit;
    /// [`Error::Array`] and others where a file cannot be read; [`Error::NoClips`] where there is no track at all.
    pub fn read(&self) -> Result<Utterance, Error> {
        let mut all = vec![];
        for (track, path) in Track::ALL.into_iter().zip(&self.paths) {
            let Some(path) = path else { continue };
            let found = match track {
                Track::SmplerX => smplerx::read(path, self.gaps)?,
                Track::DwPose => dwpose::read(path, self.gaps)?,
                Track::MediaPipe => mediapipe::read(path)?,
                Track::PrimeDepth | Track::Sapiens => dense::read(path, track)?,
            };
            check(&found.frames, path, track)?;
            all.push((track, path, found));
        }
        let Some((first, first_path, found)) = all.first() else {
            let next = "name at least one track, such as mediapipe.pose".into();
            return Err(Error::NoClips { what: "the tracks of an utterance".into(), next });
        };
        let wrong = |track, path: &Path, why, next| Error::Track {
            path: path.to_owned(),
            track,
            frame: None,
            why,
            next,
        };
        let (frames, mut rate) = (found.frames.present.len(), self.fps);
        for (track, path, found) in &all {
            let length = found.frames.present.len();
            if length != frames {
                let why = format!("it has {length} frames, and {} has {frames}", first_path.display());
                return Err(wrong(
                    *track,
                    path,
                    why,
                    "make both tracks of the same frames of the same video",
                ));
            }
            match (found.fps, rate) {
                (Some(fps), Some(other)) if (fps / other - 1.0).abs() > SAME_RATE => {
                    let why = format!(
                        "it has {fps} frames a second, and other tracks, or whoever reads it, say {other}"
                    );
                    return Err(wrong(
                        *track,
                        path,
                        why,
                        "bring the video to one rate, and make all tracks of that",
                    ));
                }
                (fps, other) => rate = fps.or(other),
            }
        }
        let Some(fps) = rate.filter(|fps| PoseTrack::FPS.contains(fps)) else {
            let why = "no track says how many frames there are a second".to_owned();
            return Err(wrong(*first, first_path, why, "give the rate of the video"));
        };
        let mut tracks: [Option<Frames>; 5] = Default::default();
        for (track, _, found) in all {
            tracks[track as usize] = Some(found.frames);
        }
        Ok(Utterance { fps, frames, tracks })
    }
}

impl Utterance {
    /// One track, where it is there.
    pub fn track(&self, track: Track) -> Option<&Frames> {
        self.tracks[track as usize].as_ref()
    }

    /// `[T, 1959]`: all tracks side by side, zeros where one is absent or not present.
    pub fn rows(&self) -> Vec<f32> {
        let mut rows = vec![0.0; self.frames * FRAME];
        for track in Track::ALL {
            let Some(frames) = self.track(track) else { continue };
            for (row, values) in rows.chunks_exact_mut(FRAME).zip(frames.values.chunks_exact(track.width())) {
                row[track.columns()].copy_from_slice(values);
            }
        }
        rows
    }

    /// `[T, 5]`: which track says something about which frame.
    pub fn presence(&self) -> Vec<[bool; 5]> {
        let at = |t: usize| Track::ALL.map(|track| self.track(track).is_some_and(|f| f.present[t]));
        (0..self.frames).map(at).collect()
    }
}

/// Whether a track is as long as it says, not empty, and of numbers only.
fn check(frames: &Frames, path: &Path, track: Track) -> Result<(), Error> {
    let wrong = |frame, why: String, next| Error::Track { path: path.to_owned(), track, frame, why, next };
    let length = frames.present.len();
    debug_assert_eq!(frames.values.len(), length * track.width());
    if length == 0 {
        return Err(wrong(None, "it has no frame".into(), "make it again of a video that shows somebody"));
    }
    if length > MAX_FRAMES {
        let why = format!("it has {length} frames, more than the {MAX_FRAMES} of an utterance");
        return Err(wrong(None, why, "cut it into utterances"));
    }
    let bad = frames.values.iter().position(|v| !v.is_finite());
    bad.map_or(Ok(()), |at| {
        let why = format!("number {} of {} is {}", at % track.width(), track.width(), frames.values[at]);
        Err(wrong(Some(at / track.width()), why, "make the track again, or leave this frame's file out"))
    })
}

/// The text of a file of points.
fn read_text(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(MAX_TEXT + 1).read_to_string(&mut text).map_err(Error::io("read", path))?;
    if text.len() as u64 > MAX_TEXT {
        return Err(models::Error::TooLarge { path: path.to_owned(), limit: MAX_TEXT }.into());
    }
    Ok(text)
}

/// The frame that a file of a folder is about: the first number in its name, as in `00012_0.npz` and `img_7.json`.
fn frame_number(name: &str) -> Option<usize> {
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// Files of a folder by frame, gaps as `None`; of several files of a frame the first by name, which is its first person.
fn by_frame(folder: &Path, track: Track, ending: &str, gaps: Gaps) -> Result<Vec<Option<PathBuf>>, Error> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("list", folder))?;
    let mut files = vec![];
    for entry in entries {
        let path = entry.map_err(Error::io("list", folder))?.path();
        let number = path.file_stem().and_then(|name| frame_number(&name.to_string_lossy()));
        if path.extension().is_some_and(|e| e == ending) {
            files.extend(number.map(|number| (number, path)));
        }
    }
    files.sort();
    files.dedup_by_key(|(number, _)| *number);
    let wrong = |frame, why, next| Error::Track { path: folder.to_owned(), track, frame, why, next };
    let (Some((first, _)), Some((last, _))) = (files.first(), files.last()) else {
        let why = format!("no .{ending} file in it has a frame's number in its name");
        return Err(wrong(None, why, "name the folder that the estimator wrote"));
    };
    let (first, length) = (*first, last - first + 1);
    if length > MAX_FRAMES {
        let why = format!("its names run over {length} frames, more than the {MAX_FRAMES} of an utterance");
        return Err(wrong(None, why, "cut it into utterances"));
    }
    let mut frames = vec![None; length];
    for (number, path) in files {
        frames[number - first] = Some(path);
    }
    match (gaps, frames.iter().position(Option::is_none)) {
        (Gaps::Refuse, Some(missing)) => {
            let why = format!("there is no file of number {}", first + missing);
            Err(wrong(Some(missing), why, "make it again, or read it with gaps where nobody was found"))
        }
        _ => Ok(frames),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expect: Option<usize>) {
        assert_eq!(frame_number(name), expect, "{name:?}");
    }

    #[test]
    fn names_hold_their_frames_numbers() {
        check("00012_0", Some(12));
        check("img_7", Some(7));
        check("frame000000_keypoints", Some(0));
        check("readme", None);
        check("99999999999999999999999999", None);
    }
}
