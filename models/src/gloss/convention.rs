//! What a gloss label says beside the sign: spelling, pointing, negation, repetition, place, variant.
//!
//! Corpora agree on little, so a label is looked up as it stands first; only where no lexicon has it is it taken
//! apart by the marks that are common: `fs-ANNA` and `#OK` (spelled), `J+U+L+I` (letter by letter), `IX-1` and
//! `INDEX` (pointing), `neg-HABEN` and `negalp-AUCH` (negated), `HAUS++` and `REGEN-PLUSPLUS` (repeated),
//! `loc-NORD`, `poss-MEIN`, `cl-`, `lh-`, `rh-`, `mb-`, `ns-` and `DESC-` (how or where), `HAUS1A` and `考试2` (variants),
//! `__ON__` (a note of the annotator).

/// What kind of label it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A sign, or what signs of a lexicon can stand for.
    Sign,
    /// A word that is spelled letter by letter.
    Spelled,
    /// Pointing; it is never spelled, for its label is no word.
    Point,
    /// A note of the annotator, which nobody signs.
    Note,
}

/// A label, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convention {
    /// What kind of label it is.
    pub form: Form,
    /// What to look up where the label itself is not found, the closest first.
    pub bases: Vec<String>,
    /// How often it is made, at least once.
    pub times: usize,
    /// Whether it says that it is not so.
    pub negated: bool,
}

/// What a label may begin with that says how or where and not what, in small letters.
const HOW: [&str; 12] =
    ["loc-", "loc:", "poss-", "cl-", "cl:", "lh-", "rh-", "mb-", "ns-", "desc-", "x-", "wh-"];
/// Beginnings of negated labels, in small letters.
const NEGATED: [&str; 2] = ["negalp-", "neg-"];
/// Beginnings of spelled labels, in small letters.
const SPELLED: [&str; 3] = ["fs-", "fs:", "#"];
/// Pointing signs, in capitals.
const POINTS: [&str; 2] = ["IX", "INDEX"];
/// A sign is made at most so often: more marks only say that it went on.
const MOST_TIMES: usize = 3;

impl Convention {
    /// Takes a label apart.
    pub fn of(label: &str) -> Self {
        let label = label.trim();
        let mut found = Self { form: Form::Sign, bases: vec![], times: 1, negated: false };
        if label.len() > 4 && label.starts_with("__") && label.ends_with("__") {
            return Self { form: Form::Note, ..found };
        }
        if let Some(word) = SPELLED.iter().find_map(|mark| after(label, mark)).or_else(|| letters(label)) {
            return Self { form: Form::Spelled, bases: vec![word], ..found };
        }
        let (mut base, times) = repeated(label);
        found.times = times;
        loop {
            if let Some(rest) = NEGATED.iter().find_map(|mark| after(base, mark)) {
                found.negated = true;
                base = &base[base.len() - rest.len()..];
            } else if let Some(rest) = HOW.iter().find_map(|mark| after(base, mark)) {
                base = &base[base.len() - rest.len()..];
            } else {
                break;
            }
        }
        if let Some(point) = POINTS.into_iter().find(|point| points(base, point)) {
            let mut bases = vec![base.to_owned(), point.to_owned()];
            bases.extend(POINTS.into_iter().filter(|other| *other != point).map(str::to_owned));
            bases.dedup();
            return Self { form: Form::Point, bases, ..found };
        }
        if base != label {
            found.bases.push(base.to_owned());
        }
        if let Some(plain) = without_variant(base) {
            found.bases.push(plain.to_owned());
        }
        found
    }
}

/// What follows a mark, whatever its case; nothing where nothing follows.
pub(super) fn after(label: &str, mark: &str) -> Option<String> {
    let head = label.get(..mark.len())?;
    let rest = label.get(mark.len()..)?;
    (head.eq_ignore_ascii_case(mark) && !rest.is_empty()).then(|| rest.to_owned())
}

