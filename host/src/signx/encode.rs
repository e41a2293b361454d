//! The encoders of the tracks (equation 1): `f_i = E_i(P_i)`.
//!
//! The paper says no more of an encoder than that each track has its own. Here it standardises the track's numbers
//! by what training saw of them, brings them to the common width, and has one feed-forward layer. What is not there,
//! a whole track or some of its frames, is 0 after it and is left out by whoever looks at it next.

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
    /// Encoders with random weights of tracks of such widths.
    pub fn new(tracks: &[usize], width: usize, inner: usize, device: &B::Device) -> Self {
        let track = |&track: &usize| TrackEncoder {
            standard: Standard::new(track, device),
            into: LinearConfig::new(track, width).init(device),
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
    /// - returns: `[B * T * K', D]`, frame by frame and in it track by track
    pub fn forward(
        &self,
        frames: Tensor<B, 2>,
        there: &Tensor<B, 2>,
        which: &[usize],
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
