//! Which clips sign a text: for each word the first of many ways that leads to a sign.
//!
//! A word is looked up as it stands (with its neighbours as a phrase first), in plain letters, as a number's name,
//! by its stem, by the words that it is put together from, and by what is signed for words like it; what is
//! written in digits by its parts. What is left is spelled, and what cannot be spelled is shown as not found.
//! Nothing is left out, and every word says which way it was.

use models::gloss::{Convention, Form};
use models::lexicon::segment;
use models::translator::text::is_wide;

use super::Provenance;
use super::dictionary::{Clip, Dictionary};
use super::figure;
use super::spell::Spelled;
use super::text::{Kind, Token, pause_s, tokens};
use crate::Fault;

/// Longest text that is looked up, in characters.
const MAX_TEXT: usize = 500;
/// Most signs and letters of one track. They bound its length and memory, which the text's length does not:
/// a digit may need all letters of its name.
const MAX_CLIPS: usize = 600;
/// Words to each side that say which sense of a word is meant.
const AROUND: usize = 5;
/// Words that say that something is not so, of the languages in which negated glosses are known.
const NOT: [(&str, &[&str]); 3] =
    [("de", &["nicht", "kein"]), ("en", &["not", "no"]), ("zh", &["不", "没有"])];

/// A word of the text with the clips that sign it.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// As written, with the blanks and marks that follow it in `after`.
    pub text: String,
    /// Punctuation behind the word.
    pub after: String,
    /// Which way led to its clips.
    pub provenance: Provenance,
    /// What signs it, in order.
    pub clips: Vec<Clip>,
    /// Letters that the alphabet does not have; digits where it has no letter of their names.
    pub missing: String,
    /// A pause behind it, in seconds.
    pub pause_s: f32,
}

/// The tokens of a text that can be looked up.
///
/// # Errors
/// The text is empty or too long.
pub(super) fn read(text: &str) -> Result<Vec<Token>, Fault> {
    let length = text.chars().count();
    if length > MAX_TEXT {
        return Err(Fault::TextTooLong { length, most: MAX_TEXT });
    }
    let tokens = tokens(text);
    if !tokens.iter().any(|t| t.kind != Kind::Mark) {
        return Err(Fault::TextEmpty);
    }
    Ok(tokens)
}

impl Dictionary {
    /// Looks up all words of a text.
    ///
    /// # Errors
    /// The text is empty or too long or needs too many signs, or nothing of the text can be signed.
    pub fn plan(&self, text: &str) -> Result<Vec<Planned>, Fault> {
        self.checked(text, self.words(&read(text)?))
    }

    /// Words that can be signed as one track.
    pub(super) fn checked(&self, text: &str, words: Vec<Planned>) -> Result<Vec<Planned>, Fault> {
        if words.iter().all(|w| w.clips.is_empty()) {
            return Err(Fault::NothingToSign { text: text.trim().into(), signed: self.signed.clone() });
        }
        let signs = words.iter().map(|w| w.clips.len()).sum();
        if signs > MAX_CLIPS {
            return Err(Fault::TooManySigns { signs, most: MAX_CLIPS });
        }
        Ok(words)
    }

