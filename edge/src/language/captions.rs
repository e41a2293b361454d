//! The captions of a reader: what stands on the screen, all that was read since the start, and what was read of
//! the utterance that goes on. The same signs go into all three.

use std::ops::RangeInclusive;
use std::sync::Arc;

use models::spelling::{Letter, Names};

use super::caption::{Item, What};
use super::event::Again;
use super::{Caption, Event, Sign};

/// The caption goes from the screen after this long at rest: the next visitor must not read it. Seconds.
const KEPT_S: f64 = 6.0;
/// Signs that the caption on the screen keeps.
const SHOWN_SIGNS: usize = 100;
/// Signs that the whole transcript keeps.
const TRANSCRIPT_SIGNS: usize = 20_000;

/// What was read, as it is shown and as it is kept.
pub(super) struct Captions {
    shown: Caption,
    transcript: Caption,
    utterance: Caption,
    /// Signs of the utterance that were not sure enough, and that no caption shows yet: a gap stands only beside
    /// signs. When they settled in seconds, and how sure they were.
    gaps: Vec<(f64, f32)>,
    /// When the last sign came onto the screen. Seconds.
    changed_s: f64,
    names: Arc<Names>,
}

impl Captions {
    /// Captions of nothing.
    pub fn new() -> Self {
        let names = Arc::<Names>::default();
        let keeping = |most| Caption::keeping(most, Arc::clone(&names));
        Self {
            shown: keeping(SHOWN_SIGNS),
            transcript: keeping(TRANSCRIPT_SIGNS),
            utterance: keeping(TRANSCRIPT_SIGNS),
            gaps: vec![],
            changed_s: 0.0,
            names,
        }
    }

    /// The caption as it stands on the screen.
    pub fn shown(&self) -> &Caption {
        &self.shown
    }

    /// All that was read since the start.
    pub fn transcript(&self) -> &Caption {
        &self.transcript
    }

    /// Signs that were read of this utterance.
    pub fn signs(&self) -> usize {
        self.utterance.signs()
    }

    /// An utterance begins; gives the text of the one before and its confidence, where it had any.
    pub fn begin(&mut self) -> Option<(String, f32)> {
        self.gaps.clear();
        let next = Caption::keeping(TRANSCRIPT_SIGNS, Arc::clone(&self.names));
        let mut last = std::mem::replace(&mut self.utterance, next);
        last.end_word();
        last.confidence().map(|confidence| (last.text(), confidence))
    }

    /// Adds a sign that settled, behind the gaps that waited for one.
    pub fn settle(&mut self, sign: &Sign, spelled: bool) {
        self.changed_s = sign.t;
        self.fill_gaps();
        let what = match (spelled, sign.text.as_str()) {
            (true, "space") => What::End,
            (true, _) => What::Letter(letter(sign, true)),
            (false, text) => What::Sign(text.into()),
        };
        self.push(Item { at_s: sign.t, confidence: sign.confidence, what });
    }

    /// Adds a letter that was not sure enough where a word is being spelled; gives whether one is.
    pub fn doubt_letter(&mut self, sign: &Sign) -> bool {
        let spelling = self.shown.is_spelling(sign.t);
        if spelling {
            let what = What::Letter(letter(sign, false));
            self.push(Item { at_s: sign.t, confidence: sign.confidence, what });
        }
        spelling
    }

    /// Notes that a sign is missing that was not sure enough.
    pub fn doubt(&mut self, sign: &Sign) {
        self.gaps.push((sign.t, sign.confidence));
    }

    /// Shows where signs are missing: a caption that leaves them out says something else.
    pub fn fill_gaps(&mut self) {
        for (at_s, confidence) in std::mem::take(&mut self.gaps) {
            self.push(Item { at_s, confidence, what: What::Gap });
        }
    }

    /// Puts what was read when the utterance was over in the place of what was read within a time; gives the
    /// caption, if it is another one now.
    pub fn replace(&mut self, at_s: f64, time_s: RangeInclusive<f64>, signs: &[Again]) -> Option<Event> {
        let item = |Again { sign, spelled, sure }: &Again| {
            let what = match (spelled, sure) {
                (true, _) => What::Letter(letter(sign, *sure)),
                (false, true) => What::Sign(sign.text.clone()),
                (false, false) => What::Gap,
            };
            Item { at_s: sign.t, confidence: sign.confidence, what }
        };
        // A gap stands only beside signs.
        let any = signs.iter().any(|again| again.sure);
        let items: Vec<Item> = signs.iter().filter(|_| any).map(item).collect();
        let before = self.shown.text();
        for caption in self.all() {
            caption.replace(time_s.clone(), items.clone());
        }
        self.gaps.retain(|(at_s, _)| !time_s.contains(at_s));
        if any {
            self.changed_s = at_s;
        }
        let (text, confidence) = (self.shown.text(), self.shown.confidence().unwrap_or(0.0));
        (text != before).then_some(Event::Caption { t: at_s, text, confidence })
    }

    /// Ends the word that was being spelled where nobody spells on; gives the caption, if that changed it.
    pub fn end_word_in_time(&mut self, at_s: f64) -> Option<Event> {
        if self.shown.is_spelling(at_s) { None } else { self.end_word(at_s) }
    }

    /// Ends the word that is being spelled; gives the caption, if that changed it.
    pub fn end_word(&mut self, at_s: f64) -> Option<Event> {
        self.transcript.end_word();
        if self.shown.end_word() { self.tell(at_s) } else { None }
    }

    /// Takes a caption from the screen that stood there long enough with all hands at rest.
    pub fn fade(&mut self, at_s: f64) -> Option<Event> {
        if at_s - self.changed_s <= KEPT_S || self.shown.is_empty() {
            return None;
        }
        self.shown.clear();
        Some(Event::Caption { t: at_s, text: String::new(), confidence: 0.0 })
    }

    /// The caption on the screen, if there is any.
    pub fn tell(&self, at_s: f64) -> Option<Event> {
        let confidence = self.shown.confidence()?;
        Some(Event::Caption { t: at_s, text: self.shown.text(), confidence })
    }

    /// Forgets all.
    pub fn reset(&mut self) {
        self.begin();
        self.shown.clear();
        self.transcript.clear();
        self.changed_s = 0.0;
    }

    fn push(&mut self, item: Item) {
        for caption in self.all() {
            caption.push(item.clone());
        }
    }

    fn all(&mut self) -> [&mut Caption; 3] {
        [&mut self.shown, &mut self.transcript, &mut self.utterance]
    }
}

/// A letter with what else it may have been.
fn letter(sign: &Sign, shown: bool) -> Letter {
    let capital = |label: &str| label.chars().next().map(|c| c.to_ascii_uppercase());
    let likely =
        std::iter::once((&sign.text, sign.confidence)).chain(sign.others.iter().map(|(l, p)| (l, *p)));
    // What is no letter ("space", a word's sign) was not spelled.
    let likely: Vec<_> = likely
        .filter(|(label, _)| label.chars().count() == 1)
        .filter_map(|(label, p)| Some((capital(label)?, p)))
        .collect();
    Letter { shown: capital(&sign.text).filter(|_| shown), likely }
}
