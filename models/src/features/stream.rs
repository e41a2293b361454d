//! `stream-v1`: what a recogniser of continuous signing sees, step by step.
//!
//! The windows of the other versions are cut around one sign; nobody cuts a conversation. Here every step
//! lies a fixed time after the one before, whatever the camera's rate: poses are brought to the grid of
//! [`STEP_S`] by straight lines between the two sights around a step, so that a step is known one frame
//! after its time at the latest. Origin and unit follow the signer's shoulders slowly (a signer may walk,
//! sway or lean), and nothing looks ahead.
//!
//! A hand that is lost for a moment keeps its last shape, with a mask of 0 and the time since it was seen:
//! landmark networks lose hands just when they move fast, in the middle of a sign.

use super::sight::{BODY_POINTS, HAND_POINTS, Sight};

/// The name that manifests carry.
pub const NAME: &str = "stream-v1";
/// The time from one step to the next, in seconds.
pub const STEP_S: f64 = 0.04;

const BODY: usize = BODY_POINTS.len();
/// Points of the body (x, y), then one mask.
const BODY_WIDTH: usize = BODY * 2 + 1;
/// The points of a hand that also stand in the body's units: wrist, middle knuckle and the five tips.
const PLACED: [usize; 7] = [0, 9, 4, 8, 12, 16, 20];
/// Where shape, velocity, mask and age stand within a hand's values.
const SHAPE: usize = PLACED.len() * 2;
const VELOCITY: usize = SHAPE + (HAND_POINTS - 1) * 3;
const MASK: usize = VELOCITY + 2;
const AGE: usize = MASK + 1;
const HAND_WIDTH: usize = AGE + 1;
/// Values of a step, F: the body, then the left hand, then the right.
pub const WIDTH: usize = BODY_WIDTH + 2 * HAND_WIDTH;

/// Values are cut off here, in units of their own scale: farther out is a landmark gone astray.
const LIMIT: f32 = 4.0;
/// How quickly origin and unit follow the shoulders, and the size of a hand the hand: time constants in seconds.
const BODY_TAU_S: f64 = 1.5;
const HAND_TAU_S: f64 = 0.5;
/// A landmark that only the sight before a step or only the one after it has is taken from there, if it is this near.
const NEAR_S: f64 = 0.06;
/// A lost landmark stays where it was for so long.
const KEPT_S: f64 = 0.4;
/// Velocities are stored in shoulder widths per this many seconds, which brings them to the scale of the rest.
const VELOCITY_S: f32 = 0.25;
/// A shoulder width in sizes of a hand, for tracks without a body; see `sign-v1`.
const SHOULDERS_IN_HANDS: f32 = 3.5;
/// After a hole in time of this length steps begin anew. Seconds.
const GAP_S: f64 = 1.0;
/// Thirty years: later is no time, and steps would not be told from each other there.
const LATEST_S: f64 = 1e9;

/// Turns sights into steps.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    last: Option<Sight>,
    /// The time of the next step.
    next_s: f64,
    /// Middle of the shoulders and distance between them, followed slowly.
    shoulders: Slow<3>,
    /// Where the hands of somebody without a body are, and how large.
    hands_only: Slow<3>,
    sizes: [Slow<1>; 2],
    body: Kept<{ BODY * 2 }>,
    hands: [Kept<AGE>; 2],
}

/// Numbers that follow others slowly.
#[derive(Debug, Clone, Copy, Default)]
struct Slow<const N: usize> {
    at_s: f64,
    value: Option<[f32; N]>,
}

impl<const N: usize> Slow<N> {
    fn follow(&mut self, at_s: f64, now: [f32; N], tau_s: f64) {
        let Some(value) = &mut self.value else {
            (self.at_s, self.value) = (at_s, Some(now));
            return;
        };
        let share = (1.0 - (-(at_s - self.at_s).max(0.0) / tau_s).exp()) as f32;
        self.at_s = at_s;
        for (value, now) in value.iter_mut().zip(now) {
            *value += (now - *value) * share;
        }
    }
}

/// The values of a part when it was last seen.
#[derive(Debug, Clone, Copy)]
struct Kept<const N: usize> {
    seen_s: f64,
    values: [f32; N],
}

