//! Words by their own vectors, and words never seen by their letters.
//!
//! A word that was learnt has a vector of its own; of another the vectors of its runs of three to five letters are
//! averaged (Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information"), runs sharing a number of
//! buckets by their hash as there. Signs have vectors of their own, by gloss, for a gloss and the word that is
//! written like it need not mean the same.

use std::collections::HashMap;

use half::f16;
use serde::{Deserialize, Serialize};

use super::Embed;
use crate::gloss::Convention;
use crate::lexicon::plain;
use crate::manifest::{Metric, Source};

/// Lengths of runs of letters, as in the paper but for the sixth: words of little text are short of long ones.
const GRAMS: std::ops::RangeInclusive<usize> = 3..=5;
/// Longer words are looked at so far only.
const LONGEST: usize = 60;

/// What is known about an embedder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubwordManifest {
    /// Its name, for example `phoenix14t-embedder`.
    pub name: String,
    /// Language of the words, as ISO 639-1.
    pub spoken: String,
    /// Sign language of the glosses, as ISO 639-3.
    pub signed: String,
    /// Values of a vector, D.
    pub width: usize,
    /// Buckets of runs of letters.
    pub buckets: usize,
    /// The cosine from which a sign may stand for a word.
    pub threshold: f32,
    /// Words with a vector of their own, in [`plain`] letters, in the order of the rows.
    pub words: Vec<String>,
    /// Glosses with a vector of their own, in [`plain`] letters, in the order of the rows behind those of the words.
    pub labels: Vec<String>,
    /// What it was trained on.
    pub data: Vec<Source>,
    /// What it was measured to do.
    pub metrics: Vec<Metric>,
    /// The command that remakes it.
    pub recipe: String,
}

/// Words, glosses and runs of letters with their vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Subword {
    manifest: SubwordManifest,
    words: HashMap<String, usize>,
    labels: HashMap<String, usize>,
    /// `[words + labels + buckets, D]`, halved: a unit keeps them all.
    rows: Vec<f16>,
}

impl SubwordManifest {
    /// Rows of its vectors: words, labels, buckets.
    pub fn rows(&self) -> usize {
        self.words.len().saturating_add(self.labels.len()).saturating_add(self.buckets)
    }
}

impl Subword {
    /// Puts vectors `[words + labels + buckets, D]` to a manifest.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn new(manifest: SubwordManifest, rows: impl IntoIterator<Item = f32>) -> Result<Self, String> {
        let SubwordManifest { width, threshold, .. } = manifest;
        let rows: Vec<f16> = rows.into_iter().map(f16::from_f32).collect();
        if manifest.name.trim().is_empty() {
            return Err("it has no name".into());
        }
        if !(0.0..=1.0).contains(&threshold) {
            return Err(format!("its threshold is {threshold}, and a cosine lies within 0 to 1"));
        }
        if width == 0 || manifest.rows().checked_mul(width) != Some(rows.len()) {
            return Err(format!(
                "it has {} values where {} vectors of {width} are needed",
                rows.len(),
                manifest.rows()
            ));
        }
        if !rows.iter().all(|v| v.is_finite()) {
            return Err("a vector holds what is no number, or one beyond half precision".into());
        }
        let numbered = |names: &[String], from: usize| -> HashMap<String, usize> {
            names.iter().cloned().zip(from..).collect()
        };
        let words = numbered(&manifest.words, 0);
        let labels = numbered(&manifest.labels, manifest.words.len());
        if words.len() < manifest.words.len() || labels.len() < manifest.labels.len() {
            return Err("a word or gloss stands there twice".into());
        }
        Ok(Self { manifest, words, labels, rows })
    }

    /// What is known about it.
    pub fn manifest(&self) -> &SubwordManifest {
        &self.manifest
    }

    /// The same with what was measured.
    #[must_use]
    pub fn measured(mut self, threshold: f32, metrics: Vec<Metric>) -> Self {
        (self.manifest.threshold, self.manifest.metrics) = (threshold, metrics);
        self
    }

    /// All vectors, `[words + labels + buckets, D]`.
    pub fn rows(&self) -> &[f16] {
        &self.rows
    }

    fn row(&self, number: usize) -> Vec<f32> {
        let width = self.manifest.width;
        self.rows[number * width..(number + 1) * width].iter().map(|v| v.to_f32()).collect()
    }

    /// The mean of the runs of a word that were seen; `None` where none was.
    fn by_letters(&self, word: &str) -> Option<Vec<f32>> {
        if self.manifest.buckets == 0 {
            return None;
        }
        let from = self.manifest.words.len() + self.manifest.labels.len();
        let mut sum = vec![0.0; self.manifest.width];
        let runs = grams(word);
        for gram in &runs {
            let row = self.row(from + bucket(gram, self.manifest.buckets));
            sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
        }
        sum.iter_mut().for_each(|s| *s /= runs.len().max(1) as f32);
        sum.iter().any(|v| *v != 0.0).then_some(sum)
    }

    /// A part of a gloss, by its own vector as a gloss or a word.
    fn part(&self, part: &str) -> Option<Vec<f32>> {
        self.label(part).or_else(|| self.words.get(&plain(part)).map(|number| self.row(*number)))
    }

    fn label(&self, gloss: &str) -> Option<Vec<f32>> {
        self.labels.get(&plain(gloss)).map(|number| self.row(*number))
    }
}

impl Embed for Subword {
    fn width(&self) -> usize {
        self.manifest.width
    }

    fn threshold(&self) -> f32 {
        self.manifest.threshold
    }

