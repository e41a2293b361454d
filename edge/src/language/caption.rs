//! Joins signs to a caption: letters run together to a word, signs stand apart.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::sync::Arc;

use models::spelling::{Letter, Names};

/// Letters that follow one another within this time belong to one word. Seconds.
const WORD_GAP_S: f64 = 2.0;

/// A spelled word has no more letters than this: somebody who spells without a pause starts another.
const MOST_LETTERS: usize = 64;

/// What stands in the place of a sign that was not sure enough.
pub const GAP: &str = "[?]";

/// What stands in the place of a letter that was not sure enough.
const UNSURE: char = '?';

/// What was read so far, as people write it.
#[derive(Debug, Clone)]
pub struct Caption {
    items: VecDeque<Item>,
    most: usize,
    names: Arc<Names>,
    /// The words of all items, since something was last changed: a screen asks for them with every frame.
    words: OnceCell<Vec<Word>>,
}

/// One thing that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// When it was settled, in seconds of the source.
    pub at_s: f64,
    /// 0 to 1.
    pub confidence: f32,
    /// What it is.
    pub what: What,
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A sign that stands for a word.
    Sign(String),
    /// A fingerspelled letter.
    Letter(Letter),
    /// A sign that was not sure enough.
    Gap,
    /// The end of a word that was spelled.
    End,
}

/// A word and what it was read from.
#[derive(Debug, Clone, PartialEq)]
struct Word {
    text: String,
    confidence: f32,
}

impl Caption {
    /// An empty caption that keeps about so many signs, the newest, and knows words that people spell.
    pub fn keeping(most: usize, names: Arc<Names>) -> Self {
        Self { items: VecDeque::new(), most, names, words: OnceCell::new() }
    }

    /// Adds what was read; gaps that follow one another are one.
    pub fn push(&mut self, item: Item) {
        self.words.take();
        if let (What::Gap, Some(last)) = (&item.what, self.items.back_mut())
            && last.what == What::Gap
        {
            (last.at_s, last.confidence) = (item.at_s, last.confidence.min(item.confidence));
            return;
        }
        self.items.push_back(item);
        if self.items.len() > self.most {
            self.items.pop_front();
            // Half a word would be another one.
            while self.items.front().is_some_and(|i| matches!(i.what, What::Letter(_) | What::End)) {
                self.items.pop_front();
            }
        }
    }

    /// Puts what was read later, and better, in the place of what was read within a time.
    pub fn replace(&mut self, time_s: std::ops::RangeInclusive<f64>, by: Vec<Item>) {
        self.words.take();
        let mut after: VecDeque<Item> = std::mem::take(&mut self.items);
        after.retain(|item| !time_s.contains(&item.at_s));
        let at = after.iter().take_while(|item| item.at_s < *time_s.start()).count();
        let behind = after.split_off(at);
        self.items = after;
        by.into_iter().chain(behind).for_each(|item| self.push(item));
    }

    /// Whether a word is being spelled at this time.
    pub fn is_spelling(&self, at_s: f64) -> bool {
        let last = self.items.back();
        last.is_some_and(|i| matches!(i.what, What::Letter(_)) && at_s - i.at_s <= WORD_GAP_S)
    }

    /// Ends the word that is being spelled: a name that was spelled so is written as the name. Whether the text
    /// is another one now.
    pub fn end_word(&mut self) -> bool {
        let Some(Item { at_s, what: What::Letter(_), .. }) = self.items.back() else { return false };
        let at_s = *at_s;
        let from = self.items.iter().rposition(|i| !matches!(i.what, What::Letter(_))).map_or(0, |n| n + 1);
        let word = |caption: &Self| caption.words_from(from).pop();
        let before = word(self);
        self.words.take();
        self.items.push_back(Item { at_s, confidence: 1.0, what: What::End });
        word(self) != before
    }

