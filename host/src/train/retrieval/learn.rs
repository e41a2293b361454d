//! An embedder from sentences and their glosses.

use std::collections::{BTreeMap, HashMap, HashSet};

use models::lexicon::{plain, segment};
use models::retrieval::{Subword, SubwordManifest, bucket, grams};
use models::translator::text::{is_wide, normal, normal_glosses};

use super::align::align;
use super::project::{Row, directions};
use super::recipe::RetrievalRecipe;
use crate::data::sentences::Sentence;

/// What is aligned less often than this is an accident.
const LEAST: f64 = 0.05;
/// A run of letters that fewer words have says nothing of others.
const SHARED: usize = 2;
/// The length that no word reaches, so that rounding to half precision makes none as sure as a threshold of 1.
pub const CERTAIN: f64 = 0.999;
/// Longest word of a writing without spaces, in characters.
const LONGEST: usize = 8;

/// A sentence's words and glosses by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The day that it was said on, or what else stands together in the corpus.
    pub day: String,
    /// Its words.
    pub words: Vec<u32>,
    /// Its glosses.
    pub glosses: Vec<u32>,
}

/// A corpus by numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// All words and glosses, in plain letters.
    pub forms: Vec<String>,
    /// Its sentences.
    pub pairs: Vec<Pair>,
}

impl std::ops::Deref for Pairs {
    type Target = [Pair];

    fn deref(&self) -> &[Pair] {
        &self.pairs
    }
}

/// Reads sentences; those of a writing without spaces are cut into the words that are glosses.
pub fn pairs(sentences: &[Sentence], spoken: &str) -> Pairs {
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut number = |form: String| {
        let next = numbers.len() as u32;
        *numbers.entry(form).or_insert(next)
    };
    let glosses_of = |s: &Sentence| -> Vec<String> {
        normal_glosses(&s.glosses)
            .split(' ')
            .map(plain)
            .filter(|g| g.chars().any(char::is_alphanumeric))
            .collect()
    };
    let known: HashSet<String> = match spoken {
        "zh" => sentences.iter().flat_map(glosses_of).collect(),
        _ => HashSet::new(),
    };
    let words_of = |s: &Sentence| -> Vec<String> {
        let text = normal(&s.text);
        let words = text.split(' ').filter(|w| w.chars().any(char::is_alphanumeric));
        let cut = words.flat_map(|word| match word.chars().any(is_wide) {
            true => {
                segment(word, LONGEST, |part| known.contains(part)).iter().map(|p| plain(p.text)).collect()
            }
            false => vec![plain(word)],
        });
        cut.collect()
    };
    let pairs = sentences.iter().map(|sentence| Pair {
        day: day(&sentence.id),
        words: words_of(sentence).into_iter().map(&mut number).collect(),
        glosses: glosses_of(sentence).into_iter().map(&mut number).collect(),
    });
    let pairs = pairs.collect();
    let mut forms = vec![String::new(); numbers.len()];
    for (form, number) in numbers {
        forms[number as usize] = form;
    }
    Pairs { forms, pairs }
}

/// The day of a sentence's name, which PHOENIX14T writes as `train/11August_2010_Wednesday_tagesschau-1`; elsewhere
/// the name itself.
fn day(id: &str) -> String {
    let parts: Vec<&str> = id.split('_').collect();
    if parts.len() > 2 { parts[..2].join("_") } else { id.to_owned() }
}

/// Learns an embedder; its threshold is yet to be measured, and `blank` says the rest of what is known about it.
pub fn learn(
    recipe: &RetrievalRecipe,
    forms: &[String],
    pairs: &[&Pair],
    seed: u64,
    blank: SubwordManifest,
) -> Subword {
    // In the order of numbers, so that the same corpus gives the same file.
    let counts: BTreeMap<u32, Row> = align(pairs)
        .into_iter()
        .map(|(word, glosses)| {
            let mut row: Row = glosses.into_iter().filter(|(_, count)| *count > LEAST).collect();
            row.sort_unstable_by_key(|(gloss, _)| *gloss);
            (word, row)
        })
        .filter(|(_, row)| !row.is_empty())
        .collect();
    let mut seen: BTreeMap<u32, f64> = BTreeMap::new();
    pairs.iter().flat_map(|p| &p.glosses).for_each(|gloss| *seen.entry(*gloss).or_default() += 1.0);
    let columns: HashMap<u32, u32> = seen.keys().copied().zip(0..).collect();

    // Words by what they were signed as, each as heavy as it is sure, and glosses by themselves.
    let length = |row: &Row| row.iter().map(|(_, v)| v * v).sum::<f64>().sqrt();
    let by_column =
        |row: &Row, scale: f64| -> Row { row.iter().map(|(gloss, v)| (columns[gloss], v * scale)).collect() };
    let mut rows: Vec<Row> = counts.values().map(|row| by_column(row, length(row).powf(-0.5))).collect();
    rows.extend(seen.values().zip(0..).map(|(count, column)| vec![(column, count.sqrt())]));
    let basis = directions(&rows, seen.len(), recipe.width, seed);
    let width = basis.first().map_or(1, Vec::len);

    let placed: Vec<Vec<f64>> = counts
        .values()
        .map(|row| {
            let mut place = vec![0.0; width];
            for (column, value) in by_column(row, CERTAIN / length(row).hypot(recipe.doubt)) {
                place.iter_mut().zip(&basis[column as usize]).for_each(|(p, b)| *p += value * b);
            }
            place
        })
        .collect();
    let words: Vec<String> = counts.keys().map(|word| forms[*word as usize].clone()).collect();
    let letters = by_letters(recipe.buckets, width, &words, &placed);
    let narrow = |place: &[f64]| place.iter().map(|v| *v as f32).collect::<Vec<_>>();
    let vectors =
        placed.iter().chain(&basis).chain(&letters).flat_map(|place| narrow(place)).collect::<Vec<f32>>();
    let labels = seen.keys().map(|gloss| forms[*gloss as usize].clone()).collect();
    let manifest = SubwordManifest { width, buckets: recipe.buckets, words, labels, ..blank };
    Subword::new(manifest, vectors).expect("there is a vector for each name")
}

