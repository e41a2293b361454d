//! The task of an embedding: clips of one sign near each other, all others far.

use burn::tensor::activation::log_softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use models::features::Version;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::episodes::Episodes;
use crate::export::{LEAST_LENGTH, Scale};
use crate::nn::ClipNet;
use crate::train::examples::Batch;
use crate::train::fit::{Parts, Task};
use crate::train::plan::step_seed;

/// Clips a step, B.
pub const BATCH: usize = 64;
/// Cosines are divided by this before the softmax (the paper's own choice for pictures).
const TEMPERATURE: f64 = 0.1;
/// Taken off where a clip would be compared with itself.
const NEVER: f64 = 1e4;

/// Tells the signs of a batch apart.
pub struct EmbeddingTask<'a> {
    /// Where batches are drawn from.
    pub episodes: &'a Episodes<'a>,
    /// The arithmetic of the windows.
    pub features: Version,
    /// What brings them to one scale.
    pub scale: &'a Scale,
    /// What the batches follow from, with their step.
    pub seed: u64,
}

impl<B: AutodiffBackend> Task<B> for EmbeddingTask<'_> {
    type Net = ClipNet<B>;
    type Batch = Batch;

    fn batch(&self, step: usize) -> Batch {
        self.episodes.batch(BATCH, self.scale, &mut StdRng::seed_from_u64(step_seed(self.seed, step)))
    }

    fn loss(&self, net: &ClipNet<B>, batch: Batch) -> (Tensor<B, 1>, Parts<B>) {
        let ([t, f], device) = ([self.features.frames(), self.features.width()], Default::default());
        let features = Tensor::<B, 3>::from_data(TensorData::new(batch.features, [BATCH, t, f]), &device);
        let signs = batch.targets.len() / BATCH;
        let targets = Tensor::<B, 2>::from_data(TensorData::new(batch.targets, [BATCH, signs]), &device);
        (contrast(net.forward(features), targets), vec![])
    }
}

/// What a network gives, brought to length 1: `[B, E]`.
pub fn points<B: Backend>(outputs: Tensor<B, 2>) -> Tensor<B, 2> {
    let length = outputs.clone().powf_scalar(2.0).sum_dim(1).sqrt().clamp_min(LEAST_LENGTH); // [B, 1]
    outputs / length
}

/// Supervised contrast: each clip picks its own sign's clips out of all others (Khosla et al. 2020, eq. 2).
///
/// # Shapes
/// - `outputs`: `[B, E]`
/// - `targets`: `[B, S]`, 1 where a clip shows the sign
/// - returns: `[1]`, the mean over the clips
fn contrast<B: Backend>(outputs: Tensor<B, 2>, targets: Tensor<B, 2>) -> Tensor<B, 1> {
    let [n, _] = outputs.dims();
    let points = points(outputs); // [B, E]
    let itself = Tensor::<B, 2>::eye(n, &points.device());
    let cosines = points.clone().matmul(points.transpose()); // [B, B]
    let log_probs = log_softmax(cosines / TEMPERATURE - itself.clone() * NEVER, 1);
    let same = targets.clone().matmul(targets.transpose()) - itself; // [B, B], 1 for the same sign
    let share = same.clone() / same.sum_dim(1).clamp_min(1.0);
    (log_probs * share).sum().neg() / n as f32
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;

    /// The loss of points at angles in degrees, the first half of one sign and the others of another.
    fn loss(degrees: &[f32]) -> f32 {
        let device = Default::default();
        let points: Vec<f32> =
            degrees.iter().flat_map(|d| [3.0 * d.to_radians().cos(), 3.0 * d.to_radians().sin()]).collect();
        let half = degrees.len() / 2;
        let targets: Vec<f32> =
            (0..degrees.len()).flat_map(|i| if i < half { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
        let tensor = |values: Vec<f32>| {
            Tensor::<Flex, 1>::from_floats(values.as_slice(), &device).reshape([degrees.len(), 2])
        };
        contrast(tensor(points), tensor(targets)).into_scalar()
    }

    #[test]
    fn the_loss_is_the_papers() {
        // Each is compared with the three others, and one of these is its own sign.
        let cos = |a: f32, b: f32| ((a - b).to_radians().cos() / 0.1).exp();
        let degrees = [0.0, 60.0, 180.0, 200.0];
        let of = |i: usize, partner: usize| {
            let all: f32 = (0..4).filter(|&j| j != i).map(|j| cos(degrees[i], degrees[j])).sum();
            -(cos(degrees[i], degrees[partner]) / all).ln()
        };
        let expect = (of(0, 1) + of(1, 0) + of(2, 3) + of(3, 2)) / 4.0;
        let got = loss(&degrees);
        assert!((got - expect).abs() < 1e-4, "{got}, not {expect}");
        assert!(loss(&[0.0, 5.0, 180.0, 185.0]) < loss(&[0.0, 185.0, 180.0, 5.0]));
    }
}
