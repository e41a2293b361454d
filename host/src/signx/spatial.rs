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
    /// What each convolution before the transformer gives, each for half of the rows and columns; none, where the
    /// transformer looks at the picture itself.
    pub halves: Vec<usize>,
    /// Height and width of a patch, of what the convolutions leave.
    pub patch: usize,
    /// The transformer.
    pub size: Size,
    /// Whether the feature is made of all patches, each in its place, or is a class that looks at them.
    pub gathers: bool,
}

/// Looks at frames.
#[derive(Module, Debug)]
pub struct Spatial<B: Backend> {
    /// In order.
    pub halves: Vec<Halve<B>>,
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

/// A convolution of 4 × 4 pixels for every second row and column.
#[derive(Module, Debug)]
pub struct Halve<B: Backend> {
    /// `[16 · C, C']`: the pixels as four blocks of 2 × 2, row by row.
    pub linear: Linear<B>,
    /// Over C'.
    pub norm: LayerNorm<B>,
}

impl SpatialConfig {
    /// A network with random weights.
    ///
    /// # Panics
    /// Where patches do not fill the picture.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Spatial<B> {
        let d = self.size.width;
        let left = self.picture >> self.halves.len();
        assert_eq!(left << self.halves.len(), self.picture, "each half is whole");
        assert!(left.is_multiple_of(self.patch), "patches fill what is left");
        let (linear, patches) =
            (|from, to| LinearConfig::new(from, to).init(device), (left / self.patch).pow(2));
        let small = Initializer::Normal { mean: 0.0, std: BEGIN };
        let from = std::iter::once(COLOURS).chain(self.halves.iter().copied());
        let halve = |(from, &to): (usize, &usize)| Halve {
            linear: linear(16 * from, to),
            norm: LayerNormConfig::new(to).init(device),
        };
        let class = usize::from(!self.gathers);
        Spatial {
            halves: from.zip(&self.halves).map(halve).collect(),
            patches: linear(self.patch.pow(2) * self.halves.last().unwrap_or(&COLOURS), d),
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
        let x = self.halves.iter().fold(pixels, |x, halve| halve.forward(x));
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

impl<B: Backend> Halve<B> {
    /// What is seen at every second row and column; beyond the edges there is nothing.
    ///
    /// # Shapes
    /// - `x`: `[N, H, W, C]`
    /// - returns: `[N, H / 2, W / 2, C']`
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let ([n, height, width, c], device) = (x.dims(), x.device());
        let (h, w) = (height / 2, width / 2);
        let nothing = Tensor::zeros([1, c], &device);
        let pixels = Tensor::cat(vec![x.reshape([n * height * width, c]), nothing], 0);
        // Rows of pixels are copied whole, which is several times as fast as views of blocks.
        let seen = pixels.select(0, Tensor::from_data(around(n, [height, width]), &device));
        let x = self.norm.forward(self.linear.forward(seen.reshape([n * h * w, 16 * c])));
        let [_, to] = x.dims();
        silu(x).reshape([n, h, w, to])
    }
}

/// Which pixels of `n` pictures a convolution of 4 × 4 for every second row and column sees, `[n · H / 2 · W / 2 · 16]`:
/// for each place four blocks of 2 × 2, row by row. The number behind the last pixel is beyond the edges.
fn around(n: usize, [height, width]: [usize; 2]) -> TensorData {
    let (h, w) = (height / 2, width / 2);
    let mut seen = Vec::with_capacity(n * h * w * 16);
    for picture in 0..n {
        for (row, column) in (0..h).flat_map(|row| (0..w).map(move |column| (row, column))) {
            for i in 0..16 {
                // Bits of `i`: the block's row and column, and the pixel's in it; the first pixel lies outside.
                let y = (2 * (row + (i >> 3 & 1)) + (i >> 1 & 1)).wrapping_sub(1);
                let x = (2 * (column + (i >> 2 & 1)) + (i & 1)).wrapping_sub(1);
                let inside = y < height && x < width;
                let pixel = (picture * height + y.min(height)) * width + x.min(width);
                seen.push(if inside { pixel as i64 } else { (n * height * width) as i64 });
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
    fn a_place_sees_the_pixels_around_it_and_nothing_beyond_the_edges() {
        let seen = around(2, [4, 2]).to_vec::<i64>().unwrap();
        let places: Vec<&[i64]> = seen.chunks_exact(16).collect();
        assert_eq!(places.len(), 2 * 2);
        // Pixels of the first picture are 0 to 7, two a row; 16 is beyond the edges.
        assert_eq!(places[0], [16, 16, 16, 0, 16, 16, 1, 16, 16, 2, 16, 4, 3, 16, 5, 16]);
        assert_eq!(places[3], [16, 10, 16, 12, 11, 16, 13, 16, 16, 14, 16, 16, 15, 16, 16, 16]);
    }
}
