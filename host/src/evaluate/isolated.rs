//! Scores a classifier of isolated signs.

use std::collections::BTreeMap;
use std::path::Path;

use models::gloss::label_key;
use models::manifest::{HeldOut, Kind, Manifest, Model, NONE, Role};
use models::metrics::calibration::{Answer, Operating, brier, expected_calibration_error, risk_coverage};
use serde::Serialize;

use super::{ConfusionMatrix, Runner};
use crate::Error;
use crate::data::{Aspect, Clip, Isolated, LEXICON, held_out, index_file, letters, pose_folder};

/// The report follows the curve of risk and coverage in steps of this share of clips.
const COVERAGE_STEP: f64 = 0.1;

/// What to score.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Only clips of these groups; empty for all.
    pub groups: Vec<String>,
    /// Only clips of this part of the corpus (`train`, `val`, `test`).
    pub split: Option<String>,
    /// Only clips of this subset of the corpus, for example 100 of WLASL100.
    pub tier: Option<u32>,
    /// Only the clips that the model's manifest says were held out of training.
    pub held_out: bool,
    /// The shape of the pictures.
    pub aspect: Aspect,
}

/// The result, as it is printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The model's name.
    pub model: String,
    /// The data set's name.
    pub data: String,
    /// Width over height of its pictures, given or guessed; `null` where landmarks came in pixels.
    pub aspect: Option<f32>,
    /// Share of clips whose label is the model's first answer.
    pub top1: f64,
    /// Share of clips whose label is among the model's first five answers.
    pub top5: f64,
    /// Clips scored.
    pub n: usize,
    /// Share of clips that the model answers: a hand or a body is seen, the first answer is no rest label,
    /// and its confidence reaches the manifest's threshold. Clips of a rest label count among the others.
    pub answered: f64,
    /// Share of those that are right; 1 where none is answered.
    pub right_when_answered: f64,
    /// The share of clips that it does not answer: 1 − `answered`.
    pub abstained: f64,
    /// The manifest's threshold, below which the unit asks again.
    pub threshold: f32,
    /// Expected calibration error of the first answers' confidences: 15 bins of equal width.
    pub ece: f64,
    /// Brier's score of the first answers, for "right" and "wrong".
    pub brier: f64,
    /// How many of the surest first answers are wrong, from a tenth of the clips to all of them.
    pub risk_coverage: Vec<Operating>,
    /// The same for each group of the data set: the signer where the index names one, else its split.
    pub per_group: BTreeMap<String, GroupScore>,
    /// The same for each label of the model that has clips.
    pub per_class: BTreeMap<String, GroupScore>,
    /// Labels that the model does not have, with how many of their clips were left out.
    pub unknown_labels: BTreeMap<String, usize>,
    /// How many of those clips were answered all the same: above the manifest's threshold, before the unit's
    /// own rules (no sign without a body, a higher bar live).
    pub unknown_shown: usize,
    /// Which labels were taken for which others, and how often.
    pub confusions: Vec<Confusion>,
    /// All answers by label, for a picture.
    #[serde(skip)]
    pub matrix: ConfusionMatrix,
}

/// The score of a group.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct GroupScore {
    /// As in [`Report`].
    pub top1: f64,
    /// As in [`Report`].
    pub top5: f64,
    /// As in [`Report`].
    pub n: usize,
}

/// A label taken for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The label of the data.
    pub label: String,
    /// The model's first answer.
    pub answer: String,
    /// How often.
    pub n: usize,
}

/// Scores a model, by name or folder, on `STEM.f16.gz` + `STEM.tsv`.
///
/// Where there is no `STEM.tsv` and `stem` is the folder of a fingerspelling lexicon, the letters that
/// training may use are scored; their groups are sign languages. Where it is another folder,
/// `STEM/LABEL/*.pose` are scored.
///
/// # Errors
/// Where the model or the data cannot be read, or no clip is left to score.
pub fn isolated(model: &str, stem: &Path, options: &Options) -> Result<Report, Error> {
    let model = Model::find(model)?;
    let data = read(stem, options.aspect)?;
    let mut keep = vec![true; data.clips.len()];
    if options.held_out {
        let rule = model
            .manifest
            .data
            .iter()
            .find(|s| s.name == data.name && s.role == Role::Signs)
            .map(|s| &s.held_out);
        keep = held_out(&data.clips, rule.unwrap_or(&HeldOut::Nothing));
    }
    let asked_for = |c: &Clip| {
        (options.groups.is_empty() || options.groups.contains(&c.group))
            && options.split.as_ref().is_none_or(|split| c.split == *split)
            && options.tier.is_none_or(|most| c.tier.is_some_and(|tier| tier <= most))
    };
    let kept = data.clips.iter().zip(keep).filter(|(clip, keep)| *keep && asked_for(clip));
    let clips: Vec<_> = kept.map(|(clip, _)| clip).collect();
    if clips.is_empty() {
        let next = "leave out --held-out, --only-group, --split or --tier, or give the data set that the model was \
                    trained on";
        return Err(Error::NoClips { what: stem.display().to_string(), next: next.into() });
    }
    Ok(Report { aspect: data.aspect, ..score(&model, &data.name, &clips)? })
}

/// Reads a data set, a fingerspelling lexicon or a folder of `.pose` files.
pub(super) fn read(stem: &Path, aspect: Aspect) -> Result<Isolated, Error> {
    if index_file(stem).is_file() {
        return Isolated::read(stem, aspect);
    }
    if stem.join("index.csv").is_file() {
        return Ok(Isolated { name: LEXICON.into(), aspect: None, clips: letters(stem, &[])? });
    }
    if stem.is_dir() {
        return Ok(Isolated { name: stem.display().to_string(), aspect: None, clips: pose_folder(stem)? });
    }
    Isolated::read(stem, aspect)
}

