//! The recorded clips of one part of the split, brought to the standard signer.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use models::gloss::label_key;
use models::manifest::HeldOut;
use models::playback::{Frame, Point, normalise};
use rand::Rng;
use rand::rngs::StdRng;
use serde::Serialize;

use super::recipe::{self, Recipe};
use crate::Error;
use crate::data::{Aspect, Origin, Recording, held_out_of, recordings};

/// Clips of a label that were recorded right before the held-out ones belong to no part: neighbours of one
/// session are near-copies of each other.
const GUARD: usize = 5;

/// Share of the clips of a label and group that thresholds are chosen on, the last of those that are not held out.
const DEV_SHARE: usize = 8;

/// Which part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// What models learn from.
    Train,
    /// What thresholds and confidences are chosen on.
    Dev,
    /// What they are judged on: what the shipped classifiers were not trained on either.
    Val,
}

impl Split {
    /// As lists of utterances name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Val => "val",
        }
    }
}

/// Which recording a clip is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ClipId {
    /// The data set.
    pub set: String,
    /// Its signer or recording set; may be empty.
    pub group: String,
    /// What is signed, as the data set writes it.
    pub label: String,
    /// Its number among the clips of its label.
    pub seq: u32,
}

/// A clip of the standard signer.
pub(super) struct Clip {
    pub id: ClipId,
    pub frames: Vec<Frame>,
    pub fps: f32,
    /// Whether the clip shows the side's hand at all.
    pub hands: [bool; 2],
}

/// All clips of a part, by what they are for.
pub(super) struct Shelf {
    pub clips: Vec<Clip>,
    /// `[G]`: each gloss with its clips, `[S]` signers of `[N]`.
    pub glosses: Vec<(String, Vec<Vec<usize>>)>,
    /// Gestures and hands that wait.
    pub neutral: Vec<usize>,
    /// Signs that are not in the vocabulary.
    pub others: Vec<usize>,
    /// Who signs: data set, or data set and group.
    pub signers: Vec<String>,
}

impl Shelf {
    /// Reads the clips of a recipe out of `data/isolated`.
    pub fn read(recipe: &Recipe, data: &Path, split: Split) -> Result<Self, Error> {
        let mut shelf =
            Self { clips: vec![], glosses: vec![], neutral: vec![], others: vec![], signers: vec![] };
        for set in recipe.sources.iter().chain(recipe.others) {
            let recorded = recordings(&data.join("isolated").join(set), Aspect::Guess)?;
            let vocabulary = recipe.sources.contains(set);
            for recording in part(recorded, &recipe::held_out(set), split) {
                shelf.add(recipe, set, vocabulary, recording);
            }
        }
        let lost = |what: String| {
            let next = format!("copy the data sets {} again from their source", recipe.sources.join(", "));
            Error::NoClips { what, next }
        };
        if shelf.glosses.is_empty() || shelf.neutral.is_empty() || shelf.others.is_empty() {
            return Err(lost(format!("{}, {}", recipe.name, split.name())));
        }
        Ok(shelf)
    }

    fn add(&mut self, recipe: &Recipe, set: &str, vocabulary: bool, recording: Recording) {
        // Clips without hands show nothing to join.
        let Some(mut frames) = normalise(&recording.track) else { return };
        upright(&mut frames);
        let Recording { label, group, seq, track, .. } = recording;
        let hands = [0, 1].map(|side| frames.iter().any(|f| f.hands[side].is_some()));
        let at = self.clips.len();
        if recipe.neutral.contains(&label.as_str()) {
            self.neutral.push(at);
        } else if vocabulary {
            let name = if group.is_empty() { set.to_owned() } else { format!("{set}/{group}") };
            let signer = self.signers.iter().position(|s| *s == name).unwrap_or_else(|| {
                self.signers.push(name);
                self.signers.len() - 1
            });
            let gloss = self.find(&label).unwrap_or_else(|| {
                self.glosses.push((gloss(&label), vec![]));
                self.glosses.len() - 1
            });
            let by_signer = &mut self.glosses[gloss].1;
            by_signer.resize(by_signer.len().max(signer + 1), vec![]);
            by_signer[signer].push(at);
        } else {
            self.others.push(at);
        }
        let id = ClipId { set: set.to_owned(), group, label, seq };
        self.clips.push(Clip { id, frames, fps: track.fps, hands });
    }

