//! Equal steps in time over a window in which landmarks come and go.

use super::{HAND_POINTS, Sight};

/// A hole up to this long is bridged in a straight line; a longer one stays a hole. Seconds.
const BRIDGE_S: f64 = 0.3;
/// Up to this far from the nearest sight a landmark is taken to be where it was. Seconds.
const HOLD_S: f64 = 0.1;

/// The steps of a window: `count` moments from `start_s` to `end_s`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    pub start_s: f64,
    pub end_s: f64,
    pub count: usize,
}

impl Steps {
    /// Steps over the part of the window from the first to the last sight that `active` accepts.
    ///
    /// `None` where no sight is accepted.
    pub fn over(window: &[Sight], count: usize, active: impl Fn(&Sight) -> bool) -> Option<Self> {
        let mut stamps = window.iter().filter(|s| s.at_s.is_finite() && active(s)).map(|s| s.at_s);
        let start_s = stamps.next()?;
        let end_s = stamps.last().unwrap_or(start_s).max(start_s);
        Some(Self { start_s, end_s, count })
    }

    /// The moment of step `i`, in seconds.
    pub fn at_s(&self, i: usize) -> f64 {
        self.start_s + (self.end_s - self.start_s) * i as f64 / (self.count - 1).max(1) as f64
    }

    /// The distance between steps, in seconds; never 0, so that velocities can be divided by it.
    pub fn step_s(&self) -> f32 {
        (((self.end_s - self.start_s) / (self.count - 1).max(1) as f64) as f32).max(1e-3)
    }
}

/// Two sights and how far the moment lies from the first to the second, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub struct Between<'a> {
    pub before: &'a Sight,
    pub after: &'a Sight,
    pub share: f32,
}

impl<'a> Between<'a> {
    /// The sights around a moment that `seen` accepts; `None` in a hole.
    pub fn at(window: &'a [Sight], at_s: f64, seen: impl Fn(&Sight) -> bool) -> Option<Self> {
        let before = window.iter().rev().find(|s| s.at_s <= at_s && seen(s));
        let after = window.iter().find(|s| s.at_s >= at_s && seen(s));
        if let (Some(before), Some(after)) = (before, after) {
            let gap_s = after.at_s - before.at_s;
            if gap_s <= BRIDGE_S {
                let share = if gap_s > 0.0 { ((at_s - before.at_s) / gap_s) as f32 } else { 0.0 };
                return Some(Self { before, after, share });
            }
        }
        let near = |s: &&Sight| (s.at_s - at_s).abs() <= HOLD_S;
        let held = before.filter(near).or(after.filter(near))?;
        Some(Self { before: held, after: held, share: 0.0 })
    }

    /// A value between the two sights.
    pub fn mix(&self, of: impl Fn(&Sight) -> f32) -> f32 {
        let (a, b) = (of(self.before), of(self.after));
        a + (b - a) * self.share
    }

    /// A hand between the two sights.
    pub fn hand(&self, side: usize) -> [[f32; 3]; HAND_POINTS] {
        let (a, b) = (&self.before.hands[side], &self.after.hands[side]);
        std::array::from_fn(|k| std::array::from_fn(|c| a[k][c] + (b[k][c] - a[k][c]) * self.share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(seen: &[bool]) -> Vec<Sight> {
        let mut sights: Vec<_> = (0..seen.len()).map(|i| Sight::unseen(i as f64 * 0.1)).collect();
        for (i, s) in sights.iter_mut().enumerate() {
            s.hand_seen[0] = seen[i];
            s.hands[0][0][0] = i as f32;
        }
        sights
    }

    #[track_caller]
    fn check(seen: &[bool], at_s: f64, expect: Option<f32>) {
        let sights = window(seen);
        let got = Between::at(&sights, at_s, |s| s.hand_seen[0]).map(|b| b.mix(|s| s.hands[0][0][0]));
        match (got, expect) {
            (Some(got), Some(expect)) => assert!((got - expect).abs() < 1e-3, "{got}, not {expect}"),
            (got, expect) => assert_eq!(got, expect),
        }
    }

    #[test]
    fn short_holes_are_bridged_and_long_ones_are_not() {
        check(&[true, true], 0.05, Some(0.5));
        check(&[true, false, true], 0.15, Some(1.5));
        check(&[true, false, false, false, false, false, true], 0.3, None);
        check(&[true, false, false, false, false, false, true], 0.09, Some(0.0));
        check(&[true, false, false], 0.25, None);
    }

    #[test]
    fn steps_cover_the_active_part() {
        let steps = Steps::over(&window(&[false, true, false, true, false]), 5, |s| s.hand_seen[0]);
        let steps = steps.expect("two sights are active");
        assert!((steps.at_s(0) - 0.1).abs() < 1e-9 && (steps.at_s(4) - 0.3).abs() < 1e-9);
        assert_eq!(Steps::over(&window(&[false; 3]), 5, |s| s.hand_seen[0]), None);
    }
}
