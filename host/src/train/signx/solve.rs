//! The last layers of a Video2Pose as they are best: its tracks are linear in what it knows of a frame ([`Told`]), and
//! their loss (equation 13) is the square of what they are wrong by, so that the best weights follow from sums over many
//! frames. Steps along gradients go there slowly, for points that lie side by side tell nearly the same.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use nalgebra::{Cholesky, DMatrix};
use rayon::prelude::*;

use super::video::{Batch, Windows};
use crate::nn::Drops;
use crate::signx::track::Track;
use crate::signx::video2pose::Told;
use crate::signx::{Frames, Video2Pose, film};
use crate::ui;

/// Frames that are summed over, at least: sixty for each number that tracks are told by (`small`).
const FRAMES: usize = 16384;
/// How much the weights that were learnt count: their square, as a share of that of the numbers which they weigh.
const DAMPING: f64 = 1e-3;
/// The same of numbers that are always 0.
const LEAST_DAMPING: f64 = 1e-6;
/// Batches that a thread sums before sums are added, so that their order is always the same.
const RUN: usize = 8;

/// The network, its projections solved for on windows like those that it learnt from.
pub(super) fn tracks<B: Backend>(video: Video2Pose<B>, windows: &Windows<B>) -> Video2Pose<B> {
    let window = windows.window();
    let batches = FRAMES.div_ceil(window.iter().product());
    let bar = ui::progress(batches, "batches of frames solved for");
    let run = |numbers: Vec<usize>| {
        let mut sums: Option<Vec<Sums>> = None;
        for number in numbers {
            let new = summed(&video, windows.cut(number, window));
            sums = Some(added(sums.take(), new));
            bar.inc(1);
        }
        sums.expect("no run is empty")
    };
    let runs: Vec<Vec<Sums>> = (0..batches).into_par_iter().chunks(RUN).map(run).collect();
    bar.finish_and_clear();
    let sums = runs.into_iter().fold(None, |sums, new| Some(added(sums, new))).expect("there are frames");
    solved(video, sums)
}

/// The network with its projections as the sums say.
fn solved<B: Backend>(video: Video2Pose<B>, sums: Vec<Sums>) -> Video2Pose<B> {
    let projections = video.projections.into_iter().zip(sums).map(|(track, sums)| {
        let by = sums.solve();
        let device = track.linear.weight.device();
        let (shape, values) = ([by.nrows(), by.ncols()], by.transpose().iter().map(|v| *v as f32).collect());
        track.moved(&Tensor::from_data(TensorData::new::<f32, _>(values, shape), &device))
    });
    Video2Pose { projections: projections.collect(), ..video }
}

/// Sums over frames of one track, N numbers that tell it and 1, W numbers of its own.
struct Sums {
    /// `[N + 1, N + 1]`: of products of what tells.
    told: DMatrix<f64>,
    /// `[N + 1, W]`: of products of what tells and what the track's numbers are more than is told.
    missed: DMatrix<f64>,
}

impl Sums {
    /// By how much the weights have to be moved: `[N + 1, W]`.
    fn solve(mut self) -> DMatrix<f64> {
        for i in 0..self.told.nrows() {
            self.told[(i, i)] += self.told[(i, i)] * DAMPING + LEAST_DAMPING;
        }
        Cholesky::new(self.told).expect("damped squares are positive definite").solve(&self.missed)
    }
}

fn added(sums: Option<Vec<Sums>>, new: Vec<Sums>) -> Vec<Sums> {
    let Some(mut sums) = sums else {
        return new;
    };
    for (sum, new) in sums.iter_mut().zip(new) {
        sum.told += new.told;
        sum.missed += new.missed;
    }
    sums
}