impl<const N: usize> Default for Kept<N> {
    fn default() -> Self {
        Self { seen_s: f64::NEG_INFINITY, values: [0.0; N] }
    }
}

impl Stream {
    /// Takes the next sight and gives the steps that it completes, with their times in seconds.
    ///
    /// Sights that are not later than the one before are left out.
    ///
    /// # Shapes
    /// - `each` is given `[F]`, every value finite and within ±4
    pub fn push(&mut self, sight: &Sight, mut each: impl FnMut(f64, &[f32; WIDTH])) {
        let at_s = sight.at_s;
        if at_s.is_nan() || at_s.abs() >= LATEST_S {
            return;
        }
        let before = match self.last {
            Some(last) if at_s <= last.at_s => return,
            Some(last) if at_s - last.at_s <= GAP_S => last,
            _ => {
                *self = Self { next_s: at_s, ..Self::default() };
                *sight
            }
        };
        self.follow(sight);
        // A microsecond: stamps are rounded, and a step must not fall between two pictures for that.
        while self.next_s <= at_s + 1e-6 {
            let step_s = self.next_s;
            self.next_s += STEP_S;
            each(step_s, &self.step(step_s, &before, sight));
        }
        self.last = Some(*sight);
    }

    /// Forgets all; the next sight is the first.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Lets origin and units follow what is seen.
    fn follow(&mut self, sight: &Sight) {
        let at_s = sight.at_s;
        if let Some(([x, y], width)) = sight.shoulders() {
            self.shoulders.follow(at_s, [x, y, width], BODY_TAU_S);
        }
        let (mut place, mut seen) = ([0.0; 3], 0.0);
        for side in 0..2 {
            let Some(size) = sight.hand_size(side) else { continue };
            self.sizes[side].follow(at_s, [size], HAND_TAU_S);
            let [x, y, _] = sight.hands[side][0];
            place = [place[0] + x, place[1] + y, place[2] + size * SHOULDERS_IN_HANDS];
            seen += 1.0;
        }
        if seen > 0.0 {
            self.hands_only.follow(at_s, place.map(|v| v / seen), BODY_TAU_S);
        }
    }

    fn step(&mut self, at_s: f64, before: &Sight, after: &Sight) -> [f32; WIDTH] {
        let mut out = [0.0; WIDTH];
        let Some([x, y, unit]) = self.shoulders.value.or(self.hands_only.value) else { return out };
        let gap_s = after.at_s - before.at_s;
        let share = if gap_s > 0.0 { ((at_s - before.at_s) / gap_s).clamp(0.0, 1.0) as f32 } else { 1.0 };
        let between = Between { at_s, before, after, share };
        let (body, hands) = out.split_at_mut(BODY_WIDTH);
        self.fill_body(&between, ([x, y], unit), body);
        for (side, row) in hands.chunks_exact_mut(HAND_WIDTH).enumerate() {
            self.fill_hand(side, &between, ([x, y], unit), row);
        }
        for value in &mut out {
            *value = if value.is_finite() { value.clamp(-LIMIT, LIMIT) } else { 0.0 };
        }
        out
    }

    fn fill_body(&mut self, between: &Between, (origin, unit): ([f32; 2], f32), row: &mut [f32]) {
        let mut seen = false;
        for point in 0..BODY {
            let has = |s: &Sight| s.body_seen[point];
            let Some([x, y]) = between.mix(has, |s| s.body[point]) else { continue };
            self.body.values[point * 2] = (x - origin[0]) / unit;
            self.body.values[point * 2 + 1] = (y - origin[1]) / unit;
            seen = true;
        }
        if seen {
            self.body.seen_s = between.at_s;
            row[BODY * 2] = 1.0;
        }
        if between.at_s - self.body.seen_s <= KEPT_S {
            row[..BODY * 2].copy_from_slice(&self.body.values);
        } else {
            self.body = Kept::default();
        }
    }

