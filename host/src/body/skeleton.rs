//! SMPL-X's 55 joints: names, tree, and where each stands in a person who stretches the arms to the sides.
//!
//! Names and order are those of SMPL-X (Pavlakos et al. 2019), whose hands are MANO's: 15 joints each, three a
//! finger, the thumb last. Places are ours, after tables of body measures, and differ from person to person.

use super::rotation::Vec3;

/// Joints of the skeleton.
pub const JOINTS: usize = 55;
/// Joints of a hand.
pub const HAND_JOINTS: usize = 15;

/// Names of the joints, in SMPL-X's order.
#[rustfmt::skip]
pub const NAMES: [&str; JOINTS] = [
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "jaw", "left_eye", "right_eye",
    "left_index1", "left_index2", "left_index3", "left_middle1", "left_middle2", "left_middle3", "left_pinky1",
    "left_pinky2", "left_pinky3", "left_ring1", "left_ring2", "left_ring3", "left_thumb1", "left_thumb2",
    "left_thumb3", "right_index1", "right_index2", "right_index3", "right_middle1", "right_middle2",
    "right_middle3", "right_pinky1", "right_pinky2", "right_pinky3", "right_ring1", "right_ring2", "right_ring3",
    "right_thumb1", "right_thumb2", "right_thumb3",
];

/// The joint that each hangs on; the pelvis hangs on itself.
#[rustfmt::skip]
pub const PARENTS: [usize; JOINTS] = [
    0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15,
    20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38,
    21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53,
];

/// Joints by name.
#[allow(missing_docs, reason = "the names are the joints'")]
pub mod joint {
    pub const PELVIS: usize = 0;
    pub const HIPS: [usize; 2] = [1, 2];
    pub const KNEES: [usize; 2] = [4, 5];
    pub const ANKLES: [usize; 2] = [7, 8];
    pub const FEET: [usize; 2] = [10, 11];
    pub const SPINE1: usize = 3;
    pub const SPINE2: usize = 6;
    pub const SPINE3: usize = 9;
    pub const NECK: usize = 12;
    pub const COLLARS: [usize; 2] = [13, 14];
    pub const HEAD: usize = 15;
    pub const SHOULDERS: [usize; 2] = [16, 17];
    pub const ELBOWS: [usize; 2] = [18, 19];
    pub const WRISTS: [usize; 2] = [20, 21];
    pub const JAW: usize = 22;
    pub const EYES: [usize; 2] = [23, 24];
    /// The first joint of each hand.
    pub const HANDS: [usize; 2] = [25, 40];
    /// Where each finger begins within a hand: index, middle, little, ring, thumb.
    pub const INDEX: usize = 0;
    pub const MIDDLE: usize = 3;
    pub const PINKY: usize = 6;
    pub const RING: usize = 9;
    pub const THUMB: usize = 12;
}

/// Fingers of a hand in the order of MediaPipe's and OpenPose's landmarks: thumb, index, middle, ring, little.
pub const FINGERS: [usize; 5] = [joint::THUMB, joint::INDEX, joint::MIDDLE, joint::RING, joint::PINKY];

/// Measures of a person, in metres, or as shares where said.
#[derive(Debug, Clone, PartialEq)]
pub struct Proportions {
    /// From one shoulder joint to the other.
    pub shoulders: f32,
    /// From shoulder to elbow.
    pub upper_arm: f32,
    /// From elbow to wrist.
    pub forearm: f32,
    /// From the wrist to the knuckle of the middle finger.
    pub palm: f32,
    /// Lengths of the fingers beside those of a usual hand of that palm: thumb, index, middle, ring, little.
    pub fingers: [f32; 5],
    /// From the pelvis to the middle of the shoulders.
    pub trunk: f32,
    /// From the middle of the shoulders to the head's joint.
    pub neck: f32,
    /// Size of the head beside a usual one.
    pub head: f32,
    /// From hip to ankle.
    pub leg: f32,
    /// How stout trunk and limbs are beside a usual person.
    pub girth: f32,
}

impl Default for Proportions {
    fn default() -> Self {
        Self {
            shoulders: 0.345,
            upper_arm: 0.275,
            forearm: 0.25,
            palm: 0.09,
            fingers: [1.0; 5],
            trunk: 0.455,
            neck: 0.155,
            head: 1.0,
            leg: 0.8,
            girth: 1.0,
        }
    }
}

/// Where the joints stand at rest: arms to the sides, palms down, fingers straight.
#[derive(Debug, Clone, PartialEq)]
pub struct Skeleton {
    /// `[55]` places in metres.
    pub rest: [Vec3; JOINTS],
    /// `[2][5]`: tips of the fingers, of the left hand first, in the order of [`FINGERS`].
    pub tips: [[Vec3; 5]; 2],
}

