//! Video2Pose (section 3.3) gives the tracks of a video without their estimators; Video2Gloss reads the video by them.
//!
//! A vision transformer looks at each frame (Dosovitskiy et al. 2021; equation 5), attention over time at all of them
//! (equation 6), and one projection a track gives its numbers (equation 7).

use burn::module::{Module, Param};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Tensor, backend::Backend};

use super::encode::Standard;
use super::loss::reconstruction;
use super::{Diffusion, Encode, Frames, Pose2Gloss, Size};
use crate::nn::Drops;
use crate::nn::transformer::{EncoderLayer, absent, placed};

/// Colours of a pixel.
const COLOURS: usize = 3;
/// Deviation of what places and the class begin with (Dosovitskiy et al. 2021).
const BEGIN: f64 = 0.02;

/// The sizes of a [`Video2Pose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Video2PoseConfig {
    /// Height and width of a frame, pixels; a multiple of the patch.
    pub picture: usize,
    /// Height and width of a patch, pixels.
    pub patch: usize,
    /// The vision transformer.
    pub spatial: Size,
    /// Attention over time, as wide as the vision transformer.
    pub temporal: Size,
}

/// Gives the tracks of videos.
#[derive(Module, Debug)]
pub struct Video2Pose<B: Backend> {
    /// `[patch · patch · 3, D]`.
    pub patches: Linear<B>,
    /// `[1, D]`: what becomes the frame's feature.
    pub class: Param<Tensor<B, 2>>,
    /// `[1 + P, D]`: the places of the class and of P patches.
    pub places: Param<Tensor<B, 2>>,
    /// In order.
    pub spatial: Vec<EncoderLayer<B>>,
    /// Over D.
    pub spatial_norm: LayerNorm<B>,
    /// In order.
    pub temporal: Vec<EncoderLayer<B>>,
    /// Over D.
    pub temporal_norm: LayerNorm<B>,
    /// One a track.
    pub projections: Vec<Projection<B>>,
    picture: usize,
    patch: usize,
}

/// Gives the numbers of one track.
#[derive(Module, Debug)]
pub struct Projection<B: Backend> {
    /// `[D, W]`: standardised numbers.
    pub linear: Linear<B>,
    /// What training saw of the track.
    pub standard: Standard<B>,
}

impl Video2PoseConfig {
    /// A network with random weights, for the tracks that such encoders read.
    pub fn init<B: Backend>(&self, encode: &Encode<B>, device: &B::Device) -> Video2Pose<B> {
        let d = self.spatial.width;
        assert_eq!(d, self.temporal.width, "attention over time looks at the frames' features as they are");
        let (linear, norm) =
            (|from, to| LinearConfig::new(from, to).init(device), || LayerNormConfig::new(d).init(device));
        let layers = |size: Size| (0..size.layers).map(|_| EncoderLayer::new(size.layer(), device)).collect();
        let small = Initializer::Normal { mean: 0.0, std: BEGIN };
        let patches = (self.picture / self.patch).pow(2);
        let project = |standard: Standard<B>| Projection { linear: linear(d, standard.width()), standard };
        Video2Pose {
            patches: linear(self.patch * self.patch * COLOURS, d),
            class: small.init([1, d], device),
            places: small.init([1 + patches, d], device),
            spatial: layers(self.spatial),
            spatial_norm: norm(),
            temporal: layers(self.temporal),
            temporal_norm: norm(),
            projections: encode.tracks.iter().map(|track| project(track.standard.clone())).collect(),
            picture: self.picture,
            patch: self.patch,
        }
    }
}

impl<B: Backend> Video2Pose<B> {
    /// The feature of each frame (equation 5).
    ///
    /// # Shapes
    /// - `video`: `[B, T, H, W, 3]`, from 0 to 1
    /// - returns: `[B * T, D]`
    pub fn frames(&self, video: Tensor<B, 5>, drops: &mut Drops) -> Tensor<B, 2> {
        let [b, t, height, width, _] = video.dims();
        assert_eq!([height, width], [self.picture; 2], "a frame is as large as the places that were learnt");
        let (p, g) = (self.patch, self.picture / self.patch);
        let (rows, [_, d]) = (b * t, self.class.dims());
        let patches = video.reshape([rows, g, p, g, p, COLOURS]).permute([0, 1, 3, 2, 4, 5]);
        let patches = patches.reshape([rows * g * g, p * p * COLOURS]) * 2.0 - 1.0;
        let seen = self.patches.forward(patches).reshape([rows, g * g, d]);
        let class = self.class.val().reshape([1, 1, d]).expand([rows, 1, d]);
        let x = Tensor::cat(vec![class, seen], 1) + self.places.val().unsqueeze(); // [B * T, 1 + P, D]
        let mut x = drops.of(x.reshape([rows * (1 + g * g), d]));
        let all_there = Tensor::zeros([1, 1, 1], &x.device());
        for layer in &self.spatial {
            x = layer.forward(x, &all_there, rows, drops);
        }
        let class = x.reshape([rows, 1 + g * g, d]).narrow(1, 0, 1).reshape([rows, d]);
        self.spatial_norm.forward(class)
    }