    fn words(&self, tokens: &[Token]) -> Vec<Planned> {
        let mut words: Vec<Planned> = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if let Some((taken, word)) = self.figure_at(&tokens[at..]) {
                words.push(word);
                at += taken;
                continue;
            }
            if token.kind == Kind::Mark {
                follow(&mut words, &token.text);
                at += 1;
                continue;
            }
            if token.text.chars().any(is_wide) {
                self.unspaced(&token.text, &mut words);
                at += 1;
                continue;
            }
            match self.phrase(tokens, at) {
                Some((taken, word)) => {
                    words.push(word);
                    at += taken;
                }
                None => {
                    self.joined(&token.text, &mut words);
                    at += 1;
                }
            }
        }
        words
    }

    /// A number, date, time or sum of money, and in how many tokens it is written.
    pub(super) fn figure_at(&self, tokens: &[Token]) -> Option<(usize, Planned)> {
        let figure = figure::read(tokens, &self.spoken, &self.signed)?;
        let mut text = String::new();
        for (i, token) in tokens[..figure.taken].iter().enumerate() {
            if i > 0 && token.spaced {
                text.push(' ');
            }
            text.push_str(&token.text);
        }
        let Spelled { clips, missing } = self.figure(&figure.parts);
        let provenance = if clips.is_empty() { Provenance::NotFound } else { figure.kind };
        Some((figure.taken, Planned { missing, ..planned(text, provenance, clips) }))
    }

    /// The longest phrase from here on that a lexicon signs as one.
    fn phrase(&self, tokens: &[Token], at: usize) -> Option<(usize, Planned)> {
        let here = &tokens[at..];
        let run = here.iter().take(self.longest_phrase()).take_while(|t| t.kind == Kind::Word).count();
        (1..=run).rev().find_map(|taken| {
            let text = here[..taken].iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
            let around = || {
                let before = tokens[..at].iter().rev().filter(|t| t.kind == Kind::Word).take(AROUND);
                let behind = here[taken..].iter().filter(|t| t.kind == Kind::Word).take(AROUND);
                before.chain(behind).map(|t| t.text.as_str()).collect()
            };
            let clip = self.choose(&self.exact(&text), around)?;
            Some((taken, planned(text, Provenance::Lexicon, vec![clip])))
        })
    }

    /// A word that stands in no lexicon, by its parts where hyphens join some.
    fn joined(&self, text: &str, words: &mut Vec<Planned>) {
        if !text.contains('-') || !self.plainly(text).is_empty() {
            words.push(self.word(text));
            return;
        }
        for (i, part) in text.split('-').enumerate() {
            if i > 0 {
                follow(words, "-");
            }
            words.push(match self.sign(part) {
                Some(clip) => planned(part.to_owned(), Provenance::Lexicon, vec![clip]),
                None => self.word(part),
            });
        }
    }

    /// A word that stands in no lexicon.
    pub(super) fn word(&self, word: &str) -> Planned {
        let found = |provenance, clips: Vec<Clip>| planned(word.to_owned(), provenance, clips);
        if let Some(clip) = self.plainly(word).first() {
            return found(Provenance::Normalised, vec![*clip]);
        }
        if let Some(clips) = self.numeral(word).and_then(|value| self.counted(value)) {
            return found(Provenance::Number, clips);
        }
        if let Some(clip) = self.by_stem(word).first() {
            return found(Provenance::Stem, vec![*clip]);
        }
        if let Some(clips) = self.compound(word) {
            return found(Provenance::Compound, clips);
        }
        if let Some(clip) = self.synonym(word) {
            return found(Provenance::Synonym, vec![clip]);
        }
        let Spelled { clips, missing } = self.spell(word);
        let provenance = if clips.is_empty() { Provenance::NotFound } else { Provenance::Spelled };
        Planned { missing, ..found(provenance, clips) }
    }

    /// Words of a writing without spaces: the fewest of the lexicon's that make it up.
    fn unspaced(&self, text: &str, words: &mut Vec<Planned>) {
        let is_word = |part: &str| {
            !self.exact(part).is_empty() || !self.plainly(part).is_empty() || self.numeral(part).is_some()
        };
        let pieces = segment(text, self.longest_word(), is_word);
        for (i, piece) in pieces.iter().enumerate() {
            let around = || {
                let near = pieces.iter().enumerate();
                near.filter(|(j, _)| *j != i && j.abs_diff(i) <= AROUND).map(|(_, p)| p.text).collect()
            };
            let clip = self.choose(&self.exact(piece.text), around);
            words.push(clip.map_or_else(
                || self.word(piece.text),
                |clip| planned(piece.text.to_owned(), Provenance::Lexicon, vec![clip]),
            ));
        }
    }

    /// Looks up glosses that somebody else made of a text, such as a language model on a workstation.
    pub fn plan_glosses(&self, glosses: &str) -> Vec<Planned> {
        glosses.split_whitespace().map(|gloss| self.translated(gloss)).collect()
    }

    /// A gloss that a translator gave.
    ///
    /// Where a lexicon has it, it is [`Provenance::Translated`]; else its marks are read, and what is left goes the
    /// way of a word. What is negated is signed only where a sign says that it is not so.
    pub(super) fn translated(&self, label: &str) -> Planned {
        let of = |provenance, clips| planned(label.to_owned(), provenance, clips);
        if let Some(clip) = self.by_gloss(label) {
            return of(Provenance::Translated, vec![clip]);
        }
        let Convention { form, bases, times, negated } = Convention::of(label);
        let base = bases.first().map_or(label, String::as_str);
        let found = self.sign(base).or_else(|| bases.iter().find_map(|base| self.sign(base)));
        let word = match form {
            Form::Note => return of(Provenance::Mark, vec![]),
            Form::Spelled => {
                let Spelled { clips, missing } = self.spell(base);
                let provenance = if clips.is_empty() { Provenance::NotFound } else { Provenance::Spelled };
                return Planned { missing, ..of(provenance, clips) };
            }
            Form::Point => found.map_or_else(
                || of(Provenance::NotFound, vec![]),
                |clip| of(Provenance::Translated, vec![clip]),
            ),
            Form::Sign => {
                found.map_or_else(|| self.word(base), |clip| of(Provenance::Translated, vec![clip]))
            }
        };
        let provenance = match word.provenance {
            // It is the gloss itself, in other letters.
            Provenance::Normalised => Provenance::Translated,
            other => other,
        };
        let mut clips = word.clips;
        if clips.iter().all(|clip| !clip.letter) {
            clips = clips.repeat(times);
        }
        if negated {
            let not = NOT.iter().find(|(spoken, _)| *spoken == self.spoken).map_or(&[][..], |(_, not)| not);
            match not.iter().find_map(|word| self.sign(word)) {
                Some(not) => clips.push(not),
                // Without it the opposite would be signed.
                None => return of(Provenance::NotFound, vec![]),
            }
        }
        Planned { missing: word.missing, ..of(provenance, clips) }
    }
}

