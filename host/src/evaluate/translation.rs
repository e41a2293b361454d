//! Scores a translator on sentences with their glosses, beside two floors: what the most similar sentence that was
//! learnt is translated by, and the source as it stands.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use models::metrics::tokenize::Tokenizer;
use models::metrics::words::{WordErrors, align};
use models::translator::Direction;
use serde::Serialize;

use super::continuous::{Overlap, overlap};
use crate::Error;
use crate::data::sentences::Sentence;

/// The score of translations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TranslationReport {
    /// Sentences.
    pub n: usize,
    /// What was said.
    pub model: Scores,
    /// What the sentence that was learnt and has the most similar source is translated by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Scores>,
    /// The source as it stands; of a text in capitals, without its punctuation.
    pub copy: Scores,
}

/// How translations compare with those of the data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// Over glosses or words; of Chinese text over its characters and foreign words.
    pub words: Overlap,
    /// Over characters.
    pub characters: Overlap,
    /// Errors for each gloss or word of the data.
    pub wer: f64,
    /// Sentences that are translated as the data have it.
    pub exact: usize,
}

impl TranslationReport {
    /// The figures that a manifest keeps.
    pub fn figures(&self) -> [(&'static str, f64); 4] {
        let Scores { words, characters, wer, .. } = &self.model;
        [
            ("bleu4", words.bleu4),
            ("rouge-l", words.rouge_l),
            ("bleu4-characters", characters.bleu4),
            ("wer", *wer),
        ]
    }
}

impl fmt::Display for TranslationReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let rows =
            [("model", Some(&self.model)), ("nearest", self.nearest.as_ref()), ("copy", Some(&self.copy))];
        for (name, scores) in rows.into_iter().filter_map(|(name, scores)| Some((name, scores?))) {
            let Scores { words: w, characters: c, wer, exact } = scores;
            writeln!(
                f,
                "{name:8} BLEU-4 {:.2} (1 to 3: {:.2} {:.2} {:.2})  ROUGE-L {:.2}  chrF2 {:.2}  WER {wer:.4}  \
                 characters' BLEU-4 {:.2}  exact {exact} of {}",
                w.bleu4, w.bleu1, w.bleu2, w.bleu3, w.rouge_l, w.chrf, c.bleu4, self.n
            )?;
        }
        let Scores { words, characters, .. } = &self.model;
        write!(f, "  sacreBLEU's BLEU|{} and {}", words.bleu_signature, characters.bleu_signature)
    }
}

/// Whatever translates line by line.
pub trait Translates {
    /// From what into what.
    fn direction(&self) -> Direction;

    /// The spoken language, as ISO 639-1.
    fn spoken(&self) -> &str;

    /// Translates a line.
    ///
    /// # Errors
    /// Where what it runs on fails.
    fn translate(&mut self, line: &str) -> Result<String, Error>;
}

/// Translates sentences and compares. `learnt` are those that the model was trained on, where they are at hand;
/// `tell` hears of each translation.
///
/// # Errors
/// [`Error::Network`] where the engine fails.
pub fn translation(
    runner: &mut dyn Translates,
    sentences: &[Sentence],
    learnt: &[Sentence],
    mut tell: impl FnMut(&str),
) -> Result<TranslationReport, Error> {
    let direction = runner.direction();
    let tokenizer = match (direction, runner.spoken()) {
        (Direction::GlossToText, "zh") => Tokenizer::Zh,
        _ => Tokenizer::None,
    };
    let truth = |s: &Sentence| match direction {
        Direction::TextToGloss => s.glosses.clone(),
        Direction::GlossToText => s.text.clone(),
    };
    let source = |s: &Sentence| {
        direction.normal(match direction {
            Direction::TextToGloss => &s.text,
            Direction::GlossToText => &s.glosses,
        })
    };
    let mut said = vec![];
    for sentence in sentences {
        let translated = runner.translate(&source(sentence))?;
        tell(&translated);
        said.push((translated, truth(sentence)));
    }
    let copy = sentences.iter().map(|s| (copied(direction, &source(s)), truth(s))).collect::<Vec<_>>();
    let nearest = (!learnt.is_empty()).then(|| {
        let index = Nearest::new(learnt.iter().map(|s| (source(s), truth(s))).collect());
        sentences.iter().map(|s| (index.find(&source(s)).to_owned(), truth(s))).collect::<Vec<_>>()
    });
    Ok(TranslationReport {
        n: sentences.len(),
        model: scores(&said, tokenizer),
        nearest: nearest.map(|pairs| scores(&pairs, tokenizer)),
        copy: scores(&copy, tokenizer),
    })
}

