//! SignX: a recogniser that fuses five pose tracks of the same signer (Fang et
//! al., "SignX: The Foundation Model for Sign Recognition").
//!
//! Each block of the paper has a file of its own, named as there; equations
//! carry the paper's numbers.

pub mod read;
pub mod rendered;
pub mod track;
