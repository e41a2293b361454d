//! The loss of predicted noise (equation 8), and those of Video2Pose (equation 13, and one of our own).

use burn::tensor::{Tensor, TensorData, backend::Backend};

/// Latents that noise was mixed with (equation 4).
#[derive(Debug, Clone)]
pub struct Noised<B: Backend> {
    /// `[B * T, Z]`
    pub latent: Tensor<B, 2>,
    /// `[B]`, the level of each clip.
    pub levels: Vec<usize>,
    /// What was mixed in, `[B * T, Z]`.
    pub noise: Tensor<B, 2>,
}

impl<B: Backend> Noised<B> {
    /// Mixes noise with latents, each clip's at its own level. Gradients do not go through: an encoder that had them
    /// would learn latents whose noise is easy to tell, those that say nothing.
    ///
    /// # Shapes
    /// - `latent`, `noise`: `[B * T, Z]`
    /// - `levels`: `[B]`, numbers of `left`
    /// - `left`: what is left of a latent at each level
    pub fn new(latent: Tensor<B, 2>, noise: Tensor<B, 2>, levels: Vec<usize>, left: &[f64]) -> Self {
        let ([rows, z], b, device) = (latent.dims(), levels.len(), latent.device());
        let share = |of: fn(f64) -> f64| {
            let shares: Vec<f32> = levels.iter().map(|level| of(left[*level]).sqrt() as f32).collect();
            let shares = Tensor::<B, 3>::from_data(TensorData::new(shares, [b, 1, 1]), &device);
            shares.expand([b, rows / b, z]).reshape([rows, z])
        };
        let latent = latent.detach() * share(|left| left) + noise.clone() * share(|left| 1.0 - left);
        Self { latent, levels, noise }
    }
}

/// The squared norm of what is wrong in predicted noise (equation 8), the mean over all frames that are there: `[1]`.
/// A mean over the latent's values as well would be lost beside the other losses.
///
/// # Shapes
/// - `predicted`, `noise`: `[B * T, Z]`
/// - `there`: `[B, T]`, 1 or 0
pub fn noise<B: Backend>(predicted: Tensor<B, 2>, noise: Tensor<B, 2>, there: &Tensor<B, 2>) -> Tensor<B, 1> {
    let [b, t] = there.dims();
    let there = there.clone().reshape([b * t, 1]);
    let squares = (predicted - noise).powi_scalar(2) * there.clone();
    squares.sum() / there.sum().clamp_min(1.0)
}

/// The squared error of predicted tracks (equation 13): of each track the mean over the numbers of all frames that
/// it has, and the sum of these: `[1]`.
///
/// # Shapes
/// - `predicted`, `tracks`: `[B * T, W]` each, standardised, so that none outweighs the others by its unit
/// - `there`: `[B * T, K]`, 1 or 0
pub fn reconstruction<B: Backend>(
    predicted: Vec<Tensor<B, 2>>,
    tracks: Vec<Tensor<B, 2>>,
    there: &Tensor<B, 2>,
) -> Tensor<B, 1> {
    let mut sum = Tensor::zeros([1], &there.device());
    for (i, (predicted, track)) in predicted.into_iter().zip(tracks).enumerate() {
        let [_, width] = track.dims();
        sum = sum + noise(predicted, track, &there.clone().narrow(1, i, 1)) / width as f32;
    }
    sum
}

/// How much of latents is lost: the squared error of those of predicted tracks, as a share of how far the true ones lie
/// from their mean, over all frames that are there: `[1]`. It is 0 where nothing is lost, and 1 where all that is
/// predicted is the mean.
///
/// # Shapes
/// - `predicted`, `latents`: `[B * T, Z]`
/// - `there`: `[B, T]`, 1 or 0
pub fn lost<B: Backend>(
    predicted: Tensor<B, 2>,
    latents: Tensor<B, 2>,
    there: &Tensor<B, 2>,
) -> Tensor<B, 1> {
    let [b, t] = there.dims();
    let frames = there.clone().reshape([b * t, 1]);
    let mean = (latents.clone() * frames.clone()).sum_dim(0) / frames.sum().clamp_min(1.0).unsqueeze();
    let spread = noise(latents.clone(), mean.expand(latents.dims()), there);
    noise(predicted, latents, there) / spread.clamp_min(f32::EPSILON)
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;

    #[test]
    fn nothing_is_lost_of_the_same_latents_and_all_of_their_mean() {
        let device = Default::default();
        let rows = |rows: [[f32; 2]; 4]| Tensor::<Flex, 2>::from_floats(rows, &device);
        // The third frame is not there, whatever it says.
        let there = Tensor::from_floats([[1.0, 1.0], [0.0, 1.0]], &device);
        let latents = rows([[1.0, 0.0], [3.0, 2.0], [90.0, 9.0], [5.0, 4.0]]);
        let check = |predicted, expect: f32| {
            let lost = lost(predicted, latents.clone(), &there).into_scalar();
            assert!((lost - expect).abs() < 1e-6, "{lost}, not {expect}");
        };
        check(rows([[1.0, 0.0], [3.0, 2.0], [7.0, 7.0], [5.0, 4.0]]), 0.0);
        check(rows([[3.0, 2.0]; 4]), 1.0);
        // One number is wrong by two, and they lie 8 + 8 from their mean.
        check(rows([[1.0, 0.0], [3.0, 4.0], [7.0, 7.0], [5.0, 4.0]]), 0.25);
    }
}
