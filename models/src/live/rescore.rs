//! What was signed, once the whole utterance is known: CTC's hypotheses judged by an attention decoder (hybrid
//! CTC/attention, Watanabe et al. 2017, section II-C, rescoring).
//!
//! The network is run by whatever engine is at hand, twice: it says first by CTC what may have been signed, and
//! then how likely each of these sequences is to its attention decoder. All arithmetic around it is here.

use serde::{Deserialize, Serialize};

use super::{Hypothesis, beam_search, confidence, log_add, logit};

/// Glosses of two hypotheses are the same sign where they are at most so many steps apart.
const SAME_TIME: usize = 8;
/// The beam keeps so many times what is judged: the likeliest prefixes are not always those of the end.
const WIDER: usize = 2;
/// Sizes above this no unit has time for.
const MOST: usize = 4096;
/// Nor for more values of an utterance, of all hypotheses or of what is said of them.
const MOST_VALUES: usize = 1 << 24;

/// What is known about `rescore.onnx`.
///
/// It takes `hidden [1, T, D]` (what the live network made of each step), `there [1, T, 1]` (1 for each step that
/// is there, else 0), `glosses [N, U]` as numbers (0 begins, then 1 + gloss) and `at [N, U]`, the step of each (0 of
/// the beginning). It gives `ctc [T, 1 + G]` and `next [N, U, 1 + G]`, logits of what follows each prefix, where 0
/// is the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescorer {
    /// SHA-256 of `rescore.onnx`, in hexadecimal.
    pub sha256: String,
    /// Steps of an utterance, T. A longer one is not looked at again: its captions stay as they were read live.
    pub steps: usize,
    /// Hypotheses, N.
    pub hypotheses: usize,
    /// Glosses of a hypothesis and its beginning, U.
    pub length: usize,
    /// How much the attention decoder counts, 0 to 1; CTC counts the rest.
    pub attention: f32,
    /// Weights of [`Rescored::terms`]: the logistic function of their sum is the confidence.
    pub confidence: [f32; 3],
    /// Below this confidence a gloss is not said.
    pub accept: f32,
}

/// What the network takes, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct RescoreInput {
    /// `[1, T, D]`.
    pub hidden: Vec<f32>,
    /// `[1, T, 1]`.
    pub there: Vec<f32>,
    /// `[N, U]`.
    pub glosses: Vec<f32>,
    /// `[N, U]`.
    pub at: Vec<f32>,
}

/// What it gives, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct RescoreOutput {
    /// `[T, 1 + G]`, logits.
    pub ctc: Vec<f32>,
    /// `[N, U, 1 + G]`, logits.
    pub next: Vec<f32>,
}

/// What both halves of the network think of an utterance, before either is given its share.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// What may have been signed, likeliest first by CTC.
    pub hypotheses: Vec<Hypothesis>,
    /// `[N]`: the logarithm of the probability of each to the attention decoder.
    pub attention: Vec<f64>,
    /// `[N][glosses]`: CTC's probability of each gloss at its time.
    pub peaks: Vec<Vec<f32>>,
}

/// A gloss after rescoring.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescored {
    /// Its number, from 0.
    pub gloss: usize,
    /// The step of the utterance at which it is likeliest, from 0.
    pub at: usize,
    /// 0 to 1.
    pub confidence: f32,
    /// What the confidence is computed from; the first is constant. Then, as logits: the share of the
    /// hypotheses that have this gloss at about this time, and CTC's probability of it.
    pub terms: [f32; 3],
}

impl Rescorer {
    /// Looks at an utterance again: the glosses that are sure enough, in order. `None` where what was read live
    /// stands: for an utterance of no steps or more than T, and for one of U glosses or more.
    ///
    /// `run` runs the network; it is called twice.
    ///
    /// # Shapes
    /// - `hidden`: `[up to T, D]`
    ///
    /// # Errors
    /// Those of `run`.
    ///
    /// # Panics
    /// As [`Rescorer::look`].
    pub fn rescore<E>(
        &self,
        hidden: &[f32],
        width: usize,
        run: impl FnMut(&RescoreInput) -> Result<RescoreOutput, E>,
    ) -> Result<Option<Vec<Rescored>>, E> {
        Ok(self.look(hidden, width, run)?.map(|looked| self.accepted(&looked)))
    }

    /// The glosses of an utterance that are sure enough, in order.
    pub fn accepted(&self, looked: &Looked) -> Vec<Rescored> {
        let mut glosses = self.judge(looked);
        glosses.retain(|g| g.confidence >= self.accept);
        glosses
    }

