//! Which point of the body each landmark of MediaPipe and DWPose is.

use super::rotation::Vec3;
use super::skeleton::{FINGERS, Proportions, Skeleton, joint};

/// Landmarks of the body and of a hand.
pub const BODY: usize = 33;
/// Landmarks of a hand.
pub const HAND: usize = 21;

/// A landmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landmark {
    /// Of the body, by MediaPipe's number.
    Body(usize),
    /// Of a hand: side (left 0, right 1), and MediaPipe's number.
    Hand(usize, usize),
    /// Of the face, by the number of the 68 points that OpenPose and DWPose give.
    Face(usize),
    /// How far the jaw is open, which is an angle and no place.
    Jaw,
}

/// Points of DWPose's body in its order: MediaPipe's number, but for the neck, which is between the shoulders.
pub const DWPOSE_BODY: [Option<usize>; 18] = [
    Some(0),
    None,
    Some(12),
    Some(14),
    Some(16),
    Some(11),
    Some(13),
    Some(15),
    Some(24),
    Some(26),
    Some(28),
    Some(23),
    Some(25),
    Some(27),
    Some(5),
    Some(2),
    Some(8),
    Some(7),
];
/// Points of the face.
pub const FACE: usize = 68;

/// Where the landmarks of a usual head stand from its joint, on the signer's left: nose, eye (inner, middle, outer),
/// ear, mouth.
const NOSE: Vec3 = [0.0, 0.036, 0.108];
const EYE: [Vec3; 3] = [[0.018, 0.075, 0.08], [0.032, 0.076, 0.079], [0.046, 0.075, 0.07]];
const EAR: Vec3 = [0.075, 0.05, -0.005];
const MOUTH: Vec3 = [0.026, -0.012, 0.086];

/// The 68 points on a usual head, on the signer's left, from its joint: chin line from ear to chin, brow from the
/// nose outwards, back of the nose, nostrils from the middle, eye (inner corner, upper two, outer corner, lower two
/// from outside), outer lips (upper from the middle to the corner, lower from there), inner lips likewise.
const CHIN: [Vec3; 9] = [
    [0.073, 0.060, 0.0],
    [0.072, 0.035, 0.005],
    [0.069, 0.010, 0.012],
    [0.063, -0.012, 0.025],
    [0.053, -0.032, 0.040],
    [0.042, -0.045, 0.055],
    [0.030, -0.053, 0.070],
    [0.016, -0.059, 0.080],
    [0.0, -0.062, 0.083],
];
const BROW: [Vec3; 5] = [
    [0.017, 0.097, 0.090],
    [0.026, 0.101, 0.089],
    [0.035, 0.103, 0.086],
    [0.044, 0.101, 0.080],
    [0.052, 0.095, 0.072],
];
const NOSE_BACK: [Vec3; 4] =
    [[0.0, 0.085, 0.088], [0.0, 0.068, 0.094], [0.0, 0.052, 0.104], [0.0, 0.038, 0.111]];
const NOSTRILS: [Vec3; 3] = [[0.0, 0.025, 0.100], [0.008, 0.026, 0.097], [0.016, 0.029, 0.090]];
const EYE_LINE: [Vec3; 6] = [
    [0.017, 0.075, 0.081],
    [0.026, 0.082, 0.084],
    [0.036, 0.082, 0.082],
    [0.046, 0.075, 0.072],
    [0.036, 0.069, 0.081],
    [0.026, 0.069, 0.083],
];
const LIPS: [Vec3; 7] = [
    [0.0, -0.003, 0.095],
    [0.007, -0.002, 0.095],
    [0.016, -0.005, 0.091],
    [0.026, -0.012, 0.084],
    [0.016, -0.020, 0.090],
    [0.008, -0.023, 0.092],
    [0.0, -0.024, 0.093],
];
const INNER_LIPS: [Vec3; 5] = [
    [0.0, -0.0105, 0.092],
    [0.008, -0.0105, 0.091],
    [0.020, -0.012, 0.086],
    [0.008, -0.0125, 0.090],
    [0.0, -0.0125, 0.091],
];

/// Where one of the 68 points stands from the head's joint, and whether it moves with the jaw.
fn face_point(k: usize) -> (Vec3, bool) {
    let left = |p: Vec3| p;
    let right = |[x, y, z]: Vec3| [-x, y, z];
    match k {
        0..=8 => (right(CHIN[k]), k >= 4),
        9..=16 => (left(CHIN[16 - k]), k <= 12),
        17..=21 => (right(BROW[21 - k]), false),
        22..=26 => (left(BROW[k - 22]), false),
        27..=30 => (NOSE_BACK[k - 27], false),
        31..=33 => (right(NOSTRILS[33 - k]), false),
        34..=35 => (left(NOSTRILS[k - 33]), false),
        // The right eye begins at its outer corner, the left one at its inner corner.
        36..=39 => (right(EYE_LINE[39 - k]), false),
        40 => (right(EYE_LINE[5]), false),
        41 => (right(EYE_LINE[4]), false),
        42..=47 => (left(EYE_LINE[k - 42]), false),
        48..=51 => (right(LIPS[51 - k]), false),
        52..=54 => (left(LIPS[k - 51]), false),
        55..=57 => (left(LIPS[k - 51]), true),
        58..=59 => (right(LIPS[63 - k]), true),
        60..=62 => (right(INNER_LIPS[62 - k]), false),
        63..=64 => (left(INNER_LIPS[k - 62]), false),
        65..=66 => (left(INNER_LIPS[k - 62]), true),
        _ => (right(INNER_LIPS[3]), true),
    }
}

