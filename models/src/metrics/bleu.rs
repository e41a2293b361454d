//! BLEU of a corpus (Papineni et al. 2002), equal to sacreBLEU's: `corpus_bleu` with one reference, case
//! kept, no effective order, exponential smoothing.

use std::collections::HashMap;
use std::fmt;

use super::tokenize::Tokenizer;
use super::{SACREBLEU, share};

/// The longest run of tokens that is counted.
pub const ORDER: usize = 4;

/// What stands for the logarithm of 0 in sacreBLEU.
const LOG_OF_NOTHING: f64 = -9_999_999_999.0;

/// The counts of a corpus, from which BLEU-1 to BLEU-4 follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BleuCounts {
    tokenizer: Tokenizer,
    correct: [usize; ORDER],
    total: [usize; ORDER],
    hypothesis_len: usize,
    reference_len: usize,
}

impl BleuCounts {
    /// Counts nothing yet.
    pub fn new(tokenizer: Tokenizer) -> Self {
        Self { tokenizer, correct: [0; ORDER], total: [0; ORDER], hypothesis_len: 0, reference_len: 0 }
    }

    /// Counts a corpus of pairs (hypothesis, reference).
    pub fn of<'a>(tokenizer: Tokenizer, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut counts = Self::new(tokenizer);
        for (hypothesis, reference) in pairs {
            counts.add(hypothesis, reference);
        }
        counts
    }

    /// Counts one sentence more.
    pub fn add(&mut self, hypothesis: &str, reference: &str) {
        let (h, r) = (self.tokenizer.tokens(hypothesis), self.tokenizer.tokens(reference));
        self.hypothesis_len += h.len();
        self.reference_len += r.len();
        for n in 1..=ORDER {
            let mut left: HashMap<&[String], usize> = HashMap::new();
            for run in r.windows(n) {
                *left.entry(run).or_insert(0) += 1;
            }
            for run in h.windows(n) {
                self.total[n - 1] += 1;
                if let Some(left) = left.get_mut(run).filter(|left| **left > 0) {
                    *left -= 1;
                    self.correct[n - 1] += 1;
                }
            }
        }
    }

    /// BLEU over runs of up to `order` tokens, from 1 to [`ORDER`]: sacreBLEU's `max_ngram_order`.
    pub fn score(&self, order: usize) -> Bleu {
        let order = order.clamp(1, ORDER);
        let (h, r) = (self.hypothesis_len as f64, self.reference_len as f64);
        let brevity = match self.hypothesis_len {
            0 if r > 0.0 => 0.0,
            _ if h < r => (1.0 - r / h).exp(),
            _ => 1.0,
        };
        let mut bleu = Bleu {
            score: 0.0,
            precisions: vec![0.0; order],
            brevity,
            hypothesis_len: self.hypothesis_len,
            reference_len: self.reference_len,
            tokenizer: self.tokenizer,
        };
        if self.correct[0] == 0 {
            return bleu;
        }
        let mut smooth = 1.0;
        for n in (0..order).take_while(|&n| self.total[n] > 0) {
            bleu.precisions[n] = if self.correct[n] == 0 {
                smooth *= 2.0;
                100.0 / (smooth * self.total[n] as f64)
            } else {
                100.0 * self.correct[n] as f64 / self.total[n] as f64
            };
        }
        let logs = bleu.precisions.iter().map(|p| if *p == 0.0 { LOG_OF_NOTHING } else { p.ln() });
        bleu.score = brevity * (logs.sum::<f64>() / order as f64).exp();
        bleu
    }
}

/// BLEU of a corpus. It prints itself as sacreBLEU does.
#[derive(Debug, Clone, PartialEq)]
pub struct Bleu {
    /// From 0 to 100.
    pub score: f64,
    /// The share of runs of 1, 2, ... tokens that are right, smoothed, from 0 to 100.
    pub precisions: Vec<f64>,
    /// The penalty for hypotheses that are too short, from 0 to 1.
    pub brevity: f64,
    /// Tokens of the hypotheses.
    pub hypothesis_len: usize,
    /// Tokens of the references.
    pub reference_len: usize,
    tokenizer: Tokenizer,
}

impl Bleu {
    /// The signature that sacreBLEU prints for the same settings.
    pub fn signature(&self) -> String {
        format!("nrefs:1|case:mixed|eff:no|tok:{}|smooth:exp|version:{SACREBLEU}", self.tokenizer.name())
    }
}

impl fmt::Display for Bleu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precisions: Vec<_> = self.precisions.iter().map(|p| format!("{p:.1}")).collect();
        write!(
            f,
            "BLEU = {:.2} {} (BP = {:.3} ratio = {:.3} hyp_len = {} ref_len = {})",
            self.score,
            precisions.join("/"),
            self.brevity,
            share(self.hypothesis_len, self.reference_len),
            self.hypothesis_len,
            self.reference_len
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hypothesis: &str, reference: &str, order: usize, expect: &str) {
        let bleu = BleuCounts::of(Tokenizer::None, [(hypothesis, reference)]).score(order);
        assert_eq!(bleu.to_string(), expect, "{hypothesis:?} for {reference:?}");
    }

    #[test]
    fn runs_count_no_oftener_than_in_the_reference() {
        check(
            "A A A A",
            "A B C D",
            1,
            "BLEU = 25.00 25.0 (BP = 1.000 ratio = 1.000 hyp_len = 4 ref_len = 4)",
        );
        check(
            "A B",
            "A B C D",
            2,
            "BLEU = 36.79 100.0/100.0 (BP = 0.368 ratio = 0.500 hyp_len = 2 ref_len = 4)",
        );
        check("", "A", 1, "BLEU = 0.00 0.0 (BP = 0.000 ratio = 0.000 hyp_len = 0 ref_len = 1)");
    }
}
