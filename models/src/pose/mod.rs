//! Poses: which landmarks there are ([`Layout`]), and where they are over time ([`PoseTrack`]).

mod face;
pub mod holistic;
mod known;
mod layout;
pub mod openpose;
mod track;

pub use known::Known;
pub use layout::{Component, Layout};
pub use track::{Pose, PoseTrack};
