//! Gloss labels: how they are written, and when two are the same.
//!
//! Corpora write one sign as `THANK-YOU`, `thank_you` or `Thank you`. Scores and
//! look-ups must not depend on that, so labels are compared by their key.

mod asllrp;
mod convention;

use unicode_normalization::UnicodeNormalization;

pub use convention::{Convention, Form};

/// What a label is compared by: in capitals, without spaces, `-` and `_`.
///
/// Capitals are Unicode's, so that `straße` and `STRASSE` agree; composed and
/// decomposed letters agree as well.
pub fn label_key(label: &str) -> String {
    let kept = label.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_'));
    kept.flat_map(char::to_uppercase).nfc().collect()
}

/// Whether two labels name the same gloss.
pub fn same_label(a: &str, b: &str) -> bool {
    label_key(a) == label_key(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, same: bool) {
        assert_eq!(same_label(a, b), same, "{a:?} and {b:?}");
    }

    #[test]
    fn labels_are_compared_without_case_spaces_and_joints() {
        check("THANK-YOU", "thank_you", true);
        check("Thank you", "THANKYOU", true);
        check(" book\t", "BOOK", true);
        check("book", "books", false);
        check("", "-_ ", true);
    }

    #[test]
    fn other_marks_count() {
        check("INDEX1", "INDEX2", false);
        check("HAUS+", "HAUS", false);
        check("$GEST^", "$GEST", false);
    }

    #[test]
    fn letters_beyond_ascii_are_compared_as_unicode_does() {
        check("für", "FÜR", true);
        check("fu\u{308}r", "FÜR", true);
        check("Straße", "STRASSE", true);
        check("безпека", "БЕЗПЕКА", true);
        check("für", "fur", false);
    }
}
