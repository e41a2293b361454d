//! The unit's own screen: the kernel's display, keys and touch, without a desktop.
//!
//! A screen may be pulled, switched off or never have been there: frames are then
//! drawn for nobody, and the first one after it came back is shown.

mod card;
mod controls;
mod event;
mod play;
mod turn;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use play::play_show;
pub use turn::Turn;

use super::Present;
use crate::Fault;
use crate::screen::Canvas;
use crate::screen::press::Press;
use card::{Card, Lit};
use controls::Controls;

/// Where the kernel has its graphics cards.
const CARDS: &str = "/dev/dri";
/// How often it is looked whether a display came or went.
const LOOK: Duration = Duration::from_millis(500);

/// A display of the kernel's, double buffered, with the keys and the touch that belong to it.
pub struct Drm {
    cards: PathBuf,
    /// Width and height of the mode that is asked for, as the display has them.
    wanted: [u32; 2],
    turn: Turn,
    card: Option<Card>,
    lit: Option<Lit>,
    /// When to look again whether a display is there.
    look: Instant,
    controls: Controls,
}

impl Drm {
    /// The display of a board.
    ///
    /// That none is plugged in is no fault: it may come.
    ///
    /// # Errors
    /// [`Fault::NoScreen`] where the kernel has no graphics card that this user may use.
    pub fn open(screen: &boards::Screen) -> Result<Self, Fault> {
        Self::at(Path::new(CARDS), [screen.width_px, screen.height_px], Turn::of(screen.turned_deg))
    }

    fn at(cards: &Path, canvas: [u32; 2], turn: Turn) -> Result<Self, Fault> {
        let card = Card::open(cards)?;
        let cards = cards.to_owned();
        let wanted = turn.size(canvas);
        Ok(Self {
            cards,
            wanted,
            turn,
            card: Some(card),
            lit: None,
            look: Instant::now(),
            controls: Controls::new(turn),
        })
    }

    /// Looks whether what is plugged in changed.
    fn look(&mut self) {
        let now = Instant::now();
        if now < self.look {
            return;
        }
        self.look = now + LOOK;
        if self.card.is_none() {
            self.card = Card::open(&self.cards).ok();
        }
        let Some(card) = &self.card else { return };
        if let Some(lit) = &self.lit {
            if card.is_connected(lit) {
                return;
            }
            self.darken();
            return;
        }
        match card.light(self.wanted) {
            Ok(lit) => self.lit = lit,
            // The card itself may be gone: it is opened anew.
            Err(_) => self.card = None,
        }
    }

    /// Gives up what was shown on.
    fn darken(&mut self) {
        if let (Some(card), Some(lit)) = (&self.card, self.lit.take()) {
            card.put_out(lit);
        }
    }
}

impl Present for Drm {
    fn show(&mut self, canvas: &Canvas) -> Result<(), Fault> {
        self.look();
        let (Some(card), Some(lit)) = (&self.card, &mut self.lit) else { return Ok(()) };
        let size = [canvas.width(), canvas.height()];
        let turn = self.turn;
        let shown = card.flip(lit, |to, display, pitch| turn.copy(canvas.rgba(), size, to, display, pitch));
        if shown.is_err() {
            // It went between two looks: nothing is held of it, and it is looked for anew.
            self.darken();
        }
        Ok(())
    }

    fn presses(&mut self) -> Vec<Press> {
        self.controls.presses()
    }

    fn finish(mut self: Box<Self>) -> Result<(), Fault> {
        self.darken();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_card_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let said =
            |cards: &Path| Drm::at(cards, [64, 64], Turn::None).err().expect("there is no card").to_string();
        assert!(said(folder.path()).contains("no graphics card"), "{}", said(folder.path()));
        // A file that is no card.
        std::fs::write(folder.path().join("card0"), "").unwrap();
        assert!(said(folder.path()).contains("card0"), "{}", said(folder.path()));
    }
}
