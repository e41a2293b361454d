//! `sign-v1`: body and both hands, for signs.
//!
//! Origin: the middle between the shoulders, averaged over the window; unit: the
//! shoulder width, averaged too, so that leaning and turning stay visible. Where no
//! body is in the track the hands stand in: their own size for the unit, their
//! middle for the origin. Each hand's own shape is measured from its wrist in units
//! of its size (see [`Sight`]). Mirroring changes the features: a model that should
//! understand left-handed signers is trained on mirrored clips.

use super::sight::{BODY_POINTS, HAND_POINTS, Sight};
use super::steps::{Between, Steps};

/// Steps of a window, T.
pub const STEPS: usize = 32;
/// Points of the body, x and y each, then one mask.
const BODY: usize = BODY_POINTS.len();
const BODY_WIDTH: usize = BODY * 2 + 1;
/// The points of a hand that also stand in the body's units: wrist, middle knuckle and the five tips.
const PLACED: [usize; 7] = [0, 9, 4, 8, 12, 16, 20];
/// A hand: placed points (x, y), shape without the wrist (x, y, z), velocity of the wrist (x, y), mask.
const HAND_WIDTH: usize = PLACED.len() * 2 + (HAND_POINTS - 1) * 3 + 2 + 1;
/// Values of a step, F: the body, then the left hand, then the right.
pub const WIDTH: usize = BODY_WIDTH + 2 * HAND_WIDTH;

/// Where the velocity stands within a hand's values.
const VELOCITY: usize = PLACED.len() * 2 + (HAND_POINTS - 1) * 3;
/// Velocities are stored in shoulder widths per this many seconds, which brings them to the scale of the rest.
const VELOCITY_S: f32 = 0.25;
/// A shoulder width in sizes of a hand, for tracks without a body. In the three data sets that have bodies the
/// means lie between 3.3 and 4.0.
const SHOULDERS_IN_HANDS: f32 = 3.5;

/// Fills `[T, F]`; false where neither a hand nor a body is seen.
pub fn compute(window: &[Sight], out: &mut [f32]) -> bool {
    let any_hand = |s: &Sight| s.hand_size(0).is_some() || s.hand_size(1).is_some();
    let Some(steps) = Steps::over(window, STEPS, any_hand)
        .or_else(|| Steps::over(window, STEPS, |s| s.shoulders().is_some()))
    else {
        return false;
    };
    let sizes = [mean(window, |s| s.hand_size(0)), mean(window, |s| s.hand_size(1))];
    let Some((origin, unit)) = frame_of_reference(window, sizes) else { return false };

    for (i, row) in out.chunks_exact_mut(WIDTH).enumerate() {
        let at_s = steps.at_s(i);
        let (body, hands) = row.split_at_mut(BODY_WIDTH);
        fill_body(window, at_s, origin, unit, body);
        for (side, row) in hands.chunks_exact_mut(HAND_WIDTH).enumerate() {
            if let Some(size) = sizes[side] {
                fill_hand(window, at_s, side, (origin, unit), size, row);
            }
        }
    }
    for side in 0..2 {
        fill_velocity(out, BODY_WIDTH + side * HAND_WIDTH, steps.step_s());
    }
    true
}

/// Origin and unit of the window.
fn frame_of_reference(window: &[Sight], sizes: [Option<f32>; 2]) -> Option<([f32; 2], f32)> {
    if let Some(unit) = mean(window, |s| s.shoulders().map(|(_, width)| width)) {
        let x = mean(window, |s| s.shoulders().map(|(middle, _)| middle[0]))?;
        let y = mean(window, |s| s.shoulders().map(|(middle, _)| middle[1]))?;
        return Some(([x, y], unit));
    }
    let size = match sizes {
        [Some(l), Some(r)] => (l + r) / 2.0,
        [Some(size), None] | [None, Some(size)] => size,
        [None, None] => return None,
    };
    let wrist = |s: &Sight, axis: usize| {
        let seen = [0, 1].map(|side| s.hand_size(side).map(|_| s.hands[side][0][axis]));
        match seen {
            [Some(l), Some(r)] => Some((l + r) / 2.0),
            [one, other] => one.or(other),
        }
    };
    let origin = [mean(window, |s| wrist(s, 0))?, mean(window, |s| wrist(s, 1))?];
    Some((origin, size * SHOULDERS_IN_HANDS))
}

