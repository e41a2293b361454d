//! Shows a signing: which pose, which word and which letter stand on the screen at a moment.

use std::borrow::Cow;

use models::pose::Pose;

use super::clock::Clock;
use super::{Backdrop, Caption, Rig, Screen, Span, Stance, State, Tone};
use crate::production::{Provenance, Signing, Word};

/// A signing that is ready to be shown.
#[derive(Debug)]
pub struct Playback<'a> {
    signing: Cow<'a, Signing>,
    rig: Rig,
    stance: Stance,
}

impl<'a> Playback<'a> {
    /// Prepares a signing.
    pub fn new(signing: &'a Signing) -> Self {
        Self::of(Cow::Borrowed(signing))
    }

    fn of(signing: Cow<'a, Signing>) -> Self {
        let rig = Rig::of(&signing.track.layout);
        let stance = Stance::of(&rig, &signing.track.frames);
        let mut stance = stance.unwrap_or_else(|| Stance::of_picture(signing.track.size));
        stance.below = below(&signing, &rig, &stance);
        Self { signing, rig, stance }
    }

    /// Widens the view where it reaches less far below the shoulders than this, in shoulder widths; gives how far it
    /// reaches. Signings that follow each other are seen alike.
    pub fn reach(&mut self, below: f32) -> f32 {
        self.stance.below = self.stance.below.max(below);
        self.stance.below
    }

    /// The words.
    pub fn words(&self) -> &[Word] {
        &self.signing.words
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.signing.track.frames.len()
    }

    /// True where there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Frames a second.
    pub fn fps(&self) -> f32 {
        self.signing.track.fps
    }

    /// Draws a frame; past the end the signer rests and the screen is ready.
    pub fn draw(&self, screen: &mut Screen, frame: usize) {
        let frames = &self.signing.track.frames;
        let Some(pose) = frames.get(frame).or(frames.last()) else { return };
        let time_s = frame as f32 / self.fps();
        let state = if frame < frames.len() { State::Signing } else { State::Ready };
        let caption = caption_at(&self.signing.words, time_s);
        screen.signing(&self.rig, pose, self.stance, &caption, state);
    }

    /// Draws the signer of a frame alone, to be laid over other pictures.
    pub fn draw_over(&self, screen: &mut Screen, frame: usize, backdrop: Backdrop) {
        if let Some((rig, pose, stance)) = self.pose(frame) {
            screen.signer_over(rig, pose, stance, backdrop);
        }
    }

    /// Draws the moment of a clock: between two frames what lies between them, and with the caption how fast it goes,
    /// where that is not as it was made, and what else is to be said.
    pub fn draw_at(&self, screen: &mut Screen, clock: &Clock, notes: Vec<Span>) {
        let Some(pose) = self.pose_at(clock) else { return };
        let at = (clock.at_s() * self.fps()) as usize;
        let state = if at < self.len() { State::Signing } else { State::Ready };
        let mut caption = caption_at(&self.signing.words, clock.at_s());
        let speed = (clock.speed() != 1.0).then(|| format!("   {}×", clock.speed()));
        let repeats = clock.repeats().then(|| "   ↻".to_owned());
        caption.note.extend([speed, repeats].into_iter().flatten().map(|text| Span::new(text, Tone::Quiet)));
        caption.note.extend(notes);
        screen.signing(&self.rig, &pose, self.stance, &caption, state);
    }

    /// The pose of the moment of a clock: between two frames what lies between them; none of a signing of nothing.
    pub fn pose_at(&self, clock: &Clock) -> Option<Pose> {
        let frames = &self.signing.track.frames;
        let place = clock.at_s() * self.fps();
        let (at, part) = (place as usize, place.fract());
        let pose = frames.get(at).or(frames.last())?;
        Some(frames.get(at + 1).map_or_else(|| pose.clone(), |next| between(pose, next, part)))
    }

    /// What poses are drawn with, and where the signer stands.
    pub fn view(&self) -> (&Rig, Stance) {
        (&self.rig, self.stance)
    }

