//! Batches of synthetic utterances: steps of features, and what is said, signed and when.

use std::sync::Mutex;

use models::features::{Picker, stream};
use models::gloss::label_key;
use models::utterance::TimedGloss;

use crate::export::Scale;
use crate::synth::{Made, Synth};
use crate::train::ctc::Target;

/// Batches of a step of training, which are learnt at once, and utterances of each.
pub const PARTS: usize = 2;
pub const BATCH: usize = 8;
/// The batches of so many steps are drawn together and sorted by length, so that little of a batch is padding.
const POOL: usize = 6;
/// Utterances of a step.
const STEP: usize = PARTS * BATCH;
/// A sequence is at least so many steps long: the network's longest memory must fit in.
const LEAST_STEPS: usize = 96;
/// Longer utterances are cut, to bound memory.
const MOST_STEPS: usize = 600;

/// The gloss of a sign may be given once this share of it was seen, and up to so many steps after its end.
const FROM_SHARE: f64 = 0.4;
pub const LATEST_STEPS: usize = 11;
/// What is said of signs and sentences is about so many steps before.
pub const GATE_DELAY: usize = 4;
/// A beginning lasts so many steps.
const BEGIN_STEPS: usize = 3;
/// A sentence reaches so far beyond its first and last sign in place: hands come up and go down. Seconds.
const SENTENCE_REACH_S: f64 = 0.2;

/// An utterance as the network sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sequence {
    /// `[T, F]`, not standardised.
    pub features: Vec<f32>,
    /// The glosses in order.
    pub targets: Vec<Target>,
    /// `[T]`: BIO of signs, and of sentences.
    pub bio: [Vec<u8>; 2],
}

impl Sequence {
    /// Steps, T.
    pub fn steps(&self) -> usize {
        self.features.len() / stream::WIDTH
    }

    /// The utterance of a synthetic corpus.
    pub fn of(made: &Made, glosses: &[String]) -> Self {
        let picker = Picker::new(&made.track.layout).expect("synthetic poses have hands");
        let (mut steps, mut features) = (stream::Stream::default(), vec![]);
        for (pose, &at_s) in made.track.frames.iter().zip(&made.stamps_s) {
            steps.push(&picker.pick(at_s, pose), |_, row| features.extend_from_slice(row));
        }
        features.truncate(MOST_STEPS * stream::WIDTH);
        let count = features.len() / stream::WIDTH;
        let number = |g: &TimedGloss| {
            glosses.iter().position(|known| label_key(known) == label_key(&g.gloss)).map(|i| i + 1)
        };
        let targets: Vec<Target> = made
            .glosses
            .iter()
            .filter_map(|g| Some(Target { label: number(g)?, within: within(g) }))
            .filter(|target| target.within.end <= count)
            .collect();
        let spans: Vec<[f64; 2]> = made.glosses.iter().map(|g| [g.start_s, g.end_s]).collect();
        let sentence = spans.first().zip(spans.last());
        let sentence = sentence.map(|([from, _], [_, to])| [from - SENTENCE_REACH_S, to + SENTENCE_REACH_S]);
        Self { features, targets, bio: [bio(&spans, count), bio(sentence.as_slice(), count)] }
    }
}

/// The steps at which the gloss of a sign may be given.
fn within(gloss: &TimedGloss) -> std::ops::Range<usize> {
    let step = |at_s: f64| (at_s.max(0.0) / stream::STEP_S).round() as usize;
    let from = step(gloss.start_s + FROM_SHARE * (gloss.end_s - gloss.start_s));
    from..step(gloss.end_s).max(from) + LATEST_STEPS + 1
}

/// Outside (0), begin (1) and inside (2) of spans, late by the gate's delay: `[T]`.
fn bio(spans: &[[f64; 2]], count: usize) -> Vec<u8> {
    let step = |at_s: f64| (at_s.max(0.0) / stream::STEP_S).round() as usize + GATE_DELAY;
    let mut out = vec![0; count];
    for [from, to] in spans {
        let (from, to) = (step(*from), step(*to) + 1);
        for (i, slot) in out.iter_mut().enumerate().take(to).skip(from) {
            *slot = if i < from + BEGIN_STEPS { 1 } else { 2 };
        }
    }
    out
}

