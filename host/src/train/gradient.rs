//! Losses whose gradient is worked out by hand: that is faster than by automatic differentiation, and some have
//! no other.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};

use super::ctc;
use crate::nn::numbers;

/// A loss of a known value and a known gradient by `logits`, for automatic differentiation to go on from.
pub(super) fn with_gradient<B: AutodiffBackend, const D: usize>(
    logits: Tensor<B, D>,
    values: &[f32],
    gradient: Vec<f32>,
    loss: f64,
) -> Tensor<B, 1> {
    let along: f64 = values.iter().zip(&gradient).map(|(v, g)| f64::from(*v) * f64::from(*g)).sum();
    let (shape, device) = (logits.dims(), logits.device());
    let gradient = Tensor::<B, D>::from_data(TensorData::new(gradient, shape), &device);
    (logits * gradient).sum() + (loss - along) as f32
}

/// Cross-entropy with label smoothing of what follows each piece, the mean over all pieces: `[1]`.
///
/// # Shapes
/// - `logits`: `[B * U, V]`
/// - `follows`: `[B]`, what follows each piece of a sequence, with an end and without padding
pub(crate) fn followed<B: AutodiffBackend>(
    logits: Tensor<B, 2>,
    follows: &[Vec<u32>],
    smoothing: f32,
) -> Tensor<B, 1> {
    let [rows, v] = logits.dims();
    let u = rows / follows.len();
    let values = numbers(logits.clone());
    let mut gradient = vec![0.0; values.len()];
    let pieces = follows.iter().map(Vec::len).sum::<usize>() as f32;
    let mut loss = 0.0;
    let sentences = values.chunks_exact(u * v).zip(gradient.chunks_exact_mut(u * v));
    for ((logits, gradient), follows) in sentences.zip(follows) {
        // What follows the end is asked of nobody.
        let each = logits.chunks_exact(v).zip(gradient.chunks_exact_mut(v));
        for ((logits, gradient), &piece) in each.zip(follows) {
            loss += ctc::smoothed(logits, piece as usize, smoothing, 1.0 / pieces, gradient);
        }
    }
    with_gradient(logits, &values, gradient, loss / f64::from(pieces))
}

/// How likely sequences of labels are by what each of their steps says, as a negative logarithm, the mean over all
/// labels: `[1]`. A sequence that has too few steps for its labels counts for nothing.
///
/// # Shapes
/// - `logits`: `[B * T, V]`, of which column 0 says nothing
/// - `said`: `[B]`, labels of each sequence; a last 0 is its end and no label
/// - `there`: `[B * T]`, above 0 for each step that is there; those that are not are the last ones
pub(crate) fn aligned<B: AutodiffBackend>(
    logits: Tensor<B, 2>,
    said: &[Vec<u32>],
    there: &[f32],
) -> Tensor<B, 1> {
    let [rows, v] = logits.dims();
    let t = rows / said.len();
    let values = numbers(logits.clone());
    let mut gradient = vec![0.0; values.len()];
    let labels = said.iter().flatten().filter(|label| **label > 0).count().max(1);
    let mut loss = 0.0;
    let sequences = values.chunks_exact(t * v).zip(gradient.chunks_exact_mut(t * v));
    for (((logits, gradient), said), there) in sequences.zip(said).zip(there.chunks_exact(t)) {
        let steps = there.iter().rposition(|there| *there > 0.0).map_or(0, |last| last + 1);
        let target = |label: u32| ctc::Target { label: label as usize, within: 0..steps };
        let targets: Vec<_> = said.iter().filter(|label| **label > 0).map(|label| target(*label)).collect();
        let (logits, gradient) = (&logits[..steps * v], &mut gradient[..steps * v]);
        loss += ctc::loss(logits, v, &targets, 1.0 / labels as f32, gradient).unwrap_or(0.0);
    }
    with_gradient(logits, &values, gradient, loss / labels as f64)
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};

    use super::*;

    #[test]
    fn what_is_not_there_has_no_part_in_an_alignment() {
        const T: usize = 4;
        const V: usize = 3;
        let values: Vec<f32> = (0..2 * T * V).map(|i| (i * 7 % 5) as f32 * 0.3).collect();
        // The second sequence has two steps.
        let (said, there) = (vec![vec![1, 2, 0], vec![2, 0]], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        let device = Default::default();
        let data = TensorData::new(values.clone(), [2 * T, V]);
        let logits = Tensor::<Autodiff<Flex>, 2>::from_data(data, &device).require_grad();
        let loss = aligned(logits.clone(), &said, &there);
        let gradient = logits.grad(&loss.backward()).unwrap().into_data().to_vec::<f32>().unwrap();

        let (mut expect, mut down) = (0.0, vec![0.0; values.len()]);
        for (first, steps, labels) in [(0, 4, vec![1, 2]), (T, 2, vec![2])] {
            let of = |label| ctc::Target { label, within: 0..steps };
            let rows = first * V..(first + steps) * V;
            let targets: Vec<_> = labels.into_iter().map(of).collect();
            expect += ctc::loss(&values[rows.clone()], V, &targets, 1.0 / 3.0, &mut down[rows]).unwrap();
        }
        assert!((f64::from(loss.into_scalar()) - expect / 3.0).abs() < 1e-5);
        assert!(gradient.iter().zip(&down).all(|(a, b)| (a - b).abs() < 1e-6), "{gradient:?} {down:?}");
        assert!(gradient[6 * V..].iter().all(|g| *g == 0.0));
    }
}