/// The scores of pairs (translation, truth).
fn scores(pairs: &[(String, String)], tokenizer: Tokenizer) -> Scores {
    let edits =
        pairs.iter().flat_map(|(said, truth)| align(&tokenizer.tokens(truth), &tokenizer.tokens(said)));
    Scores {
        words: overlap(pairs, tokenizer),
        characters: overlap(pairs, Tokenizer::Char),
        wer: WordErrors::of(&edits.collect::<Vec<_>>()).rate(),
        exact: pairs.iter().filter(|(said, truth)| said == truth).count(),
    }
}

/// The source as a translation.
fn copied(direction: Direction, source: &str) -> String {
    match direction {
        Direction::GlossToText => source.to_lowercase(),
        Direction::TextToGloss => {
            let capitals = source.to_uppercase();
            let words = capitals.split(' ').filter(|w| w.chars().any(char::is_alphanumeric));
            words.collect::<Vec<_>>().join(" ")
        }
    }
}

/// Sentences by their words, each weighed by how rare it is.
struct Nearest {
    pairs: Vec<(String, String)>,
    /// The weight of each word.
    weights: HashMap<String, f64>,
    /// For each word the sentences that have it, with its share of the sentence's length.
    places: HashMap<String, Vec<(usize, f64)>>,
}

/// Words of a source; of a writing without spaces its characters.
fn words(source: &str) -> Vec<String> {
    let chinese = |c: char| ('\u{3400}'..='\u{9fff}').contains(&c);
    if source.chars().any(chinese) { Tokenizer::Char.tokens(source) } else { Tokenizer::None.tokens(source) }
}

impl Nearest {
    fn new(pairs: Vec<(String, String)>) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (source, _) in &pairs {
            let mut words = words(source);
            words.sort_unstable();
            words.dedup();
            words.into_iter().for_each(|word| *counts.entry(word).or_insert(0) += 1);
        }
        let n = pairs.len() as f64;
        let weights = counts.into_iter().map(|(word, count)| (word, (n / count as f64).ln() + 1.0)).collect();
        let mut index = Self { pairs, weights, places: HashMap::new() };
        for i in 0..index.pairs.len() {
            for (word, share) in index.vector(&index.pairs[i].0) {
                index.places.entry(word).or_default().push((i, share));
            }
        }
        index
    }

    /// A source's words with their shares of its length.
    fn vector(&self, source: &str) -> BTreeMap<String, f64> {
        // Sums follow from the order, and which of two as similar sentences is found from the sums.
        let mut vector: BTreeMap<String, f64> = BTreeMap::new();
        for word in words(source) {
            if let Some(weight) = self.weights.get(&word) {
                *vector.entry(word).or_insert(0.0) += weight;
            }
        }
        let length = vector.values().map(|v| v * v).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        vector.values_mut().for_each(|v| *v /= length);
        vector
    }

    /// The translation of the sentence with the most similar source; of those as similar the first.
    fn find(&self, source: &str) -> &str {
        let mut similar = vec![0.0; self.pairs.len()];
        for (word, share) in self.vector(source) {
            for (i, own) in self.places.get(&word).into_iter().flatten() {
                similar[*i] += share * own;
            }
        }
        let best = (0..similar.len()).max_by(|a, b| similar[*a].total_cmp(&similar[*b]).then(b.cmp(a)));
        best.map_or("", |i| &self.pairs[i].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_sentence_shares_the_rarest_words() {
        let pairs = [("am tag regen", "A"), ("am tag sonne", "B"), ("am abend sonne und am tag", "C")];
        let index = Nearest::new(pairs.map(|(s, t)| (s.to_owned(), t.to_owned())).into());
        assert_eq!(index.find("am tag auch regen"), "A");
        assert_eq!(index.find("sonne am tag"), "B");
        assert_eq!(index.find("abend"), "C");
        assert_eq!(index.find("unbekannt"), "A");
        assert_eq!(words("今天 好"), ["今", "天", "好"]);
    }

    #[test]
    fn a_copy_has_the_form_of_a_translation() {
        assert_eq!(copied(Direction::TextToGloss, "morgen regen ."), "MORGEN REGEN");
        assert_eq!(copied(Direction::GlossToText, "MORGEN IX"), "morgen ix");
    }
}
