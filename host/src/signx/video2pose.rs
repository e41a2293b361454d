//! Video2Pose (section 3.3) gives the tracks of a video without their estimators; Video2Gloss reads the video by them.
//!
//! A vision transformer looks at each frame (equation 5, [`Spatial`]), attention over time at all of them (equation 6),
//! and one projection a track gives its numbers (equation 7). Where the network
//! finds points, tracks are told by their places as well.

use burn::module::{Module, Param};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Tensor, backend::Backend};

use super::encode::Standard;
use super::film::MARKS;
use super::find::measured;
use super::loss::reconstruction;
use super::{Diffusion, Encode, Frames, Pose2Gloss, Size, Spatial, SpatialConfig};
use crate::nn::Drops;
use crate::nn::transformer::{EncoderLayer, absent, placed};

/// The sizes of a [`Video2Pose`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video2PoseConfig {
    /// The vision transformer.
    pub spatial: SpatialConfig,
    /// Attention over time, as wide as the vision transformer.
    pub temporal: Size,
}

/// Gives the tracks of videos.
#[derive(Module, Debug)]
pub struct Video2Pose<B: Backend> {
    /// Looks at each frame.
    pub spatial: Spatial<B>,
    /// In order.
    pub temporal: Vec<EncoderLayer<B>>,
    /// Over D.
    pub temporal_norm: LayerNorm<B>,
    /// One a track.
    pub projections: Vec<Projection<B>>,
}

/// What all tracks of a frame are told by.
#[derive(Debug, Clone)]
pub struct Told<B: Backend> {
    /// `[B * T, D]`: features of the frames.
    pub features: Tensor<B, 2>,
    /// `[B * T, 2 * K]`: where points are in the signer's own measure, where any are sought.
    pub places: Option<Tensor<B, 2>>,
}

/// Gives the numbers of one track.
#[derive(Module, Debug)]
pub struct Projection<B: Backend> {
    /// `[D, W]`: standardised numbers.
    pub linear: Linear<B>,
    /// `[2 * K, W]`: what the places of points add, where any are sought. A feature that tells all tracks at once has no
    /// room for every finger; these need none of it.
    pub places: Option<Linear<B>>,
    /// What training saw of the track.
    pub standard: Standard<B>,
}

impl Video2PoseConfig {
    /// A network with random weights, for the tracks that such encoders read.
    pub fn init<B: Backend>(&self, encode: &Encode<B>, device: &B::Device) -> Video2Pose<B> {
        let (size, Size { width: d, layers, .. }) = (self.temporal, self.temporal);
        assert_eq!(
            d, self.spatial.size.width,
            "attention over time looks at the frames' features as they are"
        );
        let points = self.spatial.points;
        assert!(points == 0 || points == MARKS, "tracks are told by the places of all marks");
        let project = |standard: Standard<B>| Projection {
            linear: LinearConfig::new(d, standard.width()).init(device),
            places: (points > 0).then(|| {
                let places = LinearConfig::new(2 * points, standard.width()).with_bias(false);
                // Before anything is found its places are noise.
                places.with_initializer(Initializer::Zeros).init(device)
            }),
            standard,
        };
        Video2Pose {
            spatial: self.spatial.init(device),
            temporal: (0..layers).map(|_| EncoderLayer::new(size.layer(), device)).collect(),
            temporal_norm: LayerNormConfig::new(d).init(device),
            projections: encode.tracks.iter().map(|track| project(track.standard.clone())).collect(),
        }
    }
}

impl<B: Backend> Video2Pose<B> {
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

    /// The tracks, standardised (equation 7): of each `[B * T, W]`; and where points are in each frame, across and down
    /// from 0 to 1, as often as the network looked for any, best last: `[B * T, K, 2]` each.
    pub fn look(
        &self,
        video: Tensor<B, 5>,
        seen: &Tensor<B, 2>,
        drops: &mut Drops,
    ) -> (Vec<Tensor<B, 2>>, Vec<Tensor<B, 3>>) {
        let (told, points) = self.told(video, seen, drops);
        (self.projections.iter().map(|track| track.forward(&told)).collect(), points)
    }

    /// What the tracks are told by, and the points as [`Video2Pose::look`] gives them.
    pub fn told(
        &self,
        video: Tensor<B, 5>,
        seen: &Tensor<B, 2>,
        drops: &mut Drops,
    ) -> (Told<B>, Vec<Tensor<B, 3>>) {
        let (frames, points) = self.spatial.look(video, drops);
        let features = self.over_time(frames, seen, drops);
        // Where a point is, it is taught by where it is: a track that is told by places would have them elsewhere as
        // long as its own layers know little.
        let places = points.last().map(|points| measured(points.clone().detach(), seen));
        (Told { features, places }, points)
    }

    /// Numbers that tell a frame before others are looked at: its feature, and the places of its points.
    pub fn width(&self) -> usize {
        let [d] = self.temporal_norm.gamma.dims();
        d + self.projections.first().and_then(|track| track.places.as_ref()).map_or(0, |l| l.weight.dims()[0])
    }

    /// The tracks alone, as [`Video2Pose::look`] gives them.
    pub fn standardised(
        &self,
        video: Tensor<B, 5>,
        seen: &Tensor<B, 2>,
        drops: &mut Drops,
    ) -> Vec<Tensor<B, 2>> {
        self.look(video, seen, drops).0
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

impl<B: Backend> Projection<B> {
    /// The standardised numbers of the track: `[B * T, W]`.
    pub fn forward(&self, told: &Told<B>) -> Tensor<B, 2> {
        let numbers = self.linear.forward(told.features.clone());
        match self.places.as_ref().zip(told.places.clone()) {
            Some((places, told)) => numbers + places.forward(told),
            None => numbers,
        }
    }

    /// The same, its weights moved by so much.
    ///
    /// # Shapes
    /// - `by`: `[D + 2 * K + 1, W]`: for features, places and the bias
    #[must_use]
    pub fn moved(self, by: &Tensor<B, 2>) -> Self {
        let ([rows, width], [d, _]) = (by.dims(), self.linear.weight.dims());
        let moved = |weight: Param<Tensor<B, 2>>, first| {
            let [count, _] = weight.dims();
            weight.map(|weight| weight + by.clone().narrow(0, first, count))
        };
        let bias = by.clone().narrow(0, rows - 1, 1).reshape([width]);
        let linear = Linear {
            weight: moved(self.linear.weight, 0),
            bias: self.linear.bias.map(|values| values.map(|values| values + bias)),
        };
        let places = self.places.map(|places| Linear { weight: moved(places.weight, d), ..places });
        Self { linear, places, ..self }
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
