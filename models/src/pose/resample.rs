//! Another frame rate.

use super::{Pose, PoseTrack};
use crate::error::Error;

/// Landmarks times frames of the longest track that is made: 1 GiB of memory.
const MAX_LANDMARKS: u64 = 1 << 26;

impl PoseTrack {
    /// The same signing at another frame rate, as long as before to within half a frame.
    ///
    /// Frame `i` stands for the time `i / fps` seconds. A landmark is on the
    /// straight line between the frames before and after; where one of them does
    /// not see it, it is as in the nearer one. After the last frame its pose stays.
    ///
    /// # Errors
    /// The rate is outside [`PoseTrack::FPS`], or the track would become too long for memory.
    pub fn resampled(&self, fps: f32) -> Result<Self, Error> {
        if !Self::FPS.contains(&fps) {
            return Err(Error::FrameRate { found: fps });
        }
        let step = f64::from(self.fps) / f64::from(fps);
        let count = (self.frames.len() as f64 / step).round().max(1.0) as u64;
        let landmarks = count.saturating_mul(self.layout.len().max(1) as u64);
        if landmarks > MAX_LANDMARKS {
            return Err(Error::TrackTooLong { fps, landmarks, limit: MAX_LANDMARKS });
        }
        let mut track = Self::new(self.layout.clone(), fps, self.size);
        if let Some(last) = self.frames.len().checked_sub(1) {
            track.frames = (0..count).map(|i| self.at((i as f64 * step).min(last as f64))).collect();
        }
        Ok(track)
    }

    /// The pose at a place between frames, no later than the last one.
    fn at(&self, place: f64) -> Pose {
        let before = place as usize;
        let share = (place - before as f64) as f32;
        match self.frames.get(before + 1) {
            Some(after) if share > 0.0 => between(&self.frames[before], after, share),
            _ => self.frames[before].clone(),
        }
    }
}

fn between(before: &Pose, after: &Pose, share: f32) -> Pose {
    let mix = |a: f32, b: f32| a + (b - a) * share;
    let nearer = if share < 0.5 { before } else { after };
    let mut pose = nearer.clone();
    for k in 0..pose.points.len() {
        if let (Some(a), Some(b)) = (before.seen(k), after.seen(k)) {
            pose.points[k] = [0, 1, 2].map(|i| mix(a[i], b[i]));
            pose.confidence[k] = mix(before.confidence[k], after.confidence[k]);
        }
    }
    pose
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::Known;

    /// A track whose first landmark moves by 10 px a frame, and whose second is seen in frame 1 only.
    fn track(frames: usize, fps: f32) -> PoseTrack {
        let mut track = PoseTrack::new(Known::Hands42.layout(), fps, [640, 480, 0]);
        for t in 0..frames {
            let mut pose = Pose::unseen(track.layout.len());
            pose.points[0] = [10.0 * t as f32, 0.0, 0.0];
            pose.confidence[0] = 1.0;
            pose.points[1] = [7.0, 7.0, 7.0];
            pose.confidence[1] = if t == 1 { 1.0 } else { 0.0 };
            track.frames.push(pose);
        }
        track
    }

    #[track_caller]
    fn check(frames: usize, from: f32, to: f32, expect: &[f32]) {
        let resampled = track(frames, from).resampled(to).unwrap();
        let x: Vec<f32> = resampled.frames.iter().map(|f| f.points[0][0]).collect();
        assert_eq!(x, expect);
        assert_eq!(resampled.fps, to);
    }

    #[test]
    fn landmarks_move_on_straight_lines() {
        check(3, 25.0, 25.0, &[0.0, 10.0, 20.0]);
        check(3, 25.0, 50.0, &[0.0, 5.0, 10.0, 15.0, 20.0, 20.0]);
        check(4, 30.0, 15.0, &[0.0, 20.0]);
        check(1, 25.0, 100.0, &[0.0; 4]);
        check(0, 25.0, 30.0, &[]);
    }

    #[test]
    fn what_is_unseen_on_one_side_is_as_in_the_nearer_frame() {
        let seen: Vec<bool> =
            track(3, 10.0).resampled(40.0).unwrap().frames.iter().map(|f| f.seen(1).is_some()).collect();
        let expect = [false, false, true, true, true, true, false, false, false, false, false, false];
        assert_eq!(seen, expect);
    }

    #[test]
    fn rates_that_make_no_sense_are_refused() {
        for fps in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(matches!(track(2, 25.0).resampled(fps), Err(Error::FrameRate { .. })));
        }
        let long = track(200, 0.01).resampled(1000.0);
        assert!(matches!(long, Err(Error::TrackTooLong { .. })));
    }
}
