//! The contrastive loss (equation 11).
//!
//! A clip's embedding is the mean of what the decoder looks at, its text's the mean of the codebook's rows. The clips
//! of a batch are each other's contrast; one alone has none and costs nothing.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::Targets;
use super::word::unit;

/// How likely it is to find each clip's text among all, as a negative logarithm, the mean over clips: `[1]`.
///
/// # Shapes
/// - `poses`: `[B, D]`, a clip each, as [`mean_of`] gives it
/// - `codes`: `[V, D]`, the codebook
pub fn contrast<B: Backend>(
    poses: Tensor<B, 2>,
    codes: &Tensor<B, 2>,
    targets: &Targets<B>,
    temperature: f32,
) -> Tensor<B, 1> {
    let (b, device) = (poses.dims()[0], poses.device());
    let texts = mean_of(targets.codes(codes), &targets.there);
    let log_probs = log_softmax(unit(poses).matmul(unit(texts).transpose()) / temperature, 1); // [B, B]
    let own: Vec<i64> = (0..b as i64).collect();
    let own = Tensor::<B, 2, Int>::from_data(TensorData::new(own, [b, 1]), &device);
    log_probs.gather(1, own).mean().neg()
}

/// The mean of the rows that are there.
///
/// # Shapes
/// - `x`: `[B * T, D]`
/// - `there`: `[B, T]`, 1 or 0
/// - returns: `[B, D]`
pub fn mean_of<B: Backend>(x: Tensor<B, 2>, there: &Tensor<B, 2>) -> Tensor<B, 2> {
    let ([b, t], [_, d]) = (there.dims(), x.dims());
    let sum = (x.reshape([b, t, d]) * there.clone().reshape([b, t, 1])).sum_dim(1).reshape([b, d]);
    sum / there.clone().sum_dim(1).clamp_min(1.0)
}
