//! The screen of a kiosk: the visitor's side with mirror or signer and large captions, and the clerk's side with
//! what was said, what is still to be signed, and what is wrong.
//!
//! All letters are at least as high as EN 301 549 asks for at the board's viewing distance (5.1.4): text that
//! finds no room is broken into lines, and of those the newest are shown; it is never made smaller.

use boards::LETTER_DEGREES;
use models::pose::Pose;

use super::caption::{CAP_HEIGHT, LINE_HEIGHT};
use super::{Caption, Picture, Rig, Screen, Span, Stance, Tone, View, landmarks_over, signer};

/// Captions are so much larger than the smallest letters.
const CAPTION: f32 = 1.35;
/// Lines of a caption in sight.
const CAPTION_LINES: f32 = 2.0;
/// The visitor's side has so much of the width of a screen that is wider than high.
const VISITORS: f32 = 0.6;
/// And so much of the height of one that is not.
const VISITORS_TALL: f32 = 0.68;

/// How wide the mark of the camera is, in sizes of the smallest letters.
const MARK: f32 = 1.5;

/// What the visitor looks at.
#[derive(Debug, Clone, Copy)]
pub enum OnStage<'a> {
    /// Themselves, as in a mirror, with the landmarks that were found. Poses are in pixels of the picture.
    Mirror(Picture<'a>, Option<(&'a Rig, &'a Pose)>),
    /// Somebody who signs.
    Signer(&'a Rig, &'a Pose, Stance),
    /// A camera that is struck through.
    NoCamera,
    /// Nothing.
    Nothing,
}

/// What stands on the screen of a kiosk.
#[derive(Debug, Clone, Copy)]
pub struct Counter<'a> {
    /// What it is doing, in a word.
    pub state: (&'a str, Tone),
    /// What is said beside the mark that the camera is on; none where it is off.
    pub camera: Option<&'a str>,
    /// The visitor's side.
    pub stage: OnStage<'a>,
    /// Below it.
    pub caption: &'a Caption,
    /// The heading of the clerk's side.
    pub clerk: &'a str,
    /// Who said what, in the screen's words, the oldest first.
    pub talk: &'a [(&'a str, &'a str)],
    /// A heading, and the texts that wait to be signed.
    pub waiting: (&'a str, &'a [String]),
    /// What is wrong.
    pub notices: &'a [&'a str],
}

/// How large letters are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Letters {
    /// The font's size of the smallest. Pixels.
    least: f32,
}

impl Letters {
    /// As a board's screen needs them.
    pub fn of(screen: &boards::Screen) -> Self {
        Self { least: (screen.least_letter_px() / CAP_HEIGHT).ceil() }
    }

    /// The height of a row of the bar. Pixels.
    fn row(self) -> f32 {
        (self.least * 1.5).round()
    }

    /// The font's size of captions. Pixels.
    fn caption(self) -> f32 {
        (self.least * CAPTION).ceil()
    }

    /// The angle that a capital letter of the smallest size fills for whoever stands where people stand. Degrees.
    pub fn degrees(self, screen: &boards::Screen) -> f32 {
        LETTER_DEGREES * self.least * CAP_HEIGHT / screen.least_letter_px()
    }
}

/// Where things stand: `[x, y, width, height]` each, in pixels.
struct Areas {
    stage: [f32; 4],
    caption: [f32; 4],
    clerk: [f32; 4],
}

impl Areas {
    fn of((w, h): (f32, f32), bar: f32, letters: Letters) -> Self {
        let lines = letters.caption() * CAPTION_LINES + letters.least;
        let caption = (lines * LINE_HEIGHT + letters.least * 0.6).round();
        let below = h - bar;
        let (left, visitors) =
            if w > h { ((w * VISITORS).round(), below) } else { (w, (below * VISITORS_TALL).round()) };
        // The signing matters most, and still nothing that was said may be hidden.
        let caption = caption.min(visitors * 0.6);
        let clerk =
            if w > h { [left, bar, w - left, below] } else { [0.0, bar + visitors, w, below - visitors] };
        Self {
            stage: [0.0, bar, left, visitors - caption],
            caption: [0.0, bar + visitors - caption, left, caption],
            clerk,
        }
    }
}

