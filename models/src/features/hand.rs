//! `hand-v1`: shape, orientation and path of the signing hand, for fingerspelling.
//!
//! Letters are told apart by the shape of one hand, by where it points (G and Q, U
//! and H, K and P) and, for J and Z, by its path. The signing hand is the one that
//! is seen most; where both are, the one held higher. A left hand is mirrored, so
//! that left-handed spellers look like right-handed ones. Origin: the wrist; unit:
//! the size of the hand (see [`Sight`]), averaged over the window.

use super::sight::{HAND_POINTS, Sight};
use super::sign::mean;
use super::steps::{Between, Steps};
use crate::vector::{cross, dot, norm, sub};

/// Steps of a window, T.
pub const STEPS: usize = 16;

/// Shape as it is held: all points but the wrist, x, y, z.
const HELD: usize = 0;
/// Shape turned so that the middle finger's knuckle lies above the wrist: all points but the wrist, x, y.
const TURNED: usize = HELD + (HAND_POINTS - 1) * 3;
/// Cosine of the bend at each of three joints of five fingers.
const BENDS: usize = TURNED + (HAND_POINTS - 1) * 2;
/// Distances between the pairs of [`PAIRS`].
const DISTANCES: usize = BENDS + 15;
/// Unit vector from the wrist to the middle finger's knuckle, and the palm's normal.
const POINTING: usize = DISTANCES + PAIRS.len();
/// Places of the wrist, the index tip and the little finger's tip against the wrist's mean place, x, y.
const PLACES: usize = POINTING + 6;
/// Velocities of those three, x, y, in hand sizes per [`VELOCITY_S`].
const VELOCITIES: usize = PLACES + 6;
/// One where the hand was seen.
const MASK: usize = VELOCITIES + 6;
/// Values of a step, F.
pub const WIDTH: usize = MASK + 1;

/// The points whose path is kept.
const PATH: [usize; 3] = [0, 8, 20];
/// Velocities are stored in hand sizes per this many seconds, which brings them to the scale of the rest.
const VELOCITY_S: f32 = 0.1;
/// Tips to the wrist, neighbouring tips, the thumb's tip to the other tips, knuckles and middle joints.
pub(super) const PAIRS: [(usize, usize); 20] = [
    (4, 0),
    (8, 0),
    (12, 0),
    (16, 0),
    (20, 0),
    (8, 12),
    (12, 16),
    (16, 20),
    (4, 8),
    (4, 12),
    (4, 16),
    (4, 20),
    (4, 5),
    (4, 9),
    (4, 13),
    (4, 17),
    (4, 6),
    (4, 10),
    (4, 14),
    (4, 18),
];

/// Fills `[T, F]`; false where no hand is seen.
pub fn compute(window: &[Sight], out: &mut [f32]) -> bool {
    let Some(side) = signing_hand(window) else { return false };
    let seen = |s: &Sight| s.hand_size(side).is_some();
    let Some(steps) = Steps::over(window, STEPS, seen) else { return false };
    let Some(size) = mean(window, |s| s.hand_size(side)) else { return false };
    let place = |axis: usize| mean(window, |s| seen(s).then(|| s.hands[side][0][axis])).unwrap_or(0.0);
    let flip = if side == 0 { -1.0 } else { 1.0 };
    let centre = [place(0) * flip, place(1)];

    for (i, row) in out.chunks_exact_mut(WIDTH).enumerate() {
        let Some(between) = Between::at(window, steps.at_s(i), seen) else { continue };
        let mut hand = between.hand(side);
        for point in &mut hand {
            point[0] *= flip;
        }
        fill_shape(&hand, size, row);
        fill_measures(&hand, row);
        for (slot, &k) in row[PLACES..VELOCITIES].chunks_exact_mut(2).zip(&PATH) {
            slot[0] = (hand[k][0] - centre[0]) / size;
            slot[1] = (hand[k][1] - centre[1]) / size;
        }
        row[MASK] = 1.0;
    }
    fill_velocities(out, steps.step_s());
    true
}

/// The hand that is seen in most sights; where both are seen about as often, the one held higher.
fn signing_hand(window: &[Sight]) -> Option<usize> {
    let seen = [0, 1].map(|side| window.iter().filter(|s| s.hand_size(side).is_some()).count());
    let most = seen[0].max(seen[1]);
    if most == 0 {
        return None;
    }
    let height = |side: usize| mean(window, |s| s.hand_size(side).map(|_| s.hands[side][0][1]));
    match seen.map(|n| 2 * n > most) {
        [true, false] => Some(0),
        [true, true] if height(0) < height(1) => Some(0),
        _ => Some(1),
    }
}

