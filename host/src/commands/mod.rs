//! One file, one command.

pub mod adapt;
pub mod evaluate;
pub mod extract;
pub mod lexicon;
pub mod quantize;
pub mod signx;
pub mod synth;
pub mod train;
pub mod translate;
