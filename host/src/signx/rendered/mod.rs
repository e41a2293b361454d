//! Five tracks, and a video, that truly belong together: one body, fitted to recorded signing, seen by one camera.
//!
//! Recorded landmarks become joint angles ([`fit`]); a person who was never recorded wears them and is rendered
//! ([`Scene`](crate::body::render::Scene)); the tracks are read off that body: its angles (SMPLer-X), its points in
//! the picture (DWPose, MediaPipe), its depth (PrimeDepth) and its parts (Sapiens). They are written as
//! [`read`](super::read) reads them, with `utterances.jsonl` beside.
//!
//! Person, camera, light and background follow from the seed, the utterance's name and its part of the corpus, so
//! that no person is in two parts; glosses, signers and parts stay as they were.

mod observe;
mod stage;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use models::pose::PoseTrack;
use models::pose_file::read_track;
use models::signx::at_rate;
use models::utterance::{INDEX, Utterance};

use super::read::MAX_FRAMES;
use super::track::Track;
use crate::Error;
use crate::body::fit::{FitError, Fitted, fit};
use crate::data::{utterances, write_utterances};
use crate::extract::manifest::file_name;
use crate::random::split_mix;

pub use observe::{Observed, Video, observe};
pub use stage::Stage;

/// What is rendered, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// A `.pose` file, a corpus with `utterances.jsonl`, or a folder of `.pose` files.
    pub poses: PathBuf,
    /// The folder that is written.
    pub out: PathBuf,
    /// What people, cameras, lights and backgrounds follow from.
    pub seed: u64,
    /// Frames a second, of which each shows the recorded one nearest to it; those of the recording where it is `None`.
    pub fps: Option<f32>,
    /// So many frames are of one person before one camera, and an utterance by themselves, which says nothing: networks
    /// that look at pictures need many people more than they need long clips. Where it is `None`, recordings stay whole.
    pub piece: Option<usize>,
    /// What is written beside the tracks.
    pub video: Video,
    /// How many utterances are rendered at once.
    pub threads: usize,
}

/// What was rendered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// How many utterances, and frames.
    pub utterances: usize,
    /// How many frames they have.
    pub frames: usize,
    /// Utterances that show no shoulders, and were left out.
    pub left_out: Vec<String>,
    /// How well the angles fit the recordings, over all landmarks.
    pub error: FitError,
}

/// The largest video, in pixels.
pub const MAX_VIDEO: usize = 2048;

/// Renders all utterances and writes the list last: where a list stands, all of its files do.
///
/// `tell` hears how many utterances are done, and of how many.
///
/// # Errors
/// Where poses cannot be read, nothing can be rendered, or the folder cannot be written.
pub fn render(options: &Options, tell: impl Fn(usize, usize) + Sync) -> Result<Report, Error> {
    let (root, all) = listed(&options.poses)?;
    std::fs::create_dir_all(&options.out).map_err(Error::io("make the folder", &options.out))?;
    let index = options.out.join(INDEX);
    match std::fs::remove_file(&index) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io("replace", &index)(error));
        }
        _ => {}
    }
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<Option<Result<One, Error>>>> = Mutex::new(all.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, all.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(utterance) = all.get(at) else { break };
                    let one = one(options, &root, utterance);
                    let failed = one.is_err();
                    results.lock().expect("no thread panics while it holds this")[at] = Some(one);
                    if failed {
                        next.store(all.len(), Ordering::Relaxed);
                        break;
                    }
                    tell(done.fetch_add(1, Ordering::Relaxed) + 1, all.len());
                }
            });
        }
    });
    let mut report = Report::default();
    let mut kept = vec![];
    for (result, utterance) in
        results.into_inner().expect("all threads have ended").into_iter().flatten().zip(all)
    {
        let One { frames, error, pieces } = result?;
        if pieces.is_empty() {
            report.left_out.push(utterance.id);
        }
        report.utterances += pieces.len();
        report.frames += frames;
        report.error = joined(report.error, error);
        kept.extend(pieces);
    }
    if kept.is_empty() {
        let next = "give poses that show both shoulders".into();
        return Err(Error::NoClips { what: options.poses.display().to_string(), next });
    }
    write_utterances(&index, &kept)?;
    Ok(report)
}

/// A recording that was rendered.
#[derive(Default)]
struct One {
    frames: usize,
    error: FitError,
    /// Itself, or its pieces, each with its MediaPipe track, relative to the folder; none, where nobody is to be seen.
    pieces: Vec<Utterance>,
}

