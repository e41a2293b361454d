//! The training loop: AdamW, a cosine schedule, and a moving average of the weights.

use std::collections::HashMap;
use std::sync::mpsc::sync_channel;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::{AdamWConfig, GradientsParams, Optimizer};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Recipe;
use super::examples::Batch;
use crate::export::Scale;
use crate::nn::{ClipNet, ClipNetConfig};
use crate::{Error, ui};

/// The backend without gradients.
pub type Plain<B> = <B as AutodiffBackend>::InnerBackend;

/// Examples a step.
const BATCH: usize = 64;
/// The highest learning rate, and the share of steps that lead up to it.
const RATE: f64 = 3e-3;
const WARM_UP: f64 = 0.05;
/// Decoupled weight decay.
const DECAY: f32 = 0.02;
/// Weights are averaged every so many steps, and what an average keeps of itself (Polyak and Juditsky 1992).
const AVERAGE_EVERY: usize = 5;
const AVERAGE_KEEPS: f64 = 0.96;
/// Where there is no terminal for a bar, a line tells the progress every so many steps.
const SAY_EVERY: usize = 200;

/// What a network learns.
pub trait Lesson: Sync {
    /// The next examples.
    fn batch(&self, size: usize, scale: &Scale, rng: &mut StdRng) -> Batch;

    /// What the network's outputs for a batch lose, in the mean over its examples.
    ///
    /// # Shapes
    /// - `outputs`: `[B, G]`
    /// - `targets`: `[B, ...]`, as the batch has them
    fn loss<B: Backend>(&self, outputs: Tensor<B, 2>, targets: Tensor<B, 2>) -> Tensor<B, 1>;
}

/// Trains a network from nothing and gives the average of its weights over the last steps.
///
/// # Errors
/// [`Error::Loss`] where the loss is no number any more.
pub fn fit<B: AutodiffBackend>(
    config: &ClipNetConfig,
    recipe: &Recipe,
    lesson: &impl Lesson,
    scale: &Scale,
    steps: usize,
    seed: u64,
) -> Result<ClipNet<Plain<B>>, Error> {
    let device = B::Device::default();
    B::seed(&device, seed);
    let mut net: ClipNet<B> = config.init(&device);
    let mut average = net.valid();
    let mut optimizer = AdamWConfig::new()
        .with_weight_decay(DECAY)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
        .init::<B, ClipNet<B>>();
    let [t, f] = [recipe.features.frames(), recipe.features.width()];
    let bar = ui::progress(steps, recipe.name);
    let (mut shown, mut averaged) = (f32::NAN, 0);

    let average = std::thread::scope(|scope| {
        // Examples are made beside the training: one producer keeps their order, and so the result, fixed.
        let (send, batches) = sync_channel(4);
        scope.spawn(move || {
            let rng = &mut StdRng::seed_from_u64(seed);
            for _ in 0..steps {
                if send.send(lesson.batch(BATCH, scale, rng)).is_err() {
                    return;
                }
            }
        });
        for (step, batch) in batches.into_iter().enumerate() {
            let features = Tensor::<B, 3>::from_data(TensorData::new(batch.features, [BATCH, t, f]), &device);
            let targets = [BATCH, batch.targets.len() / BATCH];
            let targets = Tensor::<B, 2>::from_data(TensorData::new(batch.targets, targets), &device);
            let loss = lesson.loss(net.forward(features), targets);
            if step % 20 == 0 || step + 1 == steps {
                let now = loss.clone().into_data().convert::<f32>().iter::<f32>().next().unwrap_or(f32::NAN);
                if !now.is_finite() {
                    return Err(Error::Loss { recipe: recipe.name, step });
                }
                shown = if shown.is_nan() { now } else { 0.8 * shown + 0.2 * now };
                bar.set_message(format!("{} (loss {shown:.3})", recipe.name));
            }
            let gradients = GradientsParams::from_grads(loss.backward(), &net);
            net = optimizer.step(rate(step, steps), net, gradients);
            if step % AVERAGE_EVERY == 0 {
                averaged += 1;
                let keeps = AVERAGE_KEEPS.min(f64::from(averaged - 1) / f64::from(averaged + 9));
                average = average.map(&mut Blend { with: Weights::of(&net.valid()), keeps });
            }
            bar.inc(1);
            if bar.is_hidden() && (step + 1) % SAY_EVERY == 0 {
                let (name, left) = (recipe.name, bar.eta());
                ui::say(format!("{name}: {} of {steps} steps, loss {shown:.3}, {left:.0?} left", step + 1));
            }
        }
        Ok(average)
    });
    bar.finish_and_clear();
    let average = average?;
    ui::say(format!("{}: {steps} steps in {:.0?}, loss {shown:.3}", recipe.name, bar.elapsed()));
    Ok(average)
}

/// The learning rate of a step: a straight line up, then half a cosine down to nothing (Loshchilov and Hutter 2017).
fn rate(step: usize, steps: usize) -> f64 {
    let share = (step + 1) as f64 / steps as f64;
    if share < WARM_UP {
        return RATE * share / WARM_UP;
    }
    let down = (share - WARM_UP) / (1.0 - WARM_UP);
    RATE * 0.5 * (1.0 + (std::f64::consts::PI * down).cos())
}

/// The values of all parameters.
struct Weights(HashMap<ParamId, TensorData>);

impl Weights {
    fn of<B: Backend>(net: &ClipNet<B>) -> Self {
        let mut weights = Self(HashMap::new());
        net.visit(&mut weights);
        weights
    }
}

impl<B: Backend> ModuleVisitor<B> for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.insert(param.id, param.val().into_data());
    }
}

/// Moves parameters towards others.
struct Blend {
    with: Weights,
    keeps: f64,
}

impl<B: Backend> ModuleMapper<B> for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let other = self.with.0.remove(&param.id);
        param.map(|own| match other {
            Some(other) => {
                let other = Tensor::from_data(other, &own.device());
                own * self.keeps + other * (1.0 - self.keeps)
            }
            None => own,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_nothing() {
        assert!(rate(0, 1000) < RATE / 10.0);
        assert!((rate(49, 1000) - RATE).abs() < 1e-9);
        assert!(rate(999, 1000) < 1e-9);
        assert!((1..1000).all(|s| s < 50 || rate(s, 1000) < rate(s - 1, 1000)));
    }
}
