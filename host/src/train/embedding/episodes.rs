//! What an embedding is trained on: batches of a few signs with a few clips each, and what it loses by them.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, backend::Backend};
use models::features::{Sight, Version};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::index::sample;

use crate::data::Clip;
use crate::data::augment::{Strength, augment, chance};
use crate::data::compose::{compose, reversed};
use crate::export::{LEAST_LENGTH, Scale};
use crate::train::examples::{Batch, scale_of};
use crate::train::fit::Lesson;

/// Clips of a sign in a batch.
const CLIPS: usize = 4;
/// Handshapes that are combined with as many paths as a batch has room for.
const SHAPES: usize = 2;
/// Cosines are divided by this before the softmax (the paper's own choice for pictures).
const TEMPERATURE: f64 = 0.1;
/// Taken off where a clip would be compared with itself.
const NEVER: f64 = 1e4;

/// Draws batches of signs, recorded and made up.
pub struct Episodes<'a> {
    features: Version,
    strength: Strength,
    /// Clips by sign, `[S][N]`.
    signs: Vec<Vec<&'a Clip>>,
    /// Clips by handshape, the signs' own first.
    shapes: Vec<Vec<&'a Clip>>,
}

/// One sign of a batch; a form of it is another sign: the same in all clips, and one form only in a batch.
struct Drawn {
    sign: usize,
    shape: Option<usize>,
    mirrored: bool,
    reversed: bool,
}

impl<'a> Episodes<'a> {
    /// Episodes of signs, whose hands are also combined with handshapes of other clips.
    pub fn new(
        features: Version,
        strength: Strength,
        signs: Vec<Vec<&'a Clip>>,
        letters: Vec<Vec<&'a Clip>>,
    ) -> Self {
        let shapes = signs.iter().cloned().chain(letters).collect();
        Self { features, strength, signs, shapes }
    }

    /// Mean and deviation of each value of a step.
    pub fn scale(&self, seed: u64) -> Scale {
        scale_of(self.features, seed, |rng, window| {
            let drawn = self.form(rng.random_range(0..self.signs.len()), None, rng);
            self.fill(&drawn, rng, window);
        })
    }

    fn form(&self, sign: usize, shape: Option<usize>, rng: &mut StdRng) -> Drawn {
        Drawn { sign, shape, mirrored: chance(rng, 0.5), reversed: chance(rng, 0.5) }
    }

    /// The signs of a batch: half recorded, half made up of two handshapes on each of some paths.
    fn signs(&self, size: usize, rng: &mut StdRng) -> Vec<Drawn> {
        let recorded = (size / 2).min(self.signs.len());
        let mut drawn: Vec<_> =
            sample(rng, self.signs.len(), recorded).iter().map(|sign| self.form(sign, None, rng)).collect();
        let paths = ((size - recorded) / SHAPES).min(self.signs.len());
        let shapes = sample(rng, self.shapes.len(), SHAPES).into_vec();
        for sign in sample(rng, self.signs.len(), paths) {
            let form = self.form(sign, None, rng);
            drawn.extend(shapes.iter().map(|&shape| Drawn { shape: Some(shape), ..form }));
        }
        drawn
    }

    /// A changed clip of a sign as features, not standardised.
    fn fill(&self, drawn: &Drawn, rng: &mut StdRng, window: &mut [f32]) {
        let one = |clips: &[&'a Clip], rng: &mut StdRng| -> &'a [Sight] {
            &clips[rng.random_range(0..clips.len())].sights
        };
        let path = one(&self.signs[drawn.sign], rng);
        let made = drawn.shape.and_then(|shape| compose(path, one(&self.shapes[shape], rng)));
        let mut sights = made.unwrap_or_else(|| path.to_vec());
        if drawn.mirrored {
            sights.iter_mut().for_each(|s| *s = s.mirrored());
        }
        if drawn.reversed {
            sights = reversed(&sights);
        }
        let donor = one(&self.signs[rng.random_range(0..self.signs.len())], rng);
        self.features.compute(&augment(&sights, donor, &self.strength, rng), window);
    }
}

impl Lesson for Episodes<'_> {
    /// Targets are `[B, S]`: which sign of the batch a clip shows.
    fn batch(&self, size: usize, scale: &Scale, rng: &mut StdRng) -> Batch {
        let long = self.features.frames() * self.features.width();
        let most = size / CLIPS;
        let drawn = self.signs(most, rng);
        let mut batch = Batch { features: vec![0.0; size * long], targets: vec![0.0; size * most] };
        let rows = batch.features.chunks_exact_mut(long).zip(batch.targets.chunks_exact_mut(most));
        for (i, (window, target)) in rows.enumerate() {
            let which = i % drawn.len();
            self.fill(&drawn[which], rng, window);
            scale.apply(window);
            target[which] = 1.0;
        }
        batch
    }

