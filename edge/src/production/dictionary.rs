//! What lexicons hold of one pair of languages, made once when they are opened and asked at every text.

use std::collections::HashMap;
use std::path::Path;

use models::gloss::{Convention, label_key};
use models::lexicon::{Entry, Lexicon, normalise, plain};
use models::playback::Frame;
use models::retrieval::{Embed, Index, Subword};
use rust_stemmers::{Algorithm, Stemmer};

use super::Source;
use super::figure::{digit_name, number_name, units};
use crate::Fault;

/// Longest phrase that is looked up as one sign, in words.
const MAX_PHRASE: usize = 5;
/// Longest name of a letter, in characters (`sch`).
pub(super) const MAX_LETTER: usize = 3;
/// Longest word of a writing without spaces, in characters.
const MAX_UNSPACED: usize = 12;
/// A sense takes the place of the first one when the words around it are nearer to it by so much. Set by hand: no
/// corpus at hand says which sense of a gloss was meant.
const SENSE_MARGIN: f32 = 0.1;

/// One clip to sign, by the numbers of its lexicon and entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Clip {
    lexicon: u32,
    entry: u32,
    /// Whether it is a letter or digit of a spelled word.
    pub letter: bool,
}

/// The signs and letters of one pair of languages.
pub struct Dictionary {
    lexicons: Vec<Lexicon>,
    pub(super) signed: String,
    pub(super) spoken: String,
    /// By normalised word or phrase, and by the key of a gloss; the best first.
    words: HashMap<String, Vec<Clip>>,
    glosses: HashMap<String, Vec<Clip>>,
    /// By the word in plain letters, and by the gloss without its marks.
    plain: HashMap<String, Vec<Clip>>,
    /// By the stem of a word.
    stems: HashMap<String, Vec<Clip>>,
    letters: HashMap<String, Clip>,
    stemmer: Option<Stemmer>,
    /// Numbers by their plain names.
    numerals: HashMap<String, u64>,
    /// Words of the longest phrase, and characters of the longest word.
    longest: [usize; 2],
    retrieval: Option<Retrieval>,
}

/// Signs by their embeddings.
struct Retrieval {
    embedder: Box<dyn Embed>,
    index: Index,
    /// The clip of each row, and the row of each clip.
    clips: Vec<Clip>,
    rows: HashMap<Clip, usize>,
}

impl Dictionary {
    /// Makes the dictionary of a pair of languages; the first lexicon that has a word wins.
    ///
    /// # Errors
    /// No lexicon has the sign language, or none has words of the spoken one.
    pub fn new(lexicons: Vec<Lexicon>, signed: &str, spoken: Option<&str>) -> Result<Self, Fault> {
        let spoken = spoken_language(&lexicons, signed, spoken)?;
        let numbers = (0..100).chain(units(&spoken).iter().map(|(unit, _)| *unit));
        let numerals = numbers.filter_map(|n| Some((plain(&number_name(n, &spoken)?), n))).collect();
        let mut dictionary = Self {
            lexicons: vec![],
            signed: signed.into(),
            stemmer: stemming(&spoken).map(Stemmer::create),
            words: HashMap::new(),
            glosses: HashMap::new(),
            plain: HashMap::new(),
            stems: HashMap::new(),
            letters: HashMap::new(),
            numerals,
            longest: [1, 1],
            retrieval: None,
            spoken,
        };
        for (number, lexicon) in (0..).zip(&lexicons) {
            dictionary.add(number, lexicon);
        }
        dictionary.lexicons = lexicons;
        Ok(dictionary)
    }

    /// The same, with signs for words that stand in no lexicon, by an embedder that a file held.
    ///
    /// # Errors
    /// [`Fault::EmbedderLanguage`] where it is of other languages.
    pub fn with_embedder(self, path: &Path, embedder: Subword) -> Result<Self, Fault> {
        let (spoken, signed) = (&embedder.manifest().spoken, &embedder.manifest().signed);
        if (spoken, signed) != (&self.spoken, &self.signed) {
            return Err(Fault::EmbedderLanguage {
                path: path.to_owned(),
                is: format!("{spoken} for signs of {signed}"),
                wanted: format!("{} for {}", self.spoken, self.signed),
            });
        }
        Ok(self.with_embed(Box::new(embedder)))
    }

