//! The loss of the text (equation 9), with label smoothing.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use crate::train::gradient::followed;

use super::Targets;

/// Cross-entropy of what follows, the mean over all tokens that are there: `[1]`.
///
/// # Shapes
/// - `logits`: `[B * U, V]`
pub fn text<B: AutodiffBackend>(logits: Tensor<B, 2>, targets: &Targets<B>, smoothing: f32) -> Tensor<B, 1> {
    followed(logits, &targets.rows, smoothing)
}
