//! Landmarks of real clips and photos against what others see in them.
//!
//! `published` holds ours to results that the networks' authors and others publish, `package` to those
//! of the Python package `mediapipe` on the same pictures. `models/README.md` holds the figures that
//! these tests print, and says what they mean.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod compare;
mod fixture;
mod ours;
mod package;
mod published;
