//! One signing with the clock of its viewer, in a window or on the unit's own screen.

use crate::screen::clock::{Clock, Wish};
use crate::screen::playback::Playback;
use crate::screen::{Screen, Show};

/// How often it is drawn where nothing moves, in seconds.
const STILL_S: f32 = 0.05;

/// A signing that somebody watches.
pub struct Watched<'a>(&'a Playback<'a>, Clock);

impl<'a> Watched<'a> {
    /// From its beginning.
    pub fn new(playback: &'a Playback<'a>) -> Self {
        Self(playback, playback.clock())
    }
}

impl Show for Watched<'_> {
    fn pass(&mut self, seconds: f32) {
        self.1.pass(seconds);
    }

    fn wish(&mut self, wish: Wish) {
        self.1.wish(wish);
    }

    fn draw(&self, screen: &mut Screen) {
        self.0.draw_at(screen, &self.1, vec![]);
    }

    fn wait_s(&self) -> f32 {
        if self.1.stands() { STILL_S } else { 1.0 / self.0.fps() }
    }
}
