//! Out of recordings of signs those that are kept.

use std::collections::BTreeMap;
use std::path::PathBuf;

use models::gloss::label_key;
use models::lexicon::{Builder, Entry, Lexicon, normalise};
use models::playback::Frame;
use serde::Serialize;

use super::repair::{repaired, resampled, trimmed};
use super::warp::distance;
use crate::{Error, ui};

/// More recordings of one sign are not compared: the middle one of so many is as good.
const MOST_COMPARED: usize = 24;

/// What a lexicon is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildOptions {
    /// Lexicon folders.
    pub folders: Vec<PathBuf>,
    /// The file that is written.
    pub out: PathBuf,
    /// The rate of all clips, in frames a second.
    pub fps: f32,
    /// Whether all recordings of a sign are kept, not the best one alone.
    pub all: bool,
}

/// What became of the recordings.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct BuildReport {
    /// Signs in the file.
    pub signs: usize,
    /// Recordings that were read.
    pub recordings: usize,
    /// Recordings of a sign of which another is nearer to all others.
    pub others: usize,
    /// Frames whose hands or wrists were filled in.
    pub repaired_frames: usize,
    /// All frames that were kept.
    pub frames: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// Recordings that cannot be used.
    pub refused: Vec<Refused>,
}

/// A recording that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The folder and the line of its index.
    pub at: String,
    /// The recording, where the line names one.
    pub clip: String,
    /// Why.
    pub why: String,
}

/// A recording that may be kept.
struct Recording {
    entry: Entry,
    frames: Vec<Frame>,
}

/// Makes a lexicon's file.
///
/// # Errors
/// Where a folder is no lexicon, no recording can be used, or the file cannot be written.
pub fn build(options: &BuildOptions) -> Result<BuildReport, Error> {
    let mut report = BuildReport::default();
    let mut signs: BTreeMap<[String; 4], Vec<Recording>> = BTreeMap::new();
    for folder in &options.folders {
        let lexicon = Lexicon::open(folder)?;
        let at = |line: u64| format!("{}, line {line}", folder.display());
        for rejected in lexicon.rejected() {
            let (at, why) = (at(rejected.line), rejected.reason.clone());
            report.refused.push(Refused { at, clip: String::new(), why });
        }
        let bar = ui::progress(lexicon.all().len(), "recordings read");
        for (number, entry) in lexicon.all().iter().enumerate() {
            report.recordings += 1;
            bar.inc(1);
            match recording(&lexicon, number, options.fps) {
                Ok((frames, repaired)) => {
                    report.repaired_frames += repaired;
                    let entry = entry.clone();
                    signs.entry(sign(&entry)).or_default().push(Recording { entry, frames });
                }
                Err(why) => {
                    let (at, clip) = (at(entry.line), entry.path.display().to_string());
                    report.refused.push(Refused { at, clip, why });
                }
            }
        }
        bar.finish_and_clear();
    }

    let mut builder = Builder::new(options.fps);
    let bar = ui::progress(signs.len(), "signs packed");
    for (_, mut recordings) in signs {
        bar.inc(1);
        recordings.sort_by_key(|r| r.entry.priority);
        let best = middle(&recordings);
        // The best comes first, so that it is found first where all are kept.
        let best = recordings.remove(best);
        if !options.all {
            report.others += recordings.len();
            recordings.clear();
        }
        for Recording { entry, frames } in std::iter::once(best).chain(recordings) {
            report.frames += frames.len();
            builder
                .add(&entry, &frames)
                .map_err(|why| Error::Lexicon { path: entry.path.clone(), why: why.into() })?;
        }
    }
    bar.finish_and_clear();
    report.signs = builder.len();
    if builder.is_empty() {
        let why = "none of its recordings can be used".into();
        return Err(Error::Lexicon { path: options.folders.first().cloned().unwrap_or_default(), why });
    }
    builder.write(&options.out).map_err(Error::io("write", &options.out))?;
    report.bytes = std::fs::metadata(&options.out).map_err(Error::io("read", &options.out))?.len();
    Ok(report)
}

/// What makes two recordings one sign: its languages, its words and its gloss.
fn sign(entry: &Entry) -> [String; 4] {
    let mut words: Vec<String> = entry.words.split('|').map(normalise).filter(|w| !w.is_empty()).collect();
    words.sort_unstable();
    let (signed, spoken) = (entry.signed_language.clone(), entry.spoken_language.clone());
    [signed, spoken, words.join("|"), label_key(&entry.glosses)]
}

/// A recording's frames, trimmed, repaired and at the rate, and how many of them were repaired; or why not.
fn recording(lexicon: &Lexicon, number: usize, fps: f32) -> Result<(Vec<Frame>, usize), String> {
    let read = lexicon.frames(number).map_err(|error| error.to_string())?;
    let (frames, own) = read.ok_or("no hand is seen in it")?;
    let frames = trimmed(&frames, own);
    let (frames, repaired) = repaired(frames, own)?;
    Ok((resampled(&frames, own, fps), repaired))
}

/// The recording that is nearest to all others (the medoid, by dynamic time warping); of two the first.
fn middle(recordings: &[Recording]) -> usize {
    let compared = &recordings[..recordings.len().min(MOST_COMPARED)];
    if compared.len() < 3 {
        return 0;
    }
    let mut sums = vec![0.0; compared.len()];
    for (i, a) in compared.iter().enumerate() {
        for (j, b) in compared.iter().enumerate().skip(i + 1) {
            let far = distance(&a.frames, &b.frames);
            sums[i] += far;
            sums[j] += far;
        }
    }
    (0..sums.len()).min_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap_or(0)
}
