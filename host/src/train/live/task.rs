//! What the live recogniser is trained to do: CTC over glosses, and BIO of signs and sentences.

use crate::nn::BIO;
use crate::train::ctc;

use super::batches::Batch;

/// What the gate's errors count beside those of glosses.
const GATE_WEIGHT: f32 = 0.5;

/// The losses of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Losses {
    /// What is minimised.
    pub total: f64,
    /// CTC's, a gloss.
    pub ctc: f64,
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
    all.sign /= steps as f64;
    all.sentence /= steps as f64;
    all.total = all.ctc + f64::from(GATE_WEIGHT) * (all.sign + all.sentence);
    (all, gradient)
}
