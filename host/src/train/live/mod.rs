//! Trains the live recogniser on synthetic signing.

mod batches;
mod task;

pub use batches::{Batch, Batches, Sequence};
pub use task::{Losses, losses};
#[cfg(test)]
mod try_out;