/// Runs of letters at the mean of the words that have them, `[buckets][width]`, nearer to nothing the fewer these are.
fn by_letters(buckets: usize, width: usize, words: &[String], placed: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut having: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, word) in words.iter().enumerate() {
        let runs: HashSet<String> = grams(word).into_iter().collect();
        runs.into_iter().for_each(|run| having.entry(run).or_default().push(i));
    }
    let mut sums = vec![(0_usize, vec![0.0; width]); buckets];
    for (run, words) in having.iter().filter(|(_, words)| words.len() >= SHARED) {
        let (count, sum) = &mut sums[bucket(run, buckets)];
        *count += words.len();
        for word in words {
            sum.iter_mut().zip(&placed[*word]).for_each(|(s, p)| *s += p);
        }
    }
    let mean = |(count, mut sum): (usize, Vec<f64>)| {
        sum.iter_mut().for_each(|s| *s /= (count + 1) as f64);
        sum
    };
    sums.into_iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use models::retrieval::Embed;

    use super::*;

    fn sentence(id: &str, text: &str, glosses: &str) -> Sentence {
        Sentence { id: id.into(), text: text.into(), glosses: glosses.into() }
    }

    #[test]
    fn words_that_are_signed_alike_lie_near_their_gloss() {
        let mut corpus = vec![];
        for i in 0..20 {
            let id = format!("train/{i}May_2010_x-1");
            corpus.push(sentence(&id, "heute schauer .", "HEUTE REGEN"));
            corpus.push(sentence(&id, "morgen regen .", "MORGEN REGEN"));
            corpus.push(sentence(&id, "heute scheint die sonne .", "HEUTE SONNE"));
            corpus.push(sentence(&id, "morgen weht .", "MORGEN WIND"));
        }
        let pairs = pairs(&corpus, "de");
        let recipe = RetrievalRecipe::find("phoenix14t-embedder").unwrap();
        let all: Vec<&Pair> = pairs.iter().collect();
        let embedder = learn(recipe, &pairs.forms, &all, 1, recipe.blank(vec![], "none".into()));
        let cosine = |word: &str, gloss: &str| {
            let (a, b) = (embedder.word(word).unwrap(), embedder.sign("", gloss).unwrap());
            let length = b.iter().map(|v| v * v).sum::<f32>().sqrt();
            a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>() / length
        };
        assert!(cosine("Schauer", "REGEN") > 0.8, "{}", cosine("Schauer", "REGEN"));
        assert!(cosine("Schauer", "SONNE") < 0.2);
        assert!(cosine("weht", "WIND") > 0.5);
        let again = learn(recipe, &pairs.forms, &all, 1, recipe.blank(vec![], "none".into()));
        assert_eq!(embedder.bytes(), again.bytes(), "the same corpus gives the same file");
    }

    #[test]
    fn sentences_are_read_as_words() {
        let pairs = pairs(&[sentence("dev-1", "今天天气好，GPS！", "今天/天气/好/。")], "zh");
        let shown: Vec<&str> = pairs[0].words.iter().map(|w| pairs.forms[*w as usize].as_str()).collect();
        assert_eq!(shown, ["今天", "天气", "好", "gps"]);
        assert_eq!(pairs[0].glosses.len(), 3, "a full stop is no gloss");
        assert_eq!(day("train/11August_2010_Wednesday_tagesschau-1"), "train/11August_2010");
        assert_eq!(day("train-00001"), "train-00001");
    }
}
