//! Joins signs to a caption: letters run together to a word, signs stand apart.

use std::collections::VecDeque;
use std::sync::Arc;

use models::spelling::{Letter, Names};

/// Letters that follow one another within this time belong to one word. Seconds.
const WORD_GAP_S: f64 = 2.0;

/// A spelled word has no more letters than this: somebody who spells without a pause starts another.
const MOST_LETTERS: usize = 64;

/// What stands in the place of a letter that was not sure enough.
const UNSURE: char = '?';

/// What stands in the place of a sign that was not sure enough.
pub const GAP: &str = "[?]";

/// What was read so far, as people write it.
#[derive(Debug, Clone)]
pub struct Caption {
    words: VecDeque<Word>,
    most_words: usize,
    names: Arc<Names>,
}

#[derive(Debug, Clone, PartialEq)]
struct Word {
    text: String,
    /// The letters of a word that is being spelled; none of any other.
    letters: Vec<Letter>,
    until_s: f64,
    /// The sum over the signs that it was read from.
    confidence: f32,
    signs: u32,
}

impl Caption {
    /// An empty caption that keeps so many words, the newest, and knows words that people spell.
    pub fn keeping(most_words: usize, names: Arc<Names>) -> Self {
        Self { words: VecDeque::new(), most_words, names }
    }

    /// Adds a fingerspelled letter, as sure as it is.
    pub fn letter(&mut self, letter: Letter, at_s: f64, confidence: f32) {
        let goes_on = |w: &Word| {
            !w.letters.is_empty() && at_s - w.until_s <= WORD_GAP_S && w.letters.len() < MOST_LETTERS
        };
        let shown = letter.shown.unwrap_or(UNSURE);
        match self.words.back_mut() {
            Some(word) if goes_on(word) => {
                word.text.push(shown);
                word.letters.push(letter);
                word.until_s = at_s;
                word.confidence += confidence;
                word.signs += 1;
            }
            _ => {
                self.push(&shown.to_string(), at_s, confidence);
                self.words.back_mut().expect("just pushed").letters.push(letter);
            }
        }
    }

    /// Whether a word is being spelled at this time.
    pub fn is_spelling(&self, at_s: f64) -> bool {
        self.words.back().is_some_and(|w| !w.letters.is_empty() && at_s - w.until_s <= WORD_GAP_S)
    }

    /// Ends the word that is being spelled: a name that was spelled so is written as the name. Whether the text
    /// is another one now.
    pub fn end_word(&mut self) -> bool {
        let Some(word) = self.words.back_mut().filter(|w| !w.letters.is_empty()) else { return false };
        let letters = std::mem::take(&mut word.letters);
        let Some((name, sure)) = self.names.read(&letters) else { return false };
        let changed = word.text != name;
        (word.text, word.confidence, word.signs) = (name, sure, 1);
        changed
    }

    /// Adds a sign that stands for a word.
    pub fn sign(&mut self, text: &str, at_s: f64, confidence: f32) {
        self.push(text, at_s, confidence);
    }

    /// Adds the mark of a sign that was not sure enough; several that follow one another are one gap.
    pub fn gap(&mut self, at_s: f64, confidence: f32) {
        match self.words.back_mut() {
            Some(word) if word.text == GAP => {
                word.until_s = at_s;
                word.confidence = word.confidence.min(confidence);
            }
            _ => self.push(GAP, at_s, confidence),
        }
    }

    fn push(&mut self, text: &str, until_s: f64, confidence: f32) {
        self.end_word();
        if self.words.len() == self.most_words {
            self.words.pop_front();
        }
        self.words.push_back(Word { text: text.into(), letters: vec![], until_s, confidence, signs: 1 });
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

    fn keeping(most_words: usize) -> Caption {
        Caption::keeping(most_words, Arc::default())
    }

    fn letter(c: char, sure: f32) -> Letter {
        Letter { shown: (c != UNSURE).then_some(c), likely: vec![(c, sure)] }
    }

    #[test]
    fn letters_join_until_a_pause_a_space_or_a_sign() {
        let mut caption = keeping(10);
        for (c, at_s) in [('H', 0.0), ('I', 1.8), ('A', 4.0)] {
            caption.letter(letter(c, 0.9), at_s, 0.9);
        }
        caption.end_word();
        caption.letter(letter('B', 0.9), 4.2, 0.9);
        caption.sign("THANK-YOU", 4.6, 0.7);
        caption.letter(letter('C', 0.9), 4.8, 0.9);
        assert_eq!(caption.text(), "HI A B THANK-YOU C");
        assert_eq!(caption.tail(5), "YOU C");
    }

    #[test]
    fn a_caption_is_as_sure_as_its_weakest_word() {
        let mut caption = keeping(10);
        assert_eq!(caption.confidence(), None);
        caption.letter(letter('A', 1.0), 0.0, 1.0);
        caption.letter(letter('B', 0.5), 0.1, 0.5);
        caption.sign("BOOK", 1.0, 0.9);
        assert_eq!(caption.confidence(), Some(0.75));
        caption.clear();
        assert_eq!(caption.text(), "");
    }

    #[test]
    fn a_name_is_written_when_its_last_letter_was_spelled() {
        let mut caption = keeping(10);
        for (n, c) in "MICHA?L".chars().enumerate() {
            caption.letter(letter(c, if c == '?' { 0.3 } else { 0.97 }), n as f64 * 0.4, 0.9);
        }
        assert_eq!(caption.text(), "MICHA?L", "it is not known yet whether more comes");
        assert!(caption.is_spelling(3.0) && !caption.is_spelling(9.0));
        caption.sign("HELLO", 9.0, 0.9);
        assert_eq!(caption.text(), "MICHAEL HELLO");
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut caption = keeping(2);
        for i in 0..200 {
            caption.letter(letter('A', 0.9), f64::from(i) * 0.5, 0.9);
        }
        assert_eq!(caption.text().len(), 64 + 1 + 200 % 64);
        caption.sign("BOOK", 101.0, 0.9);
        assert_eq!(caption.text(), format!("{} BOOK", "A".repeat(200 % 64)));
    }
}
