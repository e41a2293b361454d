//! What Pose2Gloss is trained to do (section 4.1 and table 2).

use burn::module::{AutodiffModule, Module};
use burn::tensor::activation::softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor, TensorData};
use models::translator::BEGIN;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::batches::{Batch, Batches};
use crate::data::augment::normal;
use crate::nn::{Drops, numbers};
use crate::signx::loss::{self, Balance, Noised, Targets, Weights};
use crate::signx::{Diffusion, Frames, Pose2Gloss, Preset};
use crate::train::fit::{Parts, Plain, Task};
use crate::train::gradient;

/// Steps that latents are denoised in while it learns.
const STEPS: std::ops::RangeInclusive<usize> = 1..=4;

/// A network, and the weights of its losses.
#[derive(Module, Debug)]
pub struct Learnt<B: Backend> {
    /// Reads.
    pub net: Pose2Gloss<B>,
    /// Weighs.
    pub balance: Balance<B>,
}

/// Trains a [`Pose2Gloss`].
pub struct SignXTask<'a> {
    /// Where batches come from.
    pub batches: &'a Batches<'a>,
    /// How it is trained.
    pub preset: &'a Preset,
    /// Batches of the whole training.
    pub all: usize,
}

impl<B: Backend> Learnt<B> {
    /// A network at the beginning of its training.
    pub fn new(net: Pose2Gloss<B>, device: &B::Device) -> Self {
        Self { net, balance: Balance::new(Weights::LOSSES, device) }
    }
}

impl<B: AutodiffBackend> Task<B> for SignXTask<'_> {
    type Net = Learnt<B>;
    type Batch = Batch;

    fn batch(&self, number: usize) -> Batch {
        self.batches.batch(number)
    }

    fn loss(&self, learnt: &Learnt<B>, batch: Batch) -> (Tensor<B, 1>, Parts<B>) {
        let (mut rng, share) = (StdRng::seed_from_u64(batch.seed), batch.number as f32 / self.all as f32);
        let drops = &mut Drops::new(rng.random(), self.preset.dropout);
        let (frames, rows) = batch.into_parts();
        losses(self.preset, share, learnt, (&frames, rows), (&mut rng, drops))
    }
}

/// What a network loses by what it reads of frames that say `rows`, after that share of its training: weighted, and by
/// part.
pub(super) fn losses<B: AutodiffBackend>(
    preset: &Preset,
    share: f32,
    learnt: &Learnt<B>,
    (frames, rows): (&Frames<B>, Vec<Vec<u32>>),
    (rng, drops): (&mut StdRng, &mut Drops),
) -> (Tensor<B, 1>, Parts<B>) {
    let (net, device) = (&learnt.net, Default::default());
    let (weights, seen) = (preset.weights.at(share), frames.seen());
    let [b, _] = seen.dims();
    let latent = net.latent(frames, drops);

    let diffusion = &preset.diffusion;
    let noise = if weights[0] > 0.0 {
        let left = diffusion.schedule.levels(diffusion.levels);
        let levels = (0..b).map(|_| rng.random_range(1..=diffusion.levels)).collect();
        let values: Vec<f32> = (0..latent.shape().num_elements()).map(|_| normal(rng)).collect();
        let mixed_in = Tensor::from_data(TensorData::new(values, latent.dims()), &device);
        let noised = Noised::new(latent.clone(), mixed_in, levels, &left);
        let told = net.noise.forward(noised.latent, &noised.levels, &seen, drops);
        loss::noise(told, noised.noise, &seen)
    } else {
        Tensor::zeros([1], &device)
    };

    // How many steps it will be denoised in is chosen when it reads, so it learns with any.
    let steps = if diffusion.steps > 0 { rng.random_range(STEPS) } else { 0 };
    let denoised = net.denoised(latent, &seen, &Diffusion { steps, ..*diffusion }, drops);
    let memory = net.codebook.memory(denoised.clone(), b);
    let targets = Targets::new(rows, &device);
    let told = told(learnt, &targets, (&memory, &seen), preset.teacher.at(share), rng);
    let logits = net.codebook.forward(told, &memory, &seen, drops);
    let (probs, codes) = (softmax(logits.clone(), 1), net.codebook.codes.weight.val());
    // A help for few clips and few steps: the decoder has to find out where in a clip each gloss is, and learns that
    // far sooner where the frames know what they show (CTC beside attention, Kim et al. 2017, section 2.3).
    let heard = if weights[5] > 0.0 {
        gradient::aligned(net.codebook.heard(denoised), &targets.rows, &numbers(seen.clone()))
    } else {
        Tensor::zeros([1], &device)
    };
    let poses = loss::mean_of(memory, &seen);
    let losses = [
        noise,
        loss::text(logits, &targets, preset.smoothing),
        loss::word(probs.clone(), codes.clone(), &targets),
        loss::ngram(probs, &targets),
        loss::contrast(poses, &codes, &targets, preset.contrast),
        heard,
    ];
    let parts = Weights::NAMES.into_iter().zip(losses.iter().map(|l| l.clone().detach())).collect();
    (learnt.balance.total(Tensor::cat(losses.into(), 0), &weights), parts)
}

/// What the decoder is told before each token: what was to be said, or what it said itself when it was told all of
/// it (scheduled sampling for transformers, Mihaylova and Martins 2019). `[B, U]`.
fn told<B: AutodiffBackend>(
    learnt: &Learnt<B>,
    targets: &Targets<B>,
    (memory, seen): (&Tensor<B, 2>, &Tensor<B, 2>),
    ratio: f32,
    rng: &mut StdRng,
) -> Tensor<B, 2, Int> {
    let ([b, u], device) = (targets.there.dims(), targets.there.device());
    let tokens = |values: Vec<i64>| TensorData::new(values, [b, u]);
    let mut told: Vec<i64> = vec![];
    for row in &targets.rows {
        let before = std::iter::once(BEGIN).chain(row[..row.len() - 1].iter().copied());
        told.extend(before.chain(std::iter::repeat(0)).take(u).map(i64::from));
    }
    if ratio < 1.0 {
        let codebook = learnt.net.codebook.valid();
        let truth = Tensor::<Plain<B>, 2, Int>::from_data(tokens(told.clone()), &device);
        let (memory, seen) = (memory.clone().inner(), seen.clone().inner());
        let logits = codebook.forward(truth, &memory, &seen, &mut Drops::none());
        let said = logits.argmax(1).into_data().convert::<i64>();
        let said: Vec<i64> = said.to_vec().expect("converted just before");
        for i in (0..b * u).filter(|i| i % u > 0) {
            if rng.random::<f32>() >= ratio {
                told[i] = said[i - 1];
            }
        }
    }
    Tensor::from_data(tokens(told), &device)
}
