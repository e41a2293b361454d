//! Sentences in the one form that translators learn and read.

use unicode_normalization::UnicodeNormalization;

/// A sentence as translators read it: composed (NFC), in small letters, marks of punctuation parted from words,
/// one space between two. Marks that only direct the writing, and control characters, go.
pub fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let letters: Vec<char> = text.nfc().flat_map(char::to_lowercase).filter(|c| !is_unseen(*c)).collect();
    for (i, &c) in letters.iter().enumerate() {
        let near = |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(|c| c.is_alphanumeric());
        let inside = near(i.checked_sub(1)) && near(Some(i + 1));
        if c.is_whitespace() || c.is_control() {
            out.push(' ');
        } else if is_mark(c) && !(inside && is_joint(c)) {
            out.extend([' ', c, ' ']);
        } else {
            out.push(c);
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Glosses as translators read them: composed, one space between two.
pub fn normal_glosses(glosses: &str) -> String {
    let composed: String = glosses.nfc().filter(|c| !is_unseen(*c)).collect();
    gloss_words(&composed).collect::<Vec<_>>().join(" ")
}

/// The glosses of a row, which white space parts, or strokes as in Chinese corpora; no gloss contains either.
pub fn gloss_words(row: &str) -> impl Iterator<Item = &str> {
    row.split(|c: char| c.is_whitespace() || c == '/').filter(|g| !g.is_empty())
}

/// Parts of a sentence, in order, so that a long one can be translated part by part: it ends where a sentence
/// does, and where that is not enough, where a clause does.
pub fn parts(sentence: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in sentence.split(' ') {
        if let Some(part) = parts.last_mut() {
            if !part.is_empty() {
                part.push(' ');
            }
            part.push_str(word);
        }
        if word.chars().all(|c| matches!(c, '.' | '!' | '?' | ';' | ',' | '。' | '！' | '？' | '；' | '，'))
        {
            parts.push(String::new());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// A translation as it is written: Chinese and Japanese put no space between words. Elsewhere punctuation stays
/// parted from words, as corpora have it.
pub fn written(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(' ') {
        let near = |c: Option<char>| c.is_some_and(is_wide);
        if !out.is_empty() && !near(out.chars().next_back()) && !near(word.chars().next()) {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Letters and marks of writings without spaces.
pub fn is_wide(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}'
        | '\u{20000}'..='\u{323af}')
}

/// What is not seen on paper: marks of direction, joiners, the byte-order mark, variants of emoji.
pub fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
}

/// Whether a character is punctuation or a symbol.
fn is_mark(c: char) -> bool {
    !c.is_alphanumeric() && !unicode_normalization::char::is_combining_mark(c)
}

/// Marks that belong to a word when they stand in it.
fn is_joint(c: char) -> bool {
    matches!(c, '-' | '\'' | '’' | '_' | '+' | '.' | ',' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(normal(text), expect);
        assert_eq!(normal(expect), expect, "what is normal stays as it is");
    }

    #[test]
    fn sentences_are_brought_into_one_form() {
        check("Am Tag 12 Grad,\tdann Regen.", "am tag 12 grad , dann regen .");
        check("U\u{308}ber 3,5 Nord-Süd-Wind (böig)!", "über 3,5 nord-süd-wind ( böig ) !");
        check("am tag auch sonne .", "am tag auch sonne .");
        check("今天，天气好。", "今天 ， 天气好 。");
        check("  ", "");
    }

    #[test]
    fn what_nobody_sees_goes() {
        check("\u{feff}mor\u{ad}gen \u{202e}regen\u{0}\u{200f}", "morgen regen");
        check("👍\u{fe0f} مرحبا", "👍 مرحبا");
    }

    #[test]
    fn glosses_keep_their_marks() {
        assert_eq!(normal_glosses(" IX  fs-ANNA/2+\u{200b} neg-MUSS "), "IX fs-ANNA 2+ neg-MUSS");
    }

    #[test]
    fn a_translation_is_written_as_its_language_is() {
        assert_eq!(written("今天 ， ok go 天气 好 。"), "今天，ok go天气好。");
        assert_eq!(written("am tag , regen ."), "am tag , regen .");
    }

    #[test]
    fn a_long_sentence_is_parted_where_it_pauses() {
        assert_eq!(parts("a b , c . d"), ["a b ,", "c .", "d"]);
        assert_eq!(parts(""), [""; 0]);
    }
}
