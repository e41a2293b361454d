//! The commands of `signpost`, one file each.

pub mod sign;
