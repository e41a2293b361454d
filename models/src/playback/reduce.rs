//! Signs of a sentence are smaller and nearer to the middle than a dictionary's.
//!
//! Fluent signers undershoot: places are lowered towards the neutral space before the chest, and movements go less
//! far (Mauk and Tyrone 2008, "Sign lowering as phonetic reduction in American Sign Language").

use crate::vector::{add, sub};

use super::body::{Frame, Point};

/// Where hands sign that are nowhere in particular: the signer's left, mirrored for the right.
const NEUTRAL: Point = [0.3, 0.35, 0.0];
/// Above this a sign is at the head, and below the other in the neutral space; between them it is moved in part.
const HEAD: f32 = -0.35;
const CHEST: f32 = 0.15;

/// How much smaller a sign of a sentence is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reduction {
    /// The part of its way to the neutral space by which a sign is moved; signs at the head stay.
    pub towards: f32,
    /// How far movements go, beside how far they went.
    pub size: f32,
}

impl Reduction {
    /// Signs stay as they are.
    pub const NONE: Self = Self { towards: 0.0, size: 1.0 };
}

/// Makes one sign smaller; both hands are moved alike, so that hands that touch go on to touch.
pub fn reduce(frames: &mut [Frame], by: Reduction) {
    let means = [0, 1].map(|side| mean(frames, side));
    let raised: Vec<(usize, Point)> = (0..2).filter_map(|side| Some((side, means[side]?))).collect();
    let count = raised.len().max(1) as f32;
    let middle = |of: &dyn Fn(usize, Point) -> Point| {
        raised.iter().fold([0.0; 3], |sum, &(side, p)| add(sum, of(side, p))).map(|v| v / count)
    };
    let place = middle(&|_, p| p);
    let neutral = middle(&|side, _| if side == 0 { NEUTRAL } else { [-NEUTRAL[0], NEUTRAL[1], NEUTRAL[2]] });
    // The higher hand says whether the sign is at the head.
    let highest = raised.iter().map(|(_, p)| p[1]).fold(f32::INFINITY, f32::min);
    let free = ((highest - HEAD) / (CHEST - HEAD)).clamp(0.0, 1.0);
    let [x, y, _] = sub(neutral, place);
    let moved = [x, y, 0.0].map(|v| v * by.towards * free);
    for frame in frames {
        for &(side, mean) in &raised {
            if frame.hands[side].is_none() {
                continue;
            }
            let out = sub(frame.wrists[side], mean);
            frame.shift(side, add(moved, out.map(|v| v * (by.size - 1.0))));
        }
    }
}

/// The mean place of a hand while it is seen.
fn mean(frames: &[Frame], side: usize) -> Option<Point> {
    let seen: Vec<Point> =
        frames.iter().filter(|f| f.hands[side].is_some()).map(|f| f.wrists[side]).collect();
    let sum = seen.iter().fold([0.0; 3], |sum, &p| add(sum, p));
    (!seen.is_empty()).then(|| sum.map(|v| v / seen.len() as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    /// Both hands go from a place 0.4 to the right, side by side.
    fn sign(height: f32) -> Vec<Frame> {
        (0..9)
            .map(|t| {
                let place = |side| [0.3 + t as f32 * 0.05 - side as f32 * 0.2, height, -0.2];
                Frame::rest().with_hand(0, place(0)).with_hand(1, place(1))
            })
            .collect()
    }

    #[track_caller]
    fn check(height: f32, moves: bool) {
        let mut frames = sign(height);
        reduce(&mut frames, Reduction { towards: 0.5, size: 0.5 });
        let way = |frames: &[Frame]| frames[8].wrists[1][0] - frames[0].wrists[1][0];
        assert!((way(&frames) - 0.2).abs() < 1e-4);
        let apart = sub(frames[4].wrists[0], frames[4].wrists[1]);
        assert!((apart[0] - 0.2).abs() < 1e-4, "hands stay as near as they were: {apart:?}");
        let moved = sub(frames[4].wrists[1], sign(height)[4].wrists[1]);
        assert_eq!(moves, moved[0] < -0.05 && moved[1].abs() > 0.05, "{moved:?}");
        let hand = frames[4].hands[1].expect("it was there");
        assert!(sub(hand[0], frames[4].wrists[1]).iter().all(|d| d.abs() < 1e-4), "{hand:?}");
    }

    #[test]
    fn signs_come_nearer_but_for_those_at_the_head() {
        check(0.8, true);
        check(-0.6, false);
    }
}
