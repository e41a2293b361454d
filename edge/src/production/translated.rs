//! A text by its translation: glosses in the order of signing, and what no translator can know.
//!
//! A small translator has learnt the words of its corpus. What the text has beside them it leaves out, or takes for
//! something else: names, and numbers. So these are looked for in the text itself: a figure whose numbers the
//! translation lacks, and a word that the translator's pieces do not know (it falls into letters, or into marks of
//! what is unknown). They are signed as the chain signs them, mostly spelled, behind the gloss of the nearest word
//! before them that was translated; where there is none, before that of the nearest one behind them; else at the end.

use models::gloss::label_key;
use models::lexicon::plain;
use models::translator::text::{is_wide, normal};
use models::translator::{Pieces, UNKNOWN};

use super::Provenance;
use super::chain::{Planned, follow, planned, read};
use super::dictionary::Dictionary;
use super::figure::{self, Part};
use super::text::{Kind, Token};
use super::translator::Translator;
use crate::Fault;

/// A word of so many letters is known where one of its pieces has as many; of a shorter one all letters.
const KNOWN_PIECE: usize = 3;

impl Dictionary {
    /// Looks up what a translator says of a text, and gives what it said.
    ///
    /// # Errors
    /// As [`Dictionary::plan`], or where an engine fails.
    pub(super) fn plan_translated(
        &self,
        text: &str,
        translator: &mut Translator,
    ) -> Result<(Vec<Planned>, Option<String>), Fault> {
        let tokens = read(text)?;
        let said = translator.translate(text)?;
        let pieces = &translator.manifest().source;
        let words = self.with_unknown(&tokens, &said, |word| knows(pieces, word));
        // Of a text that the translator has nothing for, the words themselves are signed.
        let none = words.iter().all(|word| word.provenance == Provenance::Mark);
        let words = if none { self.plan(text)? } else { self.checked(text, words)? };
        Ok((words, Some(said)))
    }

    /// The glosses with what `knows` does not know put between them.
    fn with_unknown(&self, tokens: &[Token], said: &str, knows: impl Fn(&str) -> bool) -> Vec<Planned> {
        let glosses: Vec<&str> = said.split_whitespace().collect();
        let mut words = self.plan_glosses(said);
        // What is put in, with the place among the glosses, in the order of the text.
        let mut put: Vec<(usize, Planned)> = vec![];
        // The place behind the last word that was translated, and what waits for the first.
        let mut place: Option<usize> = None;
        let mut waiting: Vec<Planned> = vec![];
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let figure = self.figure_at(&tokens[at..]);
            let here = self.place_of(&token.text, &glosses, place.unwrap_or(0));
            let (taken, unknown) = match figure {
                Some((taken, word)) if self.lacks(&tokens[at..], &glosses) => (taken, vec![word]),
                Some((taken, _)) => (taken, vec![]),
                // However a word is cut, the translator knew it where its own gloss stands there.
                None if token.kind == Kind::Word && here.is_none() => (1, self.unknown(&token.text, &knows)),
                None => (1, vec![]),
            };
            if let Some(here) = here {
                put.extend(waiting.drain(..).map(|word| (here, word)));
                place = Some(here + 1);
            }
            match place {
                Some(place) => put.extend(unknown.into_iter().map(|word| (place, word))),
                None => waiting.extend(unknown),
            }
            at += taken;
        }
        put.extend(waiting.into_iter().map(|word| (glosses.len(), word)));
        put.sort_by_key(|(place, _)| *place);
        for (place, word) in put.into_iter().rev() {
            words.insert(place, word);
        }
        // The pause at the end of a sentence stays; marks within it belong to another order of words.
        if let Some(mark) = tokens.last().filter(|t| t.kind == Kind::Mark) {
            follow(&mut words, &mark.text);
        }
        words
    }

    /// What of a word is not known: the word, or of a writing without spaces the runs of its characters.
    fn unknown(&self, word: &str, knows: impl Fn(&str) -> bool) -> Vec<Planned> {
        if !word.chars().any(is_wide) {
            return if knows(word) { vec![] } else { vec![self.alone(word)] };
        }
        let characters: Vec<char> = word.chars().collect();
        let strange: Vec<bool> = characters.iter().map(|c| !knows(c.encode_utf8(&mut [0; 4]))).collect();
        let runs = characters.iter().zip(&strange).collect::<Vec<_>>();
        let runs = runs.chunk_by(|a, b| a.1 == b.1).filter(|run| *run[0].1);
        runs.map(|run| self.alone(&run.iter().map(|(c, _)| **c).collect::<String>())).collect()
    }

    /// A word by itself, as the chain signs it.
    fn alone(&self, word: &str) -> Planned {
        match self.sign(word) {
            Some(clip) => planned(word.to_owned(), Provenance::Lexicon, vec![clip]),
            None => self.word(word),
        }
    }

    /// Whether the figure that the tokens begin with has a number that no gloss says.
    fn lacks(&self, tokens: &[Token], glosses: &[&str]) -> bool {
        let Some(figure) = figure::read(tokens, &self.spoken, &self.signed) else { return false };
        figure.parts.iter().any(|part| match part {
            Part::Number(digits) | Part::Year(digits) => {
                let value = digits.parse().ok();
                !glosses
                    .iter()
                    .any(|gloss| *gloss == digits || (value.is_some() && self.numeral(gloss) == value))
            }
            Part::Digits(digits) => !glosses.contains(&digits.as_str()),
            Part::Month(month) => {
                let name = figure::month_name(*month, &self.spoken).map(plain);
                !glosses.iter().any(|gloss| Some(plain(gloss)) == name)
            }
            Part::Word(_) | Part::Said(_) | Part::Implied(_) => false,
        })
    }

    /// Where among the glosses a word stands that is signed by its own gloss, from a place on if it can be.
    fn place_of(&self, word: &str, glosses: &[&str], from: usize) -> Option<usize> {
        let key = label_key(&plain(word));
        let stem = self.by_stem(word).first().map(|clip| label_key(self.gloss(*clip)));
        let same = |gloss: &&str| {
            let gloss = label_key(&plain(gloss));
            gloss == key || Some(&gloss) == stem.as_ref()
        };
        let behind = glosses.iter().skip(from).position(same).map(|found| from + found);
        behind.or_else(|| glosses.iter().position(same))
    }
}

