//! Poses: which landmarks there are ([`Layout`]), and where they are over time ([`PoseTrack`]).

mod layout;
mod track;

pub use layout::{Component, Layout};
pub use track::{Pose, PoseTrack};
