//! Endless training examples: clips drawn, changed and turned into features.

use models::features::{Sight, Version};
use models::gloss::same_label;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::recipe::{Draw, Recipe};
use crate::data::Clip;
use crate::data::augment::{Strength, augment, chance, crop};
use crate::export::Scale;

/// Draws examples.
pub struct Examples<'a> {
    features: Version,
    strength: Strength,
    how: Draw,
    ends_are_rest: bool,
    ways_are_rest: bool,
    /// Clips by label, and by group within it, `[G - 1]`.
    by_label: Vec<Vec<Vec<&'a Clip>>>,
    other: &'a [Clip],
}

/// A batch, flat.
pub struct Batch {
    /// `[B, T, F]`, standardised.
    pub features: Vec<f32>,
    /// What each window shows: `[B, G]`, each row sums to 1.
    pub targets: Vec<f32>,
}

impl<'a> Examples<'a> {
    /// Examples of a recipe. The last label is that of no sign.
    pub fn new(recipe: &Recipe, labels: &[String], train: &'a [Clip], other: &'a [Clip]) -> Self {
        let mut by_label: Vec<Vec<Vec<&Clip>>> = vec![vec![]; labels.len() - 1];
        for clip in train {
            let Some(g) = labels.iter().position(|l| same_label(l, &clip.label)) else { continue };
            match by_label[g].iter_mut().find(|clips| clips[0].group == clip.group) {
                Some(clips) => clips.push(clip),
                None => by_label[g].push(vec![clip]),
            }
        }
        Self {
            features: recipe.features,
            strength: recipe.strength,
            how: recipe.draw,
            ends_are_rest: recipe.ends_are_rest,
            ways_are_rest: recipe.ways_are_rest,
            by_label,
            other,
        }
    }

    /// Mean and deviation of each value of a step.
    pub fn scale(&self, seed: u64) -> Scale {
        drawn_scale(self.features, seed, |rng, window| {
            self.draw(rng, window);
        })
    }

    /// The next batch.
    pub fn batch(&self, size: usize, scale: &Scale, rng: &mut StdRng) -> Batch {
        let labels = self.by_label.len() + 1;
        let long = self.features.frames() * self.features.width();
        let mut batch = Batch {
            features: vec![0.0; size * long],
            targets: vec![self.how.smoothing / labels as f32; size * labels],
        };
        for (window, target) in
            batch.features.chunks_exact_mut(long).zip(batch.targets.chunks_exact_mut(labels))
        {
            let label = self.draw(rng, window);
            scale.apply(window);
            target[label] += 1.0 - self.how.smoothing;
        }
        let plain = (batch.features.clone(), batch.targets.clone());
        for i in 1..size {
            if chance(rng, self.how.mixed) {
                let share = rng.random_range(0.0..self.how.mixed_most);
                let blend = |mixed: &mut [f32], plain: &[f32], n: usize| {
                    let (own, other) = (&mut mixed[i * n..][..n], &plain[(i - 1) * n..][..n]);
                    own.iter_mut().zip(other).for_each(|(a, b)| *a += (b - *a) * share);
                };
                blend(&mut batch.features, &plain.0, long);
                blend(&mut batch.targets, &plain.1, labels);
            }
        }
        batch
    }

    /// Held-out windows with their labels, and as many windows of no sign as would be drawn in training.
    ///
    /// They are for calibration: unchanged clips, and others cut as the unit's moving window cuts them.
    pub fn judged(&self, held: &[Clip], none: usize, seed: u64) -> Vec<(Vec<f32>, usize)> {
        let rng = &mut StdRng::seed_from_u64(seed ^ 0x00c0_ffee);
        let mut out = vec![];
        let mut push = |sights: &[Sight], label: usize| {
            let mut window = vec![0.0; self.features.frames() * self.features.width()];
            self.features.compute(sights, &mut window);
            out.push((window, label));
        };
        for clip in held {
            let Some(label) =
                self.by_label.iter().position(|groups| same_label(&groups[0][0].label, &clip.label))
            else {
                continue;
            };
            push(&clip.sights, label);
            let mut cut = clip.sights.clone();
            crop(&mut cut, 0.3, rng);
            push(&cut, label);
        }
        for _ in 0..held.len() / 3 {
            push(&self.none(rng), none);
        }
        out
    }

