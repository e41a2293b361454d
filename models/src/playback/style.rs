//! How somebody signs: how much of each clip, how large, and how fast from one to the next.

use super::body::Frame;
use super::bones::keep_bones;
use super::reduce::Reduction;
use super::smooth::smooth_arms;
use super::stitch::{Joins, Way};
use super::timing::Limits;

/// A way to sign a sentence out of clips.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// What of a sign's clip is signed, and how fast.
    pub sign: Limits,
    /// How much smaller a sign is than its clip.
    pub smaller: Reduction,
    /// How long the way to the next sign lasts.
    pub way: Way,
    /// How long a hand holds through signs that do not need it, in seconds.
    pub hold_s: f32,
    /// Where arms lose half their power, in hertz.
    pub arms_hz: f32,
}

impl Style {
    /// Of fluent signers, by the figures of `cargo xtask bench movement`: clips of dictionaries last three times as
    /// long as the same signs in a sentence, and their hands go twice as far.
    pub const FLUENT: Self = Self {
        sign: Limits {
            hold_s: 0.1,
            least_s: 0.12,
            most_s: 0.35,
            pace: Some(2.5),
            steady_s: 0.1,
            between_rests: true,
        },
        smaller: Reduction { towards: 0.2, size: 0.8 },
        way: Way { least_s: 0.12, per_width_s: 0.16, most_s: 0.45, repeat_s: 0.22 },
        hold_s: 0.8,
        arms_hz: 3.2,
    };

    /// How signs are joined.
    pub fn joins(&self) -> Joins {
        Joins { way: self.way, hold_s: self.hold_s, around: true, ..Joins::default() }
    }

    /// Makes what was joined one body's movement: without jitter, and with bones that keep their lengths.
    ///
    /// `clear` `[T]` says of each frame how much of its own it keeps, from 0 to 1, as letters must.
    pub fn settle(&self, frames: &mut [Frame], fps: f32, clear: &[f32]) {
        // Before they are smoothed, lest hands that come into reach jump, and after it for the lengths.
        keep_bones(frames, clear);
        smooth_arms(frames, fps, self.arms_hz, clear);
        keep_bones(frames, clear);
    }

    /// The same with bones as they come, to see what keeping them is worth.
    pub fn smooth(&self, frames: &mut [Frame], fps: f32) {
        let clear = vec![0.0; frames.len()];
        smooth_arms(frames, fps, self.arms_hz, &clear);
    }
}