/// The word of `J+U+L+I` or `A-N-N-A`: two single letters or more.
fn letters(label: &str) -> Option<String> {
    ['+', '-'].into_iter().find_map(|joint| {
        let parts: Vec<&str> = label.split(joint).collect();
        let single = |part: &&str| {
            let mut letters = part.chars();
            letters.next().is_some_and(char::is_alphanumeric) && letters.next().is_none()
        };
        (parts.len() > 1 && parts.iter().all(single)).then(|| parts.concat())
    })
}

/// A label without its marks of repetition, and how often it is made.
pub(super) fn repeated(label: &str) -> (&str, usize) {
    let bare = label.trim_end_matches('+');
    if !bare.is_empty() && bare.len() < label.len() {
        return (bare, (1 + label.len() - bare.len()).min(MOST_TIMES));
    }
    let upper = label.strip_suffix("-PLUSPLUS").or_else(|| label.strip_suffix("-plusplus"));
    upper.filter(|base| !base.is_empty()).map_or((label, 1), |base| (base, 2))
}

/// Whether a label is a pointing sign, with whatever says at what.
fn points(base: &str, point: &str) -> bool {
    let rest = base.get(..point.len()).filter(|head| head.eq_ignore_ascii_case(point));
    let rest = rest.and_then(|_| base[point.len()..].chars().next());
    base.eq_ignore_ascii_case(point)
        || rest.is_some_and(|c| matches!(c, '-' | '_' | ':' | '=') || c.is_numeric())
}

/// `HAUS1`, `HAUS1A` and `考试2` without what tells variants apart; a number by itself is none.
fn without_variant(base: &str) -> Option<&str> {
    let bare = base.strip_suffix(|c: char| c.is_ascii_uppercase() || c.is_ascii_lowercase());
    let bare = bare.filter(|bare| bare.ends_with(|c: char| c.is_ascii_digit())).unwrap_or(base);
    let plain = bare.trim_end_matches(|c: char| c.is_ascii_digit());
    (plain.len() < bare.len() && plain.chars().any(char::is_alphabetic))
        .then(|| plain.trim_end_matches(['-', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(label: &str, form: Form, bases: &[&str], times: usize, negated: bool) {
        let bases = bases.iter().map(|b| (*b).to_owned()).collect();
        assert_eq!(Convention::of(label), Convention { form, bases, times, negated }, "{label:?}");
    }

    #[test]
    fn marks_are_told_from_signs() {
        use Form::{Note, Point, Sign, Spelled};
        check("HAUS", Sign, &[], 1, false);
        check("HAUS++", Sign, &["HAUS"], 3, false);
        check("REGEN-PLUSPLUS", Sign, &["REGEN"], 2, false);
        check("loc-NORD", Sign, &["NORD"], 1, false);
        check("LOC:NORD+", Sign, &["NORD"], 2, false);
        check("neg-HABEN", Sign, &["HABEN"], 1, true);
        check("negalp-AUCH", Sign, &["AUCH"], 1, true);
        check("HAUS1A", Sign, &["HAUS"], 1, false);
        check("考试2", Sign, &["考试"], 1, false);
        check("rh-HAUS2", Sign, &["HAUS2", "HAUS"], 1, false);
        check("fs-ANNA", Spelled, &["ANNA"], 1, false);
        check("#OK", Spelled, &["OK"], 1, false);
        check("J+U+L+I", Spelled, &["JULI"], 1, false);
        check("A-N-N-A", Spelled, &["ANNA"], 1, false);
        check("IX", Point, &["IX", "INDEX"], 1, false);
        check("ix-3p", Point, &["ix-3p", "IX", "INDEX"], 1, false);
        check("INDEX1", Point, &["INDEX1", "INDEX", "IX"], 1, false);
        check("__ON__", Note, &[], 1, false);
    }

    #[test]
    fn words_that_look_like_marks_stay_words() {
        check("NEGATIV", Form::Sign, &[], 1, false);
        check("INDEXIEREN", Form::Sign, &[], 1, false);
        check("2024", Form::Sign, &[], 1, false);
        check("E-MAIL", Form::Sign, &[], 1, false);
        check("+", Form::Sign, &[], 1, false);
        check("fs-", Form::Sign, &[], 1, false);
        check("", Form::Sign, &[], 1, false);
        check("#", Form::Sign, &[], 1, false);
    }
}
