//! The reverse process ("inverse diffusion") in few deterministic steps: DDIM with η = 0 (Song et al. 2021, equation
//! 12).
//!
//! The paper says that inference recovers the representation "from random noise", and that what its fusion layer gives
//! is "the noisy representation" (equation 3). A recogniser must keep what it saw, so the latter is taken at its word:
//! the latent of what was seen stands at some level of noise and is denoised from there. With random noise in its
//! place and the highest level, [`Diffusion::moves`] is the sampler of a generative model; with no steps, diffusion is
//! off.

use burn::tensor::{Tensor, backend::Backend};

use super::AlphaBar;

/// How latents are denoised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diffusion {
    /// The schedule of noise.
    pub schedule: AlphaBar,
    /// Levels of noise.
    pub levels: usize,
    /// The level that what was seen is taken to stand at.
    pub from: usize,
    /// Steps from there to no noise; none leaves latents as they are.
    pub steps: usize,
}

/// A step from one level to a lower one: `z' = keeps · z + adds · ε̂(z, at)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move {
    /// The level that it leaves.
    pub at: usize,
    /// The share of the latent.
    pub keeps: f32,
    /// The share of the predicted noise.
    pub adds: f32,
}

impl Diffusion {
    /// The steps, in order. They are as far from each other as levels allow; there are never more than levels.
    pub fn moves(&self) -> Vec<Move> {
        let left = self.schedule.levels(self.levels);
        let from = self.from.min(self.levels);
        let steps = self.steps.min(from);
        let level = |step: usize| from - (from * step + steps / 2) / steps;
        let step = |step: usize| {
            let (at, to) = (level(step), level(step + 1));
            let keeps = (left[to] / left[at]).sqrt();
            let adds = (1.0 - left[to]).sqrt() - keeps * (1.0 - left[at]).sqrt();
            Move { at, keeps: keeps as f32, adds: adds as f32 }
        };
        (0..steps).map(step).collect()
    }

    /// Latents denoised by what `predict` says of the noise in them at a level.
    pub fn denoise<B: Backend>(
        &self,
        latent: Tensor<B, 2>,
        mut predict: impl FnMut(Tensor<B, 2>, usize) -> Tensor<B, 2>,
    ) -> Tensor<B, 2> {
        self.moves().into_iter().fold(latent, |z, Move { at, keeps, adds }| {
            let noise = predict(z.clone(), at);
            z * keeps + noise * adds
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::TensorData;

    use super::*;

    /// Who knows the noise comes back to where it was added, however many steps.
    #[track_caller]
    fn check(schedule: AlphaBar, from: usize, steps: usize) {
        let device = Default::default();
        let row = |values: [f32; 3]| {
            Tensor::<Flex, 2>::from_data(TensorData::new(values.to_vec(), [1, 3]), &device)
        };
        let (whole, noise) = (row([0.5, -1.0, 2.0]), row([1.0, 0.3, -0.7]));
        let left = schedule.levels(100)[from];
        let noisy = whole.clone() * left.sqrt() as f32 + noise.clone() * (1.0 - left).sqrt() as f32;
        let diffusion = Diffusion { schedule, levels: 100, from, steps };
        let mut levels = vec![];
        let found = diffusion.denoise(noisy, |_, at| {
            levels.push(at);
            noise.clone()
        });
        assert!((found - whole).abs().max().into_scalar() < 1e-4, "{schedule:?} from {from} in {steps}");
        assert_eq!(levels.len(), steps.min(from));
        assert!(levels.windows(2).all(|w| w[0] > w[1]) && levels.first() == Some(&from), "{levels:?}");
    }

    #[test]
    fn known_noise_is_taken_out() {
        for schedule in [AlphaBar::Linear, AlphaBar::Cosine] {
            for (from, steps) in [(50, 1), (50, 4), (90, 7), (3, 8)] {
                check(schedule, from, steps);
            }
        }
        let off = Diffusion { schedule: AlphaBar::Cosine, levels: 100, from: 50, steps: 0 };
        assert!(off.moves().is_empty());
    }
}
