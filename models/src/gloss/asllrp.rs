//! The marks that ASLLRP's annotators put on the glosses of American Sign Language.
//!
//! After Neidle, "SignStream Annotation: Conventions used for the American Sign Language Linguistic Research
//! Project" (Report 11) and its Addendum (Report 13): `fs-JOHN` spelled, `ns-BOSTON` a name sign and `ns-fs-SUE` one
//! that is spelled, `#CAR` a loan of spelling, `IX-1p` pointing with person, `:i` whom the signer has put where,
//! `+` behind a sign repetition and between signs a compound, `(2h)` how many hands, `part:indef` a particle,
//! `BCL"…"` a classifier with its meaning, `MOUSE/FICTION` one sign with two English words.

use super::convention::{Convention, Form, after, repeated};

/// Handshapes whose classifiers have a name.
const CLASSIFIERS: [&str; 7] = ["DCL", "ICL", "LCL", "BPCL", "BCL", "PCL", "SCL"];

impl Convention {
    /// Takes a label of ASLLRP's corpora apart.
    ///
    /// The last of `bases`, or the label where there is none, names the sign without what belongs to this
    /// utterance alone: who stands where, how many hands, how often.
    pub fn asllrp(label: &str) -> Self {
        let label = label.trim();
        let mut found = Self { form: Form::Sign, bases: vec![], times: 1, negated: false };
        let bare = without_hands(label);
        if let Some(word) = ["ns-fs-", "fs-", "#"].iter().find_map(|mark| after(bare, mark)) {
            let (word, times) = repeated(&word);
            let word = without_place(word).trim_matches('"').to_owned();
            return Self { form: Form::Spelled, bases: vec![word], times, ..found };
        }
        // Words in quotes by themselves are gestures that have a meaning and no gloss.
        let gesture = bare.len() > 2 && bare.starts_with('"') && bare.ends_with('"');
        if gesture || bare.starts_with("gesture") {
            return Self { form: Form::Note, ..found };
        }
        let (base, times) = repeated(bare);
        found.times = times;
        let mut push = |base: &str| {
            if base != label && !base.is_empty() && found.bases.last().is_none_or(|last| last != base) {
                found.bases.push(base.to_owned());
            }
        };
        push(base);
        let base = without_place(base);
        push(base);
        if base == "IX" || ["IX-", "IX\""].iter().any(|mark| base.starts_with(mark)) {
            push("IX");
            return Self { form: Form::Point, ..found };
        }
        let class = CLASSIFIERS
            .iter()
            .find(|class| base.strip_prefix(**class).is_some_and(|r| r.starts_with([':', '"', '\''])));
        if let Some(class) = class {
            push(class);
        } else if let Some((sign, _)) = base.split_once('"').filter(|(sign, _)| !sign.is_empty()) {
            push(sign);
        } else if let Some(name) = after(base, "ns-") {
            push(&name);
        }
        found
    }
}

/// A label without what parentheses before it say of hands and handshape.
fn without_hands(label: &str) -> &str {
    let mut base = label;
    while let Some((_, rest)) =
        base.strip_prefix('(').and_then(|b| b.split_once(')')).filter(|(_, rest)| !rest.is_empty())
    {
        base = rest;
    }
    base
}

/// `i:GIVE:j` without the places of those whom it is about; `part:indef` is a whole word.
fn without_place(label: &str) -> &str {
    let place = |text: &str| {
        let one = |part: &str| {
            let letters = part.len() <= 2 && !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
            letters || matches!(part, "1p" | "2p" | "3p")
        };
        text.split('/').all(one)
    };
    let mut base = label;
    if let Some((first, rest)) = base.split_once(':').filter(|(first, rest)| place(first) && !rest.is_empty())
    {
        debug_assert!(first.len() < base.len());
        base = rest;
    }
    while let Some((rest, last)) =
        base.rsplit_once(':').filter(|(rest, last)| place(last) && !rest.is_empty())
    {
        debug_assert!(last.len() < base.len());
        base = rest;
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(label: &str, form: Form, bases: &[&str], times: usize) {
        let bases = bases.iter().map(|b| (*b).to_owned()).collect();
        assert_eq!(Convention::asllrp(label), Convention { form, bases, times, negated: false }, "{label:?}");
    }

    #[test]
    fn marks_are_told_from_signs() {
        use Form::{Note, Point, Sign, Spelled};
        check("BOOK", Sign, &[], 1);
        check("fs-JOHN", Spelled, &["JOHN"], 1);
        check("ns-fs-SUE", Spelled, &["SUE"], 1);
        check("ns-BOSTON", Sign, &["BOSTON"], 1);
        check("#CAR+", Spelled, &["CAR"], 2);
        check("(2h)#WHAT", Spelled, &["WHAT"], 1);
        check("IX-1p", Point, &["IX"], 1);
        check("IX-3p:i", Point, &["IX-3p", "IX"], 1);
        check("IX-loc\"under table\"", Point, &["IX"], 1);
        check("POSS-3p:i/j", Sign, &["POSS-3p"], 1);
        check("part:indef", Sign, &[], 1);
        check("(2h)part:indef", Sign, &["part:indef"], 1);
        check("i:GIVE:j", Sign, &["GIVE"], 1);
        check("1p:SHOW:2p++", Sign, &["1p:SHOW:2p", "SHOW"], 3);
        check("(1h)(flat-O)EAT+", Sign, &["EAT"], 2);
        check("MOTHER+FATHER", Sign, &[], 1);
        check("MOUSE/FICTION", Sign, &[], 1);
        check("BCL\"car passes\"", Sign, &["BCL"], 1);
        check("DCL:1\"stick\":i", Sign, &["DCL:1\"stick\"", "DCL"], 1);
        check("WALK\"slowly\"", Sign, &["WALK"], 1);
        check("5\"I don't know\"", Sign, &["5"], 1);
        check("\"what\"", Note, &[], 1);
        check("", Sign, &[], 1);
        check("(2h)", Sign, &[], 1);
        check("fs-", Sign, &[], 1);
        check("+", Sign, &[], 1);
        check(":i", Sign, &[], 1);
    }
}
