//! Importers, landmarks of corpora, synthesis, training, evaluation and export.

pub mod aurallm;
pub mod body;
pub mod data;
pub mod error;
pub mod evaluate;
pub mod export;
pub mod extract;
pub mod lexicon;
pub mod nn;
mod random;
pub mod signx;
pub mod synth;
pub mod train;
pub mod ui;

pub use error::Error;
