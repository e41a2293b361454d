//! The encoders of the tracks (equation 1): `f_i = E_i(P_i)`.
//!
//! The paper says no more of an encoder than that each track has its own. Here it standardises the track's numbers
//! by what training saw of them, brings them to the common width, and has one feed-forward layer. It may look at the
//! frames beside each as well, as 1-D convolutions before the transformers of sign recognisers do (Camgoz et al. 2020,
//! section 3.1): a sign is a movement, and one frame shows none. What is not there, a whole track or some of its frames,
//! is 0 after it and is left out by whoever looks at it next.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Tensor, TensorData, backend::Backend};

use crate::nn::{Drops, Forward};

/// Encodes all tracks.
#[derive(Module, Debug)]
pub struct Encode<B: Backend> {
    /// In the order of the frame.
    pub tracks: Vec<TrackEncoder<B>>,
}

/// Encodes one track, `E_i`.
#[derive(Module, Debug)]
pub struct TrackEncoder<B: Backend> {
    /// What training saw of its numbers.
    pub standard: Standard<B>,
    /// `[W, D]`, W numbers of the track.
    pub into: Linear<B>,
    /// `[(2 R + 1) * D, D]`: what is seen in a frame and in R before and behind it; none looks at each by itself.
    pub beside: Option<Linear<B>>,
    /// Each frame by itself.
    pub forward: Forward<B>,
}

/// The mean and the deviation of a track's numbers; they are not learnt.
#[derive(Module, Debug)]
pub struct Standard<B: Backend> {
    /// `[W]`.
    pub mean: Param<Tensor<B, 1>>,
    /// `[W]`, above 0.
    pub deviation: Param<Tensor<B, 1>>,
}

impl<B: Backend> Encode<B> {
    /// Encoders with random weights of tracks of such widths, which look at so many frames on each side.
    pub fn new(tracks: &[usize], [width, inner, reach]: [usize; 3], device: &B::Device) -> Self {
        let track = |&track: &usize| TrackEncoder {
            standard: Standard::new(track, device),
            into: LinearConfig::new(track, width).init(device),
            beside: (reach > 0).then(|| LinearConfig::new((2 * reach + 1) * width, width).init(device)),
            forward: Forward::new(width, inner, device),
        };
        Self { tracks: tracks.iter().map(track).collect() }
    }

    /// The features of some tracks.
    ///
    /// # Shapes
    /// - `frames`: `[B * T, F]`, all tracks side by side
    /// - `there`: `[B * T, K']`, 1 where a track of `which` has the frame, else 0
    /// - `which`: `[K']`, tracks in their order
    /// - `clips`: B
    /// - returns: `[B * T * K', D]`, frame by frame and in it track by track
    pub fn forward(
        &self,
        frames: Tensor<B, 2>,
        there: &Tensor<B, 2>,
        (which, clips): (&[usize], usize),
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let ([rows, _], mut features) = (frames.dims(), vec![]);
        for (i, track) in which.iter().enumerate() {
            let start = self.tracks[..*track].iter().map(|track| track.standard.width()).sum();
            let track = &self.tracks[*track];
            let numbers = frames.clone().narrow(1, start, track.standard.width());
            let here = there.clone().narrow(1, i, 1); // [B * T, 1]
            // What is not there may stand for anything.
            let x = track.into.forward(track.standard.of(numbers) * here.clone());
            let x = match &track.beside {
                Some(linear) => beside(x * here.clone(), clips, linear),
                None => x,
            };
            features.push(track.forward.forward(drops.of(x), drops) * here);
        }
        let [_, d] = features[0].dims();
        Tensor::cat(features, 1).reshape([rows * which.len(), d])
    }

    /// Tells the encoders what training saw of all numbers: mean and deviation, `[F]` each.
    #[must_use]
    pub fn standardised(mut self, mean: &[f32], deviation: &[f32]) -> Self {
        let mut start = 0;
        for track in &mut self.tracks {
            let end = start + track.standard.width();
            let device = track.standard.mean.device();
            track.standard = Standard::of_values(&mean[start..end], &deviation[start..end], &device);
            start = end;
        }
        self
    }
}

