//! The landmarks that `signpost read --out` keeps: one track of one rate and size, whatever its camera does.

use models::pose::{Pose, PoseTrack};

use super::input::About;

/// A recording in the making.
pub struct Kept {
    track: PoseTrack,
    /// Which landmarks stand in the picture; the others are in metres.
    in_picture: Vec<bool>,
    wanted: bool,
}

impl Kept {
    /// A recording of a source, or none where it is not wanted.
    pub fn new(about: &About, wanted: bool) -> Self {
        let track = PoseTrack::new(about.layout.clone(), about.fps, about.size);
        Self { in_picture: about.layout.in_picture(), track, wanted }
    }

    /// What was kept so far.
    pub fn track(&self) -> &PoseTrack {
        &self.track
    }

    /// Keeps a pose: of a picture of the size given at its place in time, of a track behind the one before.
    ///
    /// Where frames were lost or the camera was away, poses stand in which nothing is seen. Where a camera is
    /// faster than it said, the newest pose of a moment stays. A camera may come back with pictures of another
    /// size: its landmarks are then scaled to the recording's, as a picture is that is shown whole and
    /// undistorted in its middle.
    pub fn push(&mut self, at_s: f64, size: Option<[u32; 2]>, pose: &Pose) {
        if !self.wanted {
            return;
        }
        let mut pose = pose.clone();
        let [width, height, _] = self.track.size;
        if let Some(size) = size.filter(|size| *size != [width, height]) {
            self.scale(&mut pose, size, [width, height]);
        }
        let frames = &mut self.track.frames;
        let place = size.map_or(frames.len(), |_| (at_s * f64::from(self.track.fps)).round() as usize);
        if place < frames.len() {
            frames.pop();
        }
        let unseen = Pose::unseen(pose.points.len());
        frames.resize(place.max(frames.len()), unseen);
        frames.push(pose);
    }

    fn scale(&self, pose: &mut Pose, from: [u32; 2], to: [u32; 2]) {
        let [from, to] = [from, to].map(|size| size.map(|side| side.max(1) as f32));
        let scale = (to[0] / from[0]).min(to[1] / from[1]);
        let margin = [0, 1].map(|side| (to[side] - from[side] * scale) / 2.0);
        for (k, point) in pose.points.iter_mut().enumerate() {
            // What was not seen stands at 0 and stays there.
            if self.in_picture[k] && pose.confidence[k] > 0.0 {
                let [x, y, z] = *point;
                *point = [margin[0] + x * scale, margin[1] + y * scale, z * scale];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use models::pose::Known;

    use super::*;

    const FPS: f32 = 10.0;

    fn kept() -> Kept {
        let layout = Known::Holistic576.layout();
        let about = About { layout, fps: FPS, size: [640, 480, 0], frames: None, engine: None, format: None };
        Kept::new(&about, true)
    }

    /// A pose whose first and last landmarks are seen: the nose in the picture, an ankle in metres.
    fn pose(x: f32, y: f32) -> Pose {
        let mut pose = Pose::unseen(576);
        for k in [0, 575] {
            (pose.points[k], pose.confidence[k]) = ([x, y, 8.0], 1.0);
        }
        pose
    }

    /// Poses at times in seconds, each marked by its number, and the marks at each place of the track.
    #[track_caller]
    fn check(times_s: &[f64], expect: &[Option<usize>]) {
        let mut kept = kept();
        for (n, at_s) in times_s.iter().enumerate() {
            kept.push(*at_s, Some([640, 480]), &pose(n as f32, 0.0));
        }
        let frames = &kept.track().frames;
        let marks: Vec<_> = frames.iter().map(|f| f.seen(0).map(|[x, ..]| x as usize)).collect();
        assert_eq!(marks, expect);
    }

    #[test]
    fn each_pose_stands_at_its_time() {
        check(&[0.0, 0.1, 0.2], &[Some(0), Some(1), Some(2)]);
        check(&[0.0, 0.12, 0.19], &[Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn a_gap_is_as_long_as_it_was() {
        check(&[0.0, 0.4], &[Some(0), None, None, None, Some(1)]);
        let mut kept = kept();
        kept.push(0.0, Some([640, 480]), &pose(1.0, 1.0));
        kept.push(600.0, Some([640, 480]), &pose(1.0, 1.0));
        assert_eq!(kept.track().frames.len(), 6001);
    }

    #[test]
    fn of_poses_of_one_moment_the_newest_stays() {
        check(&[0.0, 0.1, 0.12, 0.14, 0.2], &[Some(0), Some(3), Some(4)]);
    }

    #[test]
    fn the_poses_of_a_track_are_kept_one_by_one() {
        let mut kept = kept();
        // As of a track with more poses a second than a time can tell apart.
        (0..5).for_each(|_| kept.push(0.0, None, &pose(1.0, 1.0)));
        assert_eq!(kept.track().frames.len(), 5);
    }

    #[test]
    fn another_size_is_scaled_into_the_recordings() {
        let mut kept = kept();
        kept.push(0.0, Some([1280, 720]), &pose(1280.0, 720.0));
        let kept = &kept.track().frames[0];
        assert_eq!(kept.points[0], [640.0, 420.0, 4.0], "60 px are left above and below");
        assert_eq!(kept.points[575], [1280.0, 720.0, 8.0], "metres stay metres");
        assert_eq!(kept.points[1], [0.0; 3], "what was not seen has no place");
    }

    #[test]
    fn what_is_not_wanted_is_not_kept() {
        let mut kept = Kept { wanted: false, ..kept() };
        kept.push(0.0, None, &pose(1.0, 1.0));
        assert!(kept.track().frames.is_empty());
    }
}
