//! Joins signs to a caption: letters run together to a word, signs stand apart.

use std::collections::VecDeque;

/// Letters that follow one another within this time belong to one word. Seconds.
const WORD_GAP_S: f64 = 2.0;

/// A spelled word has no more letters than this: somebody who spells without a pause starts another.
const MOST_LETTERS: u32 = 64;

/// What stands in the place of a sign that was not sure enough.
pub const GAP: &str = "[?]";

/// What was read so far, as people write it.
#[derive(Debug, Clone, PartialEq)]
pub struct Caption {
    words: VecDeque<Word>,
    most_words: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Word {
    text: String,
    spelled: bool,
    until_s: f64,
    confidence: f32,
    signs: u32,
}

impl Caption {
    /// An empty caption that keeps so many words, the newest.
    pub fn keeping(most_words: usize) -> Self {
        Self { words: VecDeque::new(), most_words }
    }

    /// Adds a fingerspelled letter.
    pub fn letter(&mut self, letter: &str, at_s: f64, confidence: f32) {
        let goes_on = |w: &Word| w.spelled && at_s - w.until_s <= WORD_GAP_S && w.signs < MOST_LETTERS;
        match self.words.back_mut() {
            Some(word) if goes_on(word) => {
                word.text.push_str(letter);
                word.until_s = at_s;
                word.confidence += confidence;
                word.signs += 1;
            }
            _ => self.push(letter, true, at_s, confidence),
        }
    }

    /// Ends the word that is being spelled.
    pub fn space(&mut self) {
        if let Some(word) = self.words.back_mut() {
            word.spelled = false;
        }
    }

    /// Adds a sign that stands for a word.
    pub fn sign(&mut self, text: &str, at_s: f64, confidence: f32) {
        self.push(text, false, at_s, confidence);
    }

    /// Adds the mark of a sign that was not sure enough; several that follow one another are one gap.
    pub fn gap(&mut self, at_s: f64, confidence: f32) {
        match self.words.back_mut() {
            Some(word) if word.text == GAP => {
                word.until_s = at_s;
                word.confidence = word.confidence.min(confidence);
            }
            _ => self.push(GAP, false, at_s, confidence),
        }
    }

    fn push(&mut self, text: &str, spelled: bool, until_s: f64, confidence: f32) {
        if self.words.len() == self.most_words {
            self.words.pop_front();
        }
        self.words.push_back(Word { text: text.into(), spelled, until_s, confidence, signs: 1 });
    }

    /// The text, words apart.
    pub fn text(&self) -> String {
        self.words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The last words that fit into `columns` letters, for a caption band.
    pub fn tail(&self, columns: usize) -> String {
        let text = self.text();
        let skip = text.chars().count().saturating_sub(columns);
        text.chars().skip(skip).collect()
    }

    /// The lowest mean confidence of a word: a caption is as sure as its weakest word. `None` while it is empty.
    pub fn confidence(&self) -> Option<f32> {
        self.words.iter().map(|w| w.confidence / w.signs as f32).min_by(f32::total_cmp)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.words.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_join_until_a_pause_a_space_or_a_sign() {
        let mut caption = Caption::keeping(10);
        for (letter, at_s) in [("H", 0.0), ("I", 1.8), ("A", 4.0)] {
            caption.letter(letter, at_s, 0.9);
        }
        caption.space();
        caption.letter("B", 4.2, 0.9);
        caption.sign("THANK-YOU", 4.6, 0.7);
        caption.letter("C", 4.8, 0.9);
        assert_eq!(caption.text(), "HI A B THANK-YOU C");
        assert_eq!(caption.tail(5), "YOU C");
    }

    #[test]
    fn a_caption_is_as_sure_as_its_weakest_word() {
        let mut caption = Caption::keeping(10);
        assert_eq!(caption.confidence(), None);
        caption.letter("A", 0.0, 1.0);
        caption.letter("B", 0.1, 0.5);
        caption.sign("BOOK", 1.0, 0.9);
        assert_eq!(caption.confidence(), Some(0.75));
        caption.clear();
        assert_eq!(caption.text(), "");
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut caption = Caption::keeping(2);
        for i in 0..200 {
            caption.letter("A", f64::from(i) * 0.5, 0.9);
        }
        assert_eq!(caption.text().len(), 64 + 1 + 200 % 64);
        caption.sign("BOOK", 101.0, 0.9);
        assert_eq!(caption.text(), format!("{} BOOK", "A".repeat(200 % 64)));
    }
}
