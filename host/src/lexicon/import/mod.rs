//! Signs kept as sequences of landmarks, CNText2Sign's among them, become a lexicon folder.
//!
//! CNText2Sign's authors say that MediaPipe's 3D landmarks of 8,643 signs were "converted to JSON and H5 formats"
//! (AuraLLM and SignMST-C, section 3) and publish no schema, so whatever such files usually look like is read:
//! [`json`] and [`h5`] say what that is, [`Row`] how a frame's numbers are told apart.

mod h5;
mod json;

use std::fs;
use std::path::{Path, PathBuf};

use models::pose::holistic::{BODY, FACE, LEFT_HAND, RIGHT_HAND};
use models::pose::{Known, Pose, PoseTrack};
use models::pose_file::write_track_file;

use super::build::Refused;
use crate::data::pose_folder;
use crate::{Error, ui};

pub use h5::read_h5;
pub use json::read_json;

/// A file of sequences is no larger, in bytes: it is held in memory whole.
const MAX_FILE: u64 = 1 << 30;
/// The most frames of a sequence: five minutes at 60 a second, where a sign takes a second or two.
const MAX_FRAMES: usize = 18_000;
/// Landmarks near a picture's edge are guessed beyond it, but never this many pictures away: then they are pixels.
const MOST_PICTURES: f32 = 4.0;
/// Folders within folders.
const DEEPEST: usize = 8;
/// What a lexicon folder's list is called.
const INDEX: &str = "index.csv";
/// What the frames of a sign are called.
const FRAMES: [&str; 6] = ["frames", "landmarks", "keypoints", "poses", "sequence", "data"];

/// What is imported, and as what.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOptions {
    /// Files, or folders of them.
    pub from: Vec<PathBuf>,
    /// The lexicon folder that is made.
    pub out: PathBuf,
    /// ISO 639-3 code of the sign language.
    pub signed: String,
    /// ISO 639-1 code of the language of the signs' names.
    pub spoken: String,
    /// Frames a second, where a file does not say.
    pub fps: Option<f32>,
    /// Width and height of the pictures, where a file does not say.
    pub size: Option<[u32; 2]>,
}

/// What became of the sequences.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct ImportReport {
    /// Clips that were written.
    pub clips: usize,
    /// Their frames.
    pub frames: usize,
    /// Sequences that cannot be used.
    pub refused: Vec<Refused>,
}

/// A sign as a file has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sequence {
    /// What the file says of it.
    pub about: About,
    /// `[T]`
    pub frames: Vec<Row>,
}

/// What a file says of its sequences, as far as it does.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct About {
    /// Frames a second.
    pub fps: Option<f32>,
    /// Width and height of the pictures.
    pub size: [Option<u32>; 2],
}

/// The numbers of a frame: landmarks as x, y, z one after the other, the body's perhaps with a visibility each. What
/// is empty, or only zeros, was not seen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// The parts, in the order of [`Part`].
    pub parts: [Vec<f32>; 4],
}

/// A part of a body that is named by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Body,
    Face,
    Left,
    Right,
}

impl Part {
    const ALL: [Self; 4] = [Self::Body, Self::Face, Self::Left, Self::Right];

    /// The part that a file names so, in any of the usual ways.
    fn named(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let is = |word: &str| name.contains(word);
        match () {
            () if is("world") => None,
            () if is("left") || name == "lh" => Some(Self::Left),
            () if is("right") || name == "rh" => Some(Self::Right),
            () if is("face") => Some(Self::Face),
            () if is("pose") || is("body") => Some(Self::Body),
            () => None,
        }
    }

    /// The component of the layout, and how many landmarks a file may have of it: a face with irises has ten more.
    fn shape(self) -> (&'static str, &'static [usize]) {
        match self {
            Self::Body => (BODY, &[33]),
            Self::Face => (FACE, &[468, 478]),
            Self::Left => (LEFT_HAND, &[21]),
            Self::Right => (RIGHT_HAND, &[21]),
        }
    }

    /// How many numbers each landmark has, where all have so many.
    fn width(self, numbers: usize) -> Option<usize> {
        [3, 4].into_iter().find(|width| self.shape().1.iter().any(|points| points * width == numbers))
    }
}