/// Knuckles of a usual left hand of palm length 1: along the fingers, up, to the thumb's side; then the lengths of
/// the three bones of the finger. Thumb, index, middle, ring, little.
const HAND: [([f32; 3], [f32; 3]); 5] = [
    ([0.25, -0.08, 0.22], [0.50, 0.37, 0.30]),
    ([1.00, 0.0, 0.26], [0.47, 0.27, 0.22]),
    ([1.00, 0.02, 0.02], [0.51, 0.31, 0.24]),
    ([0.94, 0.0, -0.20], [0.47, 0.29, 0.24]),
    ([0.84, -0.03, -0.40], [0.37, 0.22, 0.21]),
];
/// Which way the straight fingers point, likewise; the thumb stands off the palm.
const POINTING: [[f32; 3]; 5] =
    [[0.70, -0.22, 0.68], [0.998, 0.0, 0.05], [1.0, 0.0, 0.0], [0.998, 0.0, -0.06], [0.990, 0.0, -0.14]];

impl Skeleton {
    /// The skeleton of a person of these measures.
    pub fn new(p: &Proportions) -> Self {
        use joint::*;
        let mut rest = [[0.0; 3]; JOINTS];
        let up = |share: f32| p.trunk * share;
        let half = p.shoulders / 2.0;
        rest[SPINE1] = [0.0, up(0.22), -0.005];
        rest[SPINE2] = [0.0, up(0.48), -0.008];
        rest[SPINE3] = [0.0, up(0.62), 0.0];
        rest[NECK] = [0.0, p.trunk + p.neck * 0.28, -0.015];
        rest[HEAD] = [0.0, p.trunk + p.neck, 0.005];
        let head = rest[HEAD];
        let of_head =
            |x: f32, y: f32, z: f32| [head[0] + x * p.head, head[1] + y * p.head, head[2] + z * p.head];
        rest[JAW] = of_head(0.0, 0.012, 0.012);
        for (side, out) in [(0, 1.0), (1, -1.0)] {
            rest[COLLARS[side]] = [out * half * 0.32, p.trunk * 0.93, -0.005];
            rest[SHOULDERS[side]] = [out * half, p.trunk, -0.01];
            rest[ELBOWS[side]] = [out * (half + p.upper_arm), p.trunk, -0.01];
            rest[WRISTS[side]] = [out * (half + p.upper_arm + p.forearm), p.trunk, -0.01];
            rest[HIPS[side]] = [out * 0.082, -0.075, 0.0];
            rest[KNEES[side]] = [out * 0.088, -0.075 - p.leg * 0.5, 0.0];
            rest[ANKLES[side]] = [out * 0.088, -0.075 - p.leg, -0.02];
            rest[FEET[side]] = [out * 0.1, -0.13 - p.leg, 0.1];
            rest[EYES[side]] = of_head(out * 0.032, 0.075, 0.068);
        }
        let mut tips = [[[0.0; 3]; 5]; 2];
        for (side, out) in [(0, 1.0), (1, -1.0)] {
            let wrist = rest[WRISTS[side]];
            for (f, &finger) in FINGERS.iter().enumerate() {
                let (knuckle, bones) = HAND[f];
                let mut at: Vec3 = [0, 1, 2].map(|i| {
                    let sign = if i == 0 { out } else { 1.0 };
                    wrist[i] + knuckle[i] * p.palm * sign
                });
                for (k, bone) in bones.iter().enumerate() {
                    rest[HANDS[side] + finger + k] = at;
                    let long = bone * p.palm * p.fingers[f];
                    at = [0, 1, 2].map(|i| at[i] + POINTING[f][i] * long * if i == 0 { out } else { 1.0 });
                }
                tips[side][f] = at;
            }
        }
        Self { rest, tips }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_before_children_and_sides_mirror_each_other() {
        let skeleton = Skeleton::new(&Proportions::default());
        for (joint, &parent) in PARENTS.iter().enumerate().skip(1) {
            assert!(parent < joint, "{}", NAMES[joint]);
            let Some(name) = NAMES[joint].strip_prefix("left_") else { continue };
            let other = NAMES.iter().position(|n| *n == format!("right_{name}")).unwrap();
            let [x, y, z] = skeleton.rest[joint];
            assert_eq!(skeleton.rest[other], [-x, y, z], "{name}");
            let of_other = NAMES[PARENTS[other]];
            assert!(
                of_other == NAMES[parent] || of_other == NAMES[parent].replace("left", "right"),
                "{name}"
            );
        }
    }

    #[test]
    fn bones_have_the_lengths_that_were_asked_for() {
        let p = Proportions { forearm: 0.3, ..Proportions::default() };
        let skeleton = Skeleton::new(&p);
        let [elbow, wrist] = [skeleton.rest[joint::ELBOWS[1]], skeleton.rest[joint::WRISTS[1]]];
        assert!((models::vector::norm(models::vector::sub(elbow, wrist)) - 0.3).abs() < 1e-6);
    }
}
