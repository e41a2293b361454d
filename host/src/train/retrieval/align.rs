//! Which glosses each word of a corpus was signed as: IBM model 1 (Brown et al. 1993, "The Mathematics of Statistical
//! Machine Translation", section 4.1), glosses given words.

use std::collections::HashMap;

use super::learn::Pair;

/// Rounds of expectation and maximisation; on the corpora at hand later ones change no first choice.
const ROUNDS: usize = 8;

/// How often each word was aligned with each gloss, in expectation.
pub type Counts = HashMap<u32, HashMap<u32, f64>>;

/// Aligns sentences whose words and glosses are numbers. What no word says is aligned with an empty word, which is
/// left out of the counts.
pub fn align(pairs: &[&Pair]) -> Counts {
    /// The empty word, which every sentence has.
    const EMPTY: u32 = u32::MAX;
    // The probability of a gloss given a word; all alike at first.
    let mut probability: HashMap<(u32, u32), f64> = HashMap::new();
    let mut counts: HashMap<(u32, u32), f64> = HashMap::new();
    for round in 0..ROUNDS {
        counts.clear();
        for Pair { words, glosses, .. } in pairs {
            let words = || words.iter().copied().chain([EMPTY]);
            for &gloss in glosses {
                let of = |word| match round {
                    0 => 1.0,
                    _ => probability.get(&(word, gloss)).copied().unwrap_or(0.0),
                };
                let sum: f64 = words().map(of).sum();
                for word in words() {
                    *counts.entry((word, gloss)).or_default() += of(word) / sum;
                }
            }
        }
        let mut totals: HashMap<u32, f64> = HashMap::new();
        // In the order of the numbers, so that sums round alike in every run.
        let mut sorted: Vec<_> = counts.iter().map(|(key, count)| (*key, *count)).collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        sorted.iter().for_each(|((word, _), count)| *totals.entry(*word).or_default() += count);
        probability =
            sorted.iter().map(|(key, count)| (*key, count / totals[&key.0].max(f64::MIN_POSITIVE))).collect();
    }
    let mut found = Counts::new();
    for ((word, gloss), count) in counts {
        if word != EMPTY {
            found.entry(word).or_default().insert(gloss, count);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_together_is_aligned() {
        // das haus / HAUS, das buch / BUCH, ein buch / BUCH EIN
        let pair = |words: &[u32], glosses: &[u32]| Pair {
            day: String::new(),
            words: words.to_vec(),
            glosses: glosses.to_vec(),
        };
        let pairs = [pair(&[0, 1], &[0]), pair(&[0, 2], &[1]), pair(&[3, 2], &[1, 2])];
        let counts = align(&pairs.iter().collect::<Vec<_>>());
        let best = |word: u32| {
            let most = counts[&word].iter().max_by(|a, b| a.1.total_cmp(b.1));
            *most.unwrap().0
        };
        assert_eq!((best(1), best(2), best(3)), (0, 1, 2));
        assert!(counts[&0].values().sum::<f64>() < 0.9, "das is signed as nothing");
    }
}