impl Screen {
    /// Draws a kiosk's screen.
    pub fn counter(&mut self, shown: &Counter, letters: Letters) {
        let (w, h) = (self.canvas.width() as f32, self.canvas.height() as f32);
        self.canvas.fill(self.theme.band);
        let mark = self.camera_mark(shown, letters, w);
        let bar = letters.row() + mark.map_or(0.0, |[_, y]| y);
        let areas = Areas::of((w, h), bar, letters);
        self.stage(shown, areas.stage);
        // Landmarks of a hand that left the picture reach beyond it.
        self.canvas.rectangle(0.0, 0.0, w, bar, self.theme.band);
        self.bar(shown, letters, w, mark);
        self.captions(shown.caption, letters, areas.caption);
        self.clerk(shown, letters, areas.clerk);
        let edge = (letters.least * 0.06).max(1.0);
        let [x, y, cw, ch] = areas.clerk;
        let line = if x > 0.0 { [x, y, edge, ch] } else { [x, y, cw, edge] };
        self.canvas.rectangle(line[0], line[1], line[2], line[3], self.theme.quiet);
    }

    /// Where the mark stands that the camera is on, from the left and from above: beside the state, or below it where one
    /// row has no room for both; none where the camera is off.
    fn camera_mark(&mut self, shown: &Counter, letters: Letters, width: f32) -> Option<[f32; 2]> {
        let (theme, size) = (self.theme, letters.least);
        let pad = size * 0.5;
        let words = [Span::new(shown.camera?, Tone::Plain)];
        let needed = size * MARK + self.text.width(&theme, &words, size) + pad;
        let state = self.text.width(&theme, &[Span::new(shown.state.0, shown.state.1)], size);
        let fits = pad + size * 0.8 + state + 2.0 * pad + needed <= width;
        Some(if fits { [width - needed, 0.0] } else { [pad - size * 0.2, letters.row()] })
    }

    /// The state, and whether the camera is on.
    fn bar(&mut self, shown: &Counter, letters: Letters, width: f32, mark: Option<[f32; 2]>) {
        let (theme, size, row) = (self.theme, letters.least, letters.row());
        let (pad, dot) = (size * 0.5, size * 0.24);
        let top = (row - size * LINE_HEIGHT) / 2.0;
        let state = [Span::new(shown.state.0, shown.state.1)];
        let color = match shown.state.1 {
            Tone::Warn => theme.warn,
            Tone::Quiet => theme.quiet,
            Tone::Plain | Tone::Current => theme.mark,
        };
        self.canvas.disc([pad + dot, row / 2.0], dot, color);
        let left = pad + size * 0.8;
        self.text.draw(&mut self.canvas, &theme, &state, size, [left, top, width - left, row]);
        let (Some(words), Some([x, y])) = (shown.camera, mark) else { return };
        let (words, wide) = ([Span::new(words, Tone::Plain)], size * MARK);
        self.lens([x + wide * 0.45, y + row / 2.0], size * 0.42);
        self.text.draw(&mut self.canvas, &theme, &words, size, [x + wide, y + top, width - x - wide, row]);
    }

    /// The mark that a camera is on: a lens that looks, in the colour of warnings.
    fn lens(&mut self, center: [f32; 2], radius: f32) {
        let theme = self.theme;
        for (part, color) in [(1.0, theme.warn), (0.72, theme.band), (0.46, theme.warn)] {
            self.canvas.disc(center, radius * part, color);
        }
    }