    /// The number of a gloss.
    pub fn find(&self, gloss: &str) -> Option<usize> {
        self.glosses.iter().position(|(g, _)| label_key(g) == label_key(gloss))
    }

    /// A clip of a gloss, by this signer where one is given; signers are drawn by the root of their clips.
    pub fn draw(&self, gloss: usize, signer: Option<usize>, rng: &mut StdRng) -> Option<usize> {
        let by_signer = &self.glosses[gloss].1;
        let clips = match signer {
            Some(signer) => by_signer.get(signer)?,
            None => {
                let root = |clips: &[usize]| (clips.len() as f32).sqrt();
                let mut at = rng.random::<f32>() * by_signer.iter().map(|c| root(c)).sum::<f32>();
                let drawn = by_signer.iter().find(|clips| {
                    at -= root(clips);
                    at < 0.0
                });
                drawn.or(by_signer.last())?
            }
        };
        (!clips.is_empty()).then(|| clips[rng.random_range(0..clips.len())])
    }
}

/// Sets a signer upright who was recorded from the side or leaning: the head above the shoulders, as far
/// from them as the standard signer's, and hands with it.
///
/// Shoulders that are seen from the side are narrow and make all else too large; and heads that jump from
/// clip to clip would tell a recogniser which data set a sign is from.
fn upright(frames: &mut [Frame]) {
    /// Beyond these the head is not what was seen wrongly.
    const SIZE: [f32; 2] = [0.55, 1.3];
    let standard = Frame::rest().head[0];
    let mean = |axis: usize| frames.iter().map(|f| f.head[0][axis]).sum::<f32>() / frames.len() as f32;
    let (across, up) = (mean(0) - standard[0], mean(1).min(-0.1));
    let size = (standard[1] / up).clamp(SIZE[0], SIZE[1]);
    let lean = |y: f32| across * (y / up).clamp(0.0, 1.5);
    let set = |p: Point, lean: f32| [(p[0] - lean) * size, p[1] * size, p[2] * size];
    for frame in frames {
        for p in &mut frame.head {
            *p = set(*p, across);
        }
        for side in 0..2 {
            let by = lean(frame.wrists[side][1]);
            frame.elbows[side] = set(frame.elbows[side], lean(frame.elbows[side][1]));
            frame.wrists[side] = set(frame.wrists[side], by);
            for p in frame.hands[side].iter_mut().flatten() {
                *p = set(*p, by);
            }
        }
    }
}

/// How a label is written as a gloss: in capitals, words joined by hyphens.
fn gloss(label: &str) -> String {
    label.to_uppercase().split_whitespace().collect::<Vec<_>>().join("-")
}

