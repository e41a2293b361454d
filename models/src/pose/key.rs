//! What a landmark is, whatever layout it stands in.
//!
//! MediaPipe's numbering is the common tongue: a landmark of another layout has
//! the key of the MediaPipe landmark at the same place on the signer.

use super::{Layout, face, holistic, openpose};

/// A landmark by its place on the signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Of the body in the picture: MediaPipe's number, or one of those below for what MediaPipe lacks.
    Body(u16),
    /// Of the body in metres: MediaPipe's number.
    World(u16),
    /// Of the face: the number in the refined mesh.
    Face(u16),
    /// Of the left hand.
    Left(u16),
    /// Of the right hand.
    Right(u16),
}

/// Between the shoulders.
const NECK: u16 = 33;
/// Between the hips.
const MID_HIP: u16 = 34;

/// OpenPose's body landmarks and their numbers here; the four toes have no counterpart in MediaPipe.
const OPENPOSE_BODY: [(&str, u16); 25] = [
    ("Nose", 0),
    ("LEye", 2),
    ("REye", 5),
    ("LEar", 7),
    ("REar", 8),
    ("LShoulder", 11),
    ("RShoulder", 12),
    ("LElbow", 13),
    ("RElbow", 14),
    ("LWrist", 15),
    ("RWrist", 16),
    ("LHip", 23),
    ("RHip", 24),
    ("LKnee", 25),
    ("RKnee", 26),
    ("LAnkle", 27),
    ("RAnkle", 28),
    ("LHeel", 29),
    ("RHeel", 30),
    ("Neck", NECK),
    ("MidHip", MID_HIP),
    ("LBigToe", 35),
    ("RBigToe", 36),
    ("LSmallToe", 37),
    ("RSmallToe", 38),
];

/// The key of each landmark of a layout; those of unknown names have none.
pub(super) fn keys(layout: &Layout) -> Vec<Option<Key>> {
    let named = |c: &super::Component| c.points.iter().map(|p| key(&c.name, p)).collect::<Vec<_>>();
    layout.components.iter().flat_map(named).collect()
}

impl Key {
    /// The two landmarks that this one lies between, where it is usual to stand in for it so.
    pub(super) fn between(self) -> Option<(Self, Self)> {
        match self {
            Self::Body(NECK) => Some((Self::Body(11), Self::Body(12))),
            Self::Body(MID_HIP) => Some((Self::Body(23), Self::Body(24))),
            Self::Face(k) => {
                let &(_, a, b) = face::BETWEEN.iter().find(|&&(mid, ..)| mid == k)?;
                Some((Self::Face(a), Self::Face(b)))
            }
            _ => None,
        }
    }

    /// The landmark at the mirrored place.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Body(k) => Self::Body(mirrored_body(k)),
            Self::World(k) => Self::World(mirrored_body(k)),
            Self::Face(k) => Self::Face(face::MIRROR[usize::from(k)]),
            Self::Left(k) => Self::Right(k),
            Self::Right(k) => Self::Left(k),
        }
    }
}

/// MediaPipe numbers the left before the right, in turns, but for the six landmarks of the eyes.
fn mirrored_body(k: u16) -> u16 {
    match k {
        0 | NECK | MID_HIP => k,
        1..=3 => k + 3,
        4..=6 => k - 3,
        _ if k % 2 == 1 => k + 1,
        _ => k - 1,
    }
}

fn key(component: &str, point: &str) -> Option<Key> {
    let place =
        |names: &[&str]| names.iter().position(|&name| name == point).and_then(|k| u16::try_from(k).ok());
    match component {
        holistic::BODY => place(&holistic::BODY_POINTS).map(Key::Body),
        holistic::WORLD => place(&holistic::BODY_POINTS).map(Key::World),
        holistic::FACE => point.parse().ok().filter(|&k| usize::from(k) < face::REFINED).map(Key::Face),
        holistic::LEFT_HAND => place(&holistic::HAND_POINTS).map(Key::Left),
        holistic::RIGHT_HAND => place(&holistic::HAND_POINTS).map(Key::Right),
        openpose::BODY => OPENPOSE_BODY.iter().find(|(name, _)| *name == point).map(|&(_, k)| Key::Body(k)),
        openpose::FACE => openpose::face_number(point).map(|k| Key::Face(face::OPENPOSE[k])),
        openpose::LEFT_HAND => place(&openpose::HAND_POINTS).map(Key::Left),
        openpose::RIGHT_HAND => place(&openpose::HAND_POINTS).map(Key::Right),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::Known;

    #[test]
    fn every_landmark_of_a_known_layout_has_a_key_of_its_own() {
        for known in Known::ALL {
            let keys = keys(&known.layout());
            assert!(keys.iter().all(Option::is_some), "{known:?}");
            let different: std::collections::HashSet<_> = keys.iter().collect();
            assert_eq!(different.len(), keys.len(), "{known:?}");
        }
    }

    #[test]
    fn mirroring_swaps_the_names_of_the_sides() {
        let swap = |name: &str| name.replace("LEFT", "-").replace("RIGHT", "LEFT").replace('-', "RIGHT");
        for (k, name) in holistic::BODY_POINTS.iter().enumerate() {
            let mirrored = mirrored_body(k as u16);
            assert_eq!(holistic::BODY_POINTS[usize::from(mirrored)], swap(name));
        }
        for (name, k) in OPENPOSE_BODY {
            let (mirrored, _) = OPENPOSE_BODY.iter().find(|&&(_, m)| m == mirrored_body(k)).unwrap();
            let sided = name.len() > 1 && name[1..].starts_with(char::is_uppercase);
            let other = if name.starts_with('L') { "R" } else { "L" };
            let expect = if sided { format!("{other}{}", &name[1..]) } else { name.to_owned() };
            assert_eq!(*mirrored, expect);
        }
    }
}