/// Frames with what is seen beside each of them added; there is nothing beyond the ends of a clip.
///
/// # Shapes
/// - `x`: `[B * T, D]`
/// - `linear`: `[(2 R + 1) * D, D]`
/// - returns: `[B * T, D]`
fn beside<B: Backend>(x: Tensor<B, 2>, clips: usize, linear: &Linear<B>) -> Tensor<B, 2> {
    let ([rows, d], [wide, _]) = (x.dims(), linear.weight.dims());
    let (t, window) = (rows / clips, wide / d);
    let nothing = Tensor::zeros([clips, window / 2, d], &x.device());
    let long = Tensor::cat(vec![nothing.clone(), x.clone().reshape([clips, t, d]), nothing], 1);
    let seen = (0..window).map(|i| long.clone().narrow(1, i, t)).collect();
    x + linear.forward(Tensor::cat(seen, 2).reshape([rows, wide]))
}

impl<B: Backend> Standard<B> {
    /// Of numbers of mean 0 and deviation 1.
    pub fn new(width: usize, device: &B::Device) -> Self {
        Self::of_values(&vec![0.0; width], &vec![1.0; width], device)
    }

    fn of_values(mean: &[f32], deviation: &[f32], device: &B::Device) -> Self {
        let fixed = |values: &[f32]| {
            let values = TensorData::new(values.to_vec(), [values.len()]);
            Param::from_tensor(Tensor::from_data(values, device)).set_require_grad(false)
        };
        Self { mean: fixed(mean), deviation: fixed(deviation) }
    }

    /// Numbers of the track, W.
    pub fn width(&self) -> usize {
        self.mean.dims()[0]
    }

    /// The numbers of frames, standardised: `[rows, W]`.
    pub fn of(&self, frames: Tensor<B, 2>) -> Tensor<B, 2> {
        (frames - self.mean.val().unsqueeze()) / self.deviation.val().unsqueeze()
    }

    /// Standardised numbers as the track has them: `[rows, W]`.
    pub fn back(&self, standardised: Tensor<B, 2>) -> Tensor<B, 2> {
        standardised * self.deviation.val().unsqueeze() + self.mean.val().unsqueeze()
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn a_frame_sees_those_beside_it_and_none_of_another_clip() {
        const CLIPS: usize = 2;
        const T: usize = 4;
        const D: usize = 3;
        const REACH: usize = 2;
        let device = Default::default();
        let linear = LinearConfig::new((2 * REACH + 1) * D, D).init::<Flex>(&device);
        let x: Vec<f32> = (0..CLIPS * T * D).map(|i| (i as f32 * 0.7).sin()).collect();
        let given = Tensor::<Flex, 2>::from_data(TensorData::new(x.clone(), [CLIPS * T, D]), &device);
        let found = beside(given, CLIPS, &linear).into_data().to_vec::<f32>().unwrap();
        let weight = linear.weight.val().into_data().to_vec::<f32>().unwrap();
        let bias = linear.bias.unwrap().val().into_data().to_vec::<f32>().unwrap();
        for (clip, t, to) in (0..CLIPS).flat_map(|c| (0..T).flat_map(move |t| (0..D).map(move |d| (c, t, d))))
        {
            let at = |t: usize, d: usize| x[(clip * T + t) * D + d];
            let mut expect = at(t, to) + bias[to];
            for window in 0..=2 * REACH {
                let Some(other) = (t + window).checked_sub(REACH).filter(|other| *other < T) else {
                    continue;
                };
                let seen = (0..D).map(|from| at(other, from) * weight[(window * D + from) * D + to]);
                expect += seen.sum::<f32>();
            }
            assert!((found[(clip * T + t) * D + to] - expect).abs() < 1e-5, "{clip} {t} {to}");
        }
    }
}
