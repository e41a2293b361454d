//! Tells signing from rest: is a hand up, and since when.
//!
//! A first gate on geometry alone. It opens when a hand is seen above the elbow line
//! (or at all, where no body is in view) and closes when none was for a while.

use models::features::Sight;

/// A hand that is lost for less than this is still up: landmarks flicker in fast movement. Seconds.
pub(super) const CLOSE_S: f64 = 0.4;
/// The resting line lies this far below the shoulders, in shoulder widths: between elbows and hips, measured
/// on no one in particular but on the proportions of a body, where an upper arm is about 0.85 shoulder widths.
const REST_BELOW_SHOULDERS: f32 = 1.3;

/// Whether somebody is signing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activity {
    /// No hand is up.
    Rest,
    /// A hand came up at this time.
    Signing {
        /// Onset, in seconds of the source.
        since_s: f64,
    },
}

/// What changed with the last frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Nothing.
    None,
    /// A hand came up.
    Onset,
    /// The hands went down; signing lasted from one time to the other.
    Offset {
        /// Onset, in seconds of the source.
        from_s: f64,
        /// When a hand was up last.
        to_s: f64,
    },
}

/// Watches hands come up and go down.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Onset, and when a hand was up last.
    open: Option<(f64, f64)>,
    /// Whether one was up in the last frame.
    up: bool,
    close_s: f64,
}

impl Default for Gate {
    fn default() -> Self {
        Self::closing_after(0.0)
    }
}

impl Gate {
    /// A gate that closes when no hand was up for so long, and not before hands that flicker are told from hands
    /// that went down. Seconds.
    pub fn closing_after(seconds: f64) -> Self {
        Self { open: None, up: false, close_s: seconds.max(CLOSE_S) }
    }

    /// Forgets what was seen.
    pub fn reset(&mut self) {
        (self.open, self.up) = (None, false);
    }

    /// Takes the next frame.
    pub fn step(&mut self, sight: &Sight) -> Change {
        let at_s = sight.at_s;
        self.up = hand_up(sight);
        if self.up {
            let opened = self.open.is_none();
            let from_s = self.open.map_or(at_s, |(from_s, _)| from_s);
            self.open = Some((from_s, at_s));
            return if opened { Change::Onset } else { Change::None };
        }
        match self.open {
            Some((_, last_s)) if at_s - last_s > self.close_s => self.close(),
            _ => Change::None,
        }
    }

    /// Closes at the end of the source, as if the hands had gone down.
    pub fn close(&mut self) -> Change {
        self.open.take().map_or(Change::None, |(from_s, to_s)| Change::Offset { from_s, to_s })
    }

    /// Whether a hand was up in the last frame.
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// Whether somebody is signing.
    pub fn activity(&self) -> Activity {
        self.open.map_or(Activity::Rest, |(since_s, _)| Activity::Signing { since_s })
    }
}

fn hand_up(sight: &Sight) -> bool {
    let [left, right] = [sight.body[1], sight.body[2]];
    let width = (left[0] - right[0]).hypot(left[1] - right[1]);
    let rest_line = (sight.body_seen[1] && sight.body_seen[2] && width > 0.0)
        .then(|| (left[1] + right[1]) / 2.0 + REST_BELOW_SHOULDERS * width);
    (0..2).any(|side| sight.hand_seen[side] && rest_line.is_none_or(|line| sight.hands[side][0][1] < line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(at_s: f64, hand_y: Option<f32>) -> Sight {
        let mut s = Sight::unseen(at_s);
        (s.body[1], s.body[2]) = ([60.0, 100.0], [40.0, 100.0]);
        (s.body_seen[1], s.body_seen[2]) = (true, true);
        if let Some(y) = hand_y {
            s.hand_seen[1] = true;
            s.hands[1] = [[50.0, y, 0.0]; 21];
        }
        s
    }

    /// One letter a tenth of a second: `^` hand up, `_` hand down at the hips, `.` hand not seen.
    #[track_caller]
    fn check(frames: &str, expect: &[(&str, f64)]) {
        let mut gate = Gate::default();
        let mut found = Vec::new();
        for (i, c) in frames.chars().enumerate() {
            let y = match c {
                '^' => Some(105.0),
                '_' => Some(140.0),
                _ => None,
            };
            match gate.step(&sight(i as f64 / 10.0, y)) {
                Change::None => {}
                Change::Onset => found.push(("up", i as f64 / 10.0)),
                Change::Offset { to_s, .. } => found.push(("down", to_s)),
            }
        }
        assert_eq!(found, expect, "{frames}");
    }

    #[test]
    fn opens_on_a_raised_hand_and_closes_after_a_while() {
        check("__^^^______", &[("up", 0.2), ("down", 0.4)]);
        check("..^^^......", &[("up", 0.2), ("down", 0.4)]);
        check("__^^.^^.^^_", &[("up", 0.2)]);
        check("___________", &[]);
    }

    #[test]
    fn closes_at_the_end_of_the_source() {
        let mut gate = Gate::default();
        gate.step(&sight(1.0, Some(105.0)));
        gate.step(&sight(1.5, Some(105.0)));
        assert_eq!(gate.activity(), Activity::Signing { since_s: 1.0 });
        assert_eq!(gate.close(), Change::Offset { from_s: 1.0, to_s: 1.5 });
        assert_eq!(gate.close(), Change::None);
        assert_eq!(gate.activity(), Activity::Rest);
    }

    #[test]
    fn without_a_body_any_hand_counts() {
        let mut only_hand = sight(0.0, Some(500.0));
        only_hand.body_seen = Default::default();
        assert_eq!(Gate::default().step(&only_hand), Change::Onset);
    }
}