fn one(options: &Options, root: &Path, utterance: &Utterance) -> Result<One, Error> {
    let Some(pose) = &utterance.pose else { return Ok(One::default()) };
    let mut track: PoseTrack = read_track(root.join(pose))?;
    if track.frames.len() > MAX_FRAMES {
        let why = format!("it has {} frames, more than the {MAX_FRAMES} of an utterance", track.frames.len());
        let (path, track) = (root.join(pose), Track::MediaPipe);
        return Err(Error::Track { path, track, frame: None, why, next: "cut it into utterances" });
    }
    let mut utterance = utterance.clone();
    if let Some(fps) = options.fps {
        let stamps = utterance.stamps_s.take().filter(|stamps| stamps.len() == track.frames.len());
        let even = || (0..track.frames.len()).map(|i| i as f64 / f64::from(track.fps)).collect();
        let taken = at_rate(&stamps.unwrap_or_else(even), fps, MAX_FRAMES);
        track.frames = taken.into_iter().map(|frame| track.frames[frame].clone()).collect();
        track.fps = fps;
    }
    let Some(fitted) = fit(&track) else { return Ok(One::default()) };
    let frames = fitted.poses.len();
    let pieces = match options.piece {
        None => vec![rendered(options, &fitted, utterance)?],
        Some(most) => {
            // Of about one length, so that none is a leftover of a frame or two.
            let count = frames.div_ceil(most.max(1)).max(1);
            let piece = |k: usize| {
                let poses = fitted.poses[k * frames / count..(k + 1) * frames / count].into();
                let id = format!("{}-{k:03}", utterance.id);
                let Utterance { signer, split, .. } = utterance.clone();
                let utterance = Utterance { id, signer, split, ..Utterance::default() };
                rendered(options, &Fitted { poses, ..fitted.clone() }, utterance)
            };
            (0..count).map(piece).collect::<Result<_, _>>()?
        }
    };
    Ok(One { frames, error: fitted.error, pieces })
}

/// Renders poses as one person, writes what there is to see, and says where.
fn rendered(options: &Options, fitted: &Fitted, utterance: Utterance) -> Result<Utterance, Error> {
    let stage = Stage::draw(mixed(options.seed, &utterance), fitted);
    let observed = observe(fitted, &stage, options.video);
    let name = file_name(&utterance.id);
    write::folder(&options.out.join(&name), &observed)?;
    let pose = format!("{name}/{}", write::MEDIAPIPE);
    Ok(Utterance { pose: Some(pose), seed: Some(options.seed), ..utterance })
}

/// The utterances of a corpus, or one for each `.pose` file, with the folder that they lie in.
fn listed(poses: &Path) -> Result<(PathBuf, Vec<Utterance>), Error> {
    let named = |id: String, pose: String| Utterance { id, pose: Some(pose), ..Utterance::default() };
    if poses.is_file() && poses.extension().is_some_and(|e| e == "pose") {
        let root = poses.parent().unwrap_or(Path::new("")).to_owned();
        let file = poses.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let id = file.trim_end_matches(".pose").to_owned();
        return Ok((root, vec![named(id, file)]));
    }
    if poses.is_file() || poses.join(INDEX).is_file() {
        let root = if poses.is_file() { poses.parent().unwrap_or(Path::new("")) } else { poses };
        return Ok((root.to_owned(), utterances(poses)?));
    }
    let mut found = vec![];
    under(poses, Path::new(""), &mut found)?;
    found.sort();
    if found.is_empty() {
        let next = "give a .pose file, a folder of them, or a corpus that signpost-host synth wrote".into();
        return Err(Error::NoClips { what: poses.display().to_string(), next });
    }
    let all = found.into_iter().map(|pose| named(pose.trim_end_matches(".pose").replace('/', "-"), pose));
    Ok((poses.to_owned(), all.collect()))
}

/// The `.pose` files in a folder and in those below it, relative to the first one.
fn under(root: &Path, below: &Path, found: &mut Vec<String>) -> Result<(), Error> {
    let folder = root.join(below);
    for entry in std::fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
        let entry = entry.map_err(Error::io("list", &folder))?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type().map_err(Error::io("list", &folder))?;
        if kind.is_dir() {
            under(root, &path, found)?;
        } else if path.extension().is_some_and(|e| e == "pose") {
            let parts = path.components().map(|c| c.as_os_str().to_string_lossy().into_owned());
            found.push(parts.collect::<Vec<_>>().join("/"));
        }
    }
    Ok(())
}

/// A seed that the whole seed, the part of the corpus and the name decide.
fn mixed(seed: u64, utterance: &Utterance) -> u64 {
    let mut state = seed;
    let split = utterance.split.as_deref().unwrap_or_default();
    for byte in split.bytes().chain([0]).chain(utterance.id.bytes()) {
        state = split_mix(&mut state) ^ u64::from(byte);
    }
    split_mix(&mut state)
}

/// Means over the landmarks of both.
fn joined(a: FitError, b: FitError) -> FitError {
    let counts = [0, 1].map(|part| a.counts[part] + b.counts[part]);
    let mean = |part: usize, x: f64, y: f64| {
        (x * a.counts[part] as f64 + y * b.counts[part] as f64) / counts[part].max(1) as f64
    };
    FitError { body: mean(0, a.body, b.body), hands: mean(1, a.hands, b.hands), counts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_differ_by_name_part_and_seed() {
        let of = |seed, id: &str, split: &str| {
            mixed(seed, &Utterance { id: id.into(), split: Some(split.into()), ..Utterance::default() })
        };
        let seeds = [of(1, "a", "train"), of(1, "b", "train"), of(1, "a", "val"), of(2, "a", "train")];
        for (k, seed) in seeds.iter().enumerate() {
            assert!(!seeds[..k].contains(seed), "{seeds:?}");
        }
        assert_eq!(of(1, "a", "train"), seeds[0]);
    }
}
