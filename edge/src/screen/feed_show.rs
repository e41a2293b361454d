//! Texts that come one after the other, signed in turn.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use models::playback::{Frame, to_track};

use super::clock::{Clock, Wish};
use super::playback::Playback;
use super::{Screen, Show, Span, Tone};
use crate::Fault;
use crate::feed::Backlog;
use crate::production::{Signing, Word};

/// How long a text that cannot be signed stands there, in seconds.
const TROUBLE_S: f32 = 3.0;

/// Signs what waits in a backlog, line after line, and says what it had to leave out.
pub struct FeedShow<S> {
    backlog: Arc<Mutex<Backlog>>,
    sign: S,
    playback: Playback<'static>,
    clock: Clock,
    /// How long a line that could not be signed still stands there, in seconds.
    trouble_s: f32,
    failed: usize,
    signed: usize,
    /// Why no more lines can be read.
    broken: Option<io::Error>,
}

impl<S: FnMut(&str) -> Result<Signing, Fault>> FeedShow<S> {
    /// Of a backlog; `sign` makes a signing of a text, and tells whoever should know why one cannot be made.
    pub fn new(backlog: Arc<Mutex<Backlog>>, sign: S) -> Self {
        let playback = Playback::owned(at_rest(vec![]));
        let clock = playback.clock();
        Self { backlog, sign, playback, clock, trouble_s: 0.0, failed: 0, signed: 0, broken: None }
    }

    /// What became of the lines that came, read from somewhere.
    ///
    /// # Errors
    /// [`Fault::File`] where no more could be read, [`Fault::FeedLines`] where some were not signed.
    pub fn verdict(self, from: &Path) -> Result<(), Fault> {
        let left_out = self.backlog().left_out();
        match self.broken {
            Some(error) => Err(Fault::file(from, error)),
            // Whoever closes the window before anything came did nothing wrong.
            None if self.signed + self.failed + left_out == 0 => Ok(()),
            None => Fault::of_feed(self.signed, self.failed, left_out),
        }
    }

    fn begin(&mut self, line: &str) {
        let shown = match (self.sign)(line) {
            Ok(signing) => {
                self.signed += 1;
                signing
            }
            Err(_) => {
                self.failed += 1;
                self.trouble_s = TROUBLE_S;
                at_rest(vec![Word::unsigned(line)])
            }
        };
        // The view never becomes narrower than it was.
        let below = self.playback.reach(0.0);
        self.playback = Playback::owned(shown);
        self.playback.reach(below);
        self.clock = self.playback.clock().like(&self.clock);
    }