    /// Supervised contrast: each clip picks its own sign's clips out of all others (Khosla et al. 2020, eq. 2).
    fn loss<B: Backend>(&self, outputs: Tensor<B, 2>, targets: Tensor<B, 2>) -> Tensor<B, 1> {
        let [n, _] = outputs.dims();
        let length = outputs.clone().powf_scalar(2.0).sum_dim(1).sqrt().clamp_min(LEAST_LENGTH); // [B, 1]
        let points = outputs / length; // [B, E]
        let itself = Tensor::<B, 2>::eye(n, &points.device());
        let cosines = points.clone().matmul(points.transpose()); // [B, B]
        let log_probs = log_softmax(cosines / TEMPERATURE - itself.clone() * NEVER, 1);
        let same = targets.clone().matmul(targets.transpose()) - itself; // [B, B], 1 for the same sign
        let share = same.clone() / same.sum_dim(1).clamp_min(1.0);
        (log_probs * share).sum().neg() / n as f32
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use rand::SeedableRng;

    use super::*;

    /// The loss of points at angles in degrees, the first half of one sign and the others of another.
    fn loss(degrees: &[f32]) -> f32 {
        let episodes = Episodes::new(Version::SignV1, Strength::SIGN, vec![], vec![]);
        let device = Default::default();
        let points: Vec<f32> =
            degrees.iter().flat_map(|d| [3.0 * d.to_radians().cos(), 3.0 * d.to_radians().sin()]).collect();
        let half = degrees.len() / 2;
        let targets: Vec<f32> =
            (0..degrees.len()).flat_map(|i| if i < half { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
        let tensor = |values: Vec<f32>| {
            Tensor::<Flex, 1>::from_floats(values.as_slice(), &device).reshape([degrees.len(), 2])
        };
        episodes.loss(tensor(points), tensor(targets)).into_scalar()
    }

    #[test]
    fn the_loss_is_the_papers() {
        // Points 0°, 60° | 180°: each of the first two has cosine 0.5 with the other and -1, -0.5 with the third and fourth.
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

    #[test]
    fn a_batch_has_each_of_its_signs_several_times_in_one_form() {
        let clips: Vec<Clip> = (0..12_u8)
            .map(|i| {
                let sights = (0..8_u8).map(|t| {
                    let mut s = Sight::unseen(f64::from(t) / 20.0);
                    s.hand_seen[1] = true;
                    for (k, p) in s.hands[1].iter_mut().enumerate() {
                        *p = [f32::from(i * t) + k as f32, 3.0 * k as f32, 0.0];
                    }
                    s
                });
                Clip {
                    label: i.to_string(),
                    group: String::new(),
                    seq: 0,
                    split: String::new(),
                    tier: None,
                    sights: sights.collect(),
                }
            })
            .collect();
        let signs: Vec<_> = clips[..10].iter().map(|c| vec![c]).collect();
        let letters = clips[10..].iter().map(|c| vec![c]).collect();
        let episodes = Episodes::new(Version::SignV1, Strength::SIGN, signs, letters);
        let rng = &mut StdRng::seed_from_u64(3);
        let drawn = episodes.signs(16, rng);
        assert_eq!((drawn.len(), drawn.iter().filter(|d| d.shape.is_some()).count()), (16, 8));
        let batch = episodes.batch(64, &episodes.scale(1), rng);
        assert!(batch.features.iter().all(|v| v.is_finite()));
        for sign in 0..16 {
            assert_eq!(batch.targets.iter().skip(sign).step_by(16).sum::<f32>(), 4.0, "sign {sign}");
        }
    }
}
