//! What the rescorer is trained to do: CTC over a whole utterance, and to say what follows each prefix of it.
//!
//! It learns from what the live network, which no longer changes, makes of utterances cut out as the gate will
//! cut them. Their edges are moved about, and stretches are blotted out, so that it does not trust signs that
//! the live network knows by heart more than it may trust those of strangers.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Int, Tensor, TensorData};
use models::features::stream;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::batches::{Batch, Batches, LATEST_STEPS};
use crate::nn::{LiveNet, RescoreNet, numbers};
use crate::train::ctc::{self, Target};
use crate::train::fit::{Parts, Plain, Task};
use crate::train::gradient::with_gradient;
use crate::train::plan::step_seed;

/// Its batches are other ones than those that the live network learnt from.
const FIRST_BATCH: usize = 1 << 20;
/// An utterance begins so many steps before its sentence does, and ends so many after it, at least and at most.
const BEFORE: std::ops::Range<usize> = 0..15;
const AFTER: std::ops::Range<usize> = 8..17;
/// Where nothing is signed, so many steps are taken.
const NOTHING: std::ops::Range<usize> = 30..150;
/// Stretches that are blotted out of an utterance, and their steps.
const BLOTS: std::ops::Range<usize> = 0..3;
const BLOT: std::ops::Range<usize> = 3..11;
/// CTC mostly gives the gloss of a sign so many steps after its end.
const GIVEN: std::ops::Range<usize> = 0..9;
/// A batch is at least so many steps long: the network's widest reach must fit in.
const LEAST_STEPS: usize = 64;
/// What the right gloss is not given: label smoothing, Szegedy et al. 2016, section 7.
const SMOOTHING: f32 = 0.1;

/// Trains a [`RescoreNet`].
pub struct RescoreTask<'a, B: AutodiffBackend> {
    /// Where batches come from.
    pub batches: &'a Batches<'a>,
    /// The network that it stands on.
    pub live: &'a LiveNet<Plain<B>>,
    /// What the cuts follow from, with the step.
    pub seed: u64,
    /// Steps of an utterance, T, and glosses of a hypothesis with its beginning, U, at most.
    pub most: [usize; 2],
}

/// An utterance cut out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Piece {
    /// `[T', D]`.
    hidden: Vec<f32>,
    /// Its glosses, their times counted from its first step.
    targets: Vec<Target>,
    /// `[targets]`: a step at which CTC may give each.
    at: Vec<usize>,
}

impl<B: AutodiffBackend> Task<B> for RescoreTask<'_, B> {
    type Net = RescoreNet<B>;
    type Batch = Vec<Piece>;

    fn batch(&self, step: usize) -> Vec<Piece> {
        let mut batch = self.batches.batch(FIRST_BATCH + step);
        let shape = [batch.sequences.len(), batch.steps, stream::WIDTH];
        let features = std::mem::take(&mut batch.features);
        let features =
            Tensor::<Plain<B>, 3>::from_data(TensorData::new(features, shape), &Default::default());
        let hidden = numbers(self.live.hidden(features));
        pieces(&batch, &hidden, self.most, &mut StdRng::seed_from_u64(step_seed(self.seed, step)))
    }

    fn loss(&self, net: &RescoreNet<B>, pieces: Vec<Piece>) -> (Tensor<B, 1>, Parts<B>) {
        let device = Default::default();
        let [labels, width] = net.embed.weight.dims();
        let steps = pieces.iter().map(|p| p.hidden.len() / width).fold(LEAST_STEPS, usize::max);
        let length = pieces.iter().map(|p| p.targets.len() + 1).max().unwrap_or(1);
        let (mut hidden, mut there, mut prefixes, mut at) = (vec![], vec![], vec![], vec![]);
        for piece in &pieces {
            let own = piece.hidden.len() / width;
            hidden.extend(&piece.hidden);
            hidden.resize(hidden.len() + (steps - own) * width, 0.0);
            there.extend((0..steps).map(|t| f32::from(u8::from(t < own))));
            let prefix = std::iter::once(0).chain(piece.targets.iter().map(|t| t.label as i64));
            prefixes.extend(prefix.chain(std::iter::repeat(0)).take(length));
            let times = std::iter::once(0).chain(piece.at.iter().map(|t| *t as i64));
            at.extend(times.chain(std::iter::repeat(0)).take(length));
        }
        let b = pieces.len();
        let hidden = Tensor::<B, 3>::from_data(TensorData::new(hidden, [b, steps, width]), &device);
        let there = Tensor::<B, 3>::from_data(TensorData::new(there, [b, steps, 1]), &device);
        let row = |values| Tensor::<B, 2, Int>::from_data(TensorData::new(values, [b, length]), &device);
        let (memory, ctc) = net.memory(hidden, &there); // [B, T, D], [B, T, 1 + G]
        let next = net.next(memory, &there, row(prefixes), row(at)); // [B, U, 1 + G]

        let said = pieces.iter().map(|p| p.targets.len() + 1).sum::<usize>() as f32;
        let values = numbers(ctc.clone());
        let mut gradient = vec![0.0; values.len()];
        let rows = values.chunks_exact(steps * labels).zip(gradient.chunks_exact_mut(steps * labels));
        let mut heard = 0.0;
        for ((logits, gradient), piece) in rows.zip(&pieces) {
            let own = piece.hidden.len() / width * labels;
            let (logits, gradient) = (&logits[..own], &mut gradient[..own]);
            heard += ctc::loss(logits, labels, &piece.targets, 1.0 / said, gradient).unwrap_or(0.0);
        }
        let heard = heard / f64::from(said);
        let by_ctc = with_gradient(ctc, &values, gradient, heard);

        let values = numbers(next.clone());
        let mut gradient = vec![0.0; values.len()];
        let mut rows = values.chunks_exact(labels).zip(gradient.chunks_exact_mut(labels));
        let mut followed = 0.0;
        for piece in &pieces {
            let follow = piece.targets.iter().map(|t| t.label).chain([0]);
            for (follows, (logits, gradient)) in follow.zip(rows.by_ref().take(length)) {
                followed += ctc::smoothed(logits, follows, SMOOTHING, 1.0 / said, gradient);
            }
            // What follows the end is asked of nobody.
            rows.by_ref().take(length - piece.targets.len() - 1).for_each(drop);
        }
        let followed = followed / f64::from(said);
        let by_attention = with_gradient(next, &values, gradient, followed);
        let part = |value: f64| Tensor::from_floats([value as f32], &device);
        (by_ctc + by_attention, vec![("ctc", part(heard)), ("attention", part(followed))])
    }
}

