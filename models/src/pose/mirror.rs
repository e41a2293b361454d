//! The signer as seen in a mirror.

use std::collections::HashMap;

use super::key::{Key, keys};
use super::{Pose, PoseTrack};

impl PoseTrack {
    /// The same signing by a signer of the other handedness, as a mirrored video shows it.
    ///
    /// Left and right change places and x becomes width − x, as in pose-format's
    /// `mirror_horizontal`. Landmarks in metres around the hips are mirrored at
    /// the hips; pose-format leaves those as they are. A landmark whose
    /// counterpart the layout lacks keeps its name.
    pub fn mirrored(&self) -> Self {
        let keys = keys(&self.layout);
        let places: HashMap<_, _> =
            keys.iter().enumerate().filter_map(|(k, key)| Some(((*key)?, k))).collect();
        let from: Vec<usize> = (0..keys.len())
            .map(|k| keys[k].and_then(|key| places.get(&key.mirrored()).copied()).unwrap_or(k))
            .collect();
        let width = self.size[0] as f32;
        let edge = |key: Option<Key>| if matches!(key, Some(Key::World(_))) { 0.0 } else { width };
        let flip = |frame: &Pose| Pose {
            points: (0..keys.len())
                .map(|k| {
                    let [x, y, z] = frame.points[from[k]];
                    [edge(keys[k]) - x, y, z]
                })
                .collect(),
            confidence: from.iter().map(|&k| frame.confidence[k]).collect(),
        };
        Self {
            frames: self.frames.iter().map(flip).collect(),
            ..Self::new(self.layout.clone(), self.fps, self.size)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::Known;

    fn track(known: Known) -> PoseTrack {
        let layout = known.layout();
        let points = (0..layout.len()).map(|k| [k as f32, k as f32, k as f32]).collect();
        let confidence = (0..layout.len()).map(|k| if k % 7 == 0 { 0.0 } else { 0.5 }).collect();
        let mut track = PoseTrack::new(layout, 25.0, [1024, 768, 0]);
        track.frames.push(Pose { points, confidence });
        track
    }

    #[test]
    fn mirroring_twice_changes_nothing() {
        for known in Known::ALL {
            let track = track(known);
            assert_eq!(track.mirrored().mirrored(), track, "{known:?}");
            assert_ne!(track.mirrored(), track, "{known:?}");
        }
    }

    #[track_caller]
    fn check(known: Known, to: (&str, &str), from: (&str, &str)) {
        let track = track(known);
        let (to, from) =
            (track.layout.index(to.0, to.1).unwrap(), track.layout.index(from.0, from.1).unwrap());
        let [x, y, z] = track.frames[0].points[from];
        let mirrored = track.mirrored();
        assert_eq!(mirrored.frames[0].points[to], [1024.0 - x, y, z]);
        assert_eq!(mirrored.frames[0].confidence[to], track.frames[0].confidence[from]);
    }

    #[test]
    fn left_and_right_change_places() {
        let (left, right) = ("LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS");
        check(Known::Hands42, (left, "THUMB_TIP"), (right, "THUMB_TIP"));
        check(Known::Holistic576, ("POSE_LANDMARKS", "RIGHT_EYE"), ("POSE_LANDMARKS", "LEFT_EYE"));
        check(Known::Reduced178, ("FACE_LANDMARKS", "61"), ("FACE_LANDMARKS", "291"));
        check(Known::OpenPose137, ("face_keypoints_2d", "FB_0"), ("face_keypoints_2d", "FB_16"));
        check(Known::DwPose128, ("pose_keypoints_2d", "Neck"), ("pose_keypoints_2d", "Neck"));
    }

    #[test]
    fn metres_are_mirrored_at_the_hips() {
        let track = track(Known::Holistic576);
        let index = |point| track.layout.index("POSE_WORLD_LANDMARKS", point).unwrap();
        let [x, ..] = track.frames[0].points[index("LEFT_HIP")];
        assert_eq!(track.mirrored().frames[0].points[index("RIGHT_HIP")][0], -x);
    }
}
