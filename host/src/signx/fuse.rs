//! The fusion of the tracks (equation 2): multi-head attention over the features of each frame.
//!
//! The paper's attention takes five features and its figure gives one. Here each track's feature looks at those of
//! all tracks that are there, and the fused one is the mean of what they made of it; a track that is not there is
//! neither looked at nor in the mean, so that any subset of the tracks will do.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use crate::nn::transformer::absent;
use crate::nn::{Attention, Drops};

/// Fuses the features of a frame's tracks.
#[derive(Module, Debug)]
pub struct Fuse<B: Backend> {
    /// Over the tracks of each frame.
    pub attention: Attention<B>,
}

impl<B: Backend> Fuse<B> {
    /// A fusion with random weights.
    pub fn new(width: usize, heads: usize, device: &B::Device) -> Self {
        Self { attention: Attention::new(width, heads, device) }
    }

    /// One feature a frame.
    ///
    /// # Shapes
    /// - `features`: `[B * T * K, D]`, frame by frame and in it track by track
    /// - `there`: `[B * T, K]`, 1 where a track has the frame, else 0
    /// - returns: `[B * T, D]`, 0 where no track has the frame
    pub fn forward(&self, features: Tensor<B, 2>, there: &Tensor<B, 2>, drops: &mut Drops) -> Tensor<B, 2> {
        let ([rows, k], [_, d]) = (there.dims(), features.dims());
        let absent = absent(there, self.attention.heads, k); // [B * T * H, K, K]
        let seen = self.attention.forward(features, None, &absent, rows, drops).reshape([rows, k, d]);
        let seen = (seen * there.clone().reshape([rows, k, 1])).sum_dim(1).reshape([rows, d]);
        seen / there.clone().sum_dim(1).clamp_min(1.0)
    }
}