    /// The same by any embedder.
    #[must_use]
    pub fn with_embed(mut self, embedder: Box<dyn Embed>) -> Self {
        let mut index = Index::new(embedder.width());
        let (mut clips, mut rows) = (vec![], HashMap::new());
        let mut all: Vec<Clip> =
            self.words.values().chain(self.glosses.values()).flatten().copied().collect();
        all.sort_unstable_by_key(|clip| (clip.lexicon, self.entry(*clip).priority, clip.entry));
        all.dedup();
        for clip in all {
            let entry = self.entry(clip);
            // A number that is nearly right is wrong.
            let terms = || entry.words.split('|').chain([entry.glosses.as_str()]);
            if terms().any(|term| self.numeral(term).is_some()) {
                continue;
            }
            let row = embedder.sign(&entry.words, &entry.glosses);
            if row.is_some_and(|row| index.push(&row)) {
                rows.insert(clip, clips.len());
                clips.push(clip);
            }
        }
        self.retrieval = Some(Retrieval { embedder, index, clips, rows });
        self
    }

    fn add(&mut self, number: u32, lexicon: &Lexicon) {
        let own = |e: &Entry| {
            e.signed_language == self.signed
                && (e.spoken_language.is_empty() || e.spoken_language == self.spoken)
        };
        let mut entries: Vec<(u32, &Entry)> = (0..).zip(lexicon.all()).filter(|(_, e)| own(e)).collect();
        entries.sort_by_key(|(_, e)| e.priority);
        let letters = |e: &Entry| name(e).chars().count();
        // A lexicon of letters only is an alphabet: its `I` is a letter and not the word.
        let alphabet = entries.iter().all(|(_, e)| letters(e) <= MAX_LETTER && !is_unspaced(name(e)));
        for (entry_number, entry) in entries {
            let clip = Clip { lexicon: number, entry: entry_number, letter: alphabet };
            if alphabet || letters(entry) == 1 {
                let key = self.key(name(entry));
                self.letters.entry(key).or_insert(Clip { letter: true, ..clip });
            }
            if alphabet {
                continue;
            }
            for word in entry.words.split('|').filter(|w| !w.trim().is_empty()) {
                let normal = normalise(word);
                self.longest[0] = self.longest[0].max(normal.split(' ').count());
                self.longest[1] = self.longest[1].max(normal.chars().count());
                self.known_as(word, clip);
                push(&mut self.words, normal, clip);
            }
            let gloss = entry.glosses.as_str();
            if !gloss.is_empty() {
                self.longest[0] = self.longest[0].max(gloss.split(['-', '_', ' ']).count());
                self.longest[1] = self.longest[1].max(gloss.chars().count());
                push(&mut self.glosses, label_key(gloss), clip);
                for base in Convention::of(gloss).bases {
                    self.known_as(&base, clip);
                }
                self.known_as(gloss, clip);
            }
        }
        self.longest = [self.longest[0].min(MAX_PHRASE), self.longest[1].min(MAX_UNSPACED)];
    }

    /// What else an entry is found by: plain letters, and its stem.
    fn known_as(&mut self, word: &str, clip: Clip) {
        for stem in self.stems_of(word) {
            push(&mut self.stems, stem, clip);
        }
        push(&mut self.plain, plain(word), clip);
    }

    /// The stems of a word: as it is written, and in plain letters.
    fn stems_of(&self, word: &str) -> Vec<String> {
        let Some(stemmer) = &self.stemmer else { return vec![] };
        let mut stems: Vec<String> =
            [normalise(word), plain(word)].iter().map(|word| stemmer.stem(word).into_owned()).collect();
        stems.dedup();
        stems.retain(|stem| !stem.is_empty());
        stems
    }

