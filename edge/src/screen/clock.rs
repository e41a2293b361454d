//! The time of a signing while somebody looks at it: paused, slower or faster, a sign back, over and over.

use std::cmp::Ordering;

/// Speeds to choose from; 1 is the signing as it was made.
const SPEEDS: [f32; 7] = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0];
/// Who goes back within so many seconds of a sign's beginning, as they pass for the viewer, wants the one before it.
const JUST_BEGUN_S: f32 = 0.5;

/// What a viewer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Stop, or go on.
    Pause,
    /// From the beginning.
    Again,
    /// Begin again whenever it is over, or no longer.
    Repeat,
    /// The next lower speed.
    Slower,
    /// The next higher speed.
    Faster,
    /// To the beginning of this sign, or of the one before.
    SignBack,
    /// To the beginning of the next sign.
    SignOn,
    /// One frame back, and stop.
    FrameBack,
    /// One frame on, and stop.
    FrameOn,
}

/// Where a signing stands.
#[derive(Debug, Clone)]
pub struct Clock {
    /// When each sign begins, in seconds, in order.
    signs_s: Vec<f32>,
    length_s: f32,
    frame_s: f32,
    at_s: f32,
    speed: usize,
    paused: bool,
    repeats: bool,
}

impl Clock {
    /// At the beginning of a signing of some length; `signs_s` says when its signs begin. All in seconds, at speed 1.
    pub fn new(mut signs_s: Vec<f32>, length_s: f32, fps: f32) -> Self {
        signs_s.sort_by(f32::total_cmp);
        let usual = SPEEDS.iter().position(|s| *s == 1.0).expect("it is one of them");
        Self { signs_s, length_s, frame_s: 1.0 / fps, at_s: 0.0, speed: usual, paused: false, repeats: false }
    }

    /// Where it stands, in seconds of the signing at speed 1; at its end no more than its length.
    pub fn at_s(&self) -> f32 {
        self.at_s
    }

    /// How fast it goes.
    pub fn speed(&self) -> f32 {
        SPEEDS[self.speed]
    }

    /// Whether it stands still, because somebody stopped it or it is over.
    pub fn stands(&self) -> bool {
        self.paused || (self.over() && !self.repeats)
    }

    /// Whether its end is reached.
    pub fn over(&self) -> bool {
        self.at_s >= self.length_s
    }

    /// The same with the speed of another, and repeating as that does: what a viewer chose stays.
    pub fn like(mut self, other: &Self) -> Self {
        (self.speed, self.repeats) = (other.speed, other.repeats);
        self
    }

    /// Whether it begins again when it is over.
    pub fn repeats(&self) -> bool {
        self.repeats
    }

    /// Lets time pass, in seconds of the viewer's clock.
    pub fn pass(&mut self, seconds: f32) {
        if self.paused {
            return;
        }
        // It rests for a frame before it begins again, however late the caller is.
        self.at_s = match self.over() && self.repeats {
            true => 0.0,
            false => (self.at_s + seconds.max(0.0) * self.speed()).min(self.length_s),
        };
    }

    /// Does what a viewer asks for.
    pub fn wish(&mut self, wish: Wish) {
        let sign_before = |limit: f32| self.signs_s.iter().rev().find(|s| **s < limit).copied();
        match wish {
            Wish::Pause => self.paused = !self.paused,
            Wish::Again => (self.at_s, self.paused) = (0.0, false),
            Wish::Repeat => self.repeats = !self.repeats,
            Wish::Slower => self.speed = self.speed.saturating_sub(1),
            Wish::Faster => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            Wish::SignBack => {
                self.at_s = sign_before(self.at_s - JUST_BEGUN_S * self.speed()).unwrap_or(0.0);
            }
            Wish::SignOn => {
                let next = self.signs_s.iter().find(|s| s.total_cmp(&self.at_s) == Ordering::Greater);
                self.at_s = next.copied().unwrap_or(self.length_s);
            }
            Wish::FrameBack => {
                (self.at_s, self.paused) = ((self.at_s - self.frame_s).max(0.0), true);
            }
            Wish::FrameOn => {
                (self.at_s, self.paused) = ((self.at_s + self.frame_s).min(self.length_s), true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signs at 0.5, 1.5 and 3 seconds of 4.
    fn clock() -> Clock {
        Clock::new(vec![0.5, 1.5, 3.0], 4.0, 25.0)
    }

    fn near(clock: &Clock, expect: f32) -> bool {
        (clock.at_s() - expect).abs() < 1e-4
    }

    #[test]
    fn time_passes_at_the_speed_that_was_asked_for() {
        let mut clock = clock();
        clock.pass(1.0);
        assert!(near(&clock, 1.0));
        (0..9).for_each(|_| clock.wish(Wish::Slower));
        assert_eq!(clock.speed(), 0.25);
        clock.pass(2.0);
        assert!(near(&clock, 1.5));
        (0..9).for_each(|_| clock.wish(Wish::Faster));
        assert_eq!(clock.speed(), 2.0);
        clock.pass(1.0);
        assert!(near(&clock, 3.5));
        clock.pass(-5.0);
        assert!(near(&clock, 3.5), "a clock that was set back turns nothing back");
    }

    #[test]
    fn it_stops_at_the_end_or_begins_again() {
        let mut clock = clock();
        clock.pass(100.0);
        assert!(near(&clock, 4.0) && clock.stands());
        clock.wish(Wish::Repeat);
        assert!(!clock.stands() && clock.repeats());
        clock.pass(100.0);
        assert!(near(&clock, 0.0));
        clock.wish(Wish::Pause);
        clock.pass(1.0);
        assert!(near(&clock, 0.0) && clock.stands());
        clock.wish(Wish::Again);
        clock.pass(1.0);
        assert!(near(&clock, 1.0), "whoever asks for it again does not want it to stand");
    }

    #[test]
    fn it_goes_back_and_on_by_signs_and_frames() {
        let mut clock = clock();
        clock.pass(2.5);
        clock.wish(Wish::SignBack);
        assert!(near(&clock, 1.5), "this sign once more");
        clock.wish(Wish::SignBack);
        assert!(near(&clock, 0.5), "it has just begun, so the one before");
        clock.wish(Wish::SignBack);
        assert!(near(&clock, 0.0));
        clock.wish(Wish::SignOn);
        clock.wish(Wish::SignOn);
        assert!(near(&clock, 1.5));
        clock.wish(Wish::FrameOn);
        assert!(near(&clock, 1.54) && clock.stands());
        clock.wish(Wish::FrameBack);
        clock.wish(Wish::FrameBack);
        assert!(near(&clock, 1.46));
        (0..5).for_each(|_| clock.wish(Wish::SignOn));
        assert!(near(&clock, 4.0));
    }

    #[test]
    fn a_signing_of_nothing_is_over() {
        let mut clock = Clock::new(vec![], 0.0, 25.0);
        for wish in [Wish::SignBack, Wish::SignOn, Wish::FrameBack, Wish::FrameOn, Wish::Repeat] {
            clock.wish(wish);
            clock.pass(1.0);
            assert!(near(&clock, 0.0), "{wish:?}");
        }
    }
}
