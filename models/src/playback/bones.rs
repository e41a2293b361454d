//! Bones that keep their lengths: what was recorded of many signers, and blended, becomes one body again.

use std::sync::LazyLock;

use crate::vector::{add, norm, sub};

use super::body::{FOREARM, Frame, Hand, Point, UPPER_ARM, shoulder};
use super::hand::{PARENTS, relaxed_hand};

/// Gives each arm and hand of each frame the standard signer's bones.
///
/// What the picture showed stays where it was: wrists as long as an arm can reach there, since signs are told apart by
/// their place, and elbows as nearly as both bones allow. The depth of arms, which networks guess, is what bones of
/// these lengths must have had: a bone that looks shorter than it is points at the viewer, where people sign. So a hand
/// before the face is before it. Each finger keeps its directions.
pub fn keep_bones(frames: &mut [Frame]) {
    for frame in frames {
        for side in 0..2 {
            let (elbow, wrist) = arm(shoulder(side), frame.elbows[side], frame.wrists[side]);
            (frame.elbows[side], frame.wrists[side]) = (elbow, wrist);
            if let Some(hand) = &mut frame.hands[side] {
                *hand = fingers(hand, wrist);
            }
        }
    }
}

/// The elbow and the wrist of an arm that reaches for a place in the picture.
fn arm(shoulder: Point, elbow: Point, wrist: Point) -> (Point, Point) {
    /// A stretched arm keeps a trace of a bend.
    const STRETCHED: f32 = 0.999;
    /// Each round brings the elbow nearer to where both bones can be; few take more than three.
    const ROUNDS: usize = 24;
    let wrist = within(wrist, shoulder, (UPPER_ARM + FOREARM) * STRETCHED);
    let mut elbow = elbow;
    for _ in 0..ROUNDS {
        elbow = within(within(elbow, wrist, FOREARM * STRETCHED), shoulder, UPPER_ARM);
    }
    let towards_viewer = |from: Point, to: Point, length: f32| {
        let (x, y) = (to[0] - from[0], to[1] - from[1]);
        [to[0], to[1], from[2] - (length * length - x * x - y * y).max(0.0).sqrt()]
    };
    let elbow = towards_viewer(shoulder, elbow, UPPER_ARM);
    (elbow, towards_viewer(elbow, wrist, FOREARM))
}

/// The point, or the one that is nearest to it no farther from a middle than this; in the picture's plane.
fn within(point: Point, middle: Point, radius: f32) -> Point {
    let (x, y) = (point[0] - middle[0], point[1] - middle[1]);
    let far = x.hypot(y);
    if far <= radius {
        return point;
    }
    [middle[0] + x * radius / far, middle[1] + y * radius / far, point[2]]
}

/// The hand with standard bones in the same directions, at a wrist.
fn fingers(hand: &Hand, wrist: Point) -> Hand {
    static LENGTHS: LazyLock<[f32; 21]> = LazyLock::new(|| {
        let hand = relaxed_hand(0);
        std::array::from_fn(|k| norm(sub(hand[k], hand[PARENTS[k]])))
    });
    let mut kept = [wrist; 21];
    for k in 1..21 {
        let parent = PARENTS[k];
        let bone = sub(hand[k], hand[parent]);
        let length = norm(bone);
        // A bone that points at the viewer may have no length where depth is unknown.
        let direction = if length > 1e-5 { bone.map(|v| v / length) } else { [0.0, 0.0, -1.0] };
        kept[k] = add(kept[parent], direction.map(|v| v * LENGTHS[k]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frame whose right arm is like this, and which has a hand that is too large.
    fn kept(wrist: Point, elbow: Point) -> Frame {
        let mut frame = Frame::rest();
        (frame.wrists[1], frame.elbows[1]) = (wrist, elbow);
        frame.hands[1] = Some(relaxed_hand(1).map(|p| p.map(|v| v * 1.3)));
        let mut frames = [frame];
        keep_bones(&mut frames);
        let [frame] = frames;
        frame
    }

    fn aside(a: Point, b: Point) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[track_caller]
    fn check(wrist: Point, elbow: Point, reached: bool) {
        let frame = kept(wrist, elbow);
        let length = |a: Point, b: Point| norm(sub(a, b));
        assert!((length(frame.elbows[1], shoulder(1)) - UPPER_ARM).abs() < 2e-3, "{:?}", frame.elbows[1]);
        assert!((length(frame.elbows[1], frame.wrists[1]) - FOREARM).abs() < 2e-3, "{:?}", frame.elbows[1]);
        assert_eq!(aside(frame.wrists[1], wrist) < 1e-3, reached, "{:?}", frame.wrists[1]);
        let (hand, standard) = (frame.hands[1].expect("it was there"), relaxed_hand(1));
        for k in 1..21 {
            let [is, should] = [hand, standard].map(|h| length(h[k], h[PARENTS[k]]));
            assert!((is - should).abs() < 1e-4, "bone {k}: {is}, {should}");
        }
        assert_eq!(hand[0], frame.wrists[1]);
    }

    #[test]
    fn bones_have_their_lengths_and_wrists_their_places() {
        check([-0.4, 0.1, -0.3], [-0.8, 0.7, 0.0], true);
        check([0.0, -0.5, -0.3], [-0.8, 0.5, -0.1], true);
        // At the shoulder, where a flat arm could not be, and out of reach.
        check(shoulder(1), [-1.0, 0.6, 0.0], true);
        check([-3.0, 0.0, 0.0], [-1.0, 0.0, 0.0], false);
        // An elbow that was seen where it cannot be.
        check([-0.4, 0.1, -0.3], [-2.0, 2.0, 0.0], true);
    }

    #[test]
    fn an_elbow_that_can_be_stays() {
        let elbow = [-0.9, 0.5, 0.0];
        assert!(aside(kept([-0.4, 0.1, 0.0], elbow).elbows[1], elbow) < 1e-4);
    }

    #[test]
    fn a_hand_before_the_face_is_before_it() {
        for x in [-0.3, 0.0, 0.3] {
            let wrist = kept([x, -0.6, 0.0], [-0.8, 0.4, 0.0]).wrists[1];
            assert!(wrist[2] < -0.3, "{wrist:?}");
        }
    }
}