    /// A clock for it.
    pub fn clock(&self) -> Clock {
        let signs = self.signing.words.iter().flat_map(|w| &w.signs).filter(|s| s.unusable.is_none());
        Clock::new(signs.map(|s| s.from_s).collect(), self.signing.track.duration_s(), self.fps())
    }

    /// The pose, and where it stands, to draw it elsewhere.
    pub fn pose(&self, frame: usize) -> Option<(&Rig, &Pose, Stance)> {
        Some((&self.rig, self.signing.track.frames.get(frame)?, self.stance))
    }
}

impl Playback<'static> {
    /// The same of a signing that nobody else needs.
    pub fn owned(signing: Signing) -> Self {
        Self::of(Cow::Owned(signing))
    }
}

/// What lies between two frames; a landmark that only one of them saw is that of the nearer.
fn between(from: &Pose, to: &Pose, part: f32) -> Pose {
    let mut pose = if part < 0.5 { from.clone() } else { to.clone() };
    for (k, point) in pose.points.iter_mut().enumerate() {
        if from.confidence[k] > 0.0 && to.confidence[k] > 0.0 {
            let (a, b) = (from.points[k], to.points[k]);
            *point = [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * part);
        }
    }
    pose
}

/// How far below the shoulders hands go while they sign, with a little room; rest does not count.
fn below(signing: &Signing, rig: &Rig, stance: &Stance) -> f32 {
    const ROOM: f32 = 0.06;
    /// A wrist this far below the shoulders, in their widths, is that of an arm that hangs: the hand that does not sign.
    const HANGING: f32 = 1.35;
    let track = &signing.track;
    let middles = signing.words.iter().flat_map(|w| &w.signs).filter(|s| s.unusable.is_none());
    let frames = middles.flat_map(|s| {
        // The first and last quarter of a sign's time may be the way to it and from it.
        let quarter = (s.to_s - s.from_s) / 4.0;
        let at = |time_s: f32| ((time_s * track.fps) as usize).min(track.frames.len());
        &track.frames[at(s.from_s + quarter)..at(s.to_s - quarter)]
    });
    let down = |p: [f32; 3]| (p[1] - stance.middle[1]) / stance.shoulders;
    let hands = frames.flat_map(|pose| (0..2).filter_map(|side| rig.hand(pose, side)));
    let lowest = hands.filter(|hand| down(hand[0]) < HANGING).flatten().map(down).fold(0.0, f32::max);
    (lowest + ROOM).max(Stance::WAIST)
}

/// What a caption says of its words, in the words of some language.
#[derive(Clone, Copy)]
pub struct Wording<'a> {
    /// Where a word's signs came from.
    pub from: &'a dyn Fn(Provenance) -> &'static str,
    /// Before letters that the alphabet lacks.
    pub missing: &'static str,
}

impl Wording<'static> {
    /// In English.
    pub const ENGLISH: Self = Self { from: &Provenance::words, missing: "not in this alphabet" };
}

/// The caption of a moment, in English.
pub fn caption_at(words: &[Word], time_s: f32) -> Caption {
    caption_in(words, time_s, Wording::ENGLISH)
}

/// The caption of a moment: the present word is marked, and the note says how it is signed.
pub fn caption_in(words: &[Word], time_s: f32, wording: Wording<'_>) -> Caption {
    let current = words.iter().position(|w| (w.from_s..w.to_s).contains(&time_s));
    let spans = words.iter().enumerate().map(|(i, word)| {
        let tone = match word.provenance {
            _ if current == Some(i) => Tone::Current,
            Provenance::NotFound => Tone::Warn,
            _ if word.signs.iter().any(|sign| sign.unusable.is_some()) => Tone::Warn,
            _ => Tone::Plain,
        };
        Span::new(format!("{}{} ", word.text, word.after), tone)
    });
    let mut caption = Caption { words: spans.collect(), ..Caption::default() };
    if let Some(word) = current.map(|i| &words[i]) {
        caption.note = note(word, time_s, wording);
        caption.close_up = matches!(
            word.provenance,
            Provenance::Spelled
                | Provenance::Number
                | Provenance::Date
                | Provenance::Time
                | Provenance::Money
        );
    }
    let missing: Vec<&str> =
        words.iter().filter(|w| w.provenance == Provenance::NotFound).map(|w| w.text.as_str()).collect();
    if !missing.is_empty() {
        let gap = if caption.note.is_empty() { "" } else { "   " };
        let not_found = (wording.from)(Provenance::NotFound);
        caption.note.push(Span::new(format!("{gap}{not_found}: {}", missing.join(", ")), Tone::Warn));
    }
    caption
}