    fn backlog(&self) -> std::sync::MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: FnMut(&str) -> Result<Signing, Fault>> Show for FeedShow<S> {
    /// Goes on with the next line where one is over.
    fn pass(&mut self, seconds: f32) {
        self.clock.pass(seconds);
        let ended = self.backlog().ended();
        if let Some(Err(error)) = ended {
            self.broken = Some(error);
        }
        self.trouble_s = (self.trouble_s - seconds).max(0.0);
        if self.clock.over() && !self.clock.repeats() && self.trouble_s == 0.0 {
            let next = self.backlog().take();
            if let Some(line) = next {
                self.begin(&line);
            }
        }
    }

    fn wish(&mut self, wish: Wish) {
        self.clock.wish(wish);
    }

    fn draw(&self, screen: &mut Screen) {
        let left_out = self.backlog().left_out();
        let mut notes = vec![];
        if left_out > 0 {
            notes.push(format!("   {left_out} left out: they came faster than they can be signed"));
        }
        if self.failed > 0 {
            notes.push(format!("   {} could not be signed", self.failed));
        }
        if let Some(error) = &self.broken {
            notes.push(format!("   no more can be read: {error}"));
        }
        let notes = notes.into_iter().map(|text| Span { text, tone: Tone::Warn }).collect();
        self.playback.draw_at(screen, &self.clock, notes);
    }

    fn wait_s(&self) -> f32 {
        1.0 / self.playback.fps()
    }
}

/// A signer who rests, with words that nobody signs.
fn at_rest(words: Vec<Word>) -> Signing {
    const FPS: f32 = 30.0;
    Signing { track: to_track(&[Frame::rest()], FPS), words, glosses: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::production::Provenance;
    use crate::screen::Theme;

    type Shown = FeedShow<fn(&str) -> Result<Signing, Fault>>;

    /// Signs a text for as many seconds as it has letters.
    fn sign(text: &str) -> Result<Signing, Fault> {
        if text == "?" {
            return Err(Fault::TextEmpty);
        }
        let frames = vec![Frame::rest(); 10 * text.chars().count()];
        let mut word = Word::unsigned(text);
        (word.provenance, word.to_s) = (Provenance::Lexicon, frames.len() as f32 / 10.0);
        Ok(Signing { track: to_track(&frames, 10.0), words: vec![word], glosses: None })
    }

    fn show(lines: &[&str]) -> Shown {
        let mut backlog = Backlog::new(3);
        lines.iter().for_each(|line| backlog.push((*line).into()));
        FeedShow::new(Arc::new(Mutex::new(backlog)), sign)
    }

    /// What stands on the screen at every half second.
    fn course(show: &mut Shown, halves: usize) -> String {
        let mut text = String::new();
        for _ in 0..halves {
            show.pass(0.5);
            text += show.playback.words().first().map_or("-", |word| &word.text);
        }
        text
    }

    #[test]
    fn lines_are_signed_in_order_and_each_to_its_end() {
        let mut show = show(&["ab", "c"]);
        assert_eq!(course(&mut show, 9), "ababababccccc");
        show.verdict(Path::new("-")).unwrap();
        self::show(&[]).verdict(Path::new("-")).unwrap();
    }

    #[test]
    fn a_feed_that_breaks_is_said_and_what_came_is_signed() {
        let mut show = show(&["a"]);
        show.backlog.lock().unwrap().end(Err(io::Error::other("gone")));
        assert_eq!(course(&mut show, 2), "aa");
        let fault = show.verdict(Path::new("feed.txt")).unwrap_err().to_string();
        assert!(fault.contains("feed.txt") && fault.contains("gone"), "{fault}");
    }

    #[test]
    fn a_line_that_cannot_be_signed_is_said_and_the_next_is_signed() {
        let mut show = show(&["?", "c"]);
        assert_eq!(course(&mut show, 2), "??");
        let mut screen = Screen::new(320, 200, Theme::DARK);
        show.draw(&mut screen);
        let with = screen.canvas().rgba().to_vec();
        assert_eq!(course(&mut show, 7), "????ccc");
        show.draw(&mut screen);
        assert_ne!(screen.canvas().rgba(), with);
        let verdict = show.verdict(Path::new("-"));
        assert!(matches!(verdict, Err(Fault::FeedLines { signed: 1, failed: 1, left_out: 0 })));
    }

    #[test]
    fn a_flood_is_cut_and_the_screen_says_so() {
        let mut show = show(&["a", "b", "c", "d", "e"]);
        assert_eq!(course(&mut show, 4).chars().next(), Some('c'), "the oldest two went");
        let mut screen = Screen::new(640, 400, Theme::DARK);
        show.draw(&mut screen);
        let flooded = screen.canvas().rgba().to_vec();
        assert_eq!(show.backlog.lock().unwrap().left_out(), 2);
        *show.backlog.lock().unwrap() = Backlog::new(3);
        show.draw(&mut screen);
        assert_ne!(screen.canvas().rgba(), flooded);
    }

    #[test]
    fn a_viewer_who_repeats_keeps_the_line() {
        let mut show = show(&["a", "b"]);
        assert_eq!(course(&mut show, 1), "a");
        show.wish(Wish::Repeat);
        assert!(course(&mut show, 20).chars().all(|c| c == 'a'));
        show.wish(Wish::Repeat);
        assert!(course(&mut show, 8).ends_with('b'));
        let mut slow = self::show(&["a", "b"]);
        slow.wish(Wish::Slower);
        let _ = course(&mut slow, 8);
        assert_eq!(slow.clock.speed(), 0.75, "the speed stays");
    }
}
