//! Bones that keep their lengths: what was recorded of many signers, and blended, becomes one body again.

use std::sync::LazyLock;

use crate::vector::{add, cross, dot, norm, sub};

use super::body::{FOREARM, Frame, Hand, PALM, Point, UPPER_ARM, lerp, shoulder};
use super::hand::{PARENTS, relaxed_hand};

/// Where the knuckles of the four fingers of a right hand are along the axes of its palm, in palm lengths: the medians
/// over 1605 frames of eighty fingerspelling clips.
const KNUCKLES: [(usize, Point); 4] = [
    (5, [1.013, -0.232, 0.05]),
    (9, [1.0, 0.0, 0.0]),
    (13, [0.933, 0.235, 0.007]),
    (17, [0.829, 0.466, 0.05]),
];

/// Gives each arm and hand of each frame the standard signer's bones.
///
/// What the picture showed stays where it was: wrists as long as an arm can reach there, since signs are told apart by
/// their place, and elbows as nearly as both bones allow. The depth of arms, which networks guess, is what bones of
/// these lengths must have had: a bone that looks shorter than it is points at the viewer, where people sign. So a hand
/// before the face is before it. A palm keeps its shape, and each finger its directions.
///
/// `clear` `[T]` says of each frame how much of its hands' own proportions stays, from 0 to 1: letters are told apart by
/// less than hands of two signers differ.
pub(super) fn keep_bones(frames: &mut [Frame], clear: &[f32]) {
    for (frame, &clear) in frames.iter_mut().zip(clear) {
        for side in 0..2 {
            let (elbow, wrist) = arm(shoulder(side), frame.elbows[side], frame.wrists[side]);
            (frame.elbows[side], frame.wrists[side]) = (elbow, wrist);
            if let Some(hand) = &mut frame.hands[side] {
                let standard = fingers(hand, wrist, side);
                let own = hand.map(|p| add(p, sub(wrist, hand[0])));
                *hand = std::array::from_fn(|k| lerp(standard[k], own[k], clear));
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

/// The hand with standard bones, at a wrist: a palm that does not bend, and fingers in the same directions.
fn fingers(hand: &Hand, wrist: Point, side: usize) -> Hand {
    static STANDARD: LazyLock<[Standard; 2]> = LazyLock::new(|| [0, 1].map(Standard::of));
    let Standard { palm, lengths } = &STANDARD[side];
    let axes = palm_axes(hand);
    let mut kept = [wrist; 21];
    for k in 1..21 {
        let parent = PARENTS[k];
        let bone = match palm[k] {
            Some([x, y, z]) => [0, 1, 2].map(|i| axes[0][i] * x + axes[1][i] * y + axes[2][i] * z),
            None => phalanx(sub(hand[k], hand[parent]), lengths[k]),
        };
        kept[k] = add(kept[parent], bone);
    }
    kept
}

/// A bone of a finger with its standard length: its depth gives way first, since the picture is what was seen.
fn phalanx([x, y, z]: Point, length: f32) -> Point {
    /// How much deeper or flatter a bone may become.
    const DEEPER: [f32; 2] = [0.5, 2.0];
    let depth = (length * length - x * x - y * y).max(0.0).sqrt();
    let [least, most] = DEEPER;
    let z = z * (depth / z.abs().max(1e-5)).clamp(least, most);
    // A bone that points at the viewer may have no length where depth is unknown.
    unit([x, y, z]).unwrap_or([0.0, 0.0, -1.0]).map(|v| v * length)
}

/// What is always the same of a hand.
struct Standard {
    /// Where the knuckles of the four fingers are, along the axes of the palm; `None` for all other landmarks.
    palm: [Option<Point>; 21],
    /// The length of the bone that ends at each landmark.
    lengths: [f32; 21],
}

impl Standard {
    fn of(side: usize) -> Self {
        let hand = relaxed_hand(side);
        // What stands out of the right palm stands out of the left one on the other side of the axes.
        let out = if side == 0 { -1.0 } else { 1.0 };
        let knuckle = |k: usize| {
            let (_, [along, across, outward]) = KNUCKLES.into_iter().find(|(knuckle, _)| *knuckle == k)?;
            Some([along * PALM, across * PALM, outward * PALM * out])
        };
        Self {
            palm: std::array::from_fn(knuckle),
            lengths: std::array::from_fn(|k| norm(sub(hand[k], hand[PARENTS[k]]))),
        }
    }
}

/// Three directions across each other: from the wrist to the knuckles, across the palm, and out of it.
fn palm_axes(hand: &Hand) -> [Point; 3] {
    let along = unit(sub(hand[9], hand[0])).unwrap_or([0.0, -1.0, 0.0]);
    let across = sub(hand[17], hand[5]);
    let lean = dot(across, along);
    let across = unit([0, 1, 2].map(|i| across[i] - lean * along[i])).unwrap_or_else(|| {
        let aside = if along[0].abs() < 0.9 { [1.0, 0.0, 0.0] } else { [0.0, 1.0, 0.0] };
        unit(cross(along, aside)).unwrap_or(aside)
    });
    [along, across, cross(along, across)]
}

fn unit(v: Point) -> Option<Point> {
    let length = norm(v);
    (length > 1e-5).then(|| v.map(|x| x / length))
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
        keep_bones(&mut frames, &[0.0]);
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
        // Those of any other hand.
        let mut other = [Frame::rest()];
        other[0].hands[1] = Some(relaxed_hand(1));
        keep_bones(&mut other, &[0.0]);
        let [hand, standard] = [&frame, &other[0]].map(|frame| frame.hands[1].expect("it was there"));
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