    fn stage(&mut self, shown: &Counter, [x, y, w, h]: [f32; 4]) {
        let theme = self.theme;
        match shown.stage {
            OnStage::Mirror(picture, landmarks) => {
                let (view, area) = picture.fitted([x, y, w, h]);
                let size = (picture.width, picture.height);
                self.canvas.mirror(picture.rgb, size, area.map(|side| side as u32));
                if let Some((rig, pose)) = landmarks {
                    let mirrored = mirrored(pose, picture.width as f32);
                    landmarks_over(&mut self.canvas, &theme, rig, &mirrored, &view);
                }
                let [left, top, wide, tall] = area;
                let (right, below) = (left + wide, top + tall);
                for [x, y, w, h] in [
                    [x, y, w, top - y],
                    [x, below, w, y + h - below],
                    [x, y, left - x, h],
                    [right, y, x + w - right, h],
                ] {
                    self.canvas.rectangle(x, y, w, h, theme.band);
                }
            }
            OnStage::Signer(rig, pose, stance) => {
                let area = [x, y, w, h];
                self.canvas.rectangle(x, y, w, h, theme.stage);
                let view = View::upper_body(&stance, area);
                signer::draw(&mut self.canvas, &theme, rig, pose, &view);
                let side = (w * 0.3).min(h * 0.6);
                if shown.caption.close_up && side >= h * 0.25 {
                    let margin = h * 0.03;
                    let corner = [x + w - side - margin, y + margin, side, side];
                    signer::close_up(&mut self.canvas, &theme, rig, pose, &view, corner);
                }
            }
            OnStage::NoCamera => self.struck_camera([x + w / 2.0, y + h / 2.0], h.min(w) * 0.5),
            OnStage::Nothing => {}
        }
    }

    fn captions(&mut self, caption: &Caption, letters: Letters, [x, y, w, h]: [f32; 4]) {
        let theme = self.theme;
        // A signer who is drawn reaches below the stage.
        self.canvas.rectangle(x, y, w, h, theme.band);
        let (size, pad) = (letters.caption(), letters.least * 0.4);
        let note = if caption.note.is_empty() { 0.0 } else { letters.least * LINE_HEIGHT };
        let area = [x + pad, y + pad * 0.5, w - 2.0 * pad, h - pad - note];
        let words = self.newest(&caption.words, size, area);
        self.text.draw(&mut self.canvas, &theme, words, size, area);
        let area = [x + pad, y + h - note - pad * 0.4, w - 2.0 * pad, note];
        self.text.draw(&mut self.canvas, &theme, &caption.note, letters.least, area);
    }

    /// The last words that have room; all of a text of which one word is marked, which is kept in sight by itself.
    fn newest<'a>(&mut self, words: &'a [Span], size: f32, [_, _, w, h]: [f32; 4]) -> &'a [Span] {
        if words.iter().any(|word| word.tone == Tone::Current) {
            return words;
        }
        let mut from = 0;
        while from + 1 < words.len() && self.text.height(&self.theme, &words[from..], size, w) > h {
            from += 1;
        }
        &words[from..]
    }

    fn clerk(&mut self, shown: &Counter, letters: Letters, [x, y, w, h]: [f32; 4]) {
        let (theme, size) = (self.theme, letters.least);
        self.canvas.rectangle(x, y, w, h, theme.band);
        let pad = size * 0.5;
        let (x, w) = (x + pad, w - 2.0 * pad);
        let line = size * LINE_HEIGHT;
        let heading = [Span { text: shown.clerk.into(), tone: Tone::Quiet }];
        self.text.draw(&mut self.canvas, &theme, &heading, size, [x, y + pad * 0.5, w, line]);
        let top = y + pad * 0.5 + line;
        // From below: what is wrong, what waits, and what was said, of which the newest is next to them.
        let mut bottom = y + h - pad * 0.5;
        let (heading, waiting) = shown.waiting;
        let notices = shown.notices.iter().rev().map(|notice| vec![Span::new(*notice, Tone::Warn)]);
        let waiting = waiting.iter().rev().map(|text| {
            vec![Span::new(format!("{heading}: "), Tone::Quiet), Span::new(text.as_str(), Tone::Plain)]
        });
        let talk = shown.talk.iter().rev().map(|(who, text)| {
            vec![Span::new(format!("{who}: "), Tone::Quiet), Span::new(*text, Tone::Plain)]
        });
        for spans in notices.chain(waiting).chain(talk) {
            let tall = self.text.height(&theme, &spans, size, w);
            if bottom - tall < top {
                break;
            }
            bottom -= tall;
            self.text.draw(&mut self.canvas, &theme, &spans, size, [x, bottom, w, tall + 1.0]);
            bottom -= pad * 0.3;
        }
    }
}

/// A pose as a mirror shows it: left stays left for whoever looks.
fn mirrored(pose: &Pose, width: f32) -> Pose {
    let points = pose.points.iter().map(|[x, y, z]| [width - x, *y, *z]).collect();
    Pose { points, confidence: pose.confidence.clone() }
}

#[cfg(test)]
mod tests {
    use boards::Board;

