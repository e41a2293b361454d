//! What each frame of a video shows (equation 5): a vision transformer (Dosovitskiy et al. 2021).
//!
//! The paper's looks at patches of the picture, and a class that looks at them all becomes the frame's feature. Small
//! networks and little data learn next to nothing that way: `small` has the hybrid of the same work (section 3.1),
//! whose patches are those of a convolutional network's features, and its feature is made of all of them, each in its
//! place, and of where points of the signer are ([`Find`]), for a hand's place is what is asked for.

use burn::module::{Module, Param};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::silu;
use burn::tensor::{Tensor, TensorData, backend::Backend};

use super::closer::{averaging, sampled};
use super::convolve::{Convolve, Residual};
use super::find::SPREAD;
use super::{Closer, CloserConfig, Find, Size};
use crate::nn::Drops;
use crate::nn::transformer::EncoderLayer;

/// Colours of a pixel.
pub const COLOURS: usize = 3;
/// Deviation of what places and the class begin with (Dosovitskiy et al. 2021).
const BEGIN: f64 = 0.02;

/// The sizes of a [`Spatial`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpatialConfig {
    /// Height and width of a frame as the first look sees it, pixels.
    pub picture: usize,
    /// The convolutions before the transformer; none, where it looks at the picture itself.
    pub shrinks: Vec<ShrinkConfig>,
    /// Height and width of a patch, of what the convolutions leave.
    pub patch: usize,
    /// The transformer.
    pub size: Size,
    /// Whether the feature is made of all patches, each in its place, or is a class that looks at them.
    pub gathers: bool,
    /// Points of the signer that are sought, in a picture as fine as before the last of the convolutions, which halves it;
    /// none looks at the feature of the patches alone.
    pub points: usize,
    /// Looks at hands again; points have to be sought.
    pub closer: Option<CloserConfig>,
}

/// The sizes of a [`Shrink`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShrinkConfig {
    /// So many rows, and as many columns, become one; even.
    pub by: usize,
    /// Channels that it gives.
    pub to: usize,
    /// Pairs of convolutions that look at what it gives.
    pub residuals: usize,
}

/// Looks at frames.
#[derive(Module, Debug)]
pub struct Spatial<B: Backend> {
    /// In order.
    pub shrinks: Vec<Shrink<B>>,
    /// `[patch · patch · C, D]`, C colours, or what the convolutions leave.
    pub patches: Linear<B>,
    /// `[1, D]`: what becomes the frame's feature.
    pub class: Option<Param<Tensor<B, 2>>>,
    /// `[1 + P, D]`: the places of the class, where there is one, and of P patches.
    pub places: Param<Tensor<B, 2>>,
    /// In order.
    pub layers: Vec<EncoderLayer<B>>,
    /// Over D.
    pub norm: LayerNorm<B>,
    /// `[P · D, D]`: makes the feature of all patches.
    pub gather: Option<Linear<B>>,
    /// Finds points, where some are sought.
    pub find: Option<Find<B>>,
    /// `[2 · K, D]`: what the places of the points say of the frame.
    pub says: Option<Linear<B>>,
    /// Looks at hands again.
    pub closer: Option<Closer<B>>,
    picture: usize,
    patch: usize,
}

/// A convolution that makes pictures smaller, and what looks at them before the next.
#[derive(Module, Debug)]
pub struct Shrink<B: Backend> {
    /// Makes them smaller.
    pub convolve: Convolve<B>,
    /// In order.
    pub residuals: Vec<Residual<B>>,
}

impl SpatialConfig {
    /// A network with random weights.
    ///
    /// # Panics
    /// Where patches do not fill the picture, or points are sought where nothing sees twice as finely as the patches.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Spatial<B> {
        let d = self.size.width;
        let by: usize = self.shrinks.iter().map(|shrink| shrink.by).product();
        assert!(
            self.picture.is_multiple_of(by * self.patch),
            "windows fill the picture, and patches what is left"
        );
        let left = self.picture / by;
        let (linear, patches) =
            (|from, to| LinearConfig::new(from, to).init(device), (left / self.patch).pow(2));
        let small = Initializer::Normal { mean: 0.0, std: BEGIN };
        let find = || {
            let [.., before, last] = self.shrinks.as_slice() else {
                panic!("points are sought in what convolutions before the last saw")
            };
            assert!(
                self.gathers && last.by * self.patch == 2,
                "what they saw is twice as fine as the patches"
            );
            Find::new(self.points, [d, before.to], device)
        };
        let channels = self.shrinks.last().map_or(COLOURS, |shrink| shrink.to);
        let class = usize::from(!self.gathers);
        Spatial {
            shrinks: shrinks(&self.shrinks, device),
            patches: linear(self.patch.pow(2) * channels, d),
            class: (!self.gathers).then(|| small.init([1, d], device)),
            places: small.init([class + patches, d], device),
            layers: (0..self.size.layers).map(|_| EncoderLayer::new(self.size.layer(), device)).collect(),
            norm: LayerNormConfig::new(d).init(device),
            gather: self.gathers.then(|| linear(patches * d, d)),
            find: (self.points > 0).then(find),
            says: (self.points > 0).then(|| linear(2 * self.points, d)),
            closer: self.closer.as_ref().map(|closer| closer.init(d, device)),
            picture: self.picture,
            patch: self.patch,
        }
    }
}