    /// The text, words apart.
    pub fn text(&self) -> String {
        self.words().iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The last words that fit into `columns` letters, for a caption band.
    pub fn tail(&self, columns: usize) -> String {
        let text = self.text();
        let skip = text.chars().count().saturating_sub(columns);
        text.chars().skip(skip).collect()
    }

    /// The lowest mean confidence of a word: a caption is as sure as its weakest word. `None` while it is empty.
    pub fn confidence(&self) -> Option<f32> {
        self.words().iter().map(|w| w.confidence).min_by(f32::total_cmp)
    }

    /// How many signs and letters it was read from, without those that were not sure enough.
    pub fn signs(&self) -> usize {
        let shown = |item: &&Item| match &item.what {
            What::Sign(_) => true,
            What::Letter(letter) => letter.shown.is_some(),
            What::Gap | What::End => false,
        };
        self.items.iter().filter(shown).count()
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.words.take();
        self.items.clear();
    }

    fn words(&self) -> &[Word] {
        self.words.get_or_init(|| self.words_from(0))
    }

    /// The words from an item on.
    fn words_from(&self, from: usize) -> Vec<Word> {
        let mut words = vec![];
        let mut spelled: Vec<(&Item, &Letter)> = vec![];
        for item in self.items.iter().skip(from) {
            if let What::Letter(letter) = &item.what {
                let goes_on = spelled.last().is_none_or(|(last, _)| item.at_s - last.at_s <= WORD_GAP_S);
                if !goes_on || spelled.len() == MOST_LETTERS {
                    words.push(self.spelled(&std::mem::take(&mut spelled), true));
                }
                spelled.push((item, letter));
                continue;
            }
            if !spelled.is_empty() {
                words.push(self.spelled(&std::mem::take(&mut spelled), true));
            }
            match &item.what {
                What::Sign(text) => words.push(Word { text: text.clone(), confidence: item.confidence }),
                What::Gap => words.push(Word { text: GAP.into(), confidence: item.confidence }),
                What::Letter(_) | What::End => {}
            }
        }
        if !spelled.is_empty() {
            // It is not known yet whether more letters come.
            words.push(self.spelled(&spelled, false));
        }
        words
    }

    fn spelled(&self, letters: &[(&Item, &Letter)], is_over: bool) -> Word {
        if is_over {
            let letters: Vec<Letter> = letters.iter().map(|(_, letter)| (*letter).clone()).collect();
            if let Some((text, confidence)) = self.names.read(&letters) {
                return Word { text, confidence };
            }
        }
        let sum: f32 = letters.iter().map(|(item, _)| item.confidence).sum();
        let text = letters.iter().map(|(_, letter)| letter.shown.unwrap_or(UNSURE)).collect();
        Word { text, confidence: sum / letters.len() as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeping(most: usize) -> Caption {
        Caption::keeping(most, Arc::default())
    }

    fn letter(c: char, at_s: f64, confidence: f32) -> Item {
        let letter = Letter { shown: (c != UNSURE).then_some(c), likely: vec![(c, confidence)] };
        Item { at_s, confidence, what: What::Letter(letter) }
    }

    fn sign(text: &str, at_s: f64, confidence: f32) -> Item {
        Item { at_s, confidence, what: What::Sign(text.into()) }
    }

    #[test]
    fn letters_join_until_a_pause_a_space_or_a_sign() {
        let mut caption = keeping(10);
        for (c, at_s) in [('H', 0.0), ('I', 1.8), ('A', 4.0)] {
            caption.push(letter(c, at_s, 0.9));
        }
        caption.end_word();
        caption.push(letter('B', 4.2, 0.9));
        caption.push(sign("THANK-YOU", 4.6, 0.7));
        caption.push(letter('C', 4.8, 0.9));
        assert_eq!(caption.text(), "HI A B THANK-YOU C");
        assert_eq!(caption.tail(5), "YOU C");
    }

    #[test]
    fn a_caption_is_as_sure_as_its_weakest_word() {
        let mut caption = keeping(10);
        assert_eq!(caption.confidence(), None);
        caption.push(letter('A', 0.0, 1.0));
        caption.push(letter('B', 0.1, 0.5));
        caption.push(sign("BOOK", 1.0, 0.9));
        assert_eq!(caption.confidence(), Some(0.75));
        caption.clear();
        assert_eq!(caption.text(), "");
    }

    #[test]
    fn gaps_that_follow_one_another_are_one() {
        let mut caption = keeping(10);
        let gap = |at_s, confidence| Item { at_s, confidence, what: What::Gap };
        for item in [sign("BOOK", 0.0, 0.9), gap(1.0, 0.5), gap(2.0, 0.4), sign("TEA", 3.0, 0.9)] {
            caption.push(item);
        }
        assert_eq!((caption.text().as_str(), caption.confidence()), ("BOOK [?] TEA", Some(0.4)));
    }

    #[test]
    fn a_name_is_written_when_its_last_letter_was_spelled() {
        let mut caption = keeping(10);
        for (n, c) in "MICHA?L".chars().enumerate() {
            caption.push(letter(c, n as f64 * 0.4, if c == '?' { 0.3 } else { 0.97 }));
        }
        assert_eq!(caption.text(), "MICHA?L", "it is not known yet whether more comes");
        assert!(caption.is_spelling(3.0) && !caption.is_spelling(9.0));
        let mut ended = caption.clone();
        assert!(ended.end_word() && !ended.end_word());
        assert_eq!(ended.text(), "MICHAEL");
        caption.push(sign("HELLO", 9.0, 0.9));
        assert_eq!(caption.text(), "MICHAEL HELLO");
    }

    #[test]
    fn what_was_read_again_takes_the_place_of_what_was_read_first() {
        let mut caption = keeping(10);
        for (text, at_s) in [("A", 1.0), ("B", 2.0), ("C", 3.0), ("D", 4.0)] {
            caption.push(sign(text, at_s, 0.9));
        }
        caption.replace(1.5..=3.5, vec![sign("X", 1.8, 0.9), sign("Y", 2.4, 0.9), sign("Z", 3.0, 0.9)]);
        assert_eq!(caption.text(), "A X Y Z D");
        caption.replace(0.0..=9.0, vec![]);
        assert_eq!(caption.text(), "");
        caption.replace(0.0..=9.0, vec![sign("E", 5.0, 0.9)]);
        assert_eq!(caption.text(), "E");
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut caption = keeping(100);
        for i in 0..300 {
            caption.push(letter('A', f64::from(i) * 0.5, 0.9));
        }
        assert!(caption.items.len() <= 100);
        for i in 0..300 {
            caption.push(sign("BOOK", 200.0 + f64::from(i), 0.9));
        }
        assert_eq!(caption.text(), ["BOOK"; 100].join(" "));
    }
}
