//! Text to tokens: words, numbers and the pauses that punctuation asks for.

use models::translator::text::{is_unseen, is_wide};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// As written.
    pub text: String,
    pub kind: Kind,
    /// Whether a blank or nothing stands before it.
    pub spaced: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// Decimal digits of any script.
    Number,
    /// Punctuation and symbols: a pause.
    Mark,
}

/// Cuts a text into tokens. Blanks are dropped, and so is what nobody sees (marks of direction, soft hyphens); letters
/// and digits part (`A4` is two tokens), and so do writings with spaces and without.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut joined = false; // Whether the next character may go on with the last token.
    let characters: Vec<char> = text.nfc().filter(|c| !is_unseen(*c)).collect();
    for (i, &c) in characters.iter().enumerate() {
        if c.is_whitespace() || c.is_control() {
            joined = false;
            continue;
        }
        let last = found.last_mut().filter(|_| joined);
        let last_kind = last.as_ref().map(|t| t.kind);
        let inside = |kind| last_kind == Some(kind);
        let next_is_letter = characters.get(i + 1).is_some_and(|n| n.is_alphabetic());
        let kind = if digit(c).is_some() {
            Kind::Number
        } else if c.is_alphabetic()
            || (is_combining_mark(c) && inside(Kind::Word))
            || (matches!(c, '\'' | '’' | 'ʼ' | '-') && inside(Kind::Word) && next_is_letter)
        {
            Kind::Word
        } else {
            Kind::Mark
        };
        let end = last.as_ref().and_then(|t| t.text.chars().next_back());
        let parted = end.is_some_and(|end| match kind {
            Kind::Word => is_wide(end) != is_wide(c),
            Kind::Number => false,
            Kind::Mark => is_unit(end) || is_unit(c),
        });
        match last {
            Some(token) if token.kind == kind && !parted => token.text.push(c),
            _ => found.push(Token { text: c.to_string(), kind, spaced: !joined }),
        }
        joined = true;
    }
    found
}

/// Marks that say what a number counts, each of which is a token by itself.
fn is_unit(c: char) -> bool {
    matches!(c, '€' | '$' | '£' | '¥' | '￥' | '%' | '°' | '-' | '−')
}

/// The value of a decimal digit: European, Arabic-Indic, Persian, Devanagari or full-width.
pub(super) fn digit(c: char) -> Option<u32> {
    const ZEROS: [u32; 5] = ['0' as u32, 0x0660, 0x06F0, 0x0966, 0xFF10];
    ZEROS.iter().find_map(|&zero| (c as u32).checked_sub(zero).filter(|&value| value < 10))
}

/// Whether marks end a sentence, and then whether it is a question.
pub(super) fn ends_sentence(marks: &str) -> Option<bool> {
    let ends = marks.chars().filter_map(|c| match c {
        '?' | '？' | '؟' => Some(true),
        '.' | '!' | '。' | '！' | '…' => Some(false),
        _ => None,
    });
    ends.reduce(|asks, also| asks || also)
}

/// How long marks make the signer pause, in seconds.
pub(super) fn pause_s(marks: &str) -> f32 {
    if ends_sentence(marks).is_some() {
        return 0.4;
    }
    let within = |c| matches!(c, ',' | ';' | ':' | '–' | '—' | '،' | '、' | '，');
    if marks.contains(within) { 0.2 } else { 0.0 }
}

/// A letter written with simpler ones, for alphabets that lack it; `None` where there is no such way.
///
/// German writes `ä` as `ae`; elsewhere accents go.
pub(super) fn folded(letter: char, spoken: &str) -> Option<String> {
    let written = match letter {
        'ä' if spoken == "de" => "ae",
        'ö' if spoken == "de" => "oe",
        'ü' if spoken == "de" => "ue",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        _ => "",
    };
    if !written.is_empty() {
        return Some(written.into());
    }
    let bare: String = letter.nfkd().filter(|&c| !is_combining_mark(c)).collect();
    (bare != letter.to_string()).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let shown: Vec<String> = tokens(text)
            .iter()
            .map(|t| {
                let kind = match t.kind {
                    Kind::Word => 'w',
                    Kind::Number => 'n',
                    Kind::Mark => 'm',
                };
                format!("{kind}:{}", t.text)
            })
            .collect();
        assert_eq!(shown.join(" "), expect);
    }

    #[test]
    fn words_numbers_and_marks_part() {
        check("Hello, world!", "w:Hello m:, w:world m:!");
        check("Gleis 12b", "w:Gleis n:12 w:b");
        check("don't 'quote'", "w:don't m:' w:quote m:'");
        check("E-Mail - 5-7", "w:E-Mail m:- n:5 m:- n:7");
        check("14:30", "n:14 m:: n:30");
        check(" \t\n", "");
        check("12,50 €!", "n:12 m:, n:50 m:€ m:!");
        check("GPS定位A", "w:GPS w:定位 w:A");
        check("mor\u{ad}gen \u{202e}ab\u{200f}", "w:morgen w:ab");
    }

    #[test]
    fn all_scripts_are_words() {
        check("Straße їжак καλημέρα", "w:Straße w:їжак w:καλημέρα");
        check("你好", "w:你好");
        check("e\u{301}tude", "w:étude");
        check("٣٤ مرحبا", "n:٣٤ w:مرحبا");
        check("🙂", "m:🙂");
    }

    #[test]
    fn digits_of_other_scripts_have_their_value() {
        assert_eq!("٣4७９".chars().map(digit).collect::<Vec<_>>(), [Some(3), Some(4), Some(7), Some(9)]);
        assert_eq!(digit('a'), None);
    }

    #[test]
    fn letters_fold_to_simpler_ones() {
        assert_eq!(folded('ä', "de").as_deref(), Some("ae"));
        assert_eq!(folded('ä', "sv").as_deref(), Some("a"));
        assert_eq!(folded('ß', "de").as_deref(), Some("ss"));
        assert_eq!(folded('é', "en").as_deref(), Some("e"));
        assert_eq!(folded('ά', "el").as_deref(), Some("α"));
        assert_eq!(folded('q', "en"), None);
        assert_eq!(folded('你', "en"), None);
    }
}