/// Whether a translator's pieces know a word.
fn knows(pieces: &Pieces, word: &str) -> bool {
    let cut = pieces.encode(&normal(word));
    if cut.contains(&UNKNOWN) {
        return false;
    }
    let letters = word.chars().count();
    cut.iter().any(|piece| pieces.decode(&[*piece]).chars().count() >= KNOWN_PIECE.min(letters))
}

#[cfg(test)]
mod tests {
    use super::super::chain::tests::{german, shown};
    use super::super::text::tokens;
    use super::*;

    /// What is signed where a translator said this and knows all words but those in capitals.
    #[track_caller]
    fn check(text: &str, said: &str, expect: &str) {
        let german = german();
        let known = |word: &str| !word.chars().all(|c| c.is_uppercase() || c == '龘');
        assert_eq!(shown(&german, &german.with_unknown(&tokens(text), said, known)), expect);
    }

    #[test]
    fn what_a_translator_cannot_know_is_put_where_its_neighbours_are() {
        check("das Kind im Garten.", "GARTEN KIND", "GARTEN Translated GARTEN | KIND. Translated KIND");
        check(
            "das Kind RUDI im Garten",
            "GARTEN KIND",
            "GARTEN Translated GARTEN | KIND Translated KIND | RUDI Spelled R+U+D+I",
        );
        check("KIND im Garten", "GARTEN KIND", "GARTEN Translated GARTEN | KIND Translated KIND");
        check("RUDI Kind", "KIND", "RUDI Spelled R+U+D+I | KIND Translated KIND");
        check("AB und CD", "KIND", "KIND Translated KIND | AB Spelled A+B | CD Spelled C+D");
        check("CD", "", "CD Spelled C+D");
        check("Kind 龘", "KIND", "KIND Translated KIND | 龘 NotFound  -龘");
    }

    #[test]
    fn numbers_that_the_translation_lacks_are_put_in() {
        check("12 Kinder", "ZWÖLF KIND", "ZWÖLF Translated ZWÖLF | KIND Translated KIND");
        check("12 Kinder", "ZWOELF KIND", "ZWOELF Translated ZWÖLF | KIND Translated KIND");
        check("25 Kinder", "KIND", "25 Number FÜNFUNDZWANZIG | KIND Translated KIND");
        check(
            "August 25 Kinder",
            "AUGUST KIND",
            "AUGUST Translated AUGUST | August 25 Date FÜNFUNDZWANZIG+AUGUST | KIND Translated KIND",
        );
        check(
            "Garten um 12:25 Uhr",
            "ZWÖLF UHR GARTEN",
            "ZWÖLF Translated ZWÖLF | UHR Translated UHR | GARTEN Translated GARTEN | 12:25 Uhr Time ZWÖLF+UHR+FÜNFUNDZWANZIG",
        );
    }

    #[test]
    fn pieces_know_what_they_learnt() {
        let pieces = Pieces::learn(["der regen regnet der regen im juni am", "regen im am im am"], 60);
        for (word, known) in
            [("Regen", true), ("regnet", true), ("im", true), ("Őri", false), ("mdgm", false)]
        {
            assert_eq!(knows(&pieces, word), known, "{word}");
        }
    }
}
