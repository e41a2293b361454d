//! Poses: which landmarks there are ([`Layout`]), and where they are over time ([`PoseTrack`]).
//!
//! [`Known`] names the layouts that Signpost meets, and [`Conversion`] leads
//! from one to another; [`rows`] reads the corpora's plain rows of values.

mod convert;
mod face;
pub mod holistic;
mod key;
mod known;
mod layout;
mod mirror;
pub mod openpose;
mod resample;
pub mod rows;
mod track;

pub use convert::Conversion;
pub use known::Known;
pub use layout::{Component, Layout};
pub use track::{Pose, PoseTrack};