    /// All clips of a word, phrase or gloss as it stands, the best first.
    pub(super) fn exact(&self, text: &str) -> Vec<Clip> {
        let by_word = self.words.get(&normalise(text)).map_or(&[][..], Vec::as_slice);
        let by_gloss = self.glosses.get(&label_key(text)).map_or(&[][..], Vec::as_slice);
        let mut found = by_word.to_vec();
        found.extend(by_gloss.iter().filter(|clip| !by_word.contains(clip)));
        // Stable: of one lexicon and priority a word comes before a gloss.
        found.sort_by_key(|clip| (clip.lexicon, self.entry(*clip).priority));
        found
    }

    /// The clips of a word that is written in another way: umlauts, accents, a variant's number.
    pub(super) fn plainly(&self, text: &str) -> &[Clip] {
        self.plain.get(&plain(text)).map_or(&[], Vec::as_slice)
    }

    /// The sign of a part of a word, which stands in plain letters already.
    pub(super) fn part(&self, plain: &str) -> Option<Clip> {
        self.plain.get(plain).and_then(|clips| clips.first()).copied()
    }

    /// The clips of other forms of a word.
    pub(super) fn by_stem(&self, text: &str) -> &[Clip] {
        let stems = self.stems_of(text);
        stems.iter().find_map(|stem| self.stems.get(stem)).map_or(&[], Vec::as_slice)
    }

    /// The best clip of a gloss with all its marks.
    pub(super) fn by_gloss(&self, label: &str) -> Option<Clip> {
        self.glosses.get(&label_key(label)).and_then(|clips| clips.first()).copied()
    }

    /// The best clip of a word as it stands.
    pub(super) fn sign(&self, text: &str) -> Option<Clip> {
        self.exact(text).first().copied()
    }

    /// The clip of a sign that means nearly the same; none for a word that is a number.
    pub(super) fn synonym(&self, word: &str) -> Option<Clip> {
        let Retrieval { embedder, index, clips, .. } = self.retrieval.as_ref()?;
        if self.numeral(word).is_some() {
            return None;
        }
        let near = index.nearest(&embedder.word(word)?)?;
        (near.cosine >= embedder.threshold()).then(|| clips[near.row])
    }

