//! Where the landmarks are: one frame ([`Pose`]) and many ([`PoseTrack`]).

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::Layout;

/// The landmarks of one frame.
///
/// Coordinates are pixels of the source picture: x to the right, y down, z away
/// from the camera in the scale of x. A landmark that was not seen has
/// confidence 0, and its coordinates mean nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pose {
    /// `[K]` of x, y, z in pixels.
    pub points: Vec<[f32; 3]>,
    /// `[K]`, 0 (not seen) to 1.
    pub confidence: Vec<f32>,
}

impl Pose {
    /// A pose of `k` landmarks, none of which is seen.
    pub fn unseen(k: usize) -> Self {
        Self { points: vec![[0.0; 3]; k], confidence: vec![0.0; k] }
    }

    /// The landmark `k`, where it was seen.
    pub fn seen(&self, k: usize) -> Option<[f32; 3]> {
        (self.confidence[k] > 0.0).then(|| self.points[k])
    }
}

/// The poses of one signer over time, at a constant rate.
#[derive(Debug, Clone, PartialEq)]
pub struct PoseTrack {
    /// Which landmarks the frames hold.
    pub layout: Arc<Layout>,
    /// Frames a second; above 0.
    pub fps: f32,
    /// Width, height and depth of the source picture, in pixels.
    pub size: [u32; 3],
    /// `[T]` poses, each with as many landmarks as the layout.
    pub frames: Vec<Pose>,
}

impl PoseTrack {
    /// The frame rates that a track may have, in frames a second.
    pub const FPS: RangeInclusive<f32> = 0.01..=1000.0;

    /// A track without frames.
    pub fn new(layout: Arc<Layout>, fps: f32, size: [u32; 3]) -> Self {
        Self { layout, fps, size, frames: Vec::new() }
    }

    /// The frames from `start_ms` to `end_ms`, or to the end.
    ///
    /// A frame that is partly within counts, as in pose-format. Past the end there is nothing.
    pub fn slice_ms(mut self, start_ms: u32, end_ms: Option<u32>) -> Self {
        let frame = |ms: u32| f64::from(ms) / 1000.0 * f64::from(self.fps);
        let start = frame(start_ms).floor() as usize;
        let end = end_ms.map_or(usize::MAX, |ms| frame(ms).ceil() as usize);
        self.frames.truncate(end);
        self.frames.drain(..start.min(self.frames.len()));
        self
    }

    /// How long the track lasts, in seconds.
    pub fn duration_s(&self) -> f32 {
        self.frames.len() as f32 / self.fps
    }
}
