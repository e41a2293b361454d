//! One file, one command.

pub mod evaluate;
pub mod train;
