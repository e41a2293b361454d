//! Scores when signs and sentences were found to begin and end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use models::annotation::{self, Annotation, Document, SENTENCE, SIGN};
use models::live::LiveModel;
use models::metrics::segments::{count, frame_f1, frames, frames_needed, iou, percentage};
use models::pose_file::read_track;
use serde::Serialize;

use super::transcribe::{Captions, How, Transcript, transcribe};
use crate::Error;
use crate::data::{UTTERANCES, Utterance, utterances};

/// Frames a second where no `.pose` file says it: that of the recordings that published figures are on.
pub const FPS: f64 = 25.0;

/// The most frames of one recording: a day at 50 frames a second.
const FRAMES_LIMIT: usize = 86_400 * 50;

/// The result, as it is printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentsReport {
    /// Recordings of the data.
    pub n: usize,
    /// Of those, how many have no hypothesis: nothing counts as found in them.
    pub missing: usize,
    /// Hypotheses of recordings that the data does not have: they were left out.
    pub extra: usize,
    /// Frames that were compared, over all recordings.
    pub frames: usize,
    /// Single signs; `null` where the data has none.
    pub sign: Option<TierScore>,
    /// Sentences; `null` where the data has none.
    pub sentence: Option<TierScore>,
}

/// The score of a tier: means over recordings, as published figures are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TierScore {
    /// F1 over frames, the mean of "outside", "begin" and "inside".
    pub frame_f1: f64,
    /// Intersection over union of the frames within segments.
    pub iou: f64,
    /// Segments found over segments there are.
    pub percentage: f64,
    /// Segments of the data.
    pub segments: usize,
    /// Segments found.
    pub found: usize,
}

/// When the signs and the sentences of a recording are, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
struct Recording {
    sign: Vec<(u32, u32)>,
    sentence: Vec<(u32, u32)>,
    /// Its landmarks, which know its length and its frame rate.
    pose: Option<PathBuf>,
}

/// Scores segments against those of the data.
///
/// Each side is an `.eaf` file, a folder of them, a corpus's folder or its `.jsonl` file. Of an `.eaf` file the
/// tiers SIGN and SENTENCE count; of a corpus each gloss is a sign, and each utterance a sentence from
/// its first gloss to its last. Recordings are matched by the names of their files, or by id; two single files
/// are one recording. The data's `.pose` file (of the same name beside the `.eaf`) gives the length and the
/// frame rate; without one it is `fps`, and the recording ends with the last segment of either side.
///
/// # Errors
/// Where a side cannot be read, or they have no recording in common.
pub fn segments(hypothesis: &Path, data: &Path, fps: f64) -> Result<SegmentsReport, Error> {
    let (mut found, there) = (recordings(hypothesis)?, recordings(data)?);
    if let ([_], [name]) = (&found.keys().collect::<Vec<_>>()[..], &there.keys().collect::<Vec<_>>()[..]) {
        let only = found.values().next().cloned().unwrap_or_default();
        found = BTreeMap::from([((*name).clone(), only)]);
    }
    let missing = there.keys().filter(|name| !found.contains_key(*name)).count();
    if missing == there.len() {
        let example = there.keys().next().cloned().unwrap_or_default();
        let (hypothesis, data) = (hypothesis.to_owned(), data.to_owned());
        return Err(Error::NothingInCommon { hypothesis, data, example });
    }
    compare(&found, &there, fps)
}

/// Scores the segments that a recogniser finds in a corpus, as [`segments`] does; `tell` hears how many
/// recordings are done.
///
/// # Errors
/// As [`super::transcribe`].
pub fn segments_of(
    model: &LiveModel,
    data: &Path,
    fps: f64,
    tell: impl Fn(usize, usize),
) -> Result<SegmentsReport, Error> {
    let how = How { captions: Captions::Live, gated: true };
    let Transcript { utterances, sentences, signs, .. } = transcribe(model, data, how, tell)?;
    let times = |spans: &[[f64; 2]]| -> Vec<(u32, u32)> {
        spans.iter().map(|span| span.map(|s| (s * 1e3).round() as u32)).map(|[from, to]| (from, to)).collect()
    };
    let recording = |(signs, sentences): (&Vec<[f64; 2]>, &Vec<[f64; 2]>)| Recording {
        sign: times(signs),
        sentence: times(sentences),
        pose: None,
    };
    let names = utterances.into_iter().map(|u| u.id);
    let found = names.zip(signs.iter().zip(&sentences).map(recording)).collect();
    compare(&found, &recordings(data)?, fps)
}

/// Scores the recordings of one side against those of the other, matched by name.
fn compare(
    found: &BTreeMap<String, Recording>,
    there: &BTreeMap<String, Recording>,
    fps: f64,
) -> Result<SegmentsReport, Error> {
    let missing = there.keys().filter(|name| !found.contains_key(*name)).count();
    let nothing = Recording::default();
    let (mut sign, mut sentence) = (Sum::default(), Sum::default());
    let mut total = 0;
    for (name, reference) in there {
        let said = found.get(name).unwrap_or(&nothing);
        let (fps, length) = match &reference.pose {
            Some(pose) => {
                let track = read_track(pose)?;
                (f64::from(track.fps), track.frames.len())
            }
            None => {
                let all = [&reference.sign, &reference.sentence, &said.sign, &said.sentence];
                (fps, all.map(|segments| frames_needed(segments, fps)).into_iter().max().unwrap_or(0))
            }
        };
        if length > FRAMES_LIMIT {
            return Err(Error::LongRecording { name: name.clone(), frames: length, limit: FRAMES_LIMIT });
        }
        total += length;
        sign.add(&said.sign, &reference.sign, length, fps);
        sentence.add(&said.sentence, &reference.sentence, length, fps);
    }
    Ok(SegmentsReport {
        n: there.len(),
        missing,
        extra: found.keys().filter(|name| !there.contains_key(*name)).count(),
        frames: total,
        sign: sign.score(),
        sentence: sentence.score(),
    })
}

