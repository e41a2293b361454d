//! Which clips sign a text: signs from lexicons, stems and parts of words, numbers, and letters for the rest.

use std::collections::HashMap;

use models::lexicon::{Entry, Lexicon, normalise};
use rust_stemmers::{Algorithm, Stemmer};

use super::number::digit_name;
use super::text::{Kind, Token, digit, folded, pause_s, tokens};
use super::{Provenance, Source};
use crate::Fault;

/// Longest phrase that is looked up as one sign, in words.
const MAX_PHRASE: usize = 5;
/// Longest text that is looked up, in characters.
const MAX_TEXT: usize = 500;
/// Most signs and letters of one track. They bound its length and memory, which the text's length does not:
/// a digit may need all letters of its name.
const MAX_CLIPS: usize = 600;
/// Longest name of a letter, in characters (`sch`).
const MAX_LETTER: usize = 3;

/// A part of a word that has fewer letters is found in words that it has nothing to do with.
const MIN_PART: usize = 3;
/// Longer words are not taken apart: there are none, and looking takes time by the square.
const MAX_COMPOUND: usize = 60;

/// A word of the text with the clips that sign it.
#[derive(Debug, Clone)]
pub(super) struct Planned<'a> {
    /// As written, with the blanks and marks that follow it in `after`.
    pub text: String,
    /// Punctuation behind the word.
    pub after: String,
    pub provenance: Provenance,
    pub clips: Vec<Clip<'a>>,
    /// Letters that the alphabet does not have; digits where it has no letter of their names.
    pub missing: String,
    /// A pause behind it.
    pub pause_s: f32,
}

/// One clip to sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clip<'a> {
    pub lexicon: &'a Lexicon,
    pub entry: &'a Entry,
    /// Whether it is a letter or digit of a spelled word.
    pub letter: bool,
}

impl Clip<'_> {
    /// The gloss, or the words where the lexicon has no gloss.
    pub fn gloss(&self) -> &str {
        if self.entry.glosses.is_empty() { &self.entry.words } else { &self.entry.glosses }
    }

    pub fn source(&self) -> Source {
        Source {
            lexicon: self.lexicon.folder().to_owned(),
            clip: self.entry.path.clone(),
            line: self.entry.line,
        }
    }
}

/// Looks up all words of a text.
///
/// # Errors
/// The text is empty or too long or needs too many signs, the language is unknown, or nothing of the text can be signed.
pub(super) fn plan<'a>(
    text: &str,
    signed: &str,
    spoken: Option<&str>,
    lexicons: &'a [Lexicon],
) -> Result<Vec<Planned<'a>>, Fault> {
    let length = text.chars().count();
    if length > MAX_TEXT {
        return Err(Fault::TextTooLong { length, most: MAX_TEXT });
    }
    let tokens = tokens(text);
    if !tokens.iter().any(|t| t.kind != Kind::Mark) {
        return Err(Fault::TextEmpty);
    }
    let dictionary = Dictionary::new(signed, spoken, lexicons)?;
    let words = dictionary.words(&tokens);
    if words.iter().all(|w| w.clips.is_empty()) {
        return Err(Fault::NothingToSign { text: text.trim().into(), signed: signed.into() });
    }
    let signs = words.iter().map(|w| w.clips.len()).sum();
    if signs > MAX_CLIPS {
        return Err(Fault::TooManySigns { signs, most: MAX_CLIPS });
    }
    Ok(words)
}

/// What the lexicons hold of one signed language.
struct Dictionary<'a> {
    signed: String,
    spoken: String,
    /// Lexicons of signs; alphabets are not among them.
    signs: Vec<&'a Lexicon>,
    letters: HashMap<String, Clip<'a>>,
    /// Signs by the stem of their word.
    stems: HashMap<String, Clip<'a>>,
    stemmer: Option<Stemmer>,
}

