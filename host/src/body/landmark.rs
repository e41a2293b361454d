//! Which point of the body each landmark of MediaPipe is.

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
    /// How far the jaw is open, which is an angle and no place.
    Jaw,
}

/// Where the landmarks of a usual head stand from its joint, on the signer's left: nose, eye (inner, middle, outer),
/// ear, mouth.
const NOSE: Vec3 = [0.0, 0.036, 0.108];
const EYE: [Vec3; 3] = [[0.018, 0.075, 0.08], [0.032, 0.076, 0.079], [0.046, 0.075, 0.07]];
const EAR: Vec3 = [0.075, 0.05, -0.005];
const MOUTH: Vec3 = [0.026, -0.012, 0.086];

impl Landmark {
    /// All 75 of body and hands, in their order.
    pub fn all() -> impl Iterator<Item = Self> {
        let hands = (0..2).flat_map(|side| (0..HAND).map(move |k| Self::Hand(side, k)));
        (0..BODY).map(Self::Body).chain(hands)
    }

    /// Its number in the layout of body and hands.
    pub fn row(self) -> usize {
        match self {
            Self::Body(k) => k,
            Self::Hand(side, k) => BODY + side * HAND + k,
            Self::Jaw => BODY + 2 * HAND,
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