    /// The features of the frames, each with what it sees of the others (equation 6).
    ///
    /// # Shapes
    /// - `frames`: `[B * T, D]`
    /// - `seen`: `[B, T]`, 1 for each frame that is there, else 0
    /// - returns: `[B * T, D]`
    pub fn over_time(&self, frames: Tensor<B, 2>, seen: &Tensor<B, 2>, drops: &mut Drops) -> Tensor<B, 2> {
        let [b, t] = seen.dims();
        let heads = self.temporal.first().map_or(1, |layer| layer.attention.heads);
        let absent = absent(seen, heads, t);
        let mut x = placed(frames, b);
        for layer in &self.temporal {
            x = layer.forward(x, &absent, b, drops);
        }
        self.temporal_norm.forward(x)
    }

    /// The tracks, standardised (equation 7): of each `[B * T, W]`.
    pub fn standardised(
        &self,
        video: Tensor<B, 5>,
        seen: &Tensor<B, 2>,
        drops: &mut Drops,
    ) -> Vec<Tensor<B, 2>> {
        let features = self.over_time(self.frames(video, drops), seen, drops);
        self.projections.iter().map(|track| track.linear.forward(features.clone())).collect()
    }

    /// The tracks as their estimators give them.
    ///
    /// # Shapes
    /// - `video`: `[B, T, H, W, 3]`, from 0 to 1
    /// - `seen`: `[B, T]`, 1 for each frame that is there, else 0
    pub fn forward(&self, video: Tensor<B, 5>, seen: &Tensor<B, 2>, drops: &mut Drops) -> Frames<B> {
        let [b, t] = seen.dims();
        let there = seen.clone().reshape([b, t, 1]).expand([b, t, self.projections.len()]);
        self.estimated(self.standardised(video, seen, drops), there)
    }

    /// The same of tracks that were standardised.
    ///
    /// # Shapes
    /// - `tracks`: `[B * T, W]` each
    /// - `there`: `[B, T, K]`, 1 or 0
    pub fn estimated(&self, tracks: Vec<Tensor<B, 2>>, there: Tensor<B, 3>) -> Frames<B> {
        let ([b, t, _], tracks) = (there.dims(), tracks.into_iter().zip(&self.projections));
        let numbers = Tensor::cat(tracks.map(|(x, track)| track.standard.back(x)).collect(), 1);
        let [_, f] = numbers.dims();
        Frames { numbers: numbers.reshape([b, t, f]), there }
    }

    /// The loss of the second stage (equation 13): `[1]`.
    ///
    /// # Shapes
    /// - `predicted`: as [`Video2Pose::standardised`] gives them
    /// - `truth`: what the estimators gave of the video
    pub fn loss(&self, predicted: Vec<Tensor<B, 2>>, truth: &Frames<B>) -> Tensor<B, 1> {
        let ([b, t, f], [_, _, k]) = (truth.numbers.dims(), truth.there.dims());
        let (numbers, mut start) = (truth.numbers.clone().reshape([b * t, f]), 0);
        let track = |track: &Projection<B>| {
            let width = track.standard.width();
            start += width;
            track.standard.of(numbers.clone().narrow(1, start - width, width))
        };
        let tracks = self.projections.iter().map(track).collect();
        reconstruction(predicted, tracks, &truth.there.clone().reshape([b * t, k]))
    }
}

/// Reads videos: Video2Pose, and the Pose2Gloss that it was trained for, which stays as it is.
#[derive(Module, Debug)]
pub struct Video2Gloss<B: Backend> {
    /// Gives the tracks.
    pub video2pose: Video2Pose<B>,
    /// Reads them.
    pub pose2gloss: Pose2Gloss<B>,
}

impl<B: Backend> Video2Gloss<B> {
    /// A reader whose Pose2Gloss is learnt no more.
    pub fn new(video2pose: Video2Pose<B>, pose2gloss: Pose2Gloss<B>) -> Self {
        Self { video2pose, pose2gloss: pose2gloss.no_grad() }
    }

    /// The latent of videos, as [`Pose2Gloss::read`] gives that of tracks: `[B * T, Z]`.
    ///
    /// # Shapes
    /// - `video`: `[B, T, H, W, 3]`, from 0 to 1
    /// - `seen`: `[B, T]`, 1 for each frame that is there, else 0
    pub fn read(
        &self,
        video: Tensor<B, 5>,
        seen: &Tensor<B, 2>,
        diffusion: &Diffusion,
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        self.pose2gloss.read(&self.video2pose.forward(video, seen, drops), diffusion, drops)
    }
}
