//! Losses whose gradient is worked out by hand: that is faster than by automatic differentiation, and some have
//! no other.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};

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
