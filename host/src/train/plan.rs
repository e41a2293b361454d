//! How a training goes: its length, its rate, its average, and where it keeps what it needs to go on.

use std::path::PathBuf;
use std::time::Duration;

use burn::module::Module;
use burn::tensor::backend::Backend;
use models::manifest::sha256;

use super::average::shapes;
use super::checkpoint::Identity;
use crate::random::split_mix;

/// How a run goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What progress and errors call it.
    pub name: String,
    /// Steps of training.
    pub steps: usize,
    /// What is random in the network follows from it, and the step.
    pub seed: u64,
    /// The highest learning rate.
    pub rate: f64,
    /// The share of the steps in which the rate rises.
    pub warm_up: f64,
    /// The learning rate of the last step, as a share of the highest.
    pub floor: f64,
    /// Batches that are gathered for a step, so that a step's batch may be larger than memory.
    pub accumulate: usize,
    /// So many of these are learnt at once, each on a thread of its own; memory holds as many. The result is the same.
    pub at_once: usize,
    /// Decoupled weight decay.
    pub decay: f32,
    /// The largest norm of a parameter's gradient.
    pub clip: f32,
    /// The weights enter their average every so many steps (Polyak and Juditsky 1992).
    pub average_every: usize,
    /// What the average keeps of itself then; less at first.
    pub average_keeps: f64,
    /// What the batches are made of and how, in a word; a checkpoint of other data is refused.
    pub data: String,
    /// Where checkpoints and the log go; none are written without it.
    pub folder: Option<PathBuf>,
    /// When a checkpoint is written.
    pub save: Save,
}

/// When a checkpoint is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// Every so many steps.
    Steps(usize),
    /// When so much time has passed since the last.
    Time(Duration),
}

impl Plan {
    /// A plan with the settings that the shipped models were found with.
    pub fn new(name: impl Into<String>, steps: usize, seed: u64) -> Self {
        Self {
            name: name.into(),
            steps,
            seed,
            rate: 3e-3,
            warm_up: 0.05,
            floor: 0.0,
            accumulate: 1,
            at_once: 1,
            decay: 0.02,
            clip: 1.0,
            average_every: 5,
            average_keeps: 0.96,
            data: String::new(),
            folder: None,
            save: Save::Time(Duration::from_secs(300)),
        }
    }

    /// The learning rate of a step: a straight line up, then half a cosine down to the floor (Loshchilov and
    /// Hutter 2017).
    pub(super) fn rate(&self, step: usize) -> f64 {
        let share = (step + 1) as f64 / self.steps as f64;
        if share < self.warm_up {
            return self.rate * share / self.warm_up;
        }
        let down = (share - self.warm_up) / (1.0 - self.warm_up);
        let left = 0.5 * (1.0 + (std::f64::consts::PI * down).cos());
        self.rate * (self.floor + (1.0 - self.floor) * left)
    }

    /// Whether the rate still rises.
    pub(super) fn warming_up(&self, step: usize) -> bool {
        ((step + 1) as f64) < self.warm_up * self.steps as f64
    }

    /// What a checkpoint of this run is known by: all that its result follows from.
    pub(super) fn identity<B: Backend, M: Module<B>>(&self, net: &M) -> Identity {
        let pair = |name: &str, value: &dyn std::fmt::Display| (name.to_owned(), value.to_string());
        let mut identity = vec![
            pair("recipe", &self.name),
            pair("seed", &self.seed),
            pair("steps", &self.steps),
            pair("rate", &self.rate),
            pair("warm-up", &self.warm_up),
            pair("decay", &self.decay),
            pair("clip", &self.clip),
            pair("average", &format!("{} every {}", self.average_keeps, self.average_every)),
            pair("network", &sha256(shapes::<B, M>(net).as_bytes())),
            pair("data", &self.data),
        ];
        // Checkpoints from before these could be chosen know nothing of them.
        if self.floor > 0.0 {
            identity.push(pair("floor", &self.floor));
        }
        if self.accumulate > 1 {
            identity.push(pair("accumulate", &self.accumulate));
        }
        identity
    }
}

/// A seed for each step of a run.
pub fn step_seed(seed: u64, step: usize) -> u64 {
    let mixed = |mut state: u64| split_mix(&mut state);
    mixed(mixed(seed) ^ step as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_nothing() {
        let plan = Plan::new("rate", 1000, 1);
        let rate = |step| plan.rate(step);
        assert!(rate(0) < plan.rate / 10.0);
        assert!((rate(49) - plan.rate).abs() < 1e-9);
        assert!(rate(999) < 1e-9);
        assert!((1..1000).all(|s| s < 50 || rate(s) < rate(s - 1)));
        let floored = Plan { floor: 0.05, ..plan.clone() };
        assert!((floored.rate(999) - 0.05 * plan.rate).abs() < 1e-6);
        assert!((floored.rate(49) - plan.rate).abs() < 1e-9);
        assert_eq!((plan.warming_up(48), plan.warming_up(49)), (true, false));
    }

    #[test]
    fn every_step_has_a_seed_of_its_own() {
        let seeds: Vec<_> = (0..3).flat_map(|seed| (0..100).map(move |step| step_seed(seed, step))).collect();
        let different: std::collections::HashSet<_> = seeds.iter().collect();
        assert_eq!(different.len(), seeds.len());
    }
}