    /// Draws an example into `window`, not standardised, and gives its label.
    fn draw(&self, rng: &mut StdRng, window: &mut [f32]) -> usize {
        if chance(rng, self.how.none) {
            self.features.compute(&self.none(rng), window);
            return self.by_label.len();
        }
        let (label, clip) = self.pick(rng);
        let (_, donor) = self.pick(rng);
        self.features.compute(&augment(&clip.sights, &donor.sights, &self.strength, rng), window);
        label
    }

    fn pick(&self, rng: &mut StdRng) -> (usize, &'a Clip) {
        let label = draw_by(rng, &self.by_label, |groups| groups.iter().map(Vec::len).sum());
        let groups = &self.by_label[label];
        let clips = &groups[draw_by(rng, groups, Vec::len)];
        (label, clips[rng.random_range(0..clips.len())])
    }

    /// A window that shows no sign of the model.
    fn none(&self, rng: &mut StdRng) -> Vec<Sight> {
        let draw = rng.random::<f32>();
        let (_, donor) = self.pick(rng);
        let donor = &donor.sights;
        if self.ways_are_rest && draw < 0.6 {
            let (_, from) = self.pick(rng);
            let (_, to) = self.pick(rng);
            let way = way(&from.sights, &to.sights, rng);
            return augment(&way, donor, &self.strength, rng);
        }
        if self.ends_are_rest && draw < 0.3 {
            let (_, clip) = self.pick(rng);
            let n = clip.sights.len();
            let part = (n as f32 * rng.random_range(0.08..0.18)).ceil() as usize;
            let range = if chance(rng, 0.5) { 0..part } else { n - part..n };
            return augment(&clip.sights[range], donor, &self.strength, rng);
        }
        let clip = &self.other[rng.random_range(0..self.other.len())];
        augment(&clip.sights, donor, &self.strength, rng)
    }
}

/// Mean and deviation of each value of a step, over some hundreds of windows that `draw` fills.
pub fn drawn_scale(features: Version, seed: u64, draw: impl Fn(&mut StdRng, &mut [f32])) -> Scale {
    const EXAMPLES: usize = 600;
    let rng = &mut StdRng::seed_from_u64(seed ^ 0x5ca1e);
    let width = features.width();
    let mut window = vec![0.0; features.frames() * width];
    let (mut sum, mut squares) = (vec![0.0_f64; width], vec![0.0_f64; width]);
    for _ in 0..EXAMPLES {
        draw(rng, &mut window);
        for row in window.chunks_exact(width) {
            for (i, v) in row.iter().enumerate() {
                sum[i] += f64::from(*v);
                squares[i] += f64::from(*v).powi(2);
            }
        }
    }
    Scale::of(&sum, &squares, (EXAMPLES * features.frames()) as f64)
}

/// Draws one of the items as often as the square root of how many clips it stands for:
/// between even over items and even over clips.
fn draw_by<T>(rng: &mut StdRng, items: &[T], clips: impl Fn(&T) -> usize) -> usize {
    let weight = |item: &T| (clips(item) as f32).sqrt();
    let mut at = rng.random::<f32>() * items.iter().map(weight).sum::<f32>();
    for (i, item) in items.iter().enumerate() {
        at -= weight(item);
        if at <= 0.0 {
            return i;
        }
    }
    items.len() - 1
}

/// The hand's way from somewhere in one clip to somewhere in another, in a straight line of landmarks.
fn way(from: &[Sight], to: &[Sight], rng: &mut StdRng) -> Vec<Sight> {
    let seen = |clip: &[Sight]| {
        let with_hand: Vec<_> = clip.iter().filter(|s| s.hand_seen[0] || s.hand_seen[1]).copied().collect();
        with_hand.get(with_hand.len() / 2).copied().unwrap_or(clip[0])
    };
    let (a, mut b) = (seen(from), seen(to));
    if a.hand_seen != b.hand_seen {
        b = b.mirrored();
    }
    let steps = rng.random_range(5..10);
    // From soon after the first shape to shortly before the second.
    let (start, end) = (rng.random_range(0.1..0.3), rng.random_range(0.7..0.9));
    (0..steps)
        .map(|i| {
            let share = start + (end - start) * i as f32 / (steps - 1) as f32;
            let mut s = a;
            s.at_s = f64::from(i) * 0.04;
            for (p, q) in s.hands.as_flattened_mut().iter_mut().zip(b.hands.as_flattened()) {
                for c in 0..3 {
                    p[c] += (q[c] - p[c]) * share;
                }
            }
            s
        })
        .collect()
}
