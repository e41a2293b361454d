//! How sure the recogniser may say it is, and from when on it says anything: from development data.

use models::gloss::label_key;
use models::live::{Evidence, LiveModel, Rules};
use models::metrics::words::{Edit, align};

use crate::Error;
use crate::evaluate::LiveRunner;
use crate::synth::{Made, Synth};

/// Utterances of signing, and of people who only rest and gesture.
const SIGNED: u64 = 320;
const IDLE: u64 = 900;
/// So many false glosses in ten minutes of rest and gesture are allowed on development data: half of what
/// strangers may see.
const FALSE_IN_TEN_MINUTES: f64 = 0.5;
/// Nothing is said that is more likely wrong than right.
const LEAST: f32 = 0.5;
/// Below this share of what is accepted nothing was signed at all.
const DOUBT: f32 = 0.5;
/// Passes of Newton's method, and what holds weights back.
const PASSES: usize = 25;
const RIDGE: f64 = 1e-2;

/// What a model would have said, had it said all that led for a moment.
#[derive(Debug, Clone, Default)]
struct Candidates {
    /// What spoke for each, and whether it was right.
    said: Vec<(Evidence, bool)>,
}

/// The rules of a model, chosen on utterances that it did not learn from.
///
/// # Errors
/// Where the network cannot be run.
pub fn rules(model: &LiveModel, signed: &Synth, idle: &Synth) -> Result<Rules, Error> {
    let all = Rules { accept: 0.0, doubt: 0.0, ..Rules::PLAIN };
    let mut runner = LiveRunner::with_rules(model, all)?;
    let mut found = Candidates::default();
    for n in 0..SIGNED {
        gather(&mut runner, model, &signed.utterance(n), &mut found)?;
    }
    let (mut at_rest, mut seconds) = (Candidates::default(), 0.0);
    for n in 0..IDLE {
        let made = idle.utterance(n);
        seconds += made.stamps_s.last().copied().unwrap_or(0.0);
        gather(&mut runner, model, &made, &mut at_rest)?;
    }
    let examples: Vec<_> =
        found.said.iter().chain(&at_rest.said).map(|(e, right)| (e.terms(), *right)).collect();
    let mut rules = Rules { confidence: logistic(&examples), ..Rules::PLAIN };
    let sure = |c: &Candidates| -> Vec<f32> { c.said.iter().map(|(e, _)| rules.sure(e)).collect() };
    let mut false_ones = sure(&at_rest);
    false_ones.sort_by(|a, b| b.total_cmp(a));
    let allowed = (seconds / 600.0 * FALSE_IN_TEN_MINUTES) as usize;
    let quiet = false_ones.get(allowed).copied().unwrap_or(0.0);
    rules.accept = (quiet + 0.01).clamp(LEAST, 0.95);
    rules.doubt = rules.accept * DOUBT;
    Ok(rules)
}

/// Reads an utterance and notes all that led.
fn gather(
    runner: &mut LiveRunner,
    model: &LiveModel,
    made: &Made,
    into: &mut Candidates,
) -> Result<(), Error> {
    let read = runner.read(&made.track, &made.stamps_s)?;
    let key = |gloss: usize| label_key(&model.manifest.glosses[gloss]);
    let truth: Vec<String> = made.glosses.iter().map(|g| label_key(&g.gloss)).collect();
    let said: Vec<String> = read.settled.iter().map(|s| key(s.spoken.gloss)).collect();
    let mut right = vec![false; said.len()];
    for edit in align(&truth, &said) {
        if let Edit::Hit(_, at) = edit {
            right[at] = true;
        }
    }
    into.said.extend(read.settled.iter().map(|s| s.spoken.evidence).zip(right));
    Ok(())
}

/// Logistic regression by Newton's method: the weights that make what happened likeliest.
fn logistic<const N: usize>(examples: &[([f32; N], bool)]) -> [f32; N] {
    let mut weights = [0.0_f64; N];
    for _ in 0..PASSES {
        let (mut slope, mut curve) = ([0.0; N], [[0.0; N]; N]);
        for (i, row) in curve.iter_mut().enumerate() {
            row[i] = RIDGE;
            slope[i] = -RIDGE * weights[i];
        }
        for (terms, right) in examples {
            let terms = terms.map(f64::from);
            let sum: f64 = weights.iter().zip(terms).map(|(w, t)| w * t).sum();
            let sure = 1.0 / (1.0 + (-sum).exp());
            for i in 0..N {
                slope[i] += (f64::from(u8::from(*right)) - sure) * terms[i];
                for j in 0..N {
                    curve[i][j] += sure * (1.0 - sure) * terms[i] * terms[j];
                }
            }
        }
        let step = solve(curve, slope);
        weights.iter_mut().zip(step).for_each(|(w, s)| *w += s.clamp(-2.0, 2.0));
    }
    weights.map(|w| w as f32)
}

/// Solves a small positive definite system (Cholesky is not worth its lines here: elimination).
fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for i in 0..N {
        for j in i + 1..N {
            let by = a[j][i] / a[i][i];
            for k in i..N {
                a[j][k] -= by * a[i][k];
            }
            b[j] -= by * b[i];
        }
    }
    for i in (0..N).rev() {
        let rest: f64 = (i + 1..N).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - rest) / a[i][i];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logistic_regression_finds_how_often_it_is_right() {
        // Right in 9 of 10 where the second term is 1, in 2 of 10 where it is 0.
        let examples: Vec<([f32; 2], bool)> = (0..1000)
            .map(|i| ([1.0, (i % 2) as f32], if i % 2 == 1 { i % 20 != 1 } else { i % 10 == 0 }))
            .collect();
        let [base, more] = logistic(&examples);
        let sure = |sum: f32| 1.0 / (1.0 + (-sum).exp());
        assert!((sure(base) - 0.2).abs() < 0.01, "{}", sure(base));
        assert!((sure(base + more) - 0.9).abs() < 0.01, "{}", sure(base + more));
    }

    #[test]
    fn small_systems_are_solved() {
        let x = solve([[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0]);
        assert!((x[0] - 1.0 / 11.0).abs() < 1e-12 && (x[1] - 7.0 / 11.0).abs() < 1e-12);
    }
}