impl<'a> Dictionary<'a> {
    fn new(signed: &str, spoken: Option<&str>, lexicons: &'a [Lexicon]) -> Result<Self, Fault> {
        let mut pairs: Vec<(&str, &str)> = lexicons.iter().flat_map(Lexicon::languages).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let own: Vec<&str> = pairs.iter().filter(|p| p.0 == signed).map(|p| p.1).collect();
        let known = |pairs: &[(&str, &str)]| {
            let mut known: Vec<&str> = pairs.iter().map(|p| p.0).collect();
            known.dedup();
            known.join(", ")
        };
        if own.is_empty() {
            return Err(Fault::UnknownLanguage { signed: signed.into(), known: known(&pairs) });
        }
        let spoken = match spoken {
            Some(spoken) if own.iter().any(|s| *s == spoken || s.is_empty()) => spoken,
            Some(spoken) => {
                return Err(Fault::UnknownSpoken {
                    signed: signed.into(),
                    spoken: spoken.into(),
                    known: own.join(", "),
                });
            }
            None => own.iter().find(|s| !s.is_empty()).copied().unwrap_or(""),
        };
        let mut dictionary = Self {
            signed: signed.into(),
            spoken: spoken.into(),
            signs: Vec::new(),
            letters: HashMap::new(),
            stems: HashMap::new(),
            stemmer: stemming(spoken).map(Stemmer::create),
        };
        for lexicon in lexicons {
            dictionary.add(lexicon);
        }
        Ok(dictionary)
    }

    fn add(&mut self, lexicon: &'a Lexicon) {
        let mut entries: Vec<&Entry> = lexicon
            .entries(&self.signed)
            .filter(|e| e.spoken_language.is_empty() || e.spoken_language == self.spoken)
            .collect();
        entries.sort_by_key(|e| e.priority);
        let letters = |e: &Entry| name(e).chars().count();
        // A lexicon of letters only is an alphabet: its `I` is a letter and not the word.
        let alphabet = entries.iter().all(|e| letters(e) <= MAX_LETTER);
        if !alphabet {
            self.signs.push(lexicon);
        }
        for entry in entries {
            let clip = Clip { lexicon, entry, letter: alphabet };
            if alphabet || letters(entry) == 1 {
                let key = self.key(name(entry));
                self.letters.entry(key).or_insert(Clip { letter: true, ..clip });
            }
            if !alphabet && let Some(stemmer) = &self.stemmer {
                for word in entry.words.split('|').map(normalise).filter(|w| !w.is_empty()) {
                    self.stems.entry(stemmer.stem(&word).into_owned()).or_insert(clip);
                }
            }
        }
    }