impl Landmark {
    /// All 75 of body and hands, in their order.
    pub fn all() -> impl Iterator<Item = Self> {
        let hands = (0..2).flat_map(|side| (0..HAND).map(move |k| Self::Hand(side, k)));
        (0..BODY).map(Self::Body).chain(hands)
    }

    /// Its number in the layout of body and hands; what is in no such layout comes behind.
    pub fn row(self) -> usize {
        match self {
            Self::Body(k) => k,
            Self::Hand(side, k) => BODY + side * HAND + k,
            Self::Face(_) | Self::Jaw => BODY + 2 * HAND,
        }
    }

    /// The side whose hand it belongs to.
    pub fn side_of_hand(self) -> Option<usize> {
        match self {
            Self::Hand(side, _) => Some(side),
            Self::Body(k @ 17..=22) => Some((k + 1) % 2),
            _ => None,
        }
    }

    /// Whether it is one of the points of a hand that the body's network guesses.
    pub fn is_rough_hand(self) -> bool {
        matches!(self, Self::Body(17..=22))
    }

    /// The joint that it is fixed to, and where it stands when the body is at rest.
    pub fn anchor(self, skeleton: &Skeleton, proportions: &Proportions) -> (usize, Vec3) {
        use joint::*;
        let on = |joint: usize| (joint, skeleton.rest[joint]);
        let of_head = |[x, y, z]: Vec3, out: f32| {
            let head = skeleton.rest[HEAD];
            let s = proportions.head;
            (HEAD, [head[0] + x * s * out, head[1] + y * s, head[2] + z * s])
        };
        let sides = |k: usize| (1 - k % 2, if k % 2 == 1 { 1.0 } else { -1.0 });
        match self {
            Self::Jaw => on(JAW),
            Self::Face(k) => {
                let (place, jaw) = face_point(k);
                let (_, rest) = of_head(place, 1.0);
                (if jaw { JAW } else { HEAD }, rest)
            }
            Self::Hand(side, 0) => on(WRISTS[side]),
            Self::Hand(side, k) => {
                let (finger, bone) = ((k - 1) / 4, (k - 1) % 4);
                let first = HANDS[side] + FINGERS[finger];
                if bone == 3 { (first + 2, skeleton.tips[side][finger]) } else { on(first + bone) }
            }
            Self::Body(0) => of_head(NOSE, 1.0),
            Self::Body(k @ 1..=3) => of_head(EYE[k - 1], 1.0),
            Self::Body(k @ 4..=6) => of_head(EYE[k - 4], -1.0),
            Self::Body(k @ 7..=8) => of_head(EAR, sides(k).1),
            Self::Body(k @ 9..=10) => of_head(MOUTH, sides(k).1),
            Self::Body(k) => {
                let side = sides(k).0;
                match k {
                    11 | 12 => on(SHOULDERS[side]),
                    13 | 14 => on(ELBOWS[side]),
                    15 | 16 => on(WRISTS[side]),
                    17 | 18 => on(HANDS[side] + PINKY),
                    19 | 20 => on(HANDS[side] + INDEX),
                    21 | 22 => on(HANDS[side] + THUMB + 1),
                    23 | 24 => on(HIPS[side]),
                    25 | 26 => on(KNEES[side]),
                    27..=30 => on(ANKLES[side]),
                    _ => on(FEET[side]),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_face_is_symmetric() {
        /// The other side's number of each of the 68 points.
        #[rustfmt::skip]
        const MIRROR: [usize; FACE] = [
            16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29,
            30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57,
            56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
        ];
        for (k, &mirror) in MIRROR.iter().enumerate() {
            let (([x, y, z], jaw), other) = (face_point(k), face_point(mirror));
            assert_eq!((other.0.map(f32::abs), other.1), ([x.abs(), y, z].map(f32::abs), jaw), "{k}");
            assert!(other.0[0] == -x, "{k} and {mirror}");
        }
    }

    #[test]
    fn landmarks_stand_on_their_side() {
        let proportions = Proportions::default();
        let skeleton = Skeleton::new(&proportions);
        let layout = models::pose::Known::BodyHands75.layout();
        let names = layout.components.iter().flat_map(|c| c.points.iter().map(|p| format!("{}_{p}", c.name)));
        for (landmark, name) in Landmark::all().zip(names) {
            let (_, [x, _, _]) = landmark.anchor(&skeleton, &proportions);
            let name = name.replace("POSE_LANDMARKS_", "");
            let expect = if name.contains("LEFT") {
                1.0
            } else if name.contains("RIGHT") {
                -1.0
            } else {
                0.0
            };
            assert_eq!(if x == 0.0 { 0.0 } else { x.signum() }, expect, "{name}");
        }
    }
}