    /// Of several signs the one that the words around it are nearest to, else the first.
    pub(super) fn choose<'t>(&self, clips: &[Clip], around: impl Fn() -> Vec<&'t str>) -> Option<Clip> {
        let first = *clips.first()?;
        let rank = |clip: &Clip| (clip.lexicon, self.entry(*clip).priority);
        let same = |a: &Clip, b: &Clip| label_key(self.gloss(*a)) == label_key(self.gloss(*b));
        // What comes later in order is a poorer recording, not another sense; and so is another of the same gloss.
        let senses: Vec<Clip> = clips.iter().copied().filter(|c| rank(c) == rank(&first)).collect();
        let Some(retrieval) = self.retrieval.as_ref().filter(|_| senses.iter().any(|c| !same(c, &first)))
        else {
            return Some(first);
        };
        let mut sum = vec![0.0; retrieval.embedder.width()];
        for vector in around().into_iter().filter_map(|word| retrieval.embedder.word(word)) {
            sum.iter_mut().zip(vector).for_each(|(s, v)| *s += v);
        }
        let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
        sum.iter_mut().for_each(|v| *v /= length.max(f32::MIN_POSITIVE));
        let cosine = |clip: Clip| {
            let row = retrieval.rows.get(&clip)?;
            Some(retrieval.index.nearest_of(&sum, [*row])?.cosine)
        };
        let mut best = (first, cosine(first).map_or(SENSE_MARGIN, |cosine| cosine + SENSE_MARGIN));
        for &clip in &senses {
            if let Some(cosine) = cosine(clip).filter(|cosine| *cosine > best.1) {
                best = (clip, cosine);
            }
        }
        Some(best.0)
    }

    /// The number that a word or its digits name.
    pub(super) fn numeral(&self, word: &str) -> Option<u64> {
        let word = word.trim();
        let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        if digits { word.parse().ok() } else { self.numerals.get(&plain(word)).copied() }
    }

    /// The sign of a digit as alphabets have it.
    pub(super) fn letter(&self, letter: &str) -> Option<Clip> {
        self.letters.get(letter).copied()
    }

    /// The name of a digit in the language of the text.
    pub(super) fn digit_name(&self, value: u32) -> Option<&'static str> {
        digit_name(value, &self.spoken)
    }

    /// Words of the longest phrase.
    pub(super) fn longest_phrase(&self) -> usize {
        self.longest[0]
    }

    /// Characters of the longest word.
    pub(super) fn longest_word(&self) -> usize {
        self.longest[1]
    }

    fn entry(&self, clip: Clip) -> &Entry {
        &self.lexicon(clip).all()[clip.entry as usize]
    }

    fn lexicon(&self, clip: Clip) -> &Lexicon {
        &self.lexicons[clip.lexicon as usize]
    }

    /// The gloss, or the words where the lexicon has no gloss.
    pub fn gloss(&self, clip: Clip) -> &str {
        let entry = self.entry(clip);
        if entry.glosses.is_empty() { &entry.words } else { &entry.glosses }
    }

    pub(super) fn source(&self, clip: Clip) -> Source {
        let entry = self.entry(clip);
        Source { lexicon: self.lexicon(clip).folder().to_owned(), clip: entry.path.clone(), line: entry.line }
    }

    /// The clip's frames and their rate; none where no hand is seen.
    pub(super) fn frames(&self, clip: Clip) -> Result<Option<(Vec<Frame>, f32)>, models::Error> {
        self.lexicon(clip).frames(clip.entry as usize)
    }

    /// A word in the letters by which the alphabet is looked up.
    ///
    /// Turkish has an `i` with and one without a dot in both cases.
    pub(super) fn key(&self, text: &str) -> String {
        if self.spoken == "tr" {
            let small: String = text.chars().map(|c| if c == 'I' { 'ı' } else { c }).collect();
            return normalise(&small.replace('İ', "i"));
        }
        normalise(text).replace(' ', "")
    }
}

/// The spoken language that is meant: the one asked for, or the lexicons' own.
fn spoken_language(lexicons: &[Lexicon], signed: &str, spoken: Option<&str>) -> Result<String, Fault> {
    let mut pairs: Vec<(&str, &str)> = lexicons.iter().flat_map(Lexicon::languages).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let own: Vec<&str> = pairs.iter().filter(|p| p.0 == signed).map(|p| p.1).collect();
    if own.is_empty() {
        let mut known: Vec<&str> = pairs.iter().map(|p| p.0).collect();
        known.dedup();
        return Err(Fault::UnknownLanguage { signed: signed.into(), known: known.join(", ") });
    }
    match spoken {
        Some(spoken) if own.iter().any(|s| *s == spoken || s.is_empty()) => Ok(spoken.into()),
        Some(spoken) => {
            Err(Fault::UnknownSpoken { signed: signed.into(), spoken: spoken.into(), known: own.join(", ") })
        }
        None => Ok(own.iter().find(|s| !s.is_empty()).copied().unwrap_or("").into()),
    }
}

fn push(terms: &mut HashMap<String, Vec<Clip>>, term: String, clip: Clip) {
    let clips = terms.entry(term).or_default();
    if !clips.contains(&clip) {
        clips.push(clip);
    }
}

/// What an entry signs: its gloss where it has no words, for alphabets name both alike.
fn name(entry: &Entry) -> &str {
    if entry.words.is_empty() { &entry.glosses } else { &entry.words }
}

/// Whether a word is of a writing without spaces, whose words are as short as letters.
fn is_unspaced(word: &str) -> bool {
    word.chars().any(models::translator::text::is_wide)
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