fn fill_body(window: &[Sight], at_s: f64, origin: [f32; 2], unit: f32, row: &mut [f32]) {
    for point in 0..BODY {
        let Some(between) = Between::at(window, at_s, |s| s.body_seen[point]) else { continue };
        for axis in 0..2 {
            row[point * 2 + axis] = (between.mix(|s| s.body[point][axis]) - origin[axis]) / unit;
        }
        row[BODY * 2] = 1.0;
    }
}

fn fill_hand(
    window: &[Sight],
    at_s: f64,
    side: usize,
    (origin, unit): ([f32; 2], f32),
    size: f32,
    row: &mut [f32],
) {
    let Some(between) = Between::at(window, at_s, |s| s.hand_size(side).is_some()) else { return };
    let hand = between.hand(side);
    let (placed, rest) = row.split_at_mut(PLACED.len() * 2);
    for (slot, &k) in placed.chunks_exact_mut(2).zip(&PLACED) {
        slot[0] = (hand[k][0] - origin[0]) / unit;
        slot[1] = (hand[k][1] - origin[1]) / unit;
    }
    for (slot, point) in rest.chunks_exact_mut(3).zip(&hand[1..]) {
        for axis in 0..3 {
            slot[axis] = (point[axis] - hand[0][axis]) / size;
        }
    }
    row[HAND_WIDTH - 1] = 1.0;
}

/// Velocity of the wrist from the steps before and after, where both saw it.
fn fill_velocity(out: &mut [f32], hand: usize, step_s: f32) {
    for i in 0..STEPS {
        let (before, after) = (i.saturating_sub(1), (i + 1).min(STEPS - 1));
        let seen = |step: usize| out[step * WIDTH + hand + HAND_WIDTH - 1] > 0.0;
        if !(seen(before) && seen(i) && seen(after)) {
            continue;
        }
        for axis in 0..2 {
            let way = out[after * WIDTH + hand + axis] - out[before * WIDTH + hand + axis];
            out[i * WIDTH + hand + VELOCITY + axis] = way * VELOCITY_S / (step_s * (after - before) as f32);
        }
    }
}

/// The mean of what the sights have of a value; `None` where none has it.
pub(super) fn mean(window: &[Sight], of: impl Fn(&Sight) -> Option<f32>) -> Option<f32> {
    let (sum, n) =
        window.iter().filter_map(of).fold((0.0_f64, 0_u32), |(sum, n), v| (sum + f64::from(v), n + 1));
    (n > 0).then(|| (sum / f64::from(n)) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrist_one_shoulder_width_below_moves_at_its_speed() {
        let window: Vec<_> = (0..11)
            .map(|i| {
                let mut s = Sight::unseen(f64::from(i) / 10.0);
                (s.body[1], s.body[2]) = ([300.0, 200.0], [100.0, 200.0]);
                (s.body_seen[1], s.body_seen[2], s.hand_seen[1]) = (true, true, true);
                for (k, p) in s.hands[1].iter_mut().enumerate() {
                    *p = [200.0 + 10.0 * i as f32 + 50.0 * (k > 0) as u8 as f32, 400.0, 0.0];
                }
                s
            })
            .collect();
        let mut out = vec![0.0; STEPS * WIDTH];
        assert!(compute(&window, &mut out));
        let last = &out[(STEPS - 1) * WIDTH..][BODY_WIDTH + HAND_WIDTH..];
        let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-4, "{a}, not {b}");
        near(last[0], 0.5); // 100 px to the right of the middle, shoulders 200 px apart
        near(last[1], 1.0);
        near(last[PLACED.len() * 2], 1.0); // a hand 50 px long reaches one hand size to the right
        near(last[VELOCITY], 0.5 * VELOCITY_S); // 100 px a second
        near(last[HAND_WIDTH - 1], 1.0);
        let left = &out[BODY_WIDTH..BODY_WIDTH + HAND_WIDTH];
        assert!(left.iter().all(|v| *v == 0.0), "a hand never seen is all zeros");
    }
}
