//! How sure the recogniser may say it is, and from when on it says anything: from development data.

use models::gloss::label_key;
use models::live::{Evidence, LiveModel, Rescored, Rescorer, Rules};
use models::metrics::words::{Edit, align, edit_distance};

use crate::Error;
use crate::evaluate::{LiveRunner, Reading};
use crate::synth::{Made, Synth};

/// Utterances of signing, and of people who only rest and gesture.
const SIGNED: u64 = 320;
const IDLE: u64 = 900;
/// A shorter run than the recipe's is judged by fewer, but no fewer than these.
const LEAST_UTTERANCES: u64 = 8;
/// So many false glosses in ten minutes of rest and gesture are allowed on development data: half of what
/// strangers may see.
const FALSE_IN_TEN_MINUTES: f64 = 0.5;
/// Nothing is said that is right in fewer than three of five cases: a sign shown wrongly costs a visitor more than
/// one that is asked for again. Of 780 glosses of `asl-hall`'s development data, read live, 731 are right and 40 wrong
/// at 0.5; 726 and 33 at 0.6; 715 and 28 at 0.7.
const LEAST: f32 = 0.6;
/// Below this share of what is accepted nothing was signed at all.
const DOUBT: f32 = 0.5;
/// Shares of the attention decoder that are tried.
const SHARES: std::ops::RangeInclusive<u8> = 0..=10;
/// Passes of Newton's method, and what holds weights back.
const PASSES: usize = 25;
const RIDGE: f64 = 1e-2;

/// What was read of an utterance by a model that says all that leads for a moment.
struct Heard {
    /// The keys of the glosses that were signed.
    signed: Vec<String>,
    reading: Reading,
    seconds: f64,
}

/// Chooses the rules of a model and the shares of its rescorer, on utterances that it did not learn from.
///
/// # Errors
/// Where a network cannot be run.
pub fn calibrate(model: &mut LiveModel, signed: &Synth, idle: &Synth, share: f64) -> Result<(), Error> {
    let all = Rules { accept: 0.0, doubt: 0.0, ..Rules::PLAIN };
    let mut runner = LiveRunner::with_rules(model, all)?;
    let mut hear = |synth: &Synth, count: u64| -> Result<Vec<Heard>, Error> {
        (0..count).map(|n| heard(&mut runner, &synth.utterance(n))).collect()
    };
    let of = |all: u64| ((all as f64 * share) as u64).clamp(LEAST_UTTERANCES, all);
    let (signed, idle) = (hear(signed, of(SIGNED))?, hear(idle, of(IDLE))?);
    let keys: Vec<String> = model.manifest.glosses.iter().map(|gloss| label_key(gloss)).collect();
    model.manifest.rules = rules(&signed, &idle, &keys);
    if let Some(rescorer) = &mut model.manifest.rescorer {
        tune(rescorer, &signed, &idle, &keys);
    }
    Ok(())
}

fn heard(runner: &mut LiveRunner, made: &Made) -> Result<Heard, Error> {
    let reading = runner.read(&made.track, &made.stamps_s)?;
    let seconds = made.stamps_s.last().copied().unwrap_or(0.0);
    Ok(Heard { signed: made.glosses.iter().map(|g| label_key(&g.gloss)).collect(), reading, seconds })
}

/// When a gloss is said live, and how sure.
fn rules(signed: &[Heard], idle: &[Heard], keys: &[String]) -> Rules {
    let candidates = |heard: &[Heard]| -> Vec<(Evidence, bool)> {
        let of = |heard: &Heard| {
            let settled = &heard.reading.settled;
            let right = right(&heard.signed, settled.iter().map(|s| &keys[s.gloss]));
            settled.iter().map(|s| s.evidence).zip(right).collect::<Vec<_>>()
        };
        heard.iter().flat_map(of).collect()
    };
    let (found, at_rest) = (candidates(signed), candidates(idle));
    let examples: Vec<_> = found.iter().chain(&at_rest).map(|(e, right)| (e.terms(), *right)).collect();
    let mut rules = Rules { confidence: logistic(&examples), ..Rules::PLAIN };
    rules.accept = quiet(at_rest.iter().map(|(e, _)| rules.sure(e)), idle);
    rules.doubt = rules.accept * DOUBT;
    rules
}

/// How much the attention decoder counts, when a gloss stands after rescoring, and how sure it is.
fn tune(rescorer: &mut Rescorer, signed: &[Heard], idle: &[Heard], keys: &[String]) {
    let judged = |rescorer: &Rescorer, heard: &Heard| -> Vec<Rescored> {
        heard.reading.again.iter().flat_map(|again| rescorer.judge(&again.looked)).collect()
    };
    let wrong = |share: &u8| -> usize {
        let rescorer =
            Rescorer { attention: f32::from(*share) / f32::from(*SHARES.end()), ..rescorer.clone() };
        let of = |heard: &Heard| {
            let said: Vec<_> = judged(&rescorer, heard).iter().map(|g| &keys[g.gloss]).collect();
            edit_distance(&heard.signed.iter().collect::<Vec<_>>(), &said)
        };
        signed.iter().map(of).sum()
    };
    let best = SHARES.min_by_key(wrong).expect("there are shares to try");
    rescorer.attention = f32::from(best) / f32::from(*SHARES.end());

    let candidates = |heard: &Heard| -> Vec<([f32; 3], bool)> {
        let judged = judged(rescorer, heard);
        let right = right(&heard.signed, judged.iter().map(|g| &keys[g.gloss]));
        judged.iter().map(|g| g.terms).zip(right).collect()
    };
    let examples: Vec<_> = signed.iter().chain(idle).flat_map(candidates).collect();
    rescorer.confidence = logistic(&examples);
    let at_rest = idle.iter().flat_map(|heard| judged(rescorer, heard)).map(|g| g.confidence);
    rescorer.accept = quiet(at_rest, idle);
}

/// Which of the glosses that were said are right.
pub(crate) fn right<'a>(signed: &[String], said: impl Iterator<Item = &'a String>) -> Vec<bool> {
    let said: Vec<&String> = said.collect();
    let mut right = vec![false; said.len()];
    for edit in align(&signed.iter().collect::<Vec<_>>(), &said) {
        if let Edit::Hit(_, at) = edit {
            right[at] = true;
        }
    }
    right
}

/// From which confidence on no more is said at rest than is allowed.
fn quiet(at_rest: impl Iterator<Item = f32>, idle: &[Heard]) -> f32 {
    let mut false_ones: Vec<f32> = at_rest.collect();
    false_ones.sort_by(|a, b| b.total_cmp(a));
    let seconds: f64 = idle.iter().map(|heard| heard.seconds).sum();
    let allowed = (seconds / 600.0 * FALSE_IN_TEN_MINUTES) as usize;
    (false_ones.get(allowed).copied().unwrap_or(0.0) + 0.01).clamp(LEAST, 0.95)
}

/// Logistic regression by Newton's method: the weights that make what happened likeliest.
pub(crate) fn logistic<const N: usize>(examples: &[([f32; N], bool)]) -> [f32; N] {
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
            let (above, below) = a.split_at_mut(j);
            below[0][i..].iter_mut().zip(&above[i][i..]).for_each(|(low, high)| *low -= by * high);
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
