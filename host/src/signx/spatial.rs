//! What each frame of a video shows (equation 5): a vision transformer (Dosovitskiy et al. 2021).
//!
//! The paper's looks at patches of the picture, and a class that looks at them all becomes the frame's feature. Small
//! networks and little data learn next to nothing that way: `small` has the hybrid of the same work (section 3.1),
//! whose patches are those of a convolutional network's features, and its feature is made of all of them, each in its
//! place, for a hand's place is what is asked for.

use burn::module::{Module, Param};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::silu;
use burn::tensor::{Tensor, TensorData, backend::Backend};

use super::Size;
use crate::nn::Drops;
use crate::nn::transformer::EncoderLayer;

/// Colours of a pixel.
const COLOURS: usize = 3;
/// Deviation of what places and the class begin with (Dosovitskiy et al. 2021).
const BEGIN: f64 = 0.02;

/// The sizes of a [`Spatial`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpatialConfig {
    /// Height and width of a frame, pixels.
    pub picture: usize,
    /// The convolutions before the transformer; none, where it looks at the picture itself.
    pub shrinks: Vec<ShrinkConfig>,
    /// Height and width of a patch, of what the convolutions leave.
    pub patch: usize,
    /// The transformer.
    pub size: Size,
    /// Whether the feature is made of all patches, each in its place, or is a class that looks at them.
    pub gathers: bool,
}

/// The sizes of a [`Shrink`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShrinkConfig {
    /// So many rows, and as many columns, become one; even.
    pub by: usize,
    /// Channels that it gives.
    pub to: usize,
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
    picture: usize,
    patch: usize,
}

/// A convolution whose windows are twice as high and wide as they are apart.
#[derive(Module, Debug)]
pub struct Shrink<B: Backend> {
    /// `[(2 · by)² · C, C']`: a window's pixels row by row.
    pub linear: Linear<B>,
    /// Over C'.
    pub norm: LayerNorm<B>,
    by: usize,
}

impl SpatialConfig {
    /// A network with random weights.
    ///
    /// # Panics
    /// Where patches do not fill the picture.
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
        let from = std::iter::once(COLOURS).chain(self.shrinks.iter().map(|shrink| shrink.to));
        let shrink = |(from, &ShrinkConfig { by, to }): (usize, &ShrinkConfig)| Shrink {
            linear: linear((2 * by).pow(2) * from, to),
            norm: LayerNormConfig::new(to).init(device),
            by,
        };
        let channels = self.shrinks.last().map_or(COLOURS, |shrink| shrink.to);
        let class = usize::from(!self.gathers);
        Spatial {
            shrinks: from.zip(&self.shrinks).map(shrink).collect(),
            patches: linear(self.patch.pow(2) * channels, d),
            class: (!self.gathers).then(|| small.init([1, d], device)),
            places: small.init([class + patches, d], device),
            layers: (0..self.size.layers).map(|_| EncoderLayer::new(self.size.layer(), device)).collect(),
            norm: LayerNormConfig::new(d).init(device),
            gather: self.gathers.then(|| linear(patches * d, d)),
            picture: self.picture,
            patch: self.patch,
        }
    }
}

impl<B: Backend> Spatial<B> {
    /// The feature of each frame.
    ///
    /// # Shapes
    /// - `video`: `[B, T, H, W, 3]`, from 0 to 1
    /// - returns: `[B * T, D]`
    pub fn forward(&self, video: Tensor<B, 5>, drops: &mut Drops) -> Tensor<B, 2> {
        let [b, t, height, width, _] = video.dims();
        assert_eq!([height, width], [self.picture; 2], "a frame is as large as the places that were learnt");
        let ([_, d], rows, p) = (self.places.dims(), b * t, self.patch);
        let pixels = video.reshape([rows, height, width, COLOURS]) * 2.0 - 1.0;
        let x = self.shrinks.iter().fold(pixels, |x, shrink| shrink.forward(x));
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
        match &self.gather {
            Some(gather) => gather.forward(self.norm.forward(x).reshape([rows, places * d])),
            None => self.norm.forward(x.reshape([rows, places, d]).narrow(1, 0, 1).reshape([rows, d])),
        }
    }

