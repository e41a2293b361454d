//! When a gloss is said, and how sure: numbers that are chosen on development data and stand in the manifest.

use serde::{Deserialize, Serialize};

use super::{confidence, logit};

/// What speaks for a gloss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// The highest probability of the gloss in one step.
    pub peak: f32,
    /// The sum of its probabilities over the run of steps in which it led.
    pub mass: f32,
    /// The probability of the next best gloss over the same steps, as a share of `mass`.
    pub rival: f32,
    /// The highest probability that somebody is inside a sign, from the first step of the run on.
    pub sign: f32,
}

impl Evidence {
    /// What the confidence is computed from; the first is constant.
    pub fn terms(&self) -> [f32; 5] {
        [1.0, logit(self.peak), self.mass.max(1e-3).ln(), self.rival.clamp(0.0, 1.0), logit(self.sign)]
    }
}

/// When a gloss is said, and how sure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Weights of [`Evidence::terms`]: the logistic function of their sum is the confidence.
    pub confidence: [f32; 5],
    /// Below this confidence a gloss is not said.
    pub accept: f32,
    /// Below this one there was nothing to be said at all; between the two the unit asks again.
    pub doubt: f32,
    /// The gate is open where the probability of being inside a sentence is above this.
    pub sentence: f32,
}

impl Rules {
    /// Rules before anything was measured: the peak as it is.
    pub const PLAIN: Self =
        Self { confidence: [0.0, 1.0, 0.0, 0.0, 0.0], accept: 0.5, doubt: 0.2, sentence: 0.5 };

    /// How sure a gloss is, 0 to 1.
    pub fn sure(&self, evidence: &Evidence) -> f32 {
        confidence(&self.confidence, &evidence.terms())
    }

    /// What is wrong with them.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.confidence.iter().any(|w| !w.is_finite()) {
            return Err("a weight of its confidence is no number".into());
        }
        let shares = [("accept", self.accept), ("doubt", self.doubt), ("sentence", self.sentence)];
        match shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            Some((name, share)) => Err(format!("its rule {name:?} is {share}, which is not within 0 to 1")),
            None => Ok(()),
        }
    }
}
