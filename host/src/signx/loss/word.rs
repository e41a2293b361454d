//! The word matching loss (equation 10).
//!
//! The embedding that is predicted is the mean of the codebook by the probabilities of its rows. Of several tokens the
//! mean cosine counts. Gradients reach the probabilities alone: a codebook that had them would make all rows alike,
//! which matches any word.

use burn::tensor::{Tensor, backend::Backend};

use super::Targets;

/// Keeps what has no length from being divided by.
const SMALLEST: f32 = 1e-8;

/// One less the cosine of predicted and true embeddings, the mean over clips: `[1]`.
///
/// # Shapes
/// - `probs`: `[B * U, V]`, probabilities
/// - `codes`: `[V, D]`, the codebook
pub fn word<B: Backend>(probs: Tensor<B, 2>, codes: Tensor<B, 2>, targets: &Targets<B>) -> Tensor<B, 1> {
    let (codes, [b, u]) = (codes.detach(), targets.dims());
    let (predicted, expected) = (probs.matmul(codes.clone()), targets.codes(&codes)); // [B * U, D]
    let cosine = (unit(predicted) * unit(expected)).sum_dim(1).reshape([b, u]);
    let there = &targets.there;
    let each = (cosine * there.clone()).sum_dim(1) / there.clone().sum_dim(1); // [B, 1]
    (each.neg() + 1.0).mean()
}

/// Rows at length 1: `[rows, D]`.
pub fn unit<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    let length = x.clone().powi_scalar(2).sum_dim(1).sqrt().clamp_min(SMALLEST);
    x / length
}
