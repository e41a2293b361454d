//! The projection to the latent (equation 3): `z = PadMatch(f)`, 2048 wide in the paper.
//!
//! A norm closes it: "normalizing their dimensions", as the paper says, and equation 4 wants values of variance 1,
//! because noise of variance 1 is mixed with them.

use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Tensor, backend::Backend};

/// Brings features to the latent's width.
#[derive(Module, Debug)]
pub struct PadMatch<B: Backend> {
    /// `[D, Z]`.
    pub project: Linear<B>,
    /// Over Z.
    pub norm: LayerNorm<B>,
}

impl<B: Backend> PadMatch<B> {
    /// A projection with random weights.
    pub fn new(width: usize, latent: usize, device: &B::Device) -> Self {
        Self {
            project: LinearConfig::new(width, latent).init(device),
            norm: LayerNormConfig::new(latent).init(device),
        }
    }

    /// The latent of each frame: `[B * T, D]` to `[B * T, Z]`.
    pub fn forward(&self, features: Tensor<B, 2>) -> Tensor<B, 2> {
        self.norm.forward(self.project.forward(features))
    }
}
