//! Scores a shipped network: what runs here are the bytes that the unit runs.

mod engine;
mod isolated;

pub use engine::Runner;
pub use isolated::{GroupScore, Options, Report, isolated, score};