/// Utterances as the gate may cut them out of the sequences of a batch.
///
/// # Shapes
/// - `hidden`: `[B, T, D]`
fn pieces(batch: &Batch, hidden: &[f32], [most, length]: [usize; 2], rng: &mut StdRng) -> Vec<Piece> {
    let width = hidden.len() / (batch.sequences.len() * batch.steps);
    let rows = hidden.chunks_exact(batch.steps * width);
    let cut = |((hidden, sequence), &steps): ((&[f32], _), &usize)| {
        let sequence: &super::batches::Sequence = sequence;
        let inside = |class: &u8| *class != 0;
        let sentence = sequence.bio[1].iter().position(inside).zip(sequence.bio[1].iter().rposition(inside));
        let (from, to) = match sentence {
            Some((first, last)) => {
                (first.saturating_sub(rng.random_range(BEFORE)), last + 1 + rng.random_range(AFTER))
            }
            None => {
                let from = rng.random_range(0..steps.max(1));
                (from, from + rng.random_range(NOTHING))
            }
        };
        let to = to.min(steps).min(from + most);
        let targets = sequence.targets.iter().filter(|t| t.within.start >= from && t.within.end <= to);
        let targets: Vec<Target> = targets
            .take(length - 1)
            .map(|t| Target { label: t.label, within: t.within.start - from..t.within.end - from })
            .collect();
        let at = targets.iter().map(|t| {
            let end = t.within.end - 1 - LATEST_STEPS;
            rng.random_range(
                (end + GIVEN.start).max(t.within.start)..(end + GIVEN.end).max(t.within.start + 1),
            )
        });
        let at = at.collect();
        let mut hidden = hidden[from * width..to * width].to_vec();
        for _ in 0..rng.random_range(BLOTS) {
            let at = rng.random_range(0..to.saturating_sub(from).max(1)) * width;
            let end = (at + rng.random_range(BLOT) * width).min(hidden.len());
            hidden[at.min(end)..end].fill(0.0);
        }
        Piece { hidden, targets, at }
    };
    rows.zip(&batch.sequences).zip(&batch.lengths).map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::super::batches::Sequence;
    use super::*;

    #[test]
    fn a_piece_has_its_sentence_and_times_of_its_own() {
        let (steps, width) = (120, 2);
        let signed = Sequence {
            targets: vec![Target { label: 3, within: 50..62 }, Target { label: 1, within: 66..80 }],
            bio: [vec![], (0..steps).map(|t| u8::from((45..75).contains(&t))).collect()],
            ..Sequence::default()
        };
        let idle = Sequence { bio: [vec![], vec![0; steps]], ..Sequence::default() };
        let batch = Batch { features: vec![], steps, sequences: vec![signed, idle], lengths: vec![110, 40] };
        let hidden: Vec<f32> = (0..2 * steps * width).map(|i| (1 + i / width) as f32).collect();
        for seed in 0..50 {
            let found = pieces(&batch, &hidden, [100, 9], &mut StdRng::seed_from_u64(seed));
            let [signed, idle] = &found[..] else { panic!("two sequences give two pieces") };
            let from = 50 - signed.targets[0].within.start;
            assert!((31..=45).contains(&from), "{from}");
            assert!(signed.at.iter().zip(&signed.targets).all(|(at, t)| t.within.contains(at)), "{signed:?}");
            assert_eq!(signed.targets[1], Target { label: 1, within: 66 - from..80 - from });
            let rows = signed.hidden.chunks_exact(width).enumerate();
            assert!(rows.clone().all(|(t, row)| row[0] == 0.0 || row[0] == (from + t + 1) as f32));
            assert!((83..=91).contains(&(from + rows.len())), "the pause is there");
            assert!(idle.targets.is_empty() && idle.hidden.len() <= 40 * width, "no padding");
        }
        let short = pieces(&batch, &hidden, [100, 2], &mut StdRng::seed_from_u64(1));
        assert_eq!(short[0].targets.len(), 1, "no more than a hypothesis may have");
    }
}