/// Puts a mark behind the last word, or before the first.
pub(super) fn follow(words: &mut Vec<Planned>, mark: &str) {
    match words.last_mut() {
        Some(word) => {
            word.after.push_str(mark);
            word.pause_s = word.pause_s.max(pause_s(mark));
        }
        None => words.push(planned(mark.to_owned(), Provenance::Mark, Vec::new())),
    }
}

pub(super) fn planned(text: String, provenance: Provenance, clips: Vec<Clip>) -> Planned {
    Planned { text, after: String::new(), provenance, clips, missing: String::new(), pause_s: 0.0 }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use models::lexicon::Lexicon;
    use models::retrieval::Embed;

    use super::*;

    const GERMAN: &str = "Kind,KIND,0
Kind,KIND-2,5
guten Tag,GUTEN-TAG,0
Garten,GARTEN,0
Tor,TOR,0
drei,DREI,0
25,FÜNFUNDZWANZIG,0
12,ZWÖLF,0
7,ZAHL-SIEBEN,0
hundert,HUNDERT,0
August,AUGUST,0
Uhr,UHR,0
Euro,EURO,0
,UEBERSCHWEMMUNG,0
,STRASSE,0
E-Mail,MAIL,0
,HAUS1A,0
Bank|Geldinstitut,BANK-GELD,0
Bank,BANK-GARTEN,0
";
    const LETTERS: &str = "a b c ch d e é h i k l m n o r s sch t u ü";
    const CHINESE: &str = "今天,今天,0
,天气1,0
好,好,0
年,年,0
月,月,0
2,2,0
零,零,0
十,十,0
三,三,0
四,四,0
我,我,0
";

    /// A dictionary of signs, and of letters where there are some.
    pub fn dictionary(spoken: &str, signs: &str, letters: &str) -> Dictionary {
        let folder = tempfile::tempdir().unwrap();
        let lexicon = |name: &str, rows: Vec<String>| {
            let folder = folder.path().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            let head = "path,spoken_language,signed_language,words,glosses,priority\n";
            let rows: String = rows.iter().map(|row| format!("a.pose,{spoken},sgg,{row}\n")).collect();
            std::fs::write(folder.join("index.csv"), format!("{head}{rows}")).unwrap();
            Lexicon::open(folder).unwrap()
        };
        let mut lexicons = vec![lexicon("signs", signs.lines().map(str::to_owned).collect())];
        if !letters.is_empty() {
            let letters = letters.split(' ').map(|l| format!("{0},{0},0", l.to_uppercase()));
            lexicons.push(lexicon("letters", letters.collect()));
        }
        Dictionary::new(lexicons, "sgg", Some(spoken)).unwrap()
    }

    pub fn german() -> Dictionary {
        dictionary("de", GERMAN, LETTERS)
    }

    pub fn shown(dictionary: &Dictionary, words: &[Planned]) -> String {
        let word = |w: &Planned| {
            let glosses: Vec<&str> = w.clips.iter().map(|c| dictionary.gloss(*c)).collect();
            let missing = if w.missing.is_empty() { String::new() } else { format!(" -{}", w.missing) };
            format!("{}{} {:?} {}{missing}", w.text, w.after, w.provenance, glosses.join("+"))
        };
        words.iter().map(word).collect::<Vec<_>>().join(" | ")
    }

    #[track_caller]
    fn check_in(dictionary: &Dictionary, text: &str, expect: &str) {
        assert_eq!(shown(dictionary, &dictionary.plan(text).unwrap()), expect);
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        check_in(&german(), text, expect);
    }

    #[track_caller]
    fn check_fault(text: &str, expect: &str) {
        let fault = german().plan(text).unwrap_err().to_string();
        assert!(fault.contains(expect), "{fault}");
    }

    #[test]
    fn words_phrases_and_stems_are_signed() {
        check("Kind", "Kind Lexicon KIND");
        check("KINDES!", "KINDES! Stem KIND");
        check("guten Tag, Kind", "guten Tag, Lexicon GUTEN-TAG | Kind Lexicon KIND");
    }

    #[test]
    fn words_are_put_together_from_the_fewest_that_are_signed() {
        check("Kindergarten", "Kindergarten Compound KIND+GARTEN");
        check("Gartentor!", "Gartentor! Compound GARTEN+TOR");
        check("Kindergartentor", "Kindergartentor Compound KIND+GARTEN+TOR");
        check("Kinder", "Kinder Stem KIND");
        check("Torx", "Torx Spelled T+O+R -x");
        check("Straßentor", "Straßentor Compound STRASSE+TOR");
    }

    #[test]
    fn other_letters_are_found_where_the_word_itself_is_not() {
        check("Überschwemmung", "Überschwemmung Normalised UEBERSCHWEMMUNG");
        check("Straße", "Straße Lexicon STRASSE");
        check("Haus", "Haus Normalised HAUS1A");
        check("Email", "Email Lexicon MAIL");
        check("E-Mail", "E-Mail Lexicon MAIL");
        check("Tor-Garten", "Tor- Lexicon TOR | Garten Lexicon GARTEN");
    }

    #[test]
    fn other_words_are_spelled_with_the_longest_units() {
        check("Schach", "Schach Spelled SCH+A+CH");
        check("Hütte", "Hütte Spelled H+Ü+T+T+E");
        check("é", "é Spelled É");
    }

    #[test]
    fn accents_go_only_where_the_alphabet_lacks_the_letter() {
        check("bö", "bö Spelled B+O+E");
        check("ê", "ê Spelled E");
        check("Maße", "Maße Spelled M+A+S+S+E");
    }

    #[test]
    fn numbers_are_signed_whole_or_by_digit_or_spelled() {
        check("25", "25 Number FÜNFUNDZWANZIG");
        check("3", "3 Number DREI");
        check("33", "33 Number DREI+DREI");
        check("31", "31 Number DREI+E+I+N+S");
        check("2", "2 Number E+I -zw");
        check("112", "112 Number HUNDERT+ZWÖLF");
        check("325", "325 Number DREI+HUNDERT+FÜNFUNDZWANZIG");
        check("sieben", "sieben Number ZAHL-SIEBEN");
        check("007", "007 Number N+U+L+L+N+U+L+L+ZAHL-SIEBEN");
    }

    #[test]
    fn dates_times_and_money_are_signed_part_by_part() {
        check("12.08.", "12.08. Date ZWÖLF+AUGUST");
        check("um 12:25 Uhr!", "um Spelled U+M | 12:25 Uhr! Time ZWÖLF+UHR+FÜNFUNDZWANZIG");
        check("3,25 €", "3,25 € Money DREI+EURO+FÜNFUNDZWANZIG");
        check("3.12.", "3.12. Date DREI+ZWÖLF");
    }

    #[test]
    fn chinese_is_cut_into_the_fewest_words_and_nothing_is_left_out() {
        let chinese = dictionary("zh", CHINESE, "");
        check_in(
            &chinese,
            "今天天气好，龘我。",
            "今天 Lexicon 今天 | 天气 Normalised 天气1 | 好， Lexicon 好 | 龘 NotFound  -龘 | 我。 Lexicon 我",
        );
        check_in(
            &chinese,
            "2024年3月",
            "2024 Number 2+零+2+四 | 年 Lexicon 年 | 3 Number 三 | 月 Lexicon 月",
        );
        check_in(&chinese, "34", "34 Number 三+十+四");
    }

    #[test]
    fn what_is_missing_is_said() {
        check("axt", "axt Spelled A+T -x");
        check("Kind 你好", "Kind Lexicon KIND | 你好 NotFound  -你好");
        check("„Kind", "„ Mark  | Kind Lexicon KIND");
    }

    #[test]
    fn faults_say_the_next_step() {
        check_fault("", "empty");
        check_fault("🙂 …", "empty");
        check_fault("\u{202e}\u{200f}", "empty");
        check_fault("你好", "你好");
        check_fault(&"a ".repeat(251), "at most 500");
        check_fault(&"1".repeat(500), "needs 2000 signs and letters");
    }

    #[test]
    fn languages_that_no_lexicon_has_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("index.csv"),
            "path,spoken_language,signed_language,words\na.pose,de,sgg,Kind\n",
        )
        .unwrap();
        let open = |folder: &Path| vec![Lexicon::open(folder).unwrap()];
        let fault =
            |signed, spoken| Dictionary::new(open(folder.path()), signed, spoken).err().unwrap().to_string();
        assert!(fault("xxx", None).contains("sgg"));
        assert!(fault("sgg", Some("fr")).contains("de"));
    }

    /// Two directions: what belongs to a garden, and what belongs to money.
    struct Two;

    impl Embed for Two {
        fn width(&self) -> usize {
            2
        }

        fn threshold(&self) -> f32 {
            0.8
        }

        fn word(&self, word: &str) -> Option<Vec<f32>> {
            match word.to_lowercase().as_str() {
                "rasen" => Some(vec![0.9, 0.1]),
                "zinsen" => Some(vec![0.1, 0.9]),
                "park" => Some(vec![0.5, 0.5]),
                _ => None,
            }
        }

        fn sign(&self, _: &str, gloss: &str) -> Option<Vec<f32>> {
            match gloss {
                "GARTEN" | "BANK-GARTEN" => Some(vec![2.0, 0.0]),
                "BANK-GELD" | "EURO" | "DREI" => Some(vec![0.0, 2.0]),
                _ => None,
            }
        }
    }

    #[test]
    fn a_word_that_is_signed_alike_stands_in_above_the_threshold() {
        let german = german().with_embed(Box::new(Two));
        check_in(&german, "Rasen", "Rasen Synonym GARTEN");
        check_in(&german, "Park", "Park Spelled A+R+K -p");
        // DREI lies as near: a number is never put for another word.
        assert!(german.plan("Zinsen").unwrap()[0].clips.iter().all(|c| german.gloss(*c) != "DREI"));
    }

    #[test]
    fn the_words_around_say_which_sense_is_meant() {
        let german = german().with_embed(Box::new(Two));
        check_in(&german, "Bank", "Bank Lexicon BANK-GELD");
        check_in(&german, "Bank Rasen", "Bank Lexicon BANK-GARTEN | Rasen Synonym GARTEN");
        check_in(&german, "Bank Park", "Bank Lexicon BANK-GELD | Park Spelled A+R+K -p");
        check("Bank Rasen", "Bank Lexicon BANK-GELD | Rasen Spelled R+A+S+E+N");
    }

    #[test]
    fn glosses_of_a_translator_go_the_same_way() {
        let german = german();
        let said = |label: &str| shown(&german, &[german.translated(label)]);
        assert_eq!(said("KIND"), "KIND Translated KIND");
        assert_eq!(said("loc-GARTEN"), "loc-GARTEN Translated GARTEN");
        assert_eq!(said("GARTEN+"), "GARTEN+ Translated GARTEN+GARTEN");
        assert_eq!(said("ÜBERSCHWEMMUNG"), "ÜBERSCHWEMMUNG Translated UEBERSCHWEMMUNG");
        assert_eq!(said("KINDERGARTEN"), "KINDERGARTEN Compound KIND+GARTEN");
        assert_eq!(said("fs-ANNA"), "fs-ANNA Spelled A+N+N+A");
        assert_eq!(said("J+U+L+I"), "J+U+L+I Spelled U+L+I -j");
        assert_eq!(said("IX"), "IX NotFound ");
        assert_eq!(
            said("neg-KIND"),
            "neg-KIND NotFound ",
            "without a sign for it, it would say the opposite"
        );
        assert_eq!(said("__ON__"), "__ON__ Mark ");
        let not = dictionary("de", "Kind,KIND,0\nnicht,NICHT,0\n", "");
        assert_eq!(shown(&not, &[not.translated("neg-KIND")]), "neg-KIND Translated KIND+NICHT");
    }
}
