//! Whole utterances, read when they are over: SignX's Pose2Gloss over MediaPipe's landmarks, but for the engine that runs
//! its networks.

mod model;
mod read;
mod rows;

pub use model::{MARKS, UtteranceManifest, UtteranceModel};
pub use read::{Gloss, read};
pub use rows::{MEASURE, SHOULDERS, about_wrist, at_rate, measure, own_rows, same_measure};
