//! What a reader has to say, to people and to programs.

use serde::Serialize;

/// Something that the reader has to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A hand came up, or all went down.
    State {
        /// Seconds of the source.
        t: f64,
        /// `watching` while a hand is up, `ready` otherwise.
        state: &'static str,
    },
    /// What is on top at present; it may change.
    Partial {
        /// Seconds of the source.
        t: f64,
        /// The label.
        text: String,
        /// 0 to 1.
        confidence: f32,
        /// Which model says so.
        model: String,
    },
    /// A sign that is settled.
    Sign(Sign),
    /// Somebody signed, and not all of it was understood: the unit asks again.
    Repeat {
        /// Seconds of the source.
        t: f64,
        /// Onset of what was not understood.
        from: f64,
        /// Its offset.
        to: f64,
        /// The likeliest labels of the last sign that was not sure enough, best first, for a person to confirm
        /// one; empty where nothing came near.
        candidates: Vec<(String, f32)>,
    },
    /// The hands went down, and this is what they signed.
    Utterance {
        /// Seconds of the source.
        t: f64,
        /// When its first sign came on top.
        from: f64,
        /// When a hand was up last.
        to: f64,
        /// The text, with [`super::GAP`] where a sign was not sure enough.
        text: String,
        /// That of its weakest word.
        confidence: f32,
    },
    /// The caption as it stands now; empty when it was taken from the screen.
    Caption {
        /// Seconds of the source.
        t: f64,
        /// The text.
        text: String,
        /// That of its weakest word; 0 where there is none.
        confidence: f32,
    },
}

/// A sign that is settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sign {
    /// Seconds of the source at which it settled.
    pub t: f64,
    /// When it came on top.
    pub from: f64,
    /// The label.
    pub text: String,
    /// 0 to 1.
    pub confidence: f32,
    /// Which model says so.
    pub model: String,
    /// The next best labels, for a person to pick from.
    pub others: Vec<(String, f32)>,
}

/// What a model makes of the signing at present.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// On top at present; it may change.
    Partial { text: String, confidence: f32, model: String },
    /// Settled.
    Sign { sign: Sign, spelled: bool },
    /// Something was signed, and what is on top is not sure enough to be shown.
    Unsure { sign: Sign, spelled: bool },
    /// All that was signed within a time, looked at again when the utterance was over.
    Again { from_s: f64, to_s: f64, signs: Vec<Again> },
}

/// A sign that was looked at again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Again {
    pub sign: Sign,
    pub spelled: bool,
    /// Whether it is sure enough to be shown.
    pub sure: bool,
}
