//! Landmarks to signs and captions.
//!
//! A [`Reader`] is the stage that the live path runs: each pose goes through the
//! gate (is a hand up?) and on to three kinds of models. A [`Continuous`] recogniser steps
//! along and says each gloss shortly after its sign ended. [`Whole`] reads an utterance when it is over. Classifiers of single signs and letters
//! ([`Recogniser`]) look at a window at a steady rate, and what stays on top long enough, with enough
//! confidence, is a sign. Signing that gave none, or one that was not sure, asks for a repeat.

mod caption;
mod captions;
mod continuous;
mod enrolled;
mod event;
mod gate;
mod networks;
#[cfg(test)]
mod posed;
mod reader;
mod recogniser;
mod spotter;
mod spotting;
mod whole;

pub use caption::{Caption, GAP};
pub use continuous::Continuous;
pub use enrolled::{ENROLLED, Embedder, Stretches};
pub use event::{Event, Sign};
pub use gate::{Activity, Change, Gate};
pub use reader::Reader;
pub use recogniser::Recogniser;
pub use spotter::{Guess, Rules, Spotted, Spotter};
pub use whole::Whole;