/// The clips of one part.
fn part(recorded: Vec<Recording>, rule: &HeldOut, split: Split) -> Vec<Recording> {
    let held = held_out_of(
        &recorded,
        |r| Origin { label: &r.label, group: &r.group, split: &r.split, seq: r.seq },
        rule,
    );
    let mut guarded: HashSet<usize> = HashSet::new();
    if matches!(rule, HeldOut::Last(_)) {
        let mut order: Vec<usize> = (0..recorded.len()).collect();
        order.sort_by_key(|&i| (label_key(&recorded[i].label), recorded[i].seq, i));
        for (place, &i) in order.iter().enumerate().filter(|&(_, &i)| held[i]) {
            let before = order[place.saturating_sub(GUARD)..place].iter();
            guarded.extend(before.filter(|&&j| recorded[j].label == recorded[i].label));
        }
    }
    let mut dev: HashSet<usize> = HashSet::new();
    let mut by_take: BTreeMap<(String, &str), Vec<usize>> = BTreeMap::new();
    for (i, r) in recorded.iter().enumerate().filter(|(i, _)| !held[*i] && !guarded.contains(i)) {
        by_take.entry((label_key(&r.label), &r.group)).or_default().push(i);
    }
    for mut clips in by_take.into_values() {
        clips.sort_by_key(|&i| (recorded[i].seq, i));
        let first = clips.len() - clips.len() / DEV_SHARE;
        dev.extend(&clips[first..]);
        if first < clips.len() {
            guarded.extend(&clips[first.saturating_sub(GUARD)..first]);
        }
    }
    let wanted = |i: usize| match split {
        Split::Val => held[i],
        Split::Dev => dev.contains(&i),
        Split::Train => !held[i] && !guarded.contains(&i) && !dev.contains(&i),
    };
    recorded.into_iter().enumerate().filter_map(|(i, r)| wanted(i).then_some(r)).collect()
}

#[cfg(test)]
mod tests {
    use models::pose::{Known, PoseTrack};

    use super::*;

    fn recorded() -> Vec<Recording> {
        let track = PoseTrack::new(Known::Hands42.layout(), 20.0, [640, 480, 0]);
        let clip = |label: &str, seq| Recording {
            label: label.into(),
            group: if seq % 2 == 0 { "even".into() } else { "odd".into() },
            seq,
            split: String::new(),
            track: track.clone(),
        };
        (0..40).map(|seq| clip("a", seq)).chain((0..40).map(|seq| clip("b", seq))).collect()
    }

    #[test]
    fn neighbours_of_held_out_clips_are_in_no_part() {
        let seqs = |split| -> Vec<u32> {
            part(recorded(), &HeldOut::Last(10), split).iter().map(|r| r.seq).collect()
        };
        assert_eq!(seqs(Split::Val), (30..40).chain(30..40).collect::<Vec<_>>());
        // Of the 25 before, 12 or 13 of each group, the last of each is for thresholds, with a guard of its own.
        assert_eq!(seqs(Split::Dev), [23, 24, 23, 24]);
        assert_eq!(seqs(Split::Train), (0..13).chain(0..13).collect::<Vec<_>>());
    }

    #[test]
    fn groups_part_whole() {
        let rule = HeldOut::Group("odd".into());
        assert!(part(recorded(), &rule, Split::Val).iter().all(|r| r.seq % 2 == 1));
        assert_eq!(part(recorded(), &rule, Split::Train).len(), 2 * (20 - 2 - GUARD));
        assert_eq!(part(recorded(), &rule, Split::Dev).len(), 4);
    }

    #[test]
    fn heads_come_above_the_shoulders_and_hands_with_them() {
        let mut plain = Frame::rest();
        plain.wrists[1] = [-0.2, -0.7, -0.3];
        let mut seen = plain.clone();
        for p in seen.head.iter_mut().chain(&mut seen.wrists[1..]) {
            *p = [p[0] * 1.5 + 0.3 * p[1] / -0.57, p[1] * 1.5, p[2] * 1.5];
        }
        let mut frames = vec![seen; 3];
        upright(&mut frames);
        let apart = |a: Point, b: Point| (a[0] - b[0]).hypot(a[1] - b[1]);
        assert!(apart(frames[1].head[0], plain.head[0]) < 1e-3, "{:?}", frames[1].head[0]);
        assert!(apart(frames[1].wrists[1], plain.wrists[1]) < 1e-3, "{:?}", frames[1].wrists[1]);
        let mut same = vec![plain.clone(); 2];
        upright(&mut same);
        assert_eq!(same[0], plain);
    }

    #[test]
    fn labels_become_glosses() {
        assert_eq!(gloss("thank you"), "THANK-YOU");
        assert_eq!(gloss("i'm fine"), "I'M-FINE");
        assert_eq!(gloss("thank-you"), "THANK-YOU");
    }
}