    use super::super::{Canvas, Rgb888, Theme, Typesetter, contrast};
    use super::*;

    /// Text of each kind and what it stands on.
    fn inks(theme: &Theme) -> [(&'static str, Rgb888, Rgb888); 4] {
        [
            ("caption", theme.text, theme.band),
            ("quiet", theme.quiet, theme.band),
            ("marked word", theme.on_mark, theme.mark),
            ("warning", theme.warn, theme.band),
        ]
    }

    /// EN 301 549 V3.2.1, 5.1.4: a capital H fills 0.7 degrees. Measured where it is drawn.
    #[test]
    fn the_smallest_letters_are_high_enough_on_every_board() {
        for board in Board::shipped() {
            let letters = Letters::of(&board.screen);
            assert!(letters.degrees(&board.screen) >= LETTER_DEGREES, "{}", board.name);
            let mut canvas = Canvas::new(400, 200);
            let (theme, area) = (Theme::DARK, [10.0, 10.0, 390.0, 190.0]);
            let mut text = Typesetter::fallback_only();
            text.draw(&mut canvas, &theme, &[Span::new("H", Tone::Plain)], letters.least, area);
            let rows = canvas.rgba().chunks(4 * canvas.width() as usize);
            let high = rows.filter(|row| row.chunks(4).any(|p| p[0] > 128)).count();
            let least = board.screen.least_letter_px();
            assert!(high as f32 >= least.floor(), "{}: {high} px where {least} are needed", board.name);
        }
    }

    /// What the kiosk says in large letters is never cut off, in no language and on no board, nor where it is turned.
    #[test]
    fn all_that_the_kiosk_asks_for_is_seen() {
        use crate::kiosk::words::{Say, Tongue};
        use clap::ValueEnum;
        let asked = [Say::Welcome, Say::SignAgain, Say::NoCamera, Say::CannotRead, Say::Hot, Say::OneMoment];
        let mut text = Typesetter::fallback_only();
        for board in Board::shipped() {
            let letters = Letters::of(&board.screen);
            let (w, h) = (board.screen.width_px as f32, board.screen.height_px as f32);
            for size in [(w, h), (h, w)] {
                let [_, _, width, _] = Areas::of(size, 3.0 * letters.least, letters).caption;
                for (say, tongue) in
                    asked.iter().flat_map(|say| Tongue::value_variants().iter().map(move |t| (say, t)))
                {
                    let words = [Span::new(say.in_words(*tongue), Tone::Plain)];
                    let room = width - 0.8 * letters.least;
                    let high = text.height(&Theme::DARK, &words, letters.caption(), room);
                    let lines = high / (letters.caption() * LINE_HEIGHT);
                    assert!(lines <= CAPTION_LINES, "{words:?} needs {lines} lines on {}", board.name);
                }
            }
        }
    }

    /// WCAG 2.2, 1.4.3 and 1.4.6: text 4.5 to 1, captions 7 to 1. And 1.4.11: marks 3 to 1.
    #[test]
    fn all_text_stands_out() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            for (name, ink, ground) in inks(&theme) {
                let least = if name == "quiet" { 4.5 } else { 7.0 };
                let ratio = contrast(ink, ground);
                assert!(ratio >= least, "{name}: {ratio:.2}");
            }
            for mark in [theme.warn, theme.mark, theme.quiet] {
                assert!(contrast(mark, theme.band) >= 3.0);
            }
        }
    }

    /// On every board there is room for a caption of two lines, a signer above it, and what was said beside it.
    #[test]
    fn everything_has_room_on_every_board() {
        for board in Board::shipped() {
            let letters = Letters::of(&board.screen);
            let (w, h) = (board.screen.width_px as f32, board.screen.height_px as f32);
            let areas = Areas::of((w, h), letters.least * 3.0, letters);
            let caption = letters.caption() * LINE_HEIGHT * CAPTION_LINES + letters.least * LINE_HEIGHT;
            assert!(areas.caption[3] >= caption, "{}", board.name);
            assert!(areas.stage[3] >= h * 0.4, "{}: {} px for the signer", board.name, areas.stage[3]);
            assert!(areas.clerk[3] >= 5.0 * letters.least * LINE_HEIGHT, "{}", board.name);
        }
    }
}