/// How a word is signed: `spelled  H E L L O` with the present letter marked.
fn note(word: &Word, time_s: f32, wording: Wording<'_>) -> Vec<Span> {
    let mut spans = vec![Span::new(format!("{}   ", (wording.from)(word.provenance)), Tone::Quiet)];
    for sign in &word.signs {
        let tone = match &sign.unusable {
            Some(_) => Tone::Warn,
            None if (sign.from_s..sign.to_s).contains(&time_s) => Tone::Current,
            None => Tone::Quiet,
        };
        spans.push(Span::new(&sign.gloss, tone));
        spans.push(Span::new("  ", Tone::Quiet));
    }
    if !word.missing.is_empty() {
        spans.push(Span::new(format!(" {}: {}", wording.missing, word.missing), Tone::Warn));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::production::{Sign, Source};

    fn word(text: &str, provenance: Provenance, from_s: f32, letters: &str) -> Word {
        let signs: Vec<Sign> = letters
            .chars()
            .enumerate()
            .map(|(i, letter)| Sign {
                gloss: letter.into(),
                from_s: from_s + i as f32,
                to_s: from_s + i as f32 + 1.0,
                source: Source { lexicon: "".into(), clip: "".into(), line: 2 },
                unusable: None,
            })
            .collect();
        let to_s = from_s + letters.len() as f32;
        let (text, after) = (text.into(), ",".into());
        Word { text, after, provenance, signs, missing: String::new(), face: vec![], from_s, to_s }
    }

    #[track_caller]
    fn check(time_s: f32, words: &str, note: &str) {
        let all = [
            word("Ab", Provenance::Spelled, 1.0, "AB"),
            word("你", Provenance::NotFound, 3.0, ""),
            word("C", Provenance::Lexicon, 4.0, "C"),
        ];
        let caption = caption_at(&all, time_s);
        let shown = |spans: &[Span]| -> String {
            let mark = |s: &Span| match s.tone {
                Tone::Current => format!("[{}]", s.text.trim()),
                Tone::Warn => format!("({})", s.text.trim()),
                Tone::Plain | Tone::Quiet => s.text.trim().to_owned(),
            };
            let spans: Vec<String> = spans.iter().map(mark).filter(|s| !s.is_empty()).collect();
            spans.join(" ")
        };
        assert_eq!((shown(&caption.words).as_str(), shown(&caption.note).as_str()), (words, note));
    }

    #[test]
    fn the_present_word_and_letter_are_marked_and_the_missing_are_named() {
        check(0.5, "Ab, (你,) C,", "(not found: 你)");
        check(1.5, "[Ab,] (你,) C,", "spelled [A] B (not found: 你)");
        check(2.0, "[Ab,] (你,) C,", "spelled A [B] (not found: 你)");
        check(4.0, "Ab, (你,) [C,]", "lexicon [C] (not found: 你)");
    }

    #[test]
    fn a_word_whose_recording_cannot_be_used_stands_out() {
        let mut broken = word("Haus", Provenance::Lexicon, 1.0, "H");
        broken.signs[0].unusable = Some("cut short".into());
        let caption = caption_at(&[word("A", Provenance::Lexicon, 0.0, "A"), broken], 0.5);
        let tones: Vec<Tone> = caption.words.iter().map(|span| span.tone).collect();
        assert_eq!(tones, [Tone::Current, Tone::Warn]);
    }
}
