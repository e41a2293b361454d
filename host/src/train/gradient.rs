//! Losses whose gradient is worked out by hand: that is faster than by automatic differentiation, and some have
//! no other.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};

use super::ctc;

/// The values of a tensor, row-major.
pub(super) fn numbers<B: AutodiffBackend, const D: usize>(tensor: &Tensor<B, D>) -> Vec<f32> {
    tensor.clone().into_data().convert::<f32>().to_vec().expect("converted to f32 just before")
}

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
    let values = numbers(&logits);
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