/// Scores a model on clips, whatever the shape of their pictures was.
///
/// # Errors
/// Where the network does not run.
pub fn score(model: &Model, data: &str, clips: &[&Clip]) -> Result<Report, Error> {
    let runner = Runner::new(model)?;
    let manifest = &model.manifest;
    if let Kind::Embedding(_) = manifest.kind {
        return Err(Error::NoNames { model: manifest.name.clone() });
    }
    let keys: Vec<_> = manifest.labels.iter().map(|l| label_key(l)).collect();
    // The class of other signs is a help for the unit, never an answer here.
    let answers: Vec<_> = (0..keys.len()).filter(|&g| manifest.labels[g] != NONE).collect();
    let (mut unknown_labels, mut unknown_shown) = (BTreeMap::new(), 0);
    let mut groups: BTreeMap<String, Tally> = BTreeMap::new();
    let mut classes: BTreeMap<String, Tally> = BTreeMap::new();
    let mut first_answers = Vec::new();
    let mut matrix = ConfusionMatrix::new(answers.iter().map(|&g| manifest.labels[g].clone()));
    let mut confusions: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut all = Tally::default();
    let (mut answered, mut right) = (0, 0);
    let mut features = vec![0.0; manifest.frames * manifest.width];

    for clip in clips {
        let seen = model.features.compute(&clip.sights, &mut features);
        let mut confidence = runner.logits(&features)?;
        manifest.confidences(&mut confidence);
        let shown = shown(manifest, &confidence).filter(|_| seen);
        let key = label_key(&clip.label);
        let Some(truth) = answers.iter().copied().find(|&g| keys[g] == key) else {
            *unknown_labels.entry(clip.label.clone()).or_insert(0) += 1;
            unknown_shown += usize::from(shown.is_some());
            continue;
        };
        let mut ranked = answers.clone();
        ranked.sort_by(|&a, &b| confidence[b].total_cmp(&confidence[a]));
        let rank = ranked.iter().position(|&g| g == truth).unwrap_or(usize::MAX);
        all.add(rank);
        groups.entry(clip.group.clone()).or_default().add(rank);
        classes.entry(manifest.labels[truth].clone()).or_default().add(rank);
        first_answers.push(Answer { confidence: f64::from(confidence[ranked[0]]), right: rank == 0 });
        matrix.add(&manifest.labels[truth], &manifest.labels[ranked[0]]);
        answered += usize::from(shown.is_some());
        right += usize::from(shown == Some(truth));
        if rank > 0 {
            let answer = manifest.labels[ranked[0]].clone();
            *confusions.entry((clip.label.clone(), answer)).or_insert(0) += 1;
        }
    }

    let total = all.score();
    Ok(Report {
        model: manifest.name.clone(),
        data: data.to_owned(),
        aspect: None,
        top1: total.top1,
        top5: total.top5,
        n: total.n,
        answered: share(answered, total.n),
        right_when_answered: if answered == 0 { 1.0 } else { share(right, answered) },
        abstained: 1.0 - share(answered, total.n),
        threshold: manifest.threshold,
        ece: expected_calibration_error(&first_answers),
        brier: brier(&first_answers),
        risk_coverage: curve(&first_answers),
        per_group: scores(groups),
        per_class: scores(classes),
        unknown_labels,
        unknown_shown,
        confusions: most_frequent(confusions),
        matrix,
    })
}

fn scores(tallies: BTreeMap<String, Tally>) -> BTreeMap<String, GroupScore> {
    tallies.into_iter().map(|(name, tally)| (name, tally.score())).collect()
}

/// The twenty labels that were most often taken for another, as (label, answer).
pub(super) fn most_frequent(confusions: BTreeMap<(String, String), usize>) -> Vec<Confusion> {
    let mut confusions: Vec<_> =
        confusions.into_iter().map(|((label, answer), n)| Confusion { label, answer, n }).collect();
    confusions.sort_by_key(|c| std::cmp::Reverse(c.n));
    confusions.truncate(20);
    confusions
}

/// The points of the curve of risk and coverage that first reach each step of coverage.
fn curve(answers: &[Answer]) -> Vec<Operating> {
    let mut next = COVERAGE_STEP;
    let mut points = Vec::new();
    for point in risk_coverage(answers) {
        // A thousandth of a step: tenths do not add up to 1 exactly.
        if point.coverage + COVERAGE_STEP / 1000.0 >= next {
            next = ((point.coverage / COVERAGE_STEP + 1e-3).floor() + 1.0) * COVERAGE_STEP;
            points.push(point);
        }
    }
    points
}

/// The label that is likeliest of all, where it is no rest and reaches the threshold.
fn shown(manifest: &Manifest, confidence: &[f32]) -> Option<usize> {
    let (label, sure) = confidence.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    (*sure >= manifest.threshold && !manifest.is_rest(&manifest.labels[label])).then_some(label)
}

/// Counts of right answers.
#[derive(Default)]
struct Tally {
    first: usize,
    five: usize,
    n: usize,
}

impl Tally {
    fn add(&mut self, rank: usize) {
        self.first += usize::from(rank == 0);
        self.five += usize::from(rank < 5);
        self.n += 1;
    }

    fn score(&self) -> GroupScore {
        GroupScore { top1: share(self.first, self.n), top5: share(self.five, self.n), n: self.n }
    }
}

/// A share; 0 of nothing.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