/// Sums over recordings.
#[derive(Default)]
struct Sum {
    frame_f1: f64,
    iou: f64,
    percentage: f64,
    segments: usize,
    found: usize,
    n: usize,
}

impl Sum {
    fn add(&mut self, said: &[(u32, u32)], reference: &[(u32, u32)], length: usize, fps: f64) {
        let (h, r) = (frames(said, length, fps), frames(reference, length, fps));
        self.frame_f1 += frame_f1(&h, &r);
        self.iou += iou(&h, &r);
        self.percentage += percentage(count(&h), count(&r));
        self.segments += count(&r);
        self.found += count(&h);
        self.n += 1;
    }

    fn score(&self) -> Option<TierScore> {
        let n = self.n as f64;
        (self.segments > 0).then(|| TierScore {
            frame_f1: self.frame_f1 / n,
            iou: self.iou / n,
            percentage: self.percentage / n,
            segments: self.segments,
            found: self.found,
        })
    }
}

/// The recordings of a side, by name.
fn recordings(path: &Path) -> Result<BTreeMap<String, Recording>, Error> {
    let is = |path: &Path, ending: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
    if path.join(UTTERANCES).is_file() || is(path, "jsonl") {
        return corpus(path);
    }
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(Error::io("list", path))?;
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(Error::io("list", path))?;
        files = entries.iter().map(std::fs::DirEntry::path).filter(|file| is(file, "eaf")).collect();
    }
    if files.is_empty() {
        let next = format!("give a folder with .eaf files, or one with {UTTERANCES}");
        return Err(Error::NoClips { what: path.display().to_string(), next });
    }
    let recording = |file: PathBuf| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let pose = Some(file.with_extension("pose")).filter(|pose| pose.is_file());
        Ok((name, Recording { pose, ..of_document(&annotation::read_eaf_file(&file)?) }))
    };
    files.into_iter().map(recording).collect()
}

fn of_document(document: &Document) -> Recording {
    let times = |tier: &str| {
        let mut times: Vec<_> =
            document.tier(tier).iter().map(|a: &Annotation| (a.start_ms, a.end_ms)).collect();
        times.sort_unstable();
        times
    };
    Recording { sign: times(SIGN), sentence: times(SENTENCE), pose: None }
}

/// The recordings of a corpus of utterances.
fn corpus(path: &Path) -> Result<BTreeMap<String, Recording>, Error> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let ms = |s: f64| (s * 1000.0).round() as u32;
    let recording = |utterance: Utterance| {
        let mut sign: Vec<_> = utterance.glosses.iter().map(|g| (ms(g.start_s), ms(g.end_s))).collect();
        sign.sort_unstable();
        let (first, last) = (sign.iter().map(|s| s.0).min(), sign.iter().map(|s| s.1).max());
        let sentence = first.zip(last).into_iter().collect();
        let pose = utterance.pose.map(|pose| folder.join(pose)).filter(|pose| pose.is_file());
        (utterance.id, Recording { sign, sentence, pose })
    };
    Ok(utterances(path)?.into_iter().map(recording).collect())
}

#[cfg(test)]
mod tests {
    use models::annotation::{Tier, write_eaf_file};

    use super::*;

    /// Writes two sides, scores them and removes them.
    fn score(case: &str, said: &[(u32, u32)], there: &[(u32, u32)]) -> SegmentsReport {
        let dir = std::env::temp_dir().join(format!("signpost-segments-{}-{case}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for (name, segments) in [("said.eaf", said), ("there.eaf", there)] {
            let annotations = segments.iter().map(|(s, e)| Annotation::new(*s, *e, "")).collect();
            let tiers = vec![Tier { name: SIGN.into(), annotations }];
            write_eaf_file(&dir.join(name), &Document { tiers, ..Document::default() }).unwrap();
        }
        let report = segments(&dir.join("said.eaf"), &dir.join("there.eaf"), 10.0);
        std::fs::remove_dir_all(&dir).unwrap();
        report.unwrap()
    }

    #[test]
    fn the_arithmetic_is_exact() {
        // There: frames 1 to 3 and 5 to 7. Said: 1 to 3 and 6 to 9, of 10 in all.
        let report = score("exact", &[(100, 300), (600, 900)], &[(100, 300), (500, 700)]);
        let sign = report.sign.unwrap();
        assert_eq!((report.n, report.missing, report.extra, report.frames), (1, 0, 0, 10));
        assert!((sign.iou - 5.0 / 8.0).abs() < 1e-12, "{sign:?}");
        assert_eq!((sign.percentage, sign.segments, sign.found), (1.0, 2, 2));
        assert_eq!(report.sentence, None, "the data has no sentence");
    }

    #[test]
    fn a_recogniser_that_finds_nothing_scores_nothing() {
        let sign = score("nothing", &[], &[(100, 300)]).sign.unwrap();
        assert_eq!((sign.iou, sign.percentage, sign.found), (0.0, 0.0, 0));
    }
}
