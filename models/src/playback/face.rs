//! What a face and a head add to signs: brows that go up or down, a head that turns or is put forward.

use std::sync::Arc;

use super::body::{Frame, Point};
use crate::pose::holistic::BROWS;

/// How far the tip of the nose is from the axis about which a head turns, and how wide the face is about it, both in
/// shoulder widths.
const DEPTH: f32 = 0.24;
const HALF: f32 = 0.24;
/// How far brows go, in shoulder widths.
const BROW: f32 = 0.03;

/// An expression on top of the recorded one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Expression {
    /// Brows: 1 is raised, -1 is drawn together and down.
    pub brows: f32,
    /// How far the head is turned to the signer's left, in radians.
    pub turn: f32,
    /// How far the head is put forward and down, in radians.
    pub forward: f32,
}

impl Expression {
    /// Both at once.
    pub fn and(self, other: Self) -> Self {
        Self {
            brows: (self.brows + other.brows).clamp(-1.0, 1.0),
            turn: self.turn + other.turn,
            forward: self.forward + other.forward,
        }
    }

    /// The same, weaker.
    pub fn times(self, part: f32) -> Self {
        Self { brows: self.brows * part, turn: self.turn * part, forward: self.forward * part }
    }
}

/// Puts an expression on the face of a frame.
///
/// A face turns as a round thing does: what is in its middle goes to the side, its edge stays.
pub fn express(frame: &mut Frame, expression: Expression) {
    if expression == Expression::default() {
        return;
    }
    let nose = frame.head[0];
    if !frame.face.is_empty() {
        let face = Arc::make_mut(&mut frame.face);
        for (side, brow) in BROWS.iter().enumerate() {
            for &k in brow {
                if let Some(p) = face.get_mut(k).and_then(Option::as_mut) {
                    p[1] -= BROW * expression.brows;
                    // Drawn together as well.
                    let inwards = if side == 0 { -1.0 } else { 1.0 };
                    p[0] += inwards * 0.4 * BROW * (-expression.brows).max(0.0);
                }
            }
        }
        face.iter_mut().flatten().for_each(|p| turn(p, nose, expression));
    }
    frame.head.iter_mut().for_each(|p| turn(p, nose, expression));
}

/// Turns a point of a face whose nose is there.
fn turn(p: &mut Point, nose: Point, by: Expression) {
    let [x, y] = [0, 1].map(|i| ((p[i] - nose[i]) / HALF).clamp(-1.0, 1.0));
    let front = DEPTH * (1.0 - x * x).sqrt() * (1.0 - y * y * 0.5).sqrt();
    p[0] += by.turn.sin() * front;
    p[1] += by.forward.sin() * front;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with one point of each brow, one at the nose and one at the ear.
    fn frame() -> Frame {
        let mut frame = Frame::rest();
        let mut face = vec![None; 478];
        let [x, y, z] = frame.head[0];
        for (k, at) in [
            (282, [x + 0.08, y - 0.14, z]),
            (52, [x - 0.08, y - 0.14, z]),
            (4, [x, y, z]),
            (454, [x + 0.24, y, z]),
        ] {
            face[k] = Some(at);
        }
        frame.face = Arc::new(face);
        frame
    }

    #[track_caller]
    fn check(expression: Expression, point: usize, expect: [f32; 2]) {
        let before = frame();
        let mut after = before.clone();
        express(&mut after, expression);
        let moved = [0, 1]
            .map(|i| after.face[point].expect("is there")[i] - before.face[point].expect("is there")[i]);
        assert!(moved.iter().zip(expect).all(|(m, e)| (m - e).abs() < 0.005), "{moved:?}");
    }

    #[test]
    fn brows_go_up_and_down_and_together() {
        check(Expression { brows: 1.0, ..Expression::default() }, 282, [0.0, -0.03]);
        check(Expression { brows: -1.0, ..Expression::default() }, 282, [-0.012, 0.03]);
        check(Expression { brows: -1.0, ..Expression::default() }, 52, [0.012, 0.03]);
        check(Expression { brows: 1.0, ..Expression::default() }, 4, [0.0, 0.0]);
    }

    #[test]
    fn a_head_that_turns_moves_its_nose_and_not_its_edge() {
        check(Expression { turn: 0.3, ..Expression::default() }, 4, [0.071, 0.0]);
        check(Expression { turn: 0.3, ..Expression::default() }, 454, [0.0, 0.0]);
        check(Expression { forward: 0.2, ..Expression::default() }, 4, [0.0, 0.048]);
    }
}
