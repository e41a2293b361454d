//! Where in a picture the signer's points are: a map for each, whose middle is the point's place (Sun et al. 2018,
//! "Integral Human Pose Regression", section 2). A hand looks alike wherever it is, so that what is learnt of it in one
//! place is known in all, which a layer that looks at every place by itself learns again for each.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{silu, softmax};
use burn::tensor::{Tensor, TensorData, backend::Backend};

use models::features::HAND_POINTS;
use models::signx::SHOULDERS;

use super::convolve::{Convolve, doubled};
use super::film::{MARKS, TRUNK};

/// How much maps stand out before anything is learnt: a map that is flat everywhere learns slowly.
pub const SHARP: f32 = 3.0;
/// What places, from -0.5 to 0.5, are multiplied by, so that they vary as features do.
pub const SPREAD: f32 = 4.0;
/// The least distance of shoulders that anything is measured by, as a share of the picture.
pub const LEAST_APART: f32 = 1.0 / 16.0;
/// What the square of that distance is more than it is, so that it can be learnt from where it is none.
pub const BLUNT: f32 = 1e-6;

/// Finds points.
#[derive(Module, Debug)]
pub struct Find<B: Backend> {
    /// `[D, C]`: what is known of each place.
    pub known: Linear<B>,
    /// Of that and of what the convolutions saw, C channels.
    pub both: Convolve<B>,
    /// `[C, K]`, K points.
    pub maps: Linear<B>,
}

impl<B: Backend> Find<B> {
    /// One with random weights for so many points: D and C channels.
    pub fn new(points: usize, [width, channels]: [usize; 2], device: &B::Device) -> Self {
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        Self {
            known: linear(width, channels),
            both: Convolve::new(1, [channels; 2], device),
            maps: linear(channels, points),
        }
    }

    /// The places of the points, across and down, from 0 to 1: `[N, K, 2]`.
    ///
    /// # Shapes
    /// - `places`: `[N, H, W, D]`, of the transformer, or of the last convolutions where there is none
    /// - `seen`: `[N, 2 · H, 2 · W, C]`, of the convolutions before
    pub fn places(&self, places: Tensor<B, 4>, seen: Tensor<B, 4>) -> Tensor<B, 3> {
        let ([n, h, w, c], [_, k], device) = (seen.dims(), self.maps.weight.dims(), seen.device());
        let x = silu(self.both.forward(seen + doubled(self.known.forward(places))));
        let maps = self.maps.forward(x.reshape([n * h * w, c])).reshape([n, h * w, k]).swap_dims(1, 2);
        let shares = softmax(maps * SHARP, 2).reshape([n * k, h * w]);
        let middles = TensorData::new(middles([h, w]), [h * w, 2]);
        shares.matmul(Tensor::from_data(middles, &device)).reshape([n, k, 2])
    }
}

/// Where the [`MARKS`] are in the signer's own measure, as tracks tell it: from between the shoulders, in shoulders'
/// widths, which are the same in all of a clip; and points of a hand from its wrist, [`SPREAD`] as far. Where they are in
/// the picture, hands of one shape differ more than shapes do.
///
/// # Shapes
/// - `points`: `[B * T, MARKS, 2]`
/// - `seen`: `[B, T]`, 1 for each frame that is there, else 0
/// - returns: `[B * T, 2 * MARKS]`
pub fn measured<B: Backend>(points: Tensor<B, 3>, seen: &Tensor<B, 2>) -> Tensor<B, 2> {
    let ([n, k, _], [b, t], device) = (points.dims(), seen.dims(), points.device());
    let points = points.reshape([n, 2 * k]);
    let [left, right] = SHOULDERS.map(|k| points.clone().narrow(1, 2 * k, 2));
    let apart = ((left.clone() - right.clone()).powi_scalar(2).sum_dim(1) + BLUNT).sqrt();
    let each = Tensor::cat(vec![(left + right) * 0.5, apart], 1).reshape([b, t, 3]);
    let frames = seen.clone().sum_dim(1).clamp_min(1.0).reshape([b, 1, 1]);
    let clip = (each * seen.clone().reshape([b, t, 1])).sum_dim(1) / frames;
    let middle = clip.clone().narrow(2, 0, 2).reshape([b, 1, 1, 2]);
    let apart = clip.narrow(2, 2, 1).clamp_min(LEAST_APART).reshape([b, 1, 1, 1]);
    let measured = (points.reshape([b, t, k, 2]) - middle) / apart;
    let about = Tensor::from_data(TensorData::new(about_wrists(), [2 * k, 2 * k]), &device);
    measured.reshape([n, 2 * k]).matmul(about)
}

/// What takes the wrist off the points of its hand, and spreads these: `[2 * MARKS, 2 * MARKS]`.
pub fn about_wrists() -> Vec<f32> {
    let mut about = vec![0.0; (2 * MARKS).pow(2)];
    for mark in 0..MARKS {
        let wrist = mark.checked_sub(TRUNK).map(|point| TRUNK + point / HAND_POINTS * HAND_POINTS);
        let of_hand = wrist.filter(|wrist| *wrist != mark);
        for way in 0..2 {
            let to = 2 * mark + way;
            about[to * 2 * MARKS + to] = of_hand.map_or(1.0, |_| SPREAD);
            if let Some(wrist) = of_hand {
                about[(2 * wrist + way) * 2 * MARKS + to] = -SPREAD;
            }
        }
    }
    about
}

/// The middle of each place of a picture, across and down, row by row: `[H · W, 2]`.
pub fn middles([h, w]: [usize; 2]) -> Vec<f32> {
    let middle = |i: usize, of: usize| (i as f32 + 0.5) / of as f32;
    (0..h).flat_map(|y| (0..w).flat_map(move |x| [middle(x, w), middle(y, h)])).collect()
}
