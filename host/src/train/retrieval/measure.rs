//! From which cosine on an embedder is right often enough, and how often it is then.
//!
//! Each word of some days is looked for among the glosses of other days, its own gloss taken away, as if the lexicon
//! lacked it. It is right where the sentences of its own days were signed with what was found: the gloss is aligned
//! with the word in [`OFTEN`] of its sentences. The embedder never saw these days.

use std::collections::{HashMap, HashSet};

use models::retrieval::{Embed, Index, Subword, bucket};

use super::align::align;
use super::learn::{Pair, Pairs};

/// So much of what is found must be right where the threshold is chosen.
const PRECISION: f64 = 0.75;
/// A threshold that fewer answers speak for is chance: on CE-CSL, 75 of 100 on one half became 18 on the other.
const ANSWERS: usize = 20;
/// A gloss is a word's where it is aligned with it in so many of its sentences, and [`TIMES`] times.
const OFTEN: f64 = 0.15;
const TIMES: f64 = 3.0;
/// A word that fewer sentences have is not judged: chance would.
const SENTENCES: usize = 5;
/// A gloss that was seen less often is in no lexicon.
const IN_LEXICON: usize = 2;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The cosine from which a sign may stand for a word.
    pub threshold: f32,
    /// Of what was found, the share that is right.
    pub precision: f64,
    /// Of the words, the share for which a sign was found.
    pub coverage: f64,
    /// The same of running words.
    pub running: f64,
    /// How many words were looked for.
    pub words: usize,
    /// How many of them were signed by another gloss than their own.
    pub could: usize,
}

/// A word that was looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Asked {
    cosine: f32,
    right: bool,
    /// Sentences that have it.
    sentences: usize,
    /// Whether anything could be right.
    could: bool,
}

/// Chooses the threshold on one half of the days, and measures with it on the other.
pub fn measure(pairs: &Pairs, make: impl Fn(&[&Pair]) -> Subword) -> Measured {
    let part = |parts: &[usize]| -> Vec<&Pair> {
        pairs.iter().filter(|pair| parts.contains(&bucket(&pair.day, 4))).collect()
    };
    let chosen_on = ask(&make(&part(&[0])), &pairs.forms, &part(&[0]), &part(&[1]));
    let threshold = threshold(chosen_on, ANSWERS);
    let asked = ask(&make(&part(&[0, 1])), &pairs.forms, &part(&[0, 1]), &part(&[2, 3]));
    let found: Vec<_> = asked.iter().filter(|a| a.cosine >= threshold).collect();
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    Measured {
        threshold,
        precision: share(found.iter().filter(|a| a.right).count(), found.len()),
        coverage: share(found.len(), asked.len()),
        running: share(found.iter().map(|a| a.sentences).sum(), asked.iter().map(|a| a.sentences).sum()),
        words: asked.len(),
        could: asked.iter().filter(|a| a.could).count(),
    }
}

/// The lowest cosine from which on enough of what is found is right, and this is so many answers; 1, which nothing
/// reaches, where there is none.
fn threshold(mut asked: Vec<Asked>, answers: usize) -> f32 {
    asked.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
    let (mut right, mut lowest) = (0, 1.0);
    for (i, a) in asked.iter().enumerate() {
        right += usize::from(a.right);
        if i + 1 >= answers && right as f64 >= PRECISION * (i + 1) as f64 {
            lowest = a.cosine;
        }
    }
    lowest.clamp(0.0, 1.0)
}

/// Looks for the words of some days among the glosses of those that the embedder learnt.
fn ask(embedder: &Subword, forms: &[String], learnt: &[&Pair], judged: &[&Pair]) -> Vec<Asked> {
    let mut seen: HashMap<u32, usize> = HashMap::new();
    learnt.iter().flat_map(|p| &p.glosses).for_each(|gloss| *seen.entry(*gloss).or_default() += 1);
    let mut lexicon: Vec<u32> = seen.iter().filter(|(_, n)| **n >= IN_LEXICON).map(|(g, _)| *g).collect();
    lexicon.sort_unstable();
    let mut index = Index::new(embedder.width());
    lexicon.retain(|gloss| embedder.sign("", &forms[*gloss as usize]).is_some_and(|row| index.push(&row)));

    let mut sentences: HashMap<u32, usize> = HashMap::new();
    for pair in judged {
        let words: HashSet<u32> = pair.words.iter().copied().collect();
        words.into_iter().for_each(|word| *sentences.entry(word).or_default() += 1);
    }
    let aligned = align(judged);
    let mut asked: Vec<(u32, Asked)> = sentences
        .into_iter()
        .filter(|(_, n)| *n >= SENTENCES)
        .map(|(word, n)| {
            let form = &forms[word as usize];
            let is_right = |gloss: &u32| {
                let count = aligned.get(&word).and_then(|glosses| glosses.get(gloss)).copied().unwrap_or(0.0);
                count >= TIMES && count >= OFTEN * n as f64
            };
            let others = lexicon.iter().enumerate().filter(|(_, g)| !is_own(form, &forms[**g as usize]));
            let rows: Vec<usize> = others.map(|(row, _)| row).collect();
            let could = rows.iter().any(|row| is_right(&lexicon[*row]));
            let near = embedder.word(form).and_then(|query| index.nearest_of(&query, rows));
            let (cosine, right) =
                near.map_or((f32::NEG_INFINITY, false), |near| (near.cosine, is_right(&lexicon[near.row])));
            (word, Asked { cosine, right, sentences: n, could })
        })
        .collect();
    asked.sort_unstable_by_key(|(word, _)| *word);
    asked.into_iter().map(|(_, asked)| asked).collect()
}

/// Whether a gloss is a word's own, which the lexicon is to lack: the same form, another form of it (they begin alike
/// for four letters and more than half of the shorter), or a part that it is put together with.
fn is_own(word: &str, gloss: &str) -> bool {
    let alike = word.chars().zip(gloss.chars()).take_while(|(a, b)| a == b).count();
    let [word_length, gloss_length] = [word, gloss].map(|text| text.chars().count());
    let wide = gloss.chars().any(models::translator::text::is_wide);
    let part = (gloss_length >= 3 || (wide && gloss_length >= 1)) && word.contains(gloss);
    word == gloss || part || (alike >= 4 && 10 * alike >= 6 * word_length.min(gloss_length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_words_own_gloss_is_not_among_the_answers() {
        for (word, gloss, own) in [
            ("regen", "regen", true),
            ("waermer", "waerme", true),
            ("kaelter", "kaelte", true),
            ("oberrhein", "rhein", true),
            ("regnet", "regen", false),
            ("schauer", "regen", false),
            ("am", "am", true),
            ("amt", "am", false),
            ("天气", "天", true),
        ] {
            assert_eq!(is_own(word, gloss), own, "{word} {gloss}");
        }
    }

    #[test]
    fn the_threshold_keeps_the_precision() {
        let asked = |cosine: f32, right: bool| Asked { cosine, right, sentences: 5, could: true };
        let all = vec![
            asked(0.2, false),
            asked(0.9, true),
            asked(0.5, true),
            asked(0.8, true),
            asked(0.7, false),
            asked(0.1, false),
        ];
        assert_eq!(threshold(all.clone(), 1), 0.5, "three of four are right from there on");
        assert_eq!(threshold(all, 5), 1.0, "too few speak for it");
        assert_eq!(threshold(vec![asked(0.9, false)], 1), 1.0);
        assert_eq!(threshold(vec![], 1), 1.0);
    }
}
