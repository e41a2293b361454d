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

    /// The same poses with z in pixels, where it was in picture widths.
    ///
    /// pose-format writes what MediaPipe gives: x and y in pixels, but z in
    /// units of the width. No z of a pose passes a few widths, and hardly a pose
    /// is only that many pixels deep, so all z below `8` are taken for widths.
    /// Landmarks in metres (`POSE_WORLD_LANDMARKS`) stay as they are.
    pub fn with_z_in_pixels(mut self) -> Self {
        const MOST_WIDTHS: f32 = 8.0;
        let of_picture = self.layout.in_picture().into_iter().enumerate();
        let of_picture: Vec<usize> = of_picture.filter_map(|(k, yes)| yes.then_some(k)).collect();
        let seen = |f: &Pose| of_picture.iter().filter_map(|&k| f.seen(k)).all(|p| p[2].abs() < MOST_WIDTHS);
        if self.size[0] as f32 > MOST_WIDTHS && self.frames.iter().all(seen) {
            let width = self.size[0] as f32;
            for frame in &mut self.frames {
                of_picture.iter().for_each(|&k| frame.points[k][2] *= width);
            }
        }
        self
    }

    /// How long the track lasts, in seconds.
    pub fn duration_s(&self) -> f32 {
        self.frames.len() as f32 / self.fps
    }
}

#[cfg(test)]
mod tests {
    use super::super::holistic::WORLD;
    use super::*;
    use crate::pose::Known;

    /// A track whose first landmark stands at z = `z`, and at x = its frame.
    fn track(frames: usize, fps: f32, z: f32) -> PoseTrack {
        let mut track = PoseTrack::new(Known::Hands42.layout(), fps, [640, 480, 0]);
        track.frames = (0..frames)
            .map(|t| {
                let mut pose = Pose::unseen(42);
                pose.points[0] = [t as f32, 0.0, z];
                pose.confidence[0] = 1.0;
                pose
            })
            .collect();
        track
    }

    #[track_caller]
    fn check_slice(start_ms: u32, end_ms: Option<u32>, expect: &[f32]) {
        let slice = track(5, 10.0, 0.0).slice_ms(start_ms, end_ms);
        assert_eq!(slice.frames.iter().map(|f| f.points[0][0]).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn slices_hold_the_frames_that_are_partly_within() {
        check_slice(0, None, &[0.0, 1.0, 2.0, 3.0, 4.0]);
        check_slice(150, None, &[1.0, 2.0, 3.0, 4.0]);
        check_slice(100, Some(310), &[1.0, 2.0, 3.0]);
        check_slice(0, Some(u32::MAX), &[0.0, 1.0, 2.0, 3.0, 4.0]);
        check_slice(600, None, &[]);
        check_slice(300, Some(200), &[]);
    }

    #[track_caller]
    fn check_z(stored: f32, expect: f32) {
        assert_eq!(track(2, 25.0, stored).with_z_in_pixels().frames[1].points[0][2], expect);
    }

    #[test]
    fn landmarks_in_metres_stay_in_metres() {
        let layout = Known::Holistic576.layout();
        let mut track = PoseTrack::new(layout.clone(), 25.0, [640, 480, 0]);
        track.frames = vec![Pose { points: vec![[0.0, 0.0, 0.5]; 576], confidence: vec![1.0; 576] }];
        let track = track.with_z_in_pixels();
        let nose = |component: &str| layout.index(component, "NOSE").unwrap();
        assert_eq!(track.frames[0].points[nose("POSE_LANDMARKS")][2], 320.0);
        assert_eq!(track.frames[0].points[nose(WORLD)][2], 0.5);
    }

    #[test]
    fn z_in_widths_becomes_pixels() {
        check_z(-0.5, -320.0);
        check_z(0.0, 0.0);
        check_z(250.0, 250.0);
    }
}
