//! Signing on the unit's own screen.

use std::thread;
use std::time::{Duration, Instant};

use boards::Board;

use super::Drm;
use crate::Fault;
use crate::screen::clock::Wish;
use crate::screen::present::Present;
use crate::screen::press::Press;
use crate::screen::{Screen, Show, Theme};

/// Plays something on the unit's own screen until a key closes it. The keys are those of a window, and a tap pauses.
///
/// # Errors
/// As [`Drm::open`].
pub fn play_show(show: &mut dyn Show, board: &Board, theme: Theme) -> Result<(), Fault> {
    let mut to = Box::new(Drm::open(&board.screen)?);
    let mut screen = Screen::new(board.screen.width_px, board.screen.height_px, theme);
    let mut told = Instant::now();
    loop {
        for press in to.presses() {
            match press {
                Press::Wish(wish) => show.wish(wish),
                Press::Tap(_) => show.wish(Wish::Pause),
                Press::Close => return to.finish(),
                // A signing that was made is in one language.
                Press::NextLanguage => {}
            }
        }
        let now = Instant::now();
        show.pass((now - told).as_secs_f32());
        told = now;
        show.draw(&mut screen);
        to.show(screen.canvas())?;
        let due = now + Duration::from_secs_f32(show.wait_s());
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}