    fn words(&self, tokens: &[Token]) -> Vec<Planned<'a>> {
        let mut words: Vec<Planned> = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let (taken, word) = match token.kind {
                Kind::Mark => {
                    match words.last_mut() {
                        Some(word) => {
                            word.after.push_str(&token.text);
                            word.pause_s = word.pause_s.max(pause_s(&token.text));
                        }
                        None => words.push(self.mark(token)),
                    }
                    at += 1;
                    continue;
                }
                Kind::Number => (1, self.number(token)),
                Kind::Word => self.phrase(&tokens[at..]).unwrap_or_else(|| (1, self.word(token))),
            };
            words.push(word);
            at += taken;
        }
        words
    }

    /// The longest phrase from here on that a lexicon signs as one.
    fn phrase(&self, tokens: &[Token]) -> Option<(usize, Planned<'a>)> {
        let run = tokens.iter().take(MAX_PHRASE).take_while(|t| t.kind == Kind::Word).count();
        (1..=run).rev().find_map(|taken| {
            let text = tokens[..taken].iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
            let clip = self.sign(&text)?;
            Some((taken, planned(text, Provenance::Lexicon, vec![clip])))
        })
    }

    fn sign(&self, text: &str) -> Option<Clip<'a>> {
        self.signs.iter().find_map(|&lexicon| {
            let found = lexicon.find(&self.signed, Some(&self.spoken), text);
            found.first().map(|&entry| Clip { lexicon, entry, letter: false })
        })
    }

    fn word(&self, token: &Token) -> Planned<'a> {
        let stem = self.stemmer.as_ref().map(|s| s.stem(&normalise(&token.text)).into_owned());
        if let Some(clip) = stem.and_then(|stem| self.stems.get(&stem)) {
            return planned(token.text.clone(), Provenance::Stem, vec![*clip]);
        }
        if let Some(clips) = self.compound(&token.text) {
            return planned(token.text.clone(), Provenance::Compound, clips);
        }
        let (clips, missing) = self.spell(&token.text);
        let provenance = if clips.is_empty() { Provenance::NotFound } else { Provenance::Spelled };
        Planned { missing, ..planned(token.text.clone(), provenance, clips) }
    }

    /// The signs of the words that a word is put together from, in languages that write such words as one: as few as
    /// there can be, and of those the ones with the longest beginnings. All of the word must be found.
    fn compound(&self, word: &str) -> Option<Vec<Clip<'a>>> {
        let joints = joints(&self.spoken)?;
        let letters: Vec<char> = normalise(word).chars().collect();
        if letters.len() > MAX_COMPOUND {
            return None;
        }
        // What signs the word from each letter on, looked for from its end.
        let mut from: Vec<Option<Vec<Clip>>> = vec![None; letters.len() + 1];
        from[letters.len()] = Some(vec![]);
        for start in (0..letters.len().saturating_sub(MIN_PART - 1)).rev() {
            let ends = (start + MIN_PART..=letters.len()).rev().filter(|&end| from[end].is_some());
            let signed = ends.filter_map(|end| {
                let part: String = letters[start..end].iter().collect();
                let rest = from[end].as_ref()?;
                let joined = || {
                    // Only between parts is there a joint.
                    let bare = joints.iter().filter_map(|joint| part.strip_suffix(joint));
                    let mut bare = bare.filter(|bare| !rest.is_empty() && bare.chars().count() >= MIN_PART);
                    bare.find_map(|bare| self.sign(bare))
                };
                let clip = self.sign(&part).or_else(joined)?;
                Some(std::iter::once(clip).chain(rest.iter().copied()).collect::<Vec<_>>())
            });
            // Of as many parts the first, which begins with the longest.
            let fewest = signed.min_by_key(Vec::len);
            from[start] = fewest;
        }
        from.swap_remove(0).filter(|clips| clips.len() > 1)
    }

    /// The sign of the whole number, or number signs digit by digit, or the digits' names spelled.
    fn number(&self, token: &Token) -> Planned<'a> {
        let digits: Vec<u32> = token.text.chars().filter_map(digit).collect();
        let plain: String = digits.iter().map(u32::to_string).collect();
        if let Some(clip) = self.sign(&plain) {
            return planned(token.text.clone(), Provenance::Number, vec![clip]);
        }
        let (mut clips, mut missing) = (Vec::new(), String::new());
        for value in digits {
            let sign = self.letters.get(&value.to_string()).copied();
            let name = digit_name(value, &self.spoken);
            let named = || name.and_then(|name| self.sign(name));
            if let Some(clip) = sign.or_else(named) {
                clips.push(clip);
            } else {
                let (spelled, lacking) = self.spell(name.unwrap_or_default());
                if spelled.is_empty() {
                    missing.push_str(&value.to_string());
                } else {
                    missing.push_str(&lacking);
                }
                clips.extend(spelled);
            }
        }
        let provenance = if clips.is_empty() { Provenance::NotFound } else { Provenance::Number };
        Planned { missing, ..planned(token.text.clone(), provenance, clips) }
    }

    /// A mark before the first word.
    fn mark(&self, token: &Token) -> Planned<'a> {
        planned(token.text.clone(), Provenance::Mark, Vec::new())
    }

    /// Letters of a word, the longest units first, and the letters that are missing.
    fn spell(&self, word: &str) -> (Vec<Clip<'a>>, String) {
        let letters: Vec<char> = self.key(word).chars().collect();
        let (mut clips, mut missing) = (Vec::new(), String::new());
        let mut at = 0;
        while at < letters.len() {
            let longest = MAX_LETTER.min(letters.len() - at);
            let unit = (1..=longest).rev().find_map(|n| {
                let unit: String = letters[at..at + n].iter().collect();
                self.letters.get(&unit).map(|clip| (n, *clip))
            });
            if let Some((n, clip)) = unit {
                clips.push(clip);
                at += n;
                continue;
            }
            let simpler = folded(letters[at], &self.spoken).unwrap_or_default();
            let simpler: Vec<Option<&Clip>> =
                simpler.chars().map(|c| self.letters.get(&c.to_string())).collect();
            if !simpler.is_empty() && simpler.iter().all(Option::is_some) {
                clips.extend(simpler.into_iter().flatten());
            } else {
                missing.push(letters[at]);
            }
            at += 1;
        }
        (clips, missing)
    }

    /// A word in the letters by which the alphabet is looked up.
    ///
    /// Turkish has an `i` with and one without a dot in both cases.
    fn key(&self, text: &str) -> String {
        if self.spoken == "tr" {
            let small: String = text.chars().map(|c| if c == 'I' { 'ı' } else { c }).collect();
            return normalise(&small.replace('İ', "i"));
        }
        normalise(text).replace(' ', "")
    }
}

/// What an entry signs: its gloss where it has words too, for alphabets name both alike.
fn name(entry: &Entry) -> &str {
    if entry.words.is_empty() { &entry.glosses } else { &entry.words }
}

