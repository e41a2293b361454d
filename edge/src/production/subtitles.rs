//! The words of a signing as subtitles, each while it is signed.

use models::annotation::Annotation;
use models::translator::text::is_wide;

use super::Word;
use super::text::ends_sentence;

/// Characters of two lines of a subtitle (EBU: 37 to 42 a line).
const MOST_CHARACTERS: usize = 74;

/// Words as subtitles: a sentence each, or as much of one as two lines hold. What is not signed stands with what is
/// signed before it. Where a translator chose the signs, its glosses are the words.
pub fn subtitles(words: &[Word]) -> Vec<Annotation> {
    let mut cues: Vec<Cue> = vec![];
    for word in words {
        let signed = word.to_s > word.from_s;
        match cues.last_mut() {
            Some(cue) if !(cue.full(word) && signed && cue.signed()) => cue.add(word),
            _ => cues.push(Cue::of(word)),
        }
    }
    let mut end = 0;
    let mut subtitles = vec![];
    for cue in cues.into_iter().filter(Cue::signed) {
        let ms = |s: f32| (f64::from(s) * 1e3).round().clamp(0.0, f64::from(u32::MAX - 1)) as u32;
        let start = ms(cue.from_s).max(end);
        end = ms(cue.to_s).max(start + 1);
        subtitles.push(Annotation::new(start, end, cue.text));
    }
    subtitles
}

/// Words that stand on the screen together.
struct Cue {
    text: String,
    from_s: f32,
    to_s: f32,
    ends: bool,
}

impl Cue {
    fn of(word: &Word) -> Self {
        let mut cue = Self { text: String::new(), from_s: word.from_s, to_s: word.to_s, ends: false };
        cue.add(word);
        cue
    }

    /// Whether any of its words is signed: only then it lasts.
    fn signed(&self) -> bool {
        self.to_s > self.from_s
    }

    fn full(&self, word: &Word) -> bool {
        let length = |text: &str| text.chars().count();
        self.ends || length(&self.text) + length(&word.text) + length(&word.after) >= MOST_CHARACTERS
    }

    fn add(&mut self, word: &Word) {
        if word.to_s > word.from_s {
            self.from_s = if self.signed() { self.from_s } else { word.from_s };
            self.to_s = word.to_s;
        }
        let wide = |c: Option<char>| c.is_some_and(is_wide);
        let joined = wide(self.text.chars().next_back()) && wide(word.text.chars().next());
        if !self.text.is_empty() && !joined {
            self.text.push(' ');
        }
        self.text.push_str(&word.text);
        self.text.push_str(word.after.trim());
        self.ends = [&word.after, &word.text].into_iter().any(|marks| ends_sentence(marks).is_some());
    }
}

#[cfg(test)]
mod tests {
    use models::annotation::{read_srt, write_srt};

    use super::*;
    use crate::production::Provenance;

    /// Words of a text, each signed for a second but those in brackets.
    fn words(text: &str) -> Vec<Word> {
        let mut now = 0.5;
        let word = |written: &str| {
            let silent = written.starts_with('(');
            let bare = written.trim_matches(['(', ')']);
            let (text, after) = bare.split_at(bare.trim_end_matches(['.', ',', '?', '。']).len());
            let from_s = now;
            now += if silent { 0.0 } else { 1.0 };
            let provenance = if silent { Provenance::NotFound } else { Provenance::Lexicon };
            let (text, after, signs, missing) = (text.into(), after.into(), vec![], String::new());
            Word { text, after, provenance, signs, missing, face: vec![], from_s, to_s: now }
        };
        text.split_whitespace().map(word).collect()
    }

    #[track_caller]
    fn check(text: &str, expect: &[(u32, u32, &str)]) {
        let expect: Vec<_> =
            expect.iter().map(|(from, to, text)| Annotation::new(*from, *to, *text)).collect();
        let subtitles = subtitles(&words(text));
        assert_eq!(subtitles, expect);
        assert_eq!(read_srt(write_srt(&subtitles).unwrap().as_bytes()).unwrap(), expect);
    }

    #[test]
    fn a_sentence_stands_while_it_is_signed() {
        check("Rain tomorrow. Wind, too?", &[(500, 2500, "Rain tomorrow."), (2500, 4500, "Wind, too?")]);
        check("今天 天气。 好 OK", &[(500, 2500, "今天天气。"), (2500, 4500, "好 OK")]);
        check("", &[]);
    }

    #[test]
    fn what_is_not_signed_is_not_left_out() {
        check("(oh.) rain (hm.) (so.) wind", &[(500, 1500, "oh. rain hm. so."), (1500, 2500, "wind")]);
        check("rain. (hm.)", &[(500, 1500, "rain. hm.")]);
        check("(hm.)", &[]);
    }

    #[test]
    fn a_long_sentence_is_cut_where_two_lines_are_full() {
        let subtitles = subtitles(&words(&["rain"; 40].join(" ")));
        assert_eq!(subtitles.iter().map(|s| s.text.split(' ').count()).sum::<usize>(), 40);
        assert!(subtitles.iter().all(|s| s.text.chars().count() <= MOST_CHARACTERS));
        assert!(subtitles.windows(2).all(|pair| pair[0].end_ms <= pair[1].start_ms));
        assert_eq!(subtitles.len(), 3);
    }
}
