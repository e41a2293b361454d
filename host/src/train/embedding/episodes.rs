//! What an embedding is trained on: batches of a few signs with a few clips each.

use models::features::{Sight, Version};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::index::sample;

use crate::data::Clip;
use crate::data::augment::{Strength, augment, chance};
use crate::data::compose::{compose, reversed};
use crate::export::Scale;
use crate::train::examples::{Batch, drawn_scale};

/// Clips of a sign in a batch.
const CLIPS: usize = 4;
/// Handshapes that are combined with as many paths as a batch has room for.
const SHAPES: usize = 2;

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
        drawn_scale(self.features, seed, |rng, window| {
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

    /// A batch of `size` clips. Targets are `[B, S]`: which sign of the batch a clip shows.
    pub fn batch(&self, size: usize, scale: &Scale, rng: &mut StdRng) -> Batch {
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
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

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