fn fill_shape(hand: &[[f32; 3]; HAND_POINTS], size: f32, row: &mut [f32]) {
    let up = sub(hand[9], hand[0]);
    let length = up[0].hypot(up[1]).max(size * 1e-3);
    let (sin, cos) = (up[0] / length, -up[1] / length);
    for (k, point) in hand.iter().enumerate().skip(1) {
        let [x, y, z] = sub(*point, hand[0]).map(|v| v / size);
        row[HELD + (k - 1) * 3..][..3].copy_from_slice(&[x, y, z]);
        row[TURNED + (k - 1) * 2..][..2].copy_from_slice(&[x * cos + y * sin, y * cos - x * sin]);
    }
}

/// What does not depend on where the hand is or how large: bends, distances, pointing.
fn fill_measures(hand: &[[f32; 3]; HAND_POINTS], row: &mut [f32]) {
    for finger in 0..5 {
        let first = 1 + finger * 4;
        let chain = [0, first, first + 1, first + 2, first + 3];
        for (joint, three) in chain.windows(3).enumerate() {
            let (a, b) = (sub(hand[three[1]], hand[three[0]]), sub(hand[three[2]], hand[three[1]]));
            row[BENDS + finger * 3 + joint] = dot(unit(a), unit(b));
        }
    }
    let palm = [5, 9, 13, 17].iter().map(|&k| norm(sub(hand[k], hand[0]))).sum::<f32>() / 4.0;
    for (slot, &(a, b)) in row[DISTANCES..POINTING].iter_mut().zip(&PAIRS) {
        *slot = norm(sub(hand[a], hand[b])) / palm.max(f32::MIN_POSITIVE);
    }
    let (a, b) = (sub(hand[5], hand[0]), sub(hand[17], hand[0]));
    row[POINTING..][..3].copy_from_slice(&unit(sub(hand[9], hand[0])));
    row[POINTING + 3..][..3].copy_from_slice(&unit(cross(unit(a), unit(b))));
}

fn fill_velocities(out: &mut [f32], step_s: f32) {
    for i in 0..STEPS {
        let (before, after) = (i.saturating_sub(1), (i + 1).min(STEPS - 1));
        if [before, i, after].iter().any(|step| out[step * WIDTH + MASK] == 0.0) {
            continue;
        }
        for value in 0..PATH.len() * 2 {
            let way = out[after * WIDTH + PLACES + value] - out[before * WIDTH + PLACES + value];
            out[i * WIDTH + VELOCITIES + value] = way * VELOCITY_S / (step_s * (after - before) as f32);
        }
    }
}

/// The vector at length one; zero stays zero.
fn unit(a: [f32; 3]) -> [f32; 3] {
    let length = norm(a).max(f32::MIN_POSITIVE);
    a.map(|v| v / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flat hand that points up, the thumb to the right; then `turn` radians clockwise.
    fn window(turn: f32) -> Vec<Sight> {
        let mut flat = [[0.0_f32; 3]; HAND_POINTS];
        for finger in 0..5 {
            for joint in 0..4 {
                let out = 1.0 + 0.4 * joint as f32;
                let lean = 0.5 - 0.25 * finger as f32;
                flat[1 + finger * 4 + joint] = [100.0 * out * lean.sin(), -100.0 * out * lean.cos(), 0.0];
            }
        }
        let turned = flat.map(|[x, y, z]| {
            [300.0 + x * turn.cos() - y * turn.sin(), 300.0 + x * turn.sin() + y * turn.cos(), z]
        });
        (0..10)
            .map(|i| {
                let mut s = Sight::unseen(f64::from(i) / 20.0);
                (s.hands[1], s.hand_seen[1]) = (turned, true);
                s
            })
            .collect()
    }

    #[test]
    fn the_turned_shape_and_the_measures_ignore_rotation_and_the_held_shape_does_not() {
        let of = |turn| {
            let mut out = vec![0.0; STEPS * WIDTH];
            assert!(compute(&window(turn), &mut out));
            out
        };
        let (upright, lying) = (of(0.0), of(1.2));
        let far = |range: std::ops::Range<usize>| {
            range.map(|i| (upright[i] - lying[i]).abs()).fold(0.0_f32, f32::max)
        };
        assert!(far(TURNED..POINTING) < 1e-4);
        assert!(far(HELD..TURNED) > 0.5);
        assert!((upright[BENDS + 4] - 1.0).abs() < 1e-4, "a straight finger has no bend");
        assert!(upright[VELOCITIES..MASK].iter().all(|v| v.abs() < 1e-4), "a hand at rest has no velocity");
    }

    #[test]
    fn the_higher_of_two_hands_signs() {
        let mut both = window(0.0);
        for s in &mut both {
            s.hand_seen[0] = true;
            s.hands[0] = s.hands[1].map(|[x, y, z]| [x, y - 50.0, z]);
        }
        assert_eq!(signing_hand(&both), Some(0));
        for s in &mut both {
            s.hands[0] = s.hands[1].map(|[x, y, z]| [x, y + 50.0, z]);
        }
        assert_eq!(signing_hand(&both), Some(1));
        assert_eq!(signing_hand(&[]), None);
    }
}