    fn fill_hand(
        &mut self,
        side: usize,
        between: &Between,
        (origin, unit): ([f32; 2], f32),
        row: &mut [f32],
    ) {
        let kept = &mut self.hands[side];
        let hand = between.mix(|s| s.hand_size(side).is_some(), |s| flat(&s.hands[side]));
        if let (Some(hand), Some([size])) = (hand, self.sizes[side].value) {
            let point = |k: usize| [hand[k * 3], hand[k * 3 + 1], hand[k * 3 + 2]];
            let wrist = point(0);
            let mut values = [0.0; AGE];
            for (slot, &k) in values[..SHAPE].chunks_exact_mut(2).zip(&PLACED) {
                let [px, py, _] = point(k);
                (slot[0], slot[1]) = ((px - origin[0]) / unit, (py - origin[1]) / unit);
            }
            for (k, slot) in (1..HAND_POINTS).zip(values[SHAPE..VELOCITY].chunks_exact_mut(3)) {
                let p = point(k);
                (0..3).for_each(|axis| slot[axis] = (p[axis] - wrist[axis]) / size);
            }
            let elapsed = (between.at_s - kept.seen_s) as f32;
            if elapsed <= KEPT_S as f32 {
                for axis in 0..2 {
                    values[VELOCITY + axis] = (values[axis] - kept.values[axis]) * VELOCITY_S / elapsed;
                }
            }
            values[MASK] = 1.0;
            *kept = Kept { seen_s: between.at_s, values };
        }
        let age = between.at_s - kept.seen_s;
        if age <= KEPT_S {
            row[..AGE].copy_from_slice(&kept.values);
            row[MASK] = if age > 0.0 { 0.0 } else { 1.0 };
        }
        row[AGE] = (age / KEPT_S).min(1.0) as f32;
    }
}

/// A moment between two sights.
struct Between<'a> {
    at_s: f64,
    before: &'a Sight,
    after: &'a Sight,
    share: f32,
}

impl Between<'_> {
    /// Numbers of the sights that have them, in a straight line; `None` where neither has.
    fn mix<const N: usize>(
        &self,
        has: impl Fn(&Sight) -> bool,
        of: impl Fn(&Sight) -> [f32; N],
    ) -> Option<[f32; N]> {
        match (has(self.before), has(self.after)) {
            (true, true) => {
                let (a, b) = (of(self.before), of(self.after));
                Some(std::array::from_fn(|i| a[i] + (b[i] - a[i]) * self.share))
            }
            (true, false) if self.at_s - self.before.at_s <= NEAR_S => Some(of(self.before)),
            (false, true) if self.after.at_s - self.at_s <= NEAR_S => Some(of(self.after)),
            _ => None,
        }
    }
}

