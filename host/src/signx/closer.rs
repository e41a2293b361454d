//! A second look at each hand, closer: a cut out of the picture where the first look found the hand, as the estimators
//! of tracks look at hands themselves. In a whole picture as small as a network of two cores can look at, a hand is
//! one place of its maps; in a cut of its own it is half of them.
//!
//! A cut is made as attention windows are (Gregor et al. 2015, "DRAW", section 3.2), with the weights of bilinear
//! interpolation instead of Gaussian ones: two products of matrices, on every engine.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use models::features::HAND_POINTS;
use models::signx::SHOULDERS;

use super::film::{MARKS, TRUNK};
use super::find::{BLUNT, Find, LEAST_APART};
use super::spatial::{COLOURS, Shrink, ShrinkConfig, shrinks, shrunk};

/// Hands.
pub const HANDS: usize = 2;
/// Height and width of a cut, in widths of the shoulders: a hand is half of it, and the first look may be wrong about its
/// middle by a quarter.
pub const WIDE: f32 = 1.0;
/// Whether a cut is seen as it is or in a mirror, which makes a right hand a left one.
pub const TURNS: [f32; HANDS] = [1.0, -1.0];

/// The sizes of a [`Closer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloserConfig {
    /// Height and width of the frames that hands are cut out of, pixels; the first look sees them smaller.
    pub from: usize,
    /// Height and width of a cut, pixels.
    pub side: usize,
    /// Two or more; points are sought as finely as before the last of them, which halves it.
    pub shrinks: Vec<ShrinkConfig>,
}

/// Looks at hands.
#[derive(Module, Debug)]
pub struct Closer<B: Backend> {
    /// In order.
    pub shrinks: Vec<Shrink<B>>,
    /// Finds the points of a hand in its cut.
    pub find: Find<B>,
    /// `[2 * P * C, D]`: what both cuts, P places of C channels, say of the frame.
    pub tells: Linear<B>,
    from: usize,
    side: usize,
}

/// Where hands are cut out.
struct Cuts<B: Backend> {
    /// `[N, 2, 2]`: the middles of both, across and down, from 0 to 1.
    middles: Tensor<B, 3>,
    /// `[N, 1, 1]`: height and width, as a share of the picture.
    wide: Tensor<B, 3>,
}

impl CloserConfig {
    /// A network with random weights that tells a frame in so many numbers.
    ///
    /// # Panics
    /// Where the convolutions do not fit the cut or each other.
    pub fn init<B: Backend>(&self, width: usize, device: &B::Device) -> Closer<B> {
        let [.., before, last] = self.shrinks.as_slice() else {
            panic!("points are sought in what was seen")
        };
        let by: usize = self.shrinks.iter().map(|shrink| shrink.by).product();
        assert!(last.by == 2 && self.side.is_multiple_of(by), "what the last sees is half as fine");
        let places = (self.side / by).pow(2);
        Closer {
            shrinks: shrinks(&self.shrinks, device),
            find: Find::new(HAND_POINTS, [last.to, before.to], device),
            tells: LinearConfig::new(HANDS * places * last.to, width).init(device),
            from: self.from,
            side: self.side,
        }
    }
}

impl<B: Backend> Closer<B> {
    /// The places of the [`MARKS`], those of the hands by a closer look, `[N, MARKS, 2]`; and what hands say of their
    /// frames, `[N, D]`. Where hands are cut out is not learnt by what is seen in the cuts.
    ///
    /// # Shapes
    /// - `frames`: `[N, F, F, 3]`, F pixels
    /// - `points`: `[N, MARKS, 2]`, across and down, from 0 to 1
    pub fn look(&self, frames: Tensor<B, 4>, points: Tensor<B, 3>) -> (Tensor<B, 3>, Tensor<B, 2>) {
        let ([n, ..], device) = (frames.dims(), frames.device());
        let cuts = Cuts::around(points.clone().detach());
        let (last, before) = shrunk(&self.shrinks, self.cut(frames, &cuts));
        let found = self.find.places(last.clone(), before).reshape([n, HANDS, HAND_POINTS, 2]);
        let turns = TensorData::new(TURNS.map(|turn| [turn, 1.0]).concat(), [1, HANDS, 1, 2]);
        let wide = cuts.wide.unsqueeze_dim::<4>(3);
        let found =
            (found - 0.5) * Tensor::from_data(turns, &device) * wide + cuts.middles.unsqueeze_dim::<4>(2);
        let points = vec![points.narrow(1, 0, TRUNK), found.reshape([n, HANDS * HAND_POINTS, 2])];
        let seen = last.reshape([n as i32, -1]);
        (Tensor::cat(points, 1), self.tells.forward(seen))
    }