impl Row {
    /// What a frame's numbers are where no part is named: both hands; body and hands; body, face and hands.
    ///
    /// # Errors
    /// There are so many numbers in no such form.
    fn of_numbers(numbers: &[f32]) -> Result<Self, String> {
        const HANDS: usize = 2 * 21 * 3;
        let lengths: [usize; 2] = match numbers.len() {
            HANDS => [0, 0],
            n if n == 33 * 3 + HANDS => [33 * 3, 0],
            n if n == 33 * 4 + HANDS => [33 * 4, 0],
            n if n == 33 * 4 + 468 * 3 + HANDS => [33 * 4, 468 * 3],
            n if n == 33 * 4 + 478 * 3 + HANDS => [33 * 4, 478 * 3],
            n => {
                return Err(format!(
                    "a frame of {n} numbers is neither both hands (126), body and hands (225, or 258 with visibility) \
                     nor body, face and hands (1662); store pose, face, left_hand and right_hand by these names"
                ));
            }
        };
        let (body, rest) = numbers.split_at(lengths[0]);
        let (face, hands) = rest.split_at(lengths[1]);
        let (left, right) = hands.split_at(HANDS / 2);
        Ok(Self { parts: [body, face, left, right].map(<[f32]>::to_vec) })
    }

    /// Puts a part in. What MediaPipe says of a hand's or a face's visibility is always 0, and left out.
    ///
    /// # Errors
    /// It has another number of landmarks.
    fn put(&mut self, part: Part, mut numbers: Vec<f32>) -> Result<(), String> {
        let (name, points) = part.shape();
        match part.width(numbers.len()) {
            Some(4) if part != Part::Body => {
                numbers = numbers.chunks_exact(4).flat_map(|landmark| &landmark[..3]).copied().collect();
            }
            None if !numbers.is_empty() => {
                let known = points.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
                return Err(format!(
                    "{name} has {} numbers a frame; {known} landmarks of x, y and z are wanted",
                    numbers.len()
                ));
            }
            _ => {}
        }
        self.parts[part as usize] = numbers;
        Ok(())
    }

    /// The landmarks that are there, each with its place in its part.
    fn landmarks(&self) -> impl Iterator<Item = (Part, usize, &[f32])> {
        Part::ALL.into_iter().flat_map(|part| {
            let numbers = &self.parts[part as usize];
            let seen = numbers.iter().any(|v| *v != 0.0);
            let width = part.width(numbers.len()).unwrap_or(3);
            let landmarks = numbers.chunks_exact(width).enumerate();
            landmarks
                .filter(move |(_, landmark)| seen && landmark.iter().all(|v| v.is_finite()))
                .map(move |(k, landmark)| (part, k, landmark))
        })
    }
}

impl Sequence {
    /// The sequence as a track, with what the file does not say.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn track(&self, options: &ImportOptions) -> Result<PoseTrack, String> {
        if self.frames.is_empty() {
            return Err("it has no frame".into());
        }
        if self.frames.len() > MAX_FRAMES {
            return Err(format!("{} frames are no single sign", self.frames.len()));
        }
        let fps = self.about.fps.or(options.fps).ok_or("its file does not say its rate; give --fps")?;
        if !PoseTrack::FPS.contains(&fps) {
            return Err(format!("{fps} frames a second is no rate; give --fps"));
        }
        let sides =
            [0, 1].map(|i| self.about.size[i].or(options.size.map(|size| size[i])).filter(|s| *s > 0));
        let [Some(width), Some(height)] = sides else {
            return Err("its file does not say how large the pictures were; give --size".into());
        };
        let landmarks = self.frames.iter().flat_map(Row::landmarks);
        let pixels = landmarks.flat_map(|(_, _, l)| &l[..2]).any(|v| v.abs() > MOST_PICTURES);
        let scale = if pixels { [1.0; 3] } else { [width as f32, height as f32, width as f32] };
        let layout = Known::Holistic576.layout();
        let places = Part::ALL.map(|part| layout.range(part.shape().0).unwrap_or_default());
        let mut track = PoseTrack::new(layout.clone(), fps, [width, height, 0]);
        for row in &self.frames {
            let mut pose = Pose::unseen(layout.len());
            for (part, k, landmark) in row.landmarks() {
                // Irises come last in a face, and this layout has none.
                if let Some(at) = places[part as usize].clone().nth(k) {
                    pose.points[at] = [0, 1, 2].map(|i| landmark[i] * scale[i]);
                    pose.confidence[at] = landmark.get(3).map_or(1.0, |seen| seen.clamp(0.0, 1.0));
                }
            }
            track.frames.push(pose);
        }
        if track.frames.iter().all(|pose| pose.confidence.iter().all(|c| *c == 0.0)) {
            return Err("nothing is seen in it".into());
        }
        Ok(track)
    }
}