/// The numbers of all points in a row.
fn flat(hand: &[[f32; 3]; HAND_POINTS]) -> [f32; HAND_POINTS * 3] {
    std::array::from_fn(|i| hand[i / 3][i % 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signer 200 pixels wide whose right hand moves to the left of the picture at one shoulder width a second.
    fn sight(at_s: f64) -> Sight {
        let mut s = Sight::unseen(at_s);
        (s.body[1], s.body[2]) = ([420.0, 200.0], [220.0, 200.0]);
        (s.body_seen[1], s.body_seen[2], s.hand_seen[1]) = (true, true, true);
        for (k, p) in s.hands[1].iter_mut().enumerate() {
            let reach = if k == 0 { 0.0 } else { 50.0 };
            *p = [320.0 - 200.0 * at_s as f32, 400.0 - reach, k as f32];
        }
        s
    }

    fn steps(sights: impl IntoIterator<Item = Sight>) -> Vec<(f64, [f32; WIDTH])> {
        let (mut stream, mut out) = (Stream::default(), vec![]);
        for sight in sights {
            stream.push(&sight, |at_s, row| out.push((at_s, *row)));
        }
        out
    }

    const RIGHT: usize = BODY_WIDTH + HAND_WIDTH;

    #[test]
    fn steps_lie_on_the_grid_whatever_the_rate_and_say_the_same() {
        let at_25 = steps((0..26).map(|i| sight(f64::from(i) / 25.0)));
        assert_eq!(at_25.len(), 26);
        for rate in [10.0, 29.97, 50.0, 60.0] {
            let other = steps((0..=rate as u32).map(|i| sight(f64::from(i) / rate)));
            assert!(other.len() >= 25, "{rate}: {} steps", other.len());
            for ((a_s, a), (b_s, b)) in at_25.iter().zip(&other) {
                assert!((a_s - b_s).abs() < 1e-9);
                let far = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(far < 2e-3, "{rate} a second, step at {a_s}: {far} apart");
            }
        }
    }

    #[test]
    fn places_and_speeds_are_in_shoulder_widths() {
        let out = steps((0..26).map(|i| sight(f64::from(i) / 25.0)));
        let (at_s, row) = out[20];
        let right = &row[RIGHT..];
        assert!((right[0] + at_s as f32).abs() < 1e-3, "x {}", right[0]);
        assert!((right[1] - 1.0).abs() < 1e-3, "y {}", right[1]);
        assert!((right[VELOCITY] + VELOCITY_S).abs() < 1e-3, "{}", right[VELOCITY]);
        assert_eq!((right[MASK], right[AGE]), (1.0, 0.0));
        assert!(row[BODY_WIDTH..RIGHT - 1].iter().all(|v| *v == 0.0), "a hand never seen is all zeros");
        assert_eq!(row[RIGHT - 1], 1.0, "and has not been seen for long");
    }

    #[test]
    fn a_lost_hand_stays_for_a_while_and_says_so() {
        let mut sights: Vec<_> = (0..40).map(|i| sight(f64::from(i) / 25.0)).collect();
        sights[10..30].iter_mut().for_each(|s| s.hand_seen[1] = false);
        let out = steps(sights);
        let (seen, lost, gone) = (&out[9].1[RIGHT..], &out[13].1[RIGHT..], &out[25].1[RIGHT..]);
        assert_eq!(lost[..VELOCITY], seen[..VELOCITY]);
        assert_eq!(lost[MASK], 0.0);
        assert!(lost[AGE] > 0.2 && lost[AGE] < 0.6, "{}", lost[AGE]);
        assert!(gone[..AGE].iter().all(|v| *v == 0.0) && gone[AGE] == 1.0);
        assert_eq!(out[31].1[RIGHT + MASK], 1.0);
    }

    #[test]
    fn place_size_and_clock_do_not_matter() {
        let plain: Vec<_> = (0..30).map(|i| sight(f64::from(i) / 30.0)).collect();
        let moved = plain.iter().map(|s| {
            let mut s = Sight { at_s: s.at_s + 5000.0, ..*s };
            s.body.as_flattened_mut().iter_mut().for_each(|v| *v = *v * 3.1 + 40.0);
            for p in s.hands.as_flattened_mut() {
                *p = [p[0] * 3.1 + 40.0, p[1] * 3.1 + 40.0, p[2] * 3.1];
            }
            s
        });
        for ((_, a), (_, b)) in steps(plain.clone()).iter().zip(&steps(moved)) {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-3));
        }
    }

    #[test]
    fn broken_sights_never_come_out() {
        let broken = [f32::NAN, f32::INFINITY, f32::MAX, f32::MIN_POSITIVE, 0.0];
        for bad in broken {
            let mut sights: Vec<_> = (0..40).map(|i| sight(f64::from(i) / 25.0)).collect();
            for (i, s) in sights.iter_mut().enumerate() {
                match i % 4 {
                    0 => s.hands[1][i % 21] = [bad; 3],
                    1 => s.body[1 + i % 2] = [bad; 2],
                    2 => s.at_s = [f64::NAN, f64::from(bad), -5.0][i % 3],
                    _ => s.hands[1] = [[bad; 3]; 21],
                }
            }
            assert!(steps(sights).iter().flat_map(|(_, row)| row).all(|v| v.is_finite()), "{bad}");
        }
    }

    #[test]
    fn a_hole_in_time_begins_anew_and_a_clock_that_jumps_is_left_out() {
        let out = steps([0.0, 0.04, 0.03, 0.08, 100.0, 100.04].map(sight));
        let times: Vec<_> = out.iter().map(|(t, _)| (t * 100.0).round() / 100.0).collect();
        assert_eq!(times, [0.0, 0.04, 0.08, 100.0, 100.04]);
    }
}
