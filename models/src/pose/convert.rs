//! From one layout to another, by what the landmarks are.

use std::collections::HashMap;
use std::sync::Arc;

use super::key::{Key, keys};
use super::{Layout, Pose, PoseTrack};

/// The way from one layout to another; made once, then used for each frame.
///
/// Landmarks correspond by their place on the signer, whatever their names:
/// body, hands, and those of the face mesh that the 68-point faces share. A
/// landmark that usually lies halfway between two (a neck between shoulders,
/// some of the mesh) is put there, with the mean of their confidences. What
/// the old layout lacks is unseen; z is 0 where either layout is flat.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// For each landmark of the new layout.
    sources: Vec<Source>,
    /// Likewise: whether it has no z.
    flat: Vec<bool>,
}

/// Where a landmark of the new layout comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The same place on the signer.
    Same(usize),
    /// Halfway between two landmarks, when both are seen.
    Between(usize, usize),
    /// The old layout has nothing there.
    Nowhere,
}

impl PoseTrack {
    /// The same poses in another layout, by [`Conversion`].
    pub fn to_layout(&self, layout: &Arc<Layout>) -> Self {
        let conversion = Conversion::new(&self.layout, layout);
        let frames = self.frames.iter().map(|frame| conversion.pose(frame)).collect();
        Self { layout: Arc::clone(layout), fps: self.fps, size: self.size, frames }
    }
}

impl Conversion {
    /// The way from the old layout to the new one.
    pub fn new(old: &Layout, new: &Layout) -> Self {
        let places: HashMap<_, _> =
            keys(old).into_iter().enumerate().filter_map(|(k, key)| Some((key?, k))).collect();
        let find = |key: Key| {
            if let Some(&k) = places.get(&key) {
                return Source::Same(k);
            }
            match key.between().map(|(a, b)| (places.get(&a), places.get(&b))) {
                Some((Some(&a), Some(&b))) => Source::Between(a, b),
                _ => Source::Nowhere,
            }
        };
        let sources = keys(new).into_iter().map(|key| key.map_or(Source::Nowhere, find)).collect();
        Self { sources, flat: flat(new) }
    }

    /// A pose of the old layout in the new one.
    pub fn pose(&self, old: &Pose) -> Pose {
        let mut new = Pose::unseen(self.sources.len());
        for (k, &source) in self.sources.iter().enumerate() {
            if let Some((point, confidence)) = source.take(old) {
                new.points[k] = if self.flat[k] { [point[0], point[1], 0.0] } else { point };
                new.confidence[k] = confidence;
            }
        }
        new
    }
}

impl Source {
    /// The point and its confidence, where the old pose shows it.
    fn take(self, old: &Pose) -> Option<([f32; 3], f32)> {
        match self {
            Self::Same(a) => Some((old.seen(a)?, old.confidence[a])),
            Self::Between(a, b) => {
                let (p, q) = (old.seen(a)?, old.seen(b)?);
                let mean = |a: f32, b: f32| (a + b) / 2.0;
                Some(([0, 1, 2].map(|i| mean(p[i], q[i])), mean(old.confidence[a], old.confidence[b])))
            }
            Self::Nowhere => None,
        }
    }
}

