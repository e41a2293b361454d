//! The five tracks that SignX reads, and where each stands in a frame's 1959
//! numbers (section 3.1).

use std::{fmt, ops::Range};

/// What one pose estimator, or one dense network, says of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Track {
    /// Axis-angle rotations of SMPL-X's 55 joints, in radians: `55 × 3`.
    SmplerX,
    /// 128 points of body (18), hands (21 each) and face (68), each x, y and
    /// confidence: `128 × 3`.
    DwPose,
    /// 33 body landmarks with x, y, z and visibility, then 21 of the left and
    /// 21 of the right hand with x, y, z: `33 × 4 + 2 × 21 × 3`.
    MediaPipe,
    /// A depth picture of `24 × 24` pixels, row by row.
    PrimeDepth,
    /// A picture of body part labels of `24 × 24` pixels, row by row.
    Sapiens,
}

/// Numbers of a frame with all tracks.
pub const FRAME: usize = 1959;

impl Track {
    /// All tracks, in the order in which a frame holds them.
    pub const ALL: [Self; 5] =
        [Self::SmplerX, Self::DwPose, Self::MediaPipe, Self::PrimeDepth, Self::Sapiens];

    /// The width of each, in that order.
    pub const WIDTHS: [usize; 5] = [165, 384, 258, 576, 576];

    /// Numbers of one frame.
    #[must_use]
    pub const fn width(self) -> usize {
        Self::WIDTHS[self as usize]
    }

    /// Where the track's numbers stand in a frame of all five.
    #[must_use]
    pub fn columns(self) -> Range<usize> {
        let start = Self::ALL.iter().take_while(|track| **track != self).map(|track| track.width()).sum();
        start..start + self.width()
    }

    /// The track of a name, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|track| track.name().eq_ignore_ascii_case(name))
    }

    /// The names of all, as a text.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(|track| track.name().to_lowercase()).join(", ")
    }

    /// The name of its estimator.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmplerX => "SMPLer-X",
            Self::DwPose => "DWPose",
            Self::MediaPipe => "MediaPipe",
            Self::PrimeDepth => "PrimeDepth",
            Self::Sapiens => "Sapiens",
        }
    }
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tracks_fill_a_frame_without_gap_or_overlap() {
        let mut end = 0;
        for track in Track::ALL {
            assert_eq!(track.columns().start, end, "{track}");
            end = track.columns().end;
        }
        assert_eq!(end, FRAME);
    }
}
