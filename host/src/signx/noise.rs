//! The prediction of noise (equation 8): `ε̂(z_t, t)`.
//!
//! The paper's text speaks of a U-Net and its figure of an inverse diffusion transformer. Here it is both: a transformer over
//! the frames whose early layers are joined to its late ones as in a U-Net (U-ViT, Bao et al. 2023, section 3.1). The
//! level of noise is told to every layer (Ho et al. 2020, appendix B). It begins by predicting that there is no noise.

use burn::module::Module;
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::silu;
use burn::tensor::{Tensor, TensorData, backend::Backend};

use super::Size;
use crate::nn::transformer::{EncoderLayer, absent, placed};
use crate::nn::{Drops, LONGEST_PLACE, wave};

/// Predicts the noise in the latents of clips.
#[derive(Module, Debug)]
pub struct Noise<B: Backend> {
    /// `[Z, D]`.
    pub into: Linear<B>,
    /// `[D, D]`: of the level's waves.
    pub when_up: Linear<B>,
    /// `[D, D]`.
    pub when_down: Linear<B>,
    /// In order.
    pub layers: Vec<NoiseLayer<B>>,
    /// Over D.
    pub norm: LayerNorm<B>,
    /// `[D, Z]`.
    pub out: Linear<B>,
}

/// A layer.
#[derive(Module, Debug)]
pub struct NoiseLayer<B: Backend> {
    /// `[2D, D]`: joins what an early layer gave to what a late one is given; early layers have none.
    pub skip: Option<Linear<B>>,
    /// `[D, D]`: what the level of noise adds.
    pub when: Linear<B>,
    /// Over the frames.
    pub layer: EncoderLayer<B>,
}

impl<B: Backend> Noise<B> {
    /// A network with random weights.
    pub fn new(latent: usize, size: Size, device: &B::Device) -> Self {
        let d = size.width;
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let layer = |i: usize| NoiseLayer {
            skip: (i >= size.layers - size.layers / 2).then(|| linear(2 * d, d)),
            when: linear(d, d),
            layer: EncoderLayer::new(size.layer(), device),
        };
        Self {
            into: linear(latent, d),
            when_up: linear(d, d),
            when_down: linear(d, d),
            layers: (0..size.layers).map(layer).collect(),
            norm: LayerNormConfig::new(d).init(device),
            out: LinearConfig::new(d, latent).with_initializer(Initializer::Zeros).init(device),
        }
    }

    /// The noise that each latent seems to hold.
    ///
    /// # Shapes
    /// - `latent`: `[B * T, Z]`
    /// - `levels`: `[B]`, the level of noise of each clip
    /// - `there`: `[B, T]`, 1 for each frame that is there, else 0
    /// - returns: `[B * T, Z]`
    pub fn forward(
        &self,
        latent: Tensor<B, 2>,
        levels: &[usize],
        there: &Tensor<B, 2>,
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let [b, t] = there.dims();
        let absent = absent(there, self.heads(), t);
        let when = self.when(levels); // [B, D]
        let mut x = drops.of(placed(self.into.forward(latent), b)); // [B * T, D]
        let [_, d] = x.dims();
        let mut early = vec![];
        for (i, layer) in self.layers.iter().enumerate() {
            if let Some(skip) = &layer.skip {
                let early = early.pop().expect("there are as many early layers as late ones");
                x = skip.forward(Tensor::cat(vec![x, early], 1));
            }
            let told = layer.when.forward(when.clone()).reshape([b, 1, d]).expand([b, t, d]);
            x = layer.layer.forward(x + told.reshape([b * t, d]), &absent, b, drops);
            if i < self.layers.len() / 2 {
                early.push(x.clone());
            }
        }
        self.out.forward(self.norm.forward(x))
    }

    /// Levels of noise as every layer is told of them: `[B, D]`.
    pub fn when(&self, levels: &[usize]) -> Tensor<B, 2> {
        let [d, _] = self.when_up.weight.dims();
        let waves: Vec<f32> = levels.iter().flat_map(|level| wave(*level, d, LONGEST_PLACE)).collect();
        let waves =
            Tensor::from_data(TensorData::new(waves, [levels.len(), d]), &self.when_up.weight.device());
        self.when_down.forward(silu(self.when_up.forward(waves)))
    }

    /// Heads, H.
    pub fn heads(&self) -> usize {
        self.layers.first().map_or(1, |layer| layer.layer.attention.heads)
    }
}
