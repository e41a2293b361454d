//! chrF of a corpus (Popović 2015), equal to sacreBLEU's chrF2: runs of 1 to 6 letters without white
//! space, no runs of words, recall weighed twice, only orders that both sides have.

use std::collections::HashMap;

use super::{SACREBLEU, is_space};

/// The longest run of letters that is counted.
const ORDER: usize = 6;
/// β²: how much more recall weighs than precision.
const RECALL: f64 = 4.0;

/// The counts of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChrfCounts {
    /// Of each order: runs of the hypotheses, of the references, and of both.
    runs: [[usize; 3]; ORDER],
}

impl ChrfCounts {
    /// Counts a corpus of pairs (hypothesis, reference).
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut counts = Self::default();
        for (hypothesis, reference) in pairs {
            counts.add(hypothesis, reference);
        }
        counts
    }

    /// Counts one sentence more.
    pub fn add(&mut self, hypothesis: &str, reference: &str) {
        let letters = |line: &str| line.chars().filter(|c| !is_space(*c)).collect::<Vec<_>>();
        let (h, r) = (letters(hypothesis), letters(reference));
        for (n, runs) in (1..).zip(&mut self.runs) {
            let mut left: HashMap<&[char], usize> = HashMap::new();
            for run in r.windows(n) {
                *left.entry(run).or_insert(0) += 1;
                runs[1] += 1;
            }
            // Runs of this length count only where the reference is long enough to have one.
            if left.is_empty() {
                continue;
            }
            for run in h.windows(n) {
                runs[0] += 1;
                if let Some(left) = left.get_mut(run).filter(|left| **left > 0) {
                    *left -= 1;
                    runs[2] += 1;
                }
            }
        }
    }

    /// chrF2, from 0 to 100.
    pub fn score(&self) -> f64 {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for [hypothesis, reference, both] in self.runs.iter().filter(|r| r[0] > 0 && r[1] > 0) {
            precision += *both as f64 / *hypothesis as f64;
            recall += *both as f64 / *reference as f64;
            orders += 1.0;
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / orders, recall / orders);
        100.0 * ((1.0 + RECALL) * precision * recall / (RECALL * precision + recall))
    }
}

/// The signature that sacreBLEU prints for the same settings.
pub fn signature() -> String {
    format!("nrefs:1|case:mixed|eff:yes|nc:{ORDER}|nw:0|space:no|version:{SACREBLEU}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hypothesis: &str, reference: &str, expect: f64) {
        let score = ChrfCounts::of([(hypothesis, reference)]).score();
        assert!((score - expect).abs() < 1e-9, "{hypothesis:?} for {reference:?}: {score}");
    }

    #[test]
    fn white_space_does_not_count() {
        check("WET TER", "WETTER", 100.0);
        check("", "WETTER", 0.0);
        check("", "", 0.0);
        // Only the order 1 is there: precision 1, recall 1/2.
        check("A", "AB", 100.0 * 5.0 * 0.5 / 4.5);
    }
}
