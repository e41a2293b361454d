//! A low-pass filter without delay: second-order Butterworth, run forwards and backwards.

use crate::vector::{add, sub};

use super::body::{Frame, Point, lerp};

/// Where joints lose half their power, in hertz: signs move below it, jitter above.
/// The value of `spoken-to-signed`, where it lowered wrist jerk from 21.8 to 1.7.
const CUTOFF_HZ: f32 = 6.0;

/// Smooths arms and hands in place; heads and faces stay, and nothing crosses a gap.
pub fn smooth(frames: &mut [Frame], fps: f32) {
    let clear = vec![0.0; frames.len()];
    smooth_arms(frames, fps, CUTOFF_HZ, &clear);
}

/// The same with arms smoothed by a cutoff of their own, in hertz: they are heavier than fingers.
///
/// `clear` `[T]` says of each frame how much of the usual cutoff it gets all the same, from 0 to 1: a letter that is drawn
/// into the air is no letter any more where its corners are gone.
pub(super) fn smooth_arms(frames: &mut [Frame], fps: f32, arms_hz: f32, clear: &[f32]) {
    let (Some(filter), Some(arms)) = (Filter::new(CUTOFF_HZ, fps), Filter::new(arms_hz, fps)) else { return };
    let letters = clear.iter().any(|clear| *clear > 0.0);
    for side in 0..2 {
        let smoothed = |of: fn(&Frame, usize) -> Point| -> Vec<Point> {
            let mut slow: Vec<Point> = frames.iter().map(|f| of(f, side)).collect();
            let mut usual = if letters { slow.clone() } else { vec![] };
            arms.run(&mut slow);
            filter.run(&mut usual);
            slow.iter_mut().zip(&usual).zip(clear).for_each(|((slow, usual), clear)| {
                *slow = lerp(*slow, *usual, *clear);
            });
            slow
        };
        let (elbows, wrists) = (smoothed(|f, side| f.elbows[side]), smoothed(|f, side| f.wrists[side]));
        for run in runs(frames, side) {
            for k in 0..21 {
                // Fingers move about their wrist, and the wrist is smoothed above.
                let mut path: Vec<Point> = run
                    .clone()
                    .map(|t| frames[t].hands[side].map_or([0.0; 3], |h| sub(h[k], frames[t].wrists[side])))
                    .collect();
                filter.run(&mut path);
                for (t, p) in run.clone().zip(path) {
                    if let Some(hand) = &mut frames[t].hands[side] {
                        hand[k] = add(p, wrists[t]);
                    }
                }
            }
        }
        for (t, frame) in frames.iter_mut().enumerate() {
            frame.elbows[side] = elbows[t];
            frame.wrists[side] = wrists[t];
        }
    }
}

/// The stretches of frames in which a hand is there.
fn runs(frames: &[Frame], side: usize) -> Vec<std::ops::Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for t in 0..=frames.len() {
        let there = frames.get(t).is_some_and(|f| f.hands[side].is_some());
        match (there, start) {
            (true, None) => start = Some(t),
            (false, Some(from)) => {
                runs.push(from..t);
                start = None;
            }
            _ => {}
        }
    }
    runs
}

/// Coefficients of one second-order section, `a0` being 1.
struct Filter {
    b: [f32; 3],
    a: [f32; 2],
}

impl Filter {
    /// `None` where the rate is too low to hold the cutoff.
    fn new(cutoff_hz: f32, fps: f32) -> Option<Self> {
        if fps < 2.2 * cutoff_hz {
            return None;
        }
        // Two passes lose twice the power: the cutoff of each is moved up to make up for it.
        let each = cutoff_hz / (2f32.sqrt() - 1.0).powf(0.25);
        let k = (std::f32::consts::PI * (each / fps).min(0.49)).tan();
        let norm = 1.0 / (1.0 + std::f32::consts::SQRT_2 * k + k * k);
        let b0 = k * k * norm;
        Some(Self {
            b: [b0, 2.0 * b0, b0],
            a: [2.0 * (k * k - 1.0) * norm, (1.0 - std::f32::consts::SQRT_2 * k + k * k) * norm],
        })
    }

    /// Filters a path forwards and backwards, with its ends mirrored at the end points.
    fn run(&self, path: &mut [Point]) {
        let n = path.len();
        if n < 3 {
            return;
        }
        let pad = (n - 1).min(12);
        let odd = |end: Point, p: Point| [0, 1, 2].map(|i| 2.0 * end[i] - p[i]);
        let mut long: Vec<Point> = (1..=pad).rev().map(|i| odd(path[0], path[i])).collect();
        long.extend_from_slice(path);
        long.extend((1..=pad).map(|i| odd(path[n - 1], path[n - 1 - i])));
        for _ in 0..2 {
            self.forwards(&mut long);
            long.reverse();
        }
        path.copy_from_slice(&long[pad..pad + n]);
    }

    fn forwards(&self, path: &mut [Point]) {
        // The state of a filter that has seen the first value for ever.
        let first = path[0];
        let mut state = [0, 1, 2].map(|i| {
            let x = first[i];
            [x * (1.0 - self.b[0]), x * (self.b[2] - self.a[1])]
        });
        for p in path {
            for (v, s) in p.iter_mut().zip(&mut state) {
                let x = *v;
                let y = self.b[0] * x + s[0];
                s[0] = self.b[1] * x - self.a[0] * y + s[1];
                s[1] = self.b[2] * x - self.a[1] * y;
                *v = y;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(hz: f32, fps: f32) -> Vec<Point> {
        (0..120).map(|t| [(t as f32 / fps * hz * std::f32::consts::TAU).sin(), 0.0, 0.0]).collect()
    }

    #[track_caller]
    fn check_gain(hz: f32, low: f32, high: f32) {
        let mut path = wave(hz, 60.0);
        Filter::new(6.0, 60.0).unwrap().run(&mut path);
        let gain = path[40..80].iter().map(|p| p[0].abs()).fold(0.0, f32::max);
        assert!((low..=high).contains(&gain), "gain at {hz} Hz is {gain}");
    }

    #[test]
    fn slow_motion_passes_and_jitter_does_not() {
        check_gain(1.0, 0.98, 1.01);
        check_gain(6.0, 0.6, 0.75);
        check_gain(15.0, 0.0, 0.05);
    }

    #[test]
    fn it_does_not_delay_and_keeps_what_stands_still() {
        let mut step: Vec<Point> = (0..60).map(|t| [if t < 30 { 0.0 } else { 1.0 }, 2.0, -1.0]).collect();
        Filter::new(6.0, 30.0).unwrap().run(&mut step);
        let middle = (step[29][0] + step[30][0]) / 2.0;
        assert!((middle - 0.5).abs() < 0.01, "{middle}");
        assert!(step.iter().all(|p| (p[1] - 2.0).abs() < 1e-4 && (p[2] + 1.0).abs() < 1e-4));
    }

    #[test]
    fn low_rates_and_short_paths_are_left_alone() {
        assert!(Filter::new(6.0, 10.0).is_none());
        let mut two = [[1.0; 3], [2.0; 3]];
        Filter::new(6.0, 30.0).unwrap().run(&mut two);
        assert_eq!(two, [[1.0; 3], [2.0; 3]]);
    }
}