    /// What the network thinks of an utterance; `None` as in [`Rescorer::rescore`].
    ///
    /// # Errors
    /// Those of `run`.
    ///
    /// # Panics
    /// Where `run` gives other shapes than the manifest states: that is a bug of the caller.
    pub fn look<E>(
        &self,
        hidden: &[f32],
        width: usize,
        mut run: impl FnMut(&RescoreInput) -> Result<RescoreOutput, E>,
    ) -> Result<Option<Looked>, E> {
        let steps = hidden.len() / width;
        if steps == 0 || steps > self.steps {
            return Ok(None);
        }
        let mut whole = hidden.to_vec();
        whole.resize(self.steps * width, 0.0);
        let mut input = RescoreInput {
            hidden: whole,
            there: (0..self.steps).map(|i| f32::from(u8::from(i < steps))).collect(),
            glosses: vec![0.0; self.hypotheses * self.length],
            at: vec![0.0; self.hypotheses * self.length],
        };
        let RescoreOutput { mut ctc, .. } = run(&input)?;
        let labels = ctc.len() / self.steps;
        assert!(labels > 1 && ctc.len() == labels * self.steps, "CTC has a row for each step");
        ctc.truncate(steps * labels);
        log_softmax(&mut ctc, labels);
        let mut hypotheses = beam_search(&ctc, labels, WIDER * self.hypotheses);
        if hypotheses.first().is_none_or(|h| h.glosses.len() >= self.length) {
            return Ok(None);
        }
        hypotheses.retain(|h| h.glosses.len() < self.length);
        hypotheses.truncate(self.hypotheses);
        for (n, hypothesis) in hypotheses.iter().enumerate() {
            for (u, (gloss, at)) in hypothesis.glosses.iter().zip(&hypothesis.at).enumerate() {
                let cell = n * self.length + 1 + u;
                (input.glosses[cell], input.at[cell]) = ((gloss + 1) as f32, *at as f32);
            }
        }
        let RescoreOutput { next, .. } = run(&input)?;
        assert_eq!(next.len(), input.glosses.len() * labels, "each prefix has a row");
        let attention = hypotheses
            .iter()
            .zip(next.chunks_exact(self.length * labels))
            .map(|(hypothesis, next)| {
                let mut next = next[..(hypothesis.glosses.len() + 1) * labels].to_vec();
                log_softmax(&mut next, labels);
                let follow = hypothesis.glosses.iter().map(|g| g + 1).chain([0]);
                follow.enumerate().map(|(u, label)| f64::from(next[u * labels + label])).sum()
            })
            .collect();
        let peak = |(gloss, at): (&usize, &usize)| ctc[at * labels + gloss + 1].exp();
        let peaks = hypotheses.iter().map(|h| h.glosses.iter().zip(&h.at).map(peak).collect()).collect();
        Ok(Some(Looked { hypotheses, attention, peaks }))
    }

    /// The glosses of the likeliest hypothesis, however unsure.
    pub fn judge(&self, looked: &Looked) -> Vec<Rescored> {
        let share = f64::from(self.attention);
        let scores: Vec<f64> = looked
            .hypotheses
            .iter()
            .zip(&looked.attention)
            .map(|(hypothesis, attention)| share * attention + (1.0 - share) * hypothesis.log_probability)
            .collect();
        // Of equals the first, which is the likeliest by CTC.
        let Some(best) = (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b])) else {
            return vec![];
        };
        let total = scores.iter().copied().fold(f64::NEG_INFINITY, log_add);
        let Hypothesis { glosses, at, .. } = &looked.hypotheses[best];
        let sure = |((&gloss, &at), &peak): ((&usize, &usize), &f32)| {
            let agrees = |h: &Hypothesis| {
                h.glosses.iter().zip(&h.at).any(|(g, t)| *g == gloss && t.abs_diff(at) <= SAME_TIME)
            };
            let agree = looked.hypotheses.iter().zip(&scores).filter(|(h, _)| agrees(h));
            let agree = agree.fold(f64::NEG_INFINITY, |sum, (_, score)| log_add(sum, *score));
            let terms = [1.0, logit((agree - total).exp() as f32), logit(peak)];
            Rescored { gloss, at, confidence: confidence(&self.confidence, &terms), terms }
        };
        glosses.iter().zip(at).zip(&looked.peaks[best]).map(sure).collect()
    }

    /// What is wrong with it, where the live network is `hidden` wide and has `labels` with the blank.
    pub(super) fn check(&self, hidden: usize, labels: usize) -> Result<(), String> {
        let Self { steps, hypotheses, length, attention, accept, .. } = *self;
        let sizes = [steps, hypotheses, length];
        let values = [steps.saturating_mul(hidden), hypotheses.saturating_mul(length).saturating_mul(labels)];
        if sizes.iter().any(|n| *n == 0 || *n > MOST) || values.iter().any(|n| *n > MOST_VALUES) {
            return Err(format!(
                "its rescorer looks at {steps} steps and {hypotheses} hypotheses of {length} glosses, which no unit does"
            ));
        }
        if self.confidence.iter().any(|w| !w.is_finite()) {
            return Err("a weight of its rescorer's confidence is no number".into());
        }
        match [("attention", attention), ("accept", accept)].iter().find(|(_, s)| !(0.0..=1.0).contains(s)) {
            Some((name, share)) => {
                Err(format!("its rescorer's {name:?} is {share}, which is not within 0 to 1"))
            }
            None => Ok(()),
        }
    }
}