impl SpatialConfig {
    /// Height and width of the frames that it is shown, pixels.
    pub fn shown(&self) -> usize {
        self.closer.as_ref().map_or(self.picture, |closer| closer.from)
    }
}

impl<B: Backend> Spatial<B> {
    /// The feature of each frame.
    ///
    /// # Shapes
    /// - `video`: `[B, T, H, W, 3]`, from 0 to 1
    /// - returns: `[B * T, D]`
    pub fn forward(&self, video: Tensor<B, 5>, drops: &mut Drops) -> Tensor<B, 2> {
        self.look(video, drops).0
    }

    /// The feature of each frame, and where points are in it, across and down from 0 to 1: as often as it looked, best last.
    ///
    /// # Shapes
    /// - `video`: `[B, T, H, W, 3]`, from 0 to 1
    /// - returns: `[B * T, D]`, `[B * T, K, 2]` each
    pub fn look(&self, video: Tensor<B, 5>, drops: &mut Drops) -> (Tensor<B, 2>, Vec<Tensor<B, 3>>) {
        let [b, t, height, width, _] = video.dims();
        assert_eq!([height, width], [self.shown(); 2], "a frame is as large as the places that were learnt");
        let ([_, d], rows, p) = (self.places.dims(), b * t, self.patch);
        let frames = video.reshape([rows, height, width, COLOURS]) * 2.0 - 1.0;
        let (x, before) = shrunk(&self.shrinks, self.small(frames.clone()));
        let [_, left, _, c] = x.dims();
        let g = left / p;
        let patches = x.reshape([rows, g, p, g, p, c]).permute([0, 1, 3, 2, 4, 5]);
        let mut x =
            self.patches.forward(patches.reshape([rows * g * g, p * p * c])).reshape([rows, g * g, d]);
        if let Some(class) = &self.class {
            x = Tensor::cat(vec![class.val().reshape([1, 1, d]).expand([rows, 1, d]), x], 1);
        }
        let [_, places, _] = x.dims();
        let mut x = drops.of((x + self.places.val().unsqueeze()).reshape([rows * places, d]));
        let all_there = Tensor::zeros([1, 1, 1], &x.device());
        for layer in &self.layers {
            x = layer.forward(x, &all_there, rows, drops);
        }
        let x = self.norm.forward(x);
        let mut feature = match &self.gather {
            Some(gather) => gather.forward(x.clone().reshape([rows, places * d])),
            None => x.clone().reshape([rows, places, d]).narrow(1, 0, 1).reshape([rows, d]),
        };
        let mut found = vec![];
        if let Some((find, says)) = self.find.as_ref().zip(self.says.as_ref()) {
            let mut points = find.places(x.reshape([rows, g, g, d]), before);
            found.push(points.clone());
            if let Some(closer) = &self.closer {
                let (closer, told) = closer.look(frames, points);
                feature = feature + told;
                points = closer;
                found.push(points.clone());
            }
            let [_, k, _] = points.dims();
            feature = feature + says.forward((points.reshape([rows, 2 * k]) - 0.5) * SPREAD);
        }
        (feature, found)
    }

    /// Frames as the first look sees them.
    fn small(&self, frames: Tensor<B, 4>) -> Tensor<B, 4> {
        let (shown, device) = (self.shown(), frames.device());
        if shown == self.picture {
            return frames;
        }
        let rows = TensorData::new(averaging(shown, self.picture), [1, self.picture, shown]);
        let rows = Tensor::<B, 3>::from_data(rows, &device);
        sampled(frames, rows.clone(), rows)
    }

    /// Height and width of the frames that it is shown, pixels.
    pub fn shown(&self) -> usize {
        self.closer.as_ref().map_or(self.picture, Closer::from)
    }

    /// Height and width of a frame as the first look sees it, pixels.
    pub fn picture(&self) -> usize {
        self.picture
    }

    /// Height and width of a patch, of what the convolutions leave.
    pub fn patch(&self) -> usize {
        self.patch
    }

    /// Where its weights are.
    pub fn device(&self) -> B::Device {
        self.places.device()
    }
}

impl<B: Backend> Shrink<B> {
    /// `[N, H, W, C]` to `[N, H / by, W / by, C']`.
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let x = silu(self.convolve.forward(x));
        self.residuals.iter().fold(x, |x, residual| residual.forward(x))
    }
}

/// Convolutions of pictures in colour, with random weights.
pub fn shrinks<B: Backend>(each: &[ShrinkConfig], device: &B::Device) -> Vec<Shrink<B>> {
    let from = std::iter::once(COLOURS).chain(each.iter().map(|shrink| shrink.to));
    let shrink = |(from, &ShrinkConfig { by, to, residuals }): (usize, &ShrinkConfig)| Shrink {
        convolve: Convolve::new(by, [from, to], device),
        residuals: (0..residuals).map(|_| Residual::new(to, device)).collect(),
    };
    from.zip(each).map(shrink).collect()
}

/// What convolutions see of pictures one after another, and what was seen before the last of them: the pictures, where
/// there are none.
pub fn shrunk<B: Backend>(shrinks: &[Shrink<B>], pictures: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 4>) {
    shrinks.iter().fold((pictures.clone(), pictures), |(x, _), shrink| (shrink.forward(x.clone()), x))
}