    /// Height and width of a frame, pixels.
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
    /// What windows around every `by`th row and column see; beyond the edges there is nothing.
    ///
    /// # Shapes
    /// - `x`: `[N, H, W, C]`
    /// - returns: `[N, H / by, W / by, C']`
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let ([n, height, width, c], device, by) = (x.dims(), x.device(), self.by);
        let (h, w, run) = (height / by, width / by, by / 2);
        let nothing = Tensor::zeros([1, run * c], &device);
        let runs = Tensor::cat(vec![x.reshape([n * height * width / run, run * c]), nothing], 0);
        // Runs of pixels are copied whole, which is several times as fast as views of windows.
        let seen = runs.select(0, Tensor::from_data(around(n, [height, width], by), &device));
        let x = self.norm.forward(self.linear.forward(seen.reshape([n * h * w, (2 * by).pow(2) * c])));
        let [_, to] = x.dims();
        silu(x).reshape([n, h, w, to])
    }

    /// So many rows, and as many columns, become one.
    pub fn by(&self) -> usize {
        self.by
    }
}

/// Which runs of pixels the windows of `n` pictures see, row by row: `[n · H / by · W / by · 2 · by · 4]`. A run is `by / 2`
/// pixels of a row, so that a window, which begins as far before its place, is four runs wide. The number behind the
/// last run is beyond the edges.
fn around(n: usize, [height, width]: [usize; 2], by: usize) -> TensorData {
    let (h, w, runs) = (height / by, width / by, width / (by / 2));
    let mut seen = Vec::with_capacity(n * h * w * 2 * by * 4);
    for picture in 0..n {
        for (row, column) in (0..h).flat_map(|row| (0..w).map(move |column| (row, column))) {
            for (y, x) in (0..2 * by).flat_map(|y| (0..4).map(move |x| (y, x))) {
                let (y, x) = ((row * by + y).wrapping_sub(by / 2), (column * 2 + x).wrapping_sub(1));
                let inside = y < height && x < runs;
                let run = if inside { (picture * height + y) * runs + x } else { n * height * runs };
                seen.push(run as i64);
            }
        }
    }
    let length = seen.len();
    TensorData::new(seen, [length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_sees_the_pixels_around_its_place_and_nothing_beyond_the_edges() {
        let seen = around(2, [4, 2], 2).to_vec::<i64>().unwrap();
        let windows: Vec<&[i64]> = seen.chunks_exact(16).collect();
        assert_eq!(windows.len(), 2 * 2);
        // Pixels of the first picture are 0 to 7, two a row; 16 is beyond the edges.
        assert_eq!(windows[0], [16, 16, 16, 16, 16, 0, 1, 16, 16, 2, 3, 16, 16, 4, 5, 16]);
        assert_eq!(windows[3], [16, 10, 11, 16, 16, 12, 13, 16, 16, 14, 15, 16, 16, 16, 16, 16]);
    }

    #[test]
    fn larger_windows_begin_half_a_step_before_their_place() {
        // Two places; runs of two pixels, four in each of four rows; 16 is beyond the edges.
        let seen = around(1, [4, 8], 4).to_vec::<i64>().unwrap();
        let rows: Vec<&[i64]> = seen.chunks_exact(4).collect();
        assert_eq!(rows.len(), 2 * 8);
        assert_eq!(rows[..4], [[16; 4], [16; 4], [16, 0, 1, 2], [16, 4, 5, 6]]);
        assert_eq!(
            rows[8 + 2..8 + 7],
            [[1, 2, 3, 16], [5, 6, 7, 16], [9, 10, 11, 16], [13, 14, 15, 16], [16; 4]]
        );
    }
}