    /// Both hands of each frame, the right one in a mirror: `[N * 2, S, S, 3]`. Beyond the edges there is nothing.
    fn cut(&self, frames: Tensor<B, 4>, cuts: &Cuts<B>) -> Tensor<B, 4> {
        let ([n, ..], device, s) = (frames.dims(), frames.device(), self.side);
        let along: Vec<f32> = along(s);
        let along = Tensor::<B, 1>::from_data(TensorData::new(along, [s]), &device).reshape([1, 1, s]);
        let turns = Tensor::<B, 1>::from_data(TURNS, &device).reshape([1, HANDS, 1]);
        let [across, down] = [0, 1].map(|way| cuts.middles.clone().narrow(2, way, 1));
        let along = along * cuts.wide.clone(); // [N, 1, S]
        let rows = self.weights(down + along.clone()).reshape([n, HANDS * s, self.from]);
        let columns = self.weights(across + turns * along).reshape([n * HANDS, s, self.from]);
        sampled(frames, rows, columns)
    }

    /// How much each of the F rows, or columns, of a frame counts at places of it: `[N, 2, S]` to `[N, 2, S, F]`.
    fn weights(&self, places: Tensor<B, 3>) -> Tensor<B, 4> {
        let (device, f) = (places.device(), self.from);
        let each = (0..f).map(|i| i as f32 + 0.5).collect::<Vec<_>>();
        let each = Tensor::<B, 1>::from_data(TensorData::new(each, [f]), &device).reshape([1, 1, 1, f]);
        relu((places.unsqueeze_dim::<4>(3) * f as f32 - each).abs() * -1.0 + 1.0)
    }

    /// Height and width of the frames that it looks at, pixels.
    pub fn from(&self) -> usize {
        self.from
    }

    /// Height and width of a cut, pixels.
    pub fn side(&self) -> usize {
        self.side
    }
}

impl<B: Backend> Cuts<B> {
    fn around(points: Tensor<B, 3>) -> Self {
        let [n, marks, _] = points.dims();
        assert_eq!(marks, MARKS, "hands are looked for among all marks");
        let hands = points.clone().narrow(1, TRUNK, HANDS * HAND_POINTS);
        let middles = hands.reshape([n, HANDS, HAND_POINTS, 2]).mean_dim(2).reshape([n, HANDS, 2]);
        let [left, right] = SHOULDERS.map(|k| points.clone().narrow(1, k, 1));
        let apart = ((left - right).powi_scalar(2).sum_dim(2) + BLUNT).sqrt();
        Self { middles, wide: apart.clamp_min(LEAST_APART) * WIDE }
    }
}

/// Where the rows of a cut lie, from its middle, in its heights.
pub fn along(side: usize) -> Vec<f32> {
    (0..side).map(|i| (i as f32 + 0.5) / side as f32 - 0.5).collect()
}

/// How much each of `from` rows counts in each of `to`, which are the means of those that they touch: `[to, from]`.
pub fn averaging(from: usize, to: usize) -> Vec<f32> {
    let mut weights = vec![0.0; to * from];
    for (i, row) in weights.chunks_exact_mut(from).enumerate() {
        let touched = &mut row[i * from / to..((i + 1) * from).div_ceil(to)];
        let share = 1.0 / touched.len() as f32;
        touched.fill(share);
    }
    weights
}

/// Frames in which each row and each column is a weighted sum of theirs: `[N * H, R, S, 3]`. H pictures may be made of
/// each.
///
/// # Shapes
/// - `frames`: `[N, F, F, 3]`
/// - `rows`: `[N, H * R, F]`, or `[1, ..]` for all alike
/// - `columns`: `[N * H, S, F]`, or `[1, ..]`
pub fn sampled<B: Backend>(frames: Tensor<B, 4>, rows: Tensor<B, 3>, columns: Tensor<B, 3>) -> Tensor<B, 4> {
    let ([n, f, ..], [_, all, _], [pictures, s, _]) = (frames.dims(), rows.dims(), columns.dims());
    let pictures = pictures.max(n);
    let r = all * n / pictures;
    let high = rows.matmul(frames.reshape([n, f, f * COLOURS])); // [N, H * R, F * 3]
    let turned = high.reshape([pictures * r, f, COLOURS]).swap_dims(1, 2).reshape([pictures, r * COLOURS, f]);
    let wide = turned.matmul(columns.swap_dims(1, 2)); // [N * H, R * 3, S]
    wide.reshape([pictures * r, COLOURS, s]).swap_dims(1, 2).reshape([pictures, r, s, COLOURS])
}
