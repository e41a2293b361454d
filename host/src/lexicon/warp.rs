//! How far two recordings of a sign are from each other (dynamic time warping, Sakoe and Chiba 1978).

use models::playback::{Frame, Hand};
use models::vector::{norm, sub};

/// A hand that only one of two frames has, in shoulder widths.
const MISSING: f32 = 0.5;
/// More frames than this are not compared; so many are taken evenly.
const MOST: usize = 64;

/// The mean distance of two recordings' hands along the best way through both, in shoulder widths.
///
/// What neither shows costs nothing: an idle hand says nothing about a sign.
pub fn distance(a: &[Frame], b: &[Frame]) -> f32 {
    let (a, b) = (evenly(a), evenly(b));
    if a.is_empty() || b.is_empty() {
        return f32::INFINITY;
    }
    // Of the best way to each place its cost and its length.
    let mut row: Vec<(f32, f32)> = vec![(f32::INFINITY, 0.0); b.len()];
    for (i, from) in a.iter().enumerate() {
        let mut corner = (f32::INFINITY, 0.0);
        for j in 0..b.len() {
            let above = row[j];
            let before = match (i, j) {
                (0, 0) => (0.0, 0.0),
                (_, 0) => above,
                _ => {
                    [corner, above, row[j - 1]].into_iter().fold(above, |x, y| if y.0 < x.0 { y } else { x })
                }
            };
            corner = above;
            row[j] = (before.0 + apart(from, b[j]), before.1 + 1.0);
        }
    }
    let (cost, length) = row[b.len() - 1];
    cost / length
}

fn evenly(frames: &[Frame]) -> Vec<&Frame> {
    let count = frames.len().min(MOST);
    (0..count).map(|i| &frames[i * frames.len() / count]).collect()
}

/// The distance of two frames' hands.
fn apart(a: &Frame, b: &Frame) -> f32 {
    let mean = |a: &Hand, b: &Hand| a.iter().zip(b).map(|(p, q)| norm(sub(*p, *q))).sum::<f32>() / 21.0;
    let side = |side: usize| match (&a.hands[side], &b.hands[side]) {
        (Some(a), Some(b)) => mean(a, b),
        (None, None) => 0.0,
        _ => MISSING,
    };
    side(0) + side(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hand that goes to `x` and stays, in so many frames.
    fn clip(x: f32, frames: usize) -> Vec<Frame> {
        let frame = |t: usize| {
            let mut frame = Frame::rest();
            let part = (2.0 * t as f32 / frames as f32).min(1.0);
            frame.hands[1] = Some([[x * part, 0.0, 0.0]; 21]);
            frame
        };
        (0..frames).map(frame).collect()
    }

    #[test]
    fn pace_is_no_distance_and_place_is() {
        assert!(distance(&clip(0.5, 20), &clip(0.5, 20)) < 1e-6);
        let (slow, other) =
            (distance(&clip(0.5, 20), &clip(0.5, 40)), distance(&clip(0.5, 20), &clip(0.8, 20)));
        assert!(slow < 0.02 && other > 0.1, "{slow} {other}");
        assert!(
            (distance(&clip(0.5, 20), &clip(0.8, 33)) - distance(&clip(0.8, 33), &clip(0.5, 20))).abs()
                < 1e-6
        );
        let none = vec![Frame::rest(); 20];
        assert!((distance(&clip(0.5, 20), &none) - MISSING).abs() < 1e-6);
        assert_eq!(distance(&none, &none), 0.0);
        assert!(distance(&clip(0.5, 500), &clip(0.5, 30)) < 0.05, "long ones are thinned");
    }
}
