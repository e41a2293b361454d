//! Convolutions of pictures, over channels that stand side by side: rows of pixels instead of planes, as all else here.

use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::silu;
use burn::tensor::{Tensor, TensorData, backend::Backend};

/// A convolution, and a norm of each place's channels. Its windows are twice as high and wide as they are apart, or 3 × 3
/// where there is one for every pixel.
#[derive(Module, Debug)]
pub struct Convolve<B: Backend> {
    /// `[window² · C, C']`: a window's pixels row by row.
    pub linear: Linear<B>,
    /// Over C'.
    pub norm: LayerNorm<B>,
    by: usize,
}

/// Two convolutions whose result is added to what they saw (He et al. 2016).
#[derive(Module, Debug)]
pub struct Residual<B: Backend> {
    /// `C` channels to as many.
    pub first: Convolve<B>,
    /// The same.
    pub second: Convolve<B>,
}

/// Height and width of the window of a convolution that makes one row of `by`.
pub fn window(by: usize) -> usize {
    if by == 1 { 3 } else { 2 * by }
}

impl<B: Backend> Convolve<B> {
    /// One with random weights that makes one row, and one column, of `by`, which is 1 or even.
    pub fn new(by: usize, [from, to]: [usize; 2], device: &B::Device) -> Self {
        assert!(by == 1 || by.is_multiple_of(2), "a window lies evenly around its place");
        let linear = LinearConfig::new(window(by).pow(2) * from, to).init(device);
        Self { linear, norm: LayerNormConfig::new(to).init(device), by }
    }

    /// What windows around every `by`th row and column see; beyond the edges there is nothing.
    ///
    /// # Shapes
    /// - `x`: `[N, H, W, C]`
    /// - returns: `[N, H / by, W / by, C']`
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let ([n, height, width, c], device, by) = (x.dims(), x.device(), self.by);
        let (h, w, run) = (height / by, width / by, run(by));
        let nothing = Tensor::zeros([1, run * c], &device);
        let runs = Tensor::cat(vec![x.reshape([n * height * width / run, run * c]), nothing], 0);
        // Runs of pixels are copied whole, which is several times as fast as views of windows.
        let seen = runs.select(0, Tensor::from_data(around(n, [height, width], by), &device));
        let seen = seen.reshape([n * h * w, window(by).pow(2) * c]);
        let x = self.norm.forward(self.linear.forward(seen));
        let [_, to] = x.dims();
        x.reshape([n, h, w, to])
    }

    /// So many rows, and as many columns, become one.
    pub fn by(&self) -> usize {
        self.by
    }
}

impl<B: Backend> Residual<B> {
    /// One with random weights.
    pub fn new(channels: usize, device: &B::Device) -> Self {
        let convolve = || Convolve::new(1, [channels; 2], device);
        Self { first: convolve(), second: convolve() }
    }

    /// `[N, H, W, C]` to the same.
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        silu(x.clone() + self.second.forward(silu(self.first.forward(x))))
    }
}

/// Every place four times, twice as high and wide.
///
/// # Shapes
/// - `x`: `[N, H, W, C]`
/// - returns: `[N, 2 · H, 2 · W, C]`
pub fn doubled<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let ([n, h, w, c], device) = (x.dims(), x.device());
    let rows = TensorData::new(each_twice(n, [h, w]), [n * 4 * h * w]);
    x.reshape([n * h * w, c]).select(0, Tensor::from_data(rows, &device)).reshape([n, 2 * h, 2 * w, c])
}

/// Of each place of the doubled pictures, row by row, the place that it shows: `[n · 2 · H · 2 · W]`.
pub fn each_twice(n: usize, [h, w]: [usize; 2]) -> Vec<i64> {
    let places = (0..n * h)
        .flat_map(|row| [row; 2])
        .flat_map(|row| (0..w).flat_map(move |column| [(row * w + column) as i64; 2]));
    places.collect()
}

/// Rows, and columns, that a window begins before its place; so many pixels of a row are copied as one.
pub fn run(by: usize) -> usize {
    (by / 2).max(1)
}

/// Which runs of pixels the windows of `n` pictures see, row by row. A window begins one run, and as many rows, before its
/// place, and is four runs wide, or three of a pixel each where there is one for every pixel. The number behind the last
/// run is beyond the edges.
fn around(n: usize, [height, width]: [usize; 2], by: usize) -> TensorData {
    let (h, w, run) = (height / by, width / by, run(by));
    let (runs, high, wide) = (width / run, window(by), window(by) / run);
    let mut seen = Vec::with_capacity(n * h * w * high * wide);
    for picture in 0..n {
        for (row, column) in (0..h).flat_map(|row| (0..w).map(move |column| (row, column))) {
            for (y, x) in (0..high).flat_map(|y| (0..wide).map(move |x| (y, x))) {
                let (y, x) = ((row * by + y).wrapping_sub(run), (column * (by / run) + x).wrapping_sub(1));
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
    use burn::backend::Flex;

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

    #[test]
    fn a_window_of_every_pixel_lies_around_it() {
        let seen = around(1, [2, 3], 1).to_vec::<i64>().unwrap();
        let windows: Vec<&[i64]> = seen.chunks_exact(9).collect();
        assert_eq!(windows.len(), 6);
        assert_eq!(windows[0], [6, 6, 6, 6, 0, 1, 6, 3, 4]);
        assert_eq!(windows[4], [0, 1, 2, 3, 4, 5, 6, 6, 6]);
    }

    #[test]
    fn doubled_places_lie_beside_each_other() {
        let x = Tensor::<Flex, 4>::from_floats([[[[1.0], [2.0]]], [[[3.0], [4.0]]]], &Default::default());
        let twice = doubled(x);
        assert_eq!(twice.dims(), [2, 2, 4, 1]);
        let expect = [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 3.0, 3.0, 4.0, 4.0];
        assert_eq!(twice.into_data().to_vec::<f32>().unwrap(), expect);
    }
}