/// Whether each landmark has no z.
fn flat(layout: &Layout) -> Vec<bool> {
    let each = |c: &super::Component| vec![!c.format.contains('Z'); c.points.len()];
    layout.components.iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::Known::{self, *};

    /// A track of one frame in which landmark k stands at (k, 2k, -k).
    fn counted(known: Known) -> PoseTrack {
        let layout = known.layout();
        let points = (0..layout.len()).map(|k| [k as f32, 2.0 * k as f32, -(k as f32)]).collect();
        let confidence = vec![0.5; layout.len()];
        let mut track = PoseTrack::new(layout, 25.0, [640, 480, 0]);
        track.frames.push(Pose { points, confidence });
        track
    }

    #[track_caller]
    fn check(from: Known, (component, point): (&str, &str), to: Known, expect: (&str, &str)) {
        let old = counted(from);
        let k = old.layout.index(component, point).unwrap();
        let new = old.to_layout(&to.layout());
        let at = new.layout.index(expect.0, expect.1).unwrap();
        assert_eq!(new.frames[0].points[at][..2], old.frames[0].points[k][..2]);
        assert_eq!(new.frames[0].confidence[at], 0.5);
    }

    #[test]
    fn body_hands_and_face_find_their_places() {
        let (body, wrist) = ("POSE_LANDMARKS", "LEFT_WRIST");
        check(OpenPose137, ("pose_keypoints_2d", "LWrist"), Holistic576, (body, wrist));
        check(DwPose128, ("pose_keypoints_2d", "LWrist"), Holistic586, (body, wrist));
        check(Holistic586, (body, wrist), Reduced178, (body, wrist));
        check(BodyHands75, (body, wrist), Holistic576, (body, wrist));
        check(
            DwPose128,
            ("hand_left_keypoints_2d", "P_DIP"),
            Holistic576,
            ("LEFT_HAND_LANDMARKS", "PINKY_TIP"),
        );
        check(Hands42, ("RIGHT_HAND_LANDMARKS", "WRIST"), Holistic576, ("RIGHT_HAND_LANDMARKS", "WRIST"));
        check(OpenPose137, ("face_keypoints_2d", "FLO_48"), Holistic576, ("FACE_LANDMARKS", "61"));
        check(OpenPose137, ("face_keypoints_2d", "FP_68"), Holistic586, ("FACE_LANDMARKS", "468"));
        check(Holistic576, ("FACE_LANDMARKS", "152"), DwPose128, ("face_keypoints_2d", "FB_8"));
        check(DwPose128, ("pose_keypoints_2d", "Neck"), OpenPose137, ("pose_keypoints_2d", "Neck"));
    }

    #[test]
    fn every_landmark_of_the_reduced_layout_comes_from_holistic() {
        for known in [Holistic576, Holistic586] {
            let reduced = counted(known).to_layout(&Reduced178.layout());
            assert!(reduced.frames[0].confidence.iter().all(|&c| c == 0.5));
        }
    }

    #[test]
    fn openpose_comes_back_from_holistic() {
        let old = counted(OpenPose137);
        let new = old.to_layout(&Holistic586.layout()).to_layout(&old.layout);
        let names = old.layout.components.iter().flat_map(|c| &c.points).enumerate();
        for (k, name) in names {
            let seen = new.frames[0].seen(k);
            let [x, y, _] = old.frames[0].points[k];
            match name.as_str() {
                "LBigToe" | "LSmallToe" | "RBigToe" | "RSmallToe" => assert_eq!(seen, None, "{name}"),
                "Neck" | "MidHip" => assert!(seen.is_some(), "{name}"),
                _ => assert_eq!(seen, Some([x, y, 0.0]), "{name}"),
            }
        }
    }

    #[test]
    fn a_neck_lies_between_seen_shoulders_only() {
        let mut track = counted(Holistic576);
        let neck = OpenPose137.layout().index("pose_keypoints_2d", "Neck").unwrap();
        let found = track.to_layout(&OpenPose137.layout()).frames[0].seen(neck);
        assert_eq!(found, Some([11.5, 23.0, 0.0]), "halfway between landmarks 11 and 12, and flat");
        track.frames[0].confidence[12] = 0.0;
        assert_eq!(track.to_layout(&OpenPose137.layout()).frames[0].seen(neck), None);
    }

    #[test]
    fn what_the_source_lacks_is_unseen() {
        let track = counted(Hands42).to_layout(&Holistic576.layout());
        let hands = track.layout.range("LEFT_HAND_LANDMARKS").unwrap().start
            ..track.layout.range("RIGHT_HAND_LANDMARKS").unwrap().end;
        for k in 0..track.layout.len() {
            assert_eq!(track.frames[0].seen(k).is_some(), hands.contains(&k), "landmark {k}");
        }
    }

    #[test]
    fn the_same_layout_changes_nothing() {
        for known in Known::ALL {
            let track = counted(known);
            let same = track.to_layout(&known.layout());
            let flat = matches!(known, OpenPose137 | DwPose128);
            for (a, b) in track.frames[0].points.iter().zip(&same.frames[0].points) {
                assert_eq!(if flat { [a[0], a[1], 0.0] } else { *a }, *b);
            }
        }
    }
}