/// A batch: sequences of one length, the shorter ones padded with zeros.
pub struct Batch {
    /// `[B, T, F]`, standardised.
    pub features: Vec<f32>,
    /// Steps, T.
    pub steps: usize,
    /// `[B]`; their features are empty.
    pub sequences: Vec<Sequence>,
    /// `[B]`: how many steps of each are no padding.
    pub lengths: Vec<usize>,
}

/// Draws batches.
pub struct Batches<'a> {
    synth: &'a Synth,
    glosses: Vec<String>,
    scale: Scale,
    /// The pool that was drawn last, by its number.
    pool: Mutex<Option<(usize, Vec<Sequence>)>>,
}

impl<'a> Batches<'a> {
    /// Batches of a synthetic corpus; features are standardised by their mean and deviation over some utterances.
    pub fn new(synth: &'a Synth) -> Self {
        let glosses: Vec<String> = synth.glosses().map(str::to_owned).collect();
        let some = (0..150).map(|n| Sequence::of(&synth.utterance(u64::MAX / 2 + n), &glosses));
        let scale = scale(some);
        Self { synth, glosses, scale, pool: Mutex::new(None) }
    }

    /// Mean and deviation of the features.
    pub fn scale(&self) -> &Scale {
        &self.scale
    }

    /// The glosses, G, in the order of labels from 1 on.
    pub fn glosses(&self) -> &[String] {
        &self.glosses
    }

    /// The batch of a number, which follows from it alone: [`PARTS`] for each step, as long as each other.
    pub fn batch(&self, number: usize) -> Batch {
        let (step, part) = (number / PARTS, number % PARTS);
        let (number, place) = (step / POOL, step % POOL);
        let mut pool = self.pool.lock().expect("no thread panics while it draws");
        if pool.as_ref().is_none_or(|(drawn, _)| *drawn != number) {
            *pool = Some((number, self.draw(number)));
        }
        let (_, sequences) = pool.as_ref().expect("it was drawn just before");
        // Long and short batches in turns that differ from pool to pool.
        let place = (place * 5 + number) % POOL;
        let sequences: Vec<_> = sequences[place * STEP..][..STEP].iter().skip(part).step_by(PARTS).collect();
        self.pad(&sequences)
    }

    fn draw(&self, number: usize) -> Vec<Sequence> {
        let first = (number * POOL * STEP) as u64;
        let mut sequences: Vec<Sequence> = (first..first + (POOL * STEP) as u64)
            .map(|n| Sequence::of(&self.synth.utterance(n), &self.glosses))
            .collect();
        sequences.sort_by_key(Sequence::steps);
        sequences
    }

    fn pad(&self, sequences: &[&Sequence]) -> Batch {
        let lengths: Vec<usize> = sequences.iter().map(|s| s.steps()).collect();
        let steps = lengths.iter().copied().fold(LEAST_STEPS, usize::max);
        let mut features = vec![0.0; sequences.len() * steps * stream::WIDTH];
        let rows = features.chunks_exact_mut(steps * stream::WIDTH);
        for (row, sequence) in rows.zip(sequences) {
            let row = &mut row[..sequence.features.len()];
            row.copy_from_slice(&sequence.features);
            self.scale.apply(row);
        }
        let bare = |s: &&Sequence| Sequence { features: vec![], ..(*s).clone() };
        Batch { features, steps, sequences: sequences.iter().map(bare).collect(), lengths }
    }
}

/// Mean and deviation of each value of a step.
fn scale(sequences: impl Iterator<Item = Sequence>) -> Scale {
    let (mut sum, mut squares) = (vec![0.0_f64; stream::WIDTH], vec![0.0_f64; stream::WIDTH]);
    let mut n = 0.0;
    for sequence in sequences {
        for row in sequence.features.chunks_exact(stream::WIDTH) {
            n += 1.0;
            for (i, v) in row.iter().enumerate() {
                sum[i] += f64::from(*v);
                squares[i] += f64::from(*v).powi(2);
            }
        }
    }
    Scale::of(&sum, &squares, n)
}
