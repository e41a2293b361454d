//! Ways around the other hand: no hand goes through the other one because two signs were joined.
//!
//! Nor through the head: bones of their lengths bring a hand before the face to the viewer's side of it (`bones`).

use std::f32::consts::PI;

use crate::vector::{norm, sub};

use super::body::Frame;

/// How near two palms may come in the picture, in shoulder widths.
const APART: f32 = 0.2;
/// How far a way leads around at most.
const AROUND: f32 = 0.3;

/// Leads the frames of a way between two others over or under the other hand, as far as it takes.
///
/// Hands that touch when the way begins or ends, as signs do there, part and meet freely.
pub(super) fn clear(way: &mut [Frame], from: &Frame, to: &Frame) {
    let steps = way.len() + 1;
    let part = |step: usize| (step + 1) as f32 / steps as f32;
    // Of two hands that meet the one that goes farther gives way.
    let moved = |side: usize| norm(sub(to.wrists[side], from.wrists[side]));
    let side = usize::from(moved(1) >= moved(0));
    let ends = [from, to].map(|frame| lacks(frame, side).0);
    let (mut around, mut over) = (0.0f32, 0.0);
    for (step, frame) in way.iter().enumerate() {
        let t = part(step);
        let (lacks, above) = lacks(frame, side);
        let needed = (lacks - ends[0] - (ends[1] - ends[0]) * t) / bump(t);
        if needed > around {
            (around, over) = (needed, above);
        }
    }
    let around = around.min(AROUND);
    if around > 0.0 {
        for (step, frame) in way.iter_mut().enumerate() {
            frame.shift(side, [0.0, over * around * bump(part(step)), 0.0]);
        }
    }
}

/// From 0 over 1 half-way to 0, at rest at both ends.
fn bump(t: f32) -> f32 {
    (PI * t).sin().powi(2)
}

/// How much farther up or down a hand would have to be to pass the other, 0 where it passes; and -1 for up.
fn lacks(frame: &Frame, side: usize) -> (f32, f32) {
    let palm = |side: usize| {
        frame.hands[side].map(|hand| [0, 1].map(|i| (hand[0][i] + hand[5][i] + hand[17][i]) / 3.0))
    };
    let (Some(own), Some(other)) = (palm(side), palm(1 - side)) else { return (0.0, 1.0) };
    let [x, y] = [own[0] - other[0], own[1] - other[1]];
    let direction = if y < 0.0 { -1.0 } else { 1.0 };
    let passes = (APART * APART - x * x).max(0.0).sqrt();
    ((passes - y.abs()).max(0.0), direction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playback::body::Point;
    use crate::playback::stitch::blend;

    fn hands_at(left: Point, right: Point) -> Frame {
        Frame::rest().with_hand(0, left).with_hand(1, right)
    }

    /// Whether a straight way would go through the other hand; none does after it was led around.
    #[track_caller]
    fn check(from: &Frame, to: &Frame, straight_hits: bool) {
        let hits = |way: &[Frame]| way.iter().filter(|frame| lacks(frame, 1).0 > 0.02).count();
        let mut way: Vec<Frame> = (1..10).map(|step| blend(from, to, step as f32 / 10.0)).collect();
        let straight = way.clone();
        assert_eq!(hits(&straight) > 0, straight_hits);
        clear(&mut way, from, to);
        assert_eq!(hits(&way), 0, "{:?}", way.iter().map(|frame| lacks(frame, 1)).collect::<Vec<_>>());
        assert_eq!(way == straight, !straight_hits, "a way that is free stays as it was");
    }

    #[test]
    fn a_way_leads_around_the_other_hand() {
        let other = [0.0, 0.4, -0.2];
        check(&hands_at(other, [-0.5, 0.4, -0.2]), &hands_at(other, [0.5, 0.45, -0.2]), true);
        check(&hands_at(other, [-0.5, 0.9, -0.2]), &hands_at(other, [0.5, 0.9, -0.2]), false);
    }

    #[test]
    fn hands_that_touch_part_freely() {
        let (touching, apart) =
            (hands_at([0.0, 0.4, 0.0], [-0.08, 0.4, 0.0]), hands_at([0.3, 0.4, 0.0], [-0.5, 0.4, 0.0]));
        let mut way: Vec<Frame> = (1..10).map(|step| blend(&touching, &apart, step as f32 / 10.0)).collect();
        let straight = way.clone();
        clear(&mut way, &touching, &apart);
        assert_eq!(way, straight);
    }
}