/// The sums of each track over the frames of a batch.
fn summed<B: Backend>(video: &Video2Pose<B>, batch: Batch) -> Vec<Sums> {
    let (device, [b, t]) = (Default::default(), batch.shape);
    let truth = Frames::<B>::new([batch.numbers, batch.there], b, &Track::WIDTHS, &device);
    let frames = film::tensor(&batch.video, [b, t, video.spatial.shown()], &device);
    let (told, _) = video.told(frames, &truth.seen(), &mut Drops::none());
    let all = everything(&told);
    let [_, _, f] = truth.numbers.dims();
    let [_, _, k] = truth.there.dims();
    let (numbers, there) = (truth.numbers.reshape([b * t, f]), truth.there.reshape([b * t, k]));
    let mut start = 0;
    let sums = video.projections.iter().enumerate().map(|(i, track)| {
        let width = track.standard.width();
        let truth = track.standard.of(numbers.clone().narrow(1, start, width));
        start += width;
        let here = all.clone() * there.clone().narrow(1, i, 1);
        let turned = here.clone().transpose();
        Sums {
            told: matrix(turned.clone().matmul(here)),
            missed: matrix(turned.matmul(truth - track.forward(&told))),
        }
    });
    sums.collect()
}

/// What tells a frame side by side, and 1 for the bias: `[B * T, N + 1]`.
fn everything<B: Backend>(told: &Told<B>) -> Tensor<B, 2> {
    let [rows, _] = told.features.dims();
    let ones = Tensor::ones([rows, 1], &told.features.device());
    let parts = [Some(told.features.clone()), told.places.clone(), Some(ones)];
    Tensor::cat(parts.into_iter().flatten().collect(), 1)
}

fn matrix<B: Backend>(x: Tensor<B, 2>) -> DMatrix<f64> {
    let [rows, columns] = x.dims();
    DMatrix::from_row_iterator(rows, columns, x.into_data().iter::<f64>())
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::signx::Preset;
    use crate::signx::track::FRAME;

    #[test]
    fn projections_that_are_wrong_are_set_right_and_what_nobody_told_stays() {
        let (preset, device) = (Preset::tiny(), Default::default());
        let net = preset.pose2gloss.init::<Flex>(&device);
        let video = preset.video2pose.init(&net.encode, &device);
        let (mut rng, shape) = (StdRng::seed_from_u64(4), [12, 8]);
        let (rows, side) = (shape.iter().product::<usize>(), video.spatial.shown());
        let absent = Track::Sapiens as usize;
        let there: Vec<f32> = (0..rows * Track::ALL.len())
            .map(|i| if i % Track::ALL.len() == absent || i % 7 == 0 { 0.0 } else { 1.0 })
            .collect();
        let batch = |numbers| Batch {
            shape,
            video: (0..rows * side * side * 3).map(|i| (i * i % 251) as u8).collect(),
            numbers,
            there: there.clone(),
            marks: vec![],
            seed: 0,
        };
        let loss = |video: &Video2Pose<Flex>, batch: &Batch| {
            let truth = [batch.numbers.clone(), batch.there.clone()];
            let truth = Frames::<Flex>::new(truth, shape[0], &Track::WIDTHS, &device);
            let frames = film::tensor(&batch.video, [shape[0], shape[1], side], &device);
            let tracks = video.standardised(frames, &truth.seen(), &mut Drops::none());
            video.loss(tracks, &truth).into_scalar()
        };
        let batch = batch((0..rows * FRAME).map(|_| rng.random_range(-1.0..1.0)).collect());
        let before = loss(&video, &batch);
        let sums = summed(&video, batch.clone());
        let unknowns = sums[0].told.nrows();
        assert!(unknowns > rows, "so few frames can be told exactly: {unknowns} unknowns");
        let after = solved(video.clone(), sums);
        assert!(loss(&after, &batch) < 0.05 * before, "{} after {before}", loss(&after, &batch));
        let [was, is] = [&video, &after].map(|video| video.projections[absent].linear.weight.val());
        assert_eq!(was.into_data(), is.into_data());
        let [was, is] = [&video, &after].map(|video| video.projections[0].linear.bias.clone().unwrap().val());
        assert_ne!(was.into_data(), is.into_data(), "the bias is solved for as well");
    }
}
