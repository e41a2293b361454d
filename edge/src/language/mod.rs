//! Landmarks to signs and captions.
//!
//! A [`Reader`] is the stage that the live path runs: each pose goes through the
//! gate (is a hand up?), into a window, and at a steady rate each classifier looks
//! at the window. What stays on top long enough, with enough confidence, is a sign;
//! signing that gave none asks for a repeat.

mod caption;
mod enrolled;
mod gate;
mod reader;
mod recogniser;
mod spotter;

pub use caption::Caption;
pub use enrolled::{ENROLLED, Embedder, Stretches};
pub use gate::{Activity, Change, Gate};
pub use reader::{Event, Reader, Sign};
pub use recogniser::Recogniser;
pub use spotter::{Guess, Rules, Spotted, Spotter};