/// Makes a lexicon folder, which `lexicon build` takes like any other.
///
/// # Errors
/// Where a file cannot be read, none of its sequences can be used, or the folder has an index already.
pub fn import(options: &ImportOptions) -> Result<ImportReport, Error> {
    let index = options.out.join(INDEX);
    if index.exists() {
        let why = "it is a lexicon already; give --out a new folder".into();
        return Err(Error::Lexicon { path: options.out.clone(), why });
    }
    let mut files = vec![];
    for from in &options.from {
        listed(from, DEEPEST, &mut files)?;
    }
    fs::create_dir_all(&options.out).map_err(Error::io("make the folder", &options.out))?;
    let mut report = ImportReport::default();
    let head = ["path", "spoken_language", "signed_language", "start", "end", "words", "glosses", "priority"];
    let mut rows = vec![head.map(str::to_owned)];
    let bar = ui::progress(files.len(), "files read");
    for file in &files {
        bar.inc(1);
        let at = file.display().to_string();
        let mut refuse = |clip: &str, why: String| {
            report.refused.push(Refused { at: at.clone(), clip: clip.into(), why });
        };
        let sequences = match sequences(file)? {
            Ok(sequences) => sequences,
            Err(why) => {
                refuse("", why);
                continue;
            }
        };
        for (gloss, sequence) in sequences {
            let track = match sequence.and_then(|sequence| sequence.track(options)) {
                Ok(track) => track,
                Err(why) => {
                    refuse(&gloss, why);
                    continue;
                }
            };
            let clip = format!("{:05}.pose", rows.len());
            write_track_file(options.out.join(&clip), &track)?;
            report.frames += track.frames.len();
            let (spoken, signed) = (options.spoken.clone(), options.signed.clone());
            let word = word(&gloss).to_owned();
            rows.push([clip, spoken, signed, "0".into(), "0".into(), word, gloss, "0".into()]);
        }
    }
    bar.finish_and_clear();
    report.clips = rows.len() - 1;
    if report.clips == 0 {
        let first = report.refused.first().map(|r| format!("{} {}: {}", r.at, r.clip, r.why));
        let why = first.unwrap_or_else(|| "there is no .json, .h5 or .hdf5 file".into());
        let path = options.from.first().cloned().unwrap_or_default();
        return Err(Error::Lexicon { path, why: format!("no sign can be imported ({why})") });
    }
    let mut csv = csv::Writer::from_writer(vec![]);
    for row in &rows {
        csv.write_record(row).map_err(|error| Error::io("write", &index)(error.into()))?;
    }
    let csv = csv.into_inner().map_err(|error| Error::io("write", &index)(error.into_error()))?;
    models::whole::write(&index, &csv).map_err(Error::io("write", &index))?;
    Ok(report)
}

/// Puts a frame's number before what is wrong with it.
fn in_frame(number: usize) -> impl Fn(String) -> String {
    move |why| format!("frame {number}: {why}")
}

/// The word that a gloss is signed for: without the number of a sense or variant, as in `谢谢(2)`.
fn word(gloss: &str) -> &str {
    let number = |inner: &str| !inner.is_empty() && inner.chars().all(|c| c.is_ascii_digit());
    let open = |pair: [char; 2]| gloss.strip_suffix(pair[1])?.rsplit_once(pair[0]);
    let within = open(['(', ')']).or_else(|| open(['（', '）']));
    within
        .filter(|(word, inner)| number(inner) && !word.trim().is_empty())
        .map_or(gloss, |(word, _)| word.trim())
}

/// A sign's name, and its sequence or why it has none.
pub type Found = Vec<(String, Result<Sequence, String>)>;

/// The sequences of a file; or why it has none.
fn sequences(file: &Path) -> Result<Result<Found, String>, Error> {
    let bytes = fs::metadata(file).map_err(Error::io("read", file))?.len();
    if bytes > MAX_FILE {
        return Err(models::Error::TooLarge { path: file.to_owned(), limit: MAX_FILE }.into());
    }
    let bytes = fs::read(file).map_err(Error::io("read", file))?;
    let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let found = if ends_in(file, &["json"]) { read_json(&bytes, &stem) } else { read_h5(bytes, &stem) };
    Ok(found)
}

fn ends_in(file: &Path, endings: &[&str]) -> bool {
    file.extension().is_some_and(|e| endings.iter().any(|ending| e.eq_ignore_ascii_case(ending)))
}

/// The files that a path names: itself, or those in a folder, in their order.
fn listed(from: &Path, deep: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if !from.is_dir() {
        files.push(from.to_owned());
        return Ok(());
    }
    for path in pose_folder::listed(from)? {
        if path.is_dir() && deep > 0 {
            listed(&path, deep - 1, files)?;
        } else if ends_in(&path, &["json", "h5", "hdf5"]) {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn the_number_of_a_sense_is_no_part_of_a_word() {
        let pairs = [
            ("谢谢(2)", "谢谢"),
            ("谢谢（1）", "谢谢"),
            ("谢谢", "谢谢"),
            ("(2)", "(2)"),
            ("雨(小)", "雨(小)"),
            ("A()", "A()"),
        ];
        pairs.into_iter().for_each(|(gloss, expect)| assert_eq!(word(gloss), expect));
    }
}