/// Makes rows of logits logarithms of probabilities, in place.
fn log_softmax(logits: &mut [f32], labels: usize) {
    for row in logits.chunks_exact_mut(labels) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = row.iter().map(|v| (v - top).exp()).sum();
        row.iter_mut().for_each(|v| *v -= top + sum.ln());
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn rescorer(attention: f32) -> Rescorer {
        Rescorer {
            sha256: String::new(),
            steps: 5,
            hypotheses: 3,
            length: 3,
            attention,
            confidence: [0.0, 1.0, 0.0],
            accept: 0.5,
        }
    }

    /// A network of two glosses that gives the probabilities of each step by CTC, and to whose attention each
    /// gloss is as likely as given, wherever it stands.
    fn run(
        ctc: &[[f32; 3]],
        next: [f32; 3],
    ) -> impl FnMut(&RescoreInput) -> Result<RescoreOutput, Infallible> {
        let mut ctc: Vec<f32> = ctc.as_flattened().iter().map(|p| p.ln()).collect();
        ctc.resize(15, 0.0);
        let mut calls = 0;
        move |input| {
            assert_eq!((input.hidden.len(), input.there.len(), input.glosses.len()), (10, 5, 9));
            calls += 1;
            // What was not known in the first run is there in the second.
            assert_eq!(input.glosses.iter().any(|g| *g > 0.0), calls > 1);
            let begins = |row: &[f32]| row[0] == 0.0;
            assert!([&input.glosses, &input.at].iter().all(|v| v.chunks(3).all(begins)));
            Ok(RescoreOutput { ctc: ctc.clone(), next: [next.map(f32::ln); 9].concat() })
        }
    }

    /// Two steps: a gloss a or b, then nothing.
    const STEPS: [[f32; 3]; 2] = [[0.0, 0.6, 0.4], [1.0, 0.0, 0.0]];

    #[track_caller]
    fn check(attention: f32, next: [f32; 3], gloss: usize, sure: f32) {
        let rescorer = rescorer(attention);
        let Ok(looked) = rescorer.look(&[1.0; 4], 2, run(&STEPS, next));
        let found = rescorer.judge(&looked.unwrap());
        assert_eq!((found.len(), found[0].gloss, found[0].at), (1, gloss, 0), "{found:?}");
        assert!((found[0].confidence - sure).abs() < 1e-4, "{found:?}");
        let peak = STEPS[0][gloss + 1];
        assert!((found[0].terms[2] - (peak / (1.0 - peak)).ln()).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn each_half_has_its_share() {
        // The end and both glosses: a, as CTC has it.
        check(0.0, [0.2, 0.1, 0.7], 0, 0.6);
        // b, as attention has it: 0.7 · 0.2 beside 0.1 · 0.2.
        check(1.0, [0.2, 0.1, 0.7], 1, 7.0 / 8.0);
        // √(0.4 · 0.7) beside √(0.6 · 0.1).
        let (a, b) = (0.06_f32.sqrt(), 0.28_f32.sqrt());
        check(0.5, [0.2, 0.1, 0.7], 1, b / (a + b));
    }

    #[test]
    fn what_is_not_sure_is_left_out() {
        let mut rescorer = rescorer(0.0);
        let Ok(found) = rescorer.rescore(&[1.0; 4], 2, run(&STEPS, [0.2, 0.4, 0.4]));
        assert_eq!(found.unwrap().len(), 1);
        rescorer.accept = 0.61;
        let Ok(found) = rescorer.rescore(&[1.0; 4], 2, run(&STEPS, [0.2, 0.4, 0.4]));
        assert_eq!(found.unwrap(), []);
    }

    #[test]
    fn what_does_not_fit_stays_as_it_was_read_live() {
        let never = |_: &RescoreInput| -> Result<RescoreOutput, ()> { Err(()) };
        for steps in [0, 6] {
            assert_eq!(rescorer(0.5).rescore(&vec![1.0; 2 * steps], 2, never), Ok(None));
        }
        assert_eq!(rescorer(0.5).rescore(&[1.0; 10], 2, never), Err(()));
        // Sure glosses by turns, and room for two.
        let steps = [[0.01, 0.98, 0.01], [0.01, 0.01, 0.98], [0.01, 0.98, 0.01]];
        let look = |n: usize| {
            let Ok(looked) = rescorer(0.5).look(&vec![1.0; 2 * n], 2, run(&steps[..n], [0.2, 0.4, 0.4]));
            looked
        };
        assert_eq!(look(3), None);
        assert!(look(2).unwrap().hypotheses.iter().all(|h| h.glosses.len() < 3));
    }
}
