//! Continuous signing: from what a network says step by step to glosses.
//!
//! The networks themselves are run by whatever engine is at hand; all around them is in the [`Transcriber`]
//! here, which the unit and the evaluation both run, so that what is scored is what a visitor sees.

mod beam;
mod cutter;
mod decoder;
mod model;
mod rescore;
mod rules;
mod transcriber;

pub use beam::{Hypothesis, beam_search, log_add};
pub use cutter::{Cut, Cutter, Rows};
pub use decoder::{Decoder, Gate, Said, Spoken};
pub use model::{LiveManifest, LiveModel, RESCORE};
pub use rescore::{Looked, RescoreInput, RescoreOutput, Rescored, Rescorer};
pub use rules::{Evidence, Rules};
pub use transcriber::{LookedAgain, Moment, RescoreNetwork, StepNetwork, StepSaid, Transcriber};

/// Outside, begin, inside: the classes of the gate's outputs.
pub const BIO: usize = 3;

/// The softmax of logits, in place.
pub fn softmax(logits: &mut [f32]) {
    crate::manifest::confidences(logits, 1.0);
}

/// How sure a gloss is, 0 to 1: the logistic function of the sum of its terms, each times its weight.
pub(crate) fn confidence<const N: usize>(weights: &[f32; N], terms: &[f32; N]) -> f32 {
    let sum: f32 = weights.iter().zip(terms).map(|(w, t)| w * t).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// A probability on the scale on which evidence adds up, within what a confidence may come to.
pub(crate) fn logit(p: f32) -> f32 {
    let p = p.clamp(1e-4, 1.0 - 1e-4);
    (p / (1.0 - p)).ln()
}
