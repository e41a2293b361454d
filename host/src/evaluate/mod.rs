//! Scores a shipped network: what runs here are the bytes that the unit runs. And scores what a recogniser
//! said of continuous signing, whoever that recogniser is.

mod confusion;
mod continuous;
mod engine;
mod enrolment;
mod isolated;
mod latency;
mod live;
mod rescorer;
mod segments;
mod stepper;
mod transcribe;
mod translation;
mod translator;

pub use confusion::ConfusionMatrix;
pub use continuous::{
    Calibration, ContinuousReport, Overlap, SignerScore, TextReport, compare, continuous, continuous_of,
};
pub use engine::{Network, Runner};
pub use enrolment::{EnrolmentOptions, EnrolmentReport, Scores, enrolment};
pub(crate) use enrolment::{Rule, embed, judged};
pub use isolated::{Confusion, GroupScore, Options, Report, isolated, score};
pub use live::{Caption, LiveRunner, Reading};
pub use rescorer::{RescoreRunner, RescoreSizes};
pub use segments::{FPS, SegmentsReport, TierScore, segments, segments_of};
pub use stepper::Stepper;
pub use transcribe::{Captions, How, LiveReport, Transcript, transcribe};
pub use translation::{Scores as TranslationScores, Translates, TranslationReport, translation};
pub use translator::{TranslatorNetworks, TranslatorRunner};