    fn word(&self, word: &str) -> Option<Vec<f32>> {
        let word = plain(word);
        match self.words.get(&word) {
            Some(number) => Some(self.row(*number)),
            None => self.by_letters(&word),
        }
    }

    /// By the gloss, by a word that is a gloss of the corpus, by the parts of the gloss, by the words' own vectors, or by
    /// their letters.
    fn sign(&self, words: &str, gloss: &str) -> Option<Vec<f32>> {
        let bases = Convention::of(gloss).bases;
        let own = self.label(gloss).or_else(|| bases.iter().find_map(|base| self.label(base)));
        let own = own.or_else(|| words.split('|').find_map(|word| self.label(word)));
        if own.is_some() {
            return own;
        }
        // `BANK-GELD` tells by its parts which bank it is.
        let parts: Vec<Vec<f32>> = gloss.split(['-', '_', ' ']).filter_map(|part| self.part(part)).collect();
        if parts.len() > 1 {
            let mut sum = vec![0.0; self.manifest.width];
            parts.iter().for_each(|part| sum.iter_mut().zip(part).for_each(|(s, v)| *s += v));
            return Some(sum);
        }
        let words = if words.is_empty() { gloss } else { words };
        let known = words.split('|').find_map(|word| self.words.get(&plain(word)));
        match known {
            Some(number) => Some(self.row(*number)),
            None => words.split('|').find_map(|word| self.by_letters(&plain(word))),
        }
    }
}

/// The runs of letters of a word, with marks where it begins and ends.
pub fn grams(word: &str) -> Vec<String> {
    let letters: Vec<char> = ['<'].into_iter().chain(word.chars().take(LONGEST)).chain(['>']).collect();
    GRAMS.flat_map(|length| letters.windows(length).map(String::from_iter)).collect()
}

/// The bucket of a run of letters: FNV-1a, as in the authors' program.
pub fn bucket(gram: &str, buckets: usize) -> usize {
    let hash =
        gram.bytes().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    hash as usize % buckets.max(1)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn manifest() -> SubwordManifest {
        SubwordManifest {
            name: "test".into(),
            spoken: "de".into(),
            signed: "gsg".into(),
            width: 2,
            buckets: 8,
            threshold: 0.5,
            words: vec!["schauer".into(), "ueber".into()],
            labels: vec!["regen".into()],
            data: vec![],
            metrics: vec![],
            recipe: "none".into(),
        }
    }

    /// The two words are [1, 2] and [3, 4], the gloss [5, 6], and every run of letters [0.5, 0].
    pub fn rows() -> Vec<f32> {
        let mut rows: Vec<f32> = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        rows.extend([0.5, 0.0].repeat(8));
        rows
    }

    #[test]
    fn words_have_vectors_of_their_own_or_of_their_letters() {
        let embedder = Subword::new(manifest(), rows()).unwrap();
        assert_eq!(embedder.word("Schauer"), Some(vec![1.0, 2.0]));
        assert_eq!(embedder.word("ÜBER"), Some(vec![3.0, 4.0]));
        assert_eq!(embedder.word("unbekannt"), Some(vec![0.5, 0.0]));
        assert_eq!(embedder.word(""), None);
        let none = SubwordManifest { buckets: 0, ..manifest() };
        assert_eq!(Subword::new(none, rows()[..6].to_vec()).unwrap().word("unbekannt"), None);
    }

    #[test]
    fn signs_are_found_by_gloss_then_by_word() {
        let embedder = Subword::new(manifest(), rows()).unwrap();
        let gloss = Some(vec![5.0, 6.0]);
        assert_eq!(embedder.sign("", "REGEN"), gloss);
        assert_eq!(embedder.sign("Nieselregen", "REGEN2"), gloss, "a variant");
        assert_eq!(embedder.sign("Nass|Regen", ""), gloss, "a word that is a gloss");
        assert_eq!(embedder.sign("Schauer", "SCHAUER"), Some(vec![1.0, 2.0]));
        assert_eq!(embedder.sign("Guss", "REGEN-SCHAUER"), Some(vec![6.0, 8.0]), "both parts");
        assert_eq!(embedder.sign("", "WIND"), Some(vec![0.5, 0.0]));
    }

    #[test]
    fn runs_of_letters_are_those_of_the_paper() {
        assert_eq!(grams("ab"), ["<ab", "ab>", "<ab>"]);
        assert_eq!(grams("a"), ["<a>"]);
        assert_eq!(grams("").len(), 0);
        // FNV-1a's published values of "" and of "a".
        assert_eq!(bucket("", 1 << 32), 0x811c_9dc5);
        assert_eq!(bucket("a", 1 << 32), 0xe40c_292c);
        assert_eq!(bucket("a", 0), 0);
    }

    #[track_caller]
    fn check_refused(change: impl Fn(&mut SubwordManifest, &mut Vec<f32>), expect: &str) {
        let (mut manifest, mut rows) = (manifest(), rows());
        change(&mut manifest, &mut rows);
        let why = Subword::new(manifest, rows).unwrap_err();
        assert!(why.contains(expect), "{why}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        check_refused(|m, _| m.name.clear(), "no name");
        check_refused(|m, _| m.threshold = f32::NAN, "threshold is NaN");
        check_refused(|m, _| m.width = 0, "vectors of 0");
        check_refused(|m, _| m.buckets = usize::MAX, "22 values");
        check_refused(|_, r| r.truncate(21), "21 values");
        check_refused(|_, r| r[3] = f32::INFINITY, "no number");
        check_refused(|m, _| m.words[1] = "schauer".into(), "twice");
    }
}
