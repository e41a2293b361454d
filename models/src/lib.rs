//! Formats, and the arithmetic that training and the unit share.
//!
//! Nothing here knows of engines, drivers or training: `edge` and `host` both
//! stand on it, so that a feature computed in training is the feature that the
//! unit computes.

pub mod annotation;
pub mod build_id;
#[cfg(feature = "update")]
pub mod bundle;
pub mod enrolment;
pub mod error;
pub mod features;
pub mod gloss;
pub mod lexicon;
pub mod link;
pub mod live;
pub mod manifest;
pub mod metrics;
pub mod onnx;
pub mod playback;
pub mod pose;
pub mod pose_file;
pub mod retrieval;
pub mod signx;
pub mod spelling;
pub mod store;
pub mod text;
pub mod tflite;
pub mod translator;
#[cfg(feature = "update")]
pub mod update;
pub mod utc;
pub mod utterance;
pub mod vector;
pub mod whole;

pub use error::Error;