fn planned(text: String, provenance: Provenance, clips: Vec<Clip<'_>>) -> Planned<'_> {
    Planned { text, after: String::new(), provenance, clips, missing: String::new(), pause_s: 0.0 }
}

/// The stemmer of a spoken language, where there is one.
fn stemming(spoken: &str) -> Option<Algorithm> {
    Some(match spoken {
        "ar" => Algorithm::Arabic,
        "da" => Algorithm::Danish,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "en" => Algorithm::English,
        "es" => Algorithm::Spanish,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "hu" => Algorithm::Hungarian,
        "it" => Algorithm::Italian,
        "nl" => Algorithm::Dutch,
        "no" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "sv" => Algorithm::Swedish,
        "tr" => Algorithm::Turkish,
        _ => return None,
    })
}

/// What stands between the parts of a word in a language that puts words together; `None` of the others.
fn joints(spoken: &str) -> Option<&'static [&'static str]> {
    match spoken {
        "de" => Some(&["s", "es", "n", "en", "er", "e"]),
        "nl" => Some(&["s", "en", "e"]),
        "sv" | "da" | "nb" | "no" => Some(&["s", "e"]),
        "et" | "fi" | "hu" => Some(&[]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const SIGNS: &str = "path,spoken_language,signed_language,start,end,words,glosses,priority
k.pose,de,sgg,0,0,Kind,KIND,0
k2.pose,de,sgg,0,0,Kind,KIND-2,5
d.pose,de,sgg,0,0,guten Tag,GUTEN-TAG,0
g.pose,de,sgg,0,0,Garten,GARTEN,0
t.pose,de,sgg,0,0,Tor,TOR,0
z.pose,de,sgg,0,0,drei,DREI,0
y.pose,de,sgg,0,0,25,FÜNFUNDZWANZIG,0
";
    const LETTERS: &str = "a b c ch d e é h i k l m n o r s sch t u ü";

    fn lexicons(folder: &Path) -> Vec<Lexicon> {
        let alphabet: String = LETTERS
            .split(' ')
            .map(|l| format!("{l}.pose,de,sgg,0,0,{},{},0\n", l.to_uppercase(), l.to_uppercase()))
            .collect();
        let alphabet =
            format!("path,spoken_language,signed_language,start,end,words,glosses,priority\n{alphabet}");
        [("signs", SIGNS), ("letters", alphabet.as_str())]
            .map(|(name, index)| {
                let folder = folder.join(name);
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(folder.join("index.csv"), index).unwrap();
                Lexicon::open(folder).unwrap()
            })
            .into()
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let lexicons = lexicons(folder.path());
        let shown: Vec<String> = plan(text, "sgg", None, &lexicons)
            .unwrap()
            .iter()
            .map(|w| {
                let glosses: Vec<&str> = w.clips.iter().map(Clip::gloss).collect();
                let missing = if w.missing.is_empty() { String::new() } else { format!(" -{}", w.missing) };
                format!("{}{} {:?} {}{missing}", w.text, w.after, w.provenance, glosses.join("+"))
            })
            .collect();
        assert_eq!(shown.join(" | "), expect);
    }

    #[track_caller]
    fn check_fault(text: &str, signed: &str, spoken: Option<&str>, expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let fault = plan(text, signed, spoken, &lexicons(folder.path())).unwrap_err().to_string();
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
        check("Straße", "Straße Spelled S+T+R+A+S+S+E");
    }

    #[test]
    fn numbers_are_signed_whole_or_by_digit_or_spelled() {
        check("25", "25 Number FÜNFUNDZWANZIG");
        check("3", "3 Number DREI");
        check("31", "31 Number DREI+E+I+N+S");
        check("2", "2 Number E+I -zw");
    }

    #[test]
    fn what_is_missing_is_said() {
        check("axt", "axt Spelled A+T -x");
        check("Kind 你好", "Kind Lexicon KIND | 你好 NotFound  -你好");
        check("„Kind", "„ Mark  | Kind Lexicon KIND");
    }

    #[test]
    fn faults_say_the_next_step() {
        check_fault("", "sgg", None, "empty");
        check_fault("🙂 …", "sgg", None, "empty");
        check_fault("你好", "sgg", None, "你好");
        check_fault("Kind", "xxx", None, "sgg");
        check_fault("Kind", "sgg", Some("fr"), "de");
        check_fault(&"a ".repeat(251), "sgg", None, "at most 500");
        check_fault(&"1".repeat(500), "sgg", None, "needs 2000 signs and letters");
    }
}
