//! What the live recogniser is trained to do: CTC over glosses, and BIO of signs and sentences.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};
use models::features::stream;
use models::live::BIO;

use super::batches::{BATCH, Batch, Batches, LATEST_STEPS, Sequence};
use crate::nn::{LiveNet, numbers};
use crate::train::ctc;
use crate::train::fit::{Parts, Task};
use crate::train::gradient::with_gradient;

/// What the gate's errors count beside those of glosses.
const GATE_WEIGHT: f32 = 0.5;
/// CTC alone takes long to find out where signs are; synthetic signing knows it. So the gloss is also asked for
/// in these steps after the end of its sign, and nothing in all others, with what a step counts each.
const ASKED: std::ops::Range<usize> = 2..7;
const ASKED_WEIGHT: f32 = 0.3;
const SILENT_WEIGHT: f32 = 0.03;

/// Trains a [`LiveNet`].
pub struct LiveTask<'a> {
    /// Where batches come from.
    pub batches: &'a Batches<'a>,
}

impl<B: AutodiffBackend> Task<B> for LiveTask<'_> {
    type Net = LiveNet<B>;
    type Batch = Batch;

    fn batch(&self, step: usize) -> Batch {
        self.batches.batch(step)
    }

    fn loss(&self, net: &LiveNet<B>, mut batch: Batch) -> (Tensor<B, 1>, Parts<B>) {
        let device = Default::default();
        let features = std::mem::take(&mut batch.features);
        let shape = [BATCH, batch.steps, stream::WIDTH];
        let logits = net.forward(Tensor::<B, 3>::from_data(TensorData::new(features, shape), &device));
        let values = numbers(logits.clone());
        let (losses, gradient) = losses(&values, self.batches.glosses().len(), &batch);
        let loss = with_gradient(logits, &values, gradient, losses.total);
        let part = |value: f64| Tensor::from_floats([value as f32], &device);
        let Losses { ctc, placed, sign, sentence, .. } = losses;
        let parts = [("ctc", ctc), ("placed", placed), ("sign", sign), ("sentence", sentence)];
        (loss, parts.map(|(name, value)| (name, part(value))).to_vec())
    }
}

/// The losses of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Losses {
    /// What is minimised.
    pub total: f64,
    /// CTC's, a gloss.
    pub ctc: f64,
    /// That of glosses asked for where they are, a gloss.
    pub placed: f64,
    /// BIO of signs, a step.
    pub sign: f64,
    /// BIO of sentences, a step.
    pub sentence: f64,
}

/// The losses of a batch and their gradient.
///
/// # Shapes
/// - `logits`: `[B, T, 1 + G + 3 + 3]`
/// - returns: the gradient by each logit, of the same shape
pub fn losses(logits: &[f32], glosses: usize, batch: &Batch) -> (Losses, Vec<f32>) {
    let (labels, width) = (1 + glosses, 1 + glosses + 2 * BIO);
    let said: usize = batch.sequences.iter().map(|s| s.targets.len() + 1).sum();
    let steps: usize = batch.lengths.iter().sum();
    let (said_weight, step_weight) = (1.0 / said as f32, GATE_WEIGHT / steps as f32);
    let mut gradient = vec![0.0; logits.len()];
    let mut all = Losses::default();
    let rows = logits.chunks_exact(batch.steps * width).zip(gradient.chunks_exact_mut(batch.steps * width));
    for (((logits, gradient), sequence), &length) in rows.zip(&batch.sequences).zip(&batch.lengths) {
        let own: Vec<f32> =
            logits.chunks_exact(width).take(length).flat_map(|row| &row[..labels]).copied().collect();
        let mut down = vec![0.0; own.len()];
        // Signs that overlap more than their time allows have no path: nothing is learnt from them.
        if let Some(loss) = ctc::loss(&own, labels, &sequence.targets, said_weight, &mut down) {
            all.ctc += loss;
        }
        for (row, down) in gradient.chunks_exact_mut(width).zip(down.chunks_exact(labels)) {
            row[..labels].copy_from_slice(down);
        }
        let asked = asked(sequence, length);
        for (t, (row, down)) in
            logits.chunks_exact(width).zip(gradient.chunks_exact_mut(width)).take(length).enumerate()
        {
            let weight = if asked[t] == ctc::BLANK { SILENT_WEIGHT } else { ASKED_WEIGHT };
            let (row, down) = (&row[..labels], &mut down[..labels]);
            let loss = ctc::cross_entropy(row, asked[t], weight * said_weight, down);
            all.placed += f64::from(weight) * loss;
        }
        for (t, (row, down)) in
            logits.chunks_exact(width).zip(gradient.chunks_exact_mut(width)).take(length).enumerate()
        {
            for (kind, sum) in [&mut all.sign, &mut all.sentence].into_iter().enumerate() {
                let at = labels + kind * BIO..labels + (kind + 1) * BIO;
                let class = usize::from(sequence.bio[kind][t]);
                *sum += ctc::cross_entropy(&row[at.clone()], class, step_weight, &mut down[at]);
            }
        }
    }
    all.ctc /= said as f64;
    all.placed /= said as f64;
    all.sign /= steps as f64;
    all.sentence /= steps as f64;
    all.total = all.ctc + all.placed + f64::from(GATE_WEIGHT) * (all.sign + all.sentence);
    (all, gradient)
}

/// The gloss that is asked for at each step: `[T]`.
fn asked(sequence: &Sequence, length: usize) -> Vec<usize> {
    let mut out = vec![ctc::BLANK; length];
    for target in &sequence.targets {
        let end = target.within.end - 1 - LATEST_STEPS;
        for slot in out.iter_mut().take(end + ASKED.end).skip(end + ASKED.start) {
            *slot = target.label;
        }
    }
    out
}
