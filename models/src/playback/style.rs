//! How somebody signs: how much of each clip, how large, and how fast from one to the next.

use super::reduce::Reduction;
use super::stitch::Way;
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
}
