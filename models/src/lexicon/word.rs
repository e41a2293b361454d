//! Words as a lexicon compares them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A word or phrase in the form in which it is looked up: composed (NFC), in
/// small letters, without punctuation, with one space between words.
///
/// Letters of all scripts are kept, and so are the marks that stand on them
/// (Arabic vowels, Hebrew points). The Greek final sigma becomes the common
/// one, so that a letter is found wherever it stood. What consists of
/// punctuation only is kept as it is, so that a lexicon may sign `@`.
pub fn normalise(text: &str) -> String {
    let composed: String = text.nfc().collect();
    let small = composed.to_lowercase();
    let words = small.split_whitespace().map(bare).filter(|word| !word.is_empty());
    let bare = words.collect::<Vec<_>>().join(" ");
    if bare.is_empty() { small.trim().to_owned() } else { bare }
}

/// A word in letters that all keyboards and all corpora have, for look-ups where the word itself was not found:
/// normalised, `ä` as `ae`, `ö` as `oe`, `ü` as `ue`, `ß` as `ss`, other accents left out.
///
/// Corpora of glosses write `UEBERSCHWEMMUNG`, and who types in a hurry writes `Ueberschwemmung` or `cafe`. Two
/// words may become one (`Maße` and `Masse`), so the word as it is written comes first.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in normalise(text).chars() {
        match c {
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            c if c.is_ascii() => out.push(c),
            // Only letters of the Latin script lose their accents: in others the mark makes another letter.
            c => match c.nfd().next() {
                Some(base) if base.is_ascii_alphabetic() => out.push(base),
                _ => out.push(c),
            },
        }
    }
    out
}

/// One word of small letters, without punctuation.
fn bare(word: &str) -> String {
    let kept = word.chars().filter(|&c| c.is_alphanumeric() || is_combining_mark(c));
    kept.map(|c| if c == 'ς' { 'σ' } else { c }).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(normalise(text), expect);
        assert_eq!(normalise(expect), expect, "what is normal stays as it is");
    }

    #[test]
    fn case_spaces_and_punctuation_go() {
        check("  Hello,  World! ", "hello world");
        check("don’t", "dont");
        check("(E-Mail)", "email");
        check("500.", "500");
        check("", "");
    }

    #[test]
    fn german_letters_stay_themselves() {
        check("GRÖßE", "größe");
        check("U\u{308}bung", "übung");
        check("STRAẞE", "straße");
        assert_ne!(normalise("Masse"), normalise("Maße"));
    }

    #[test]
    fn plain_words_have_plain_letters() {
        for (text, expect) in [
            ("Überschwemmung", "ueberschwemmung"),
            ("UEBERSCHWEMMUNG", "ueberschwemmung"),
            ("GRÖẞE", "groesse"),
            ("Café-crème", "cafecreme"),
            ("їжак", "їжак"),
            ("你好", "你好"),
        ] {
            assert_eq!(plain(text), expect);
        }
    }

    #[test]
    fn other_scripts_are_kept() {
        check("شكرًا!", "شكرًا");
        check("«תודה»", "תודה");
        check("Дякую.", "дякую");
        check("你好。", "你好");
        check("ΚΑΛΗΜΕΡΑΣ", "καλημερασ");
    }

    #[test]
    fn punctuation_alone_is_kept() {
        check(" @ ", "@");
        check("...", "...");
    }
}
