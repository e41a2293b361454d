//! Connectionist temporal classification: how likely a sequence of glosses is, and which way is down.
//!
//! The forward-backward algorithm of Graves et al. 2006, section 4.1, with one restriction: where the time of
//! a sign is known, its label may only be given from the sign's middle to a stated time after its end
//! (alignment restriction, Mahadeokar et al. 2021, section 3). A recogniser that is live must not wait, and a plain loss
//! lets it say a sign as late as it likes.
//!
//! The gradient is computed here rather than by automatic differentiation: a graph over hundreds of steps costs
//! more than the network itself.

use std::ops::Range;

use models::live::log_add;

/// The label that means that nothing is said.
pub const BLANK: usize = 0;

/// A label that has to be said, and the steps at which it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Above [`BLANK`].
    pub label: usize,
    /// Steps of the sequence.
    pub within: Range<usize>,
}

/// The negative logarithm of the probability of the targets, and its gradient.
///
/// `None` where no path is allowed: fewer steps than the targets take.
///
/// # Shapes
/// - `logits`: `[T, V]`, row-major, not normalised
/// - `gradient`: `[T, V]`; the derivative by each logit is added to it, times `weight`
pub fn loss(
    logits: &[f32],
    labels: usize,
    targets: &[Target],
    weight: f32,
    gradient: &mut [f32],
) -> Option<f64> {
    let steps = logits.len() / labels;
    let log_probs = log_softmax(logits, labels);
    // Blank, label, blank, … blank.
    let states = 2 * targets.len() + 1;
    let label = |s: usize| if s.is_multiple_of(2) { BLANK } else { targets[s / 2].label };
    let allowed = |s: usize, t: usize| s.is_multiple_of(2) || targets[s / 2].within.contains(&t);
    // A label may follow another without a blank where they differ.
    let skips = |s: usize| s % 2 == 1 && s >= 3 && label(s) != label(s - 2);
    let said = |s: usize, t: usize| log_probs[t * labels + label(s)];
    let mut forward = vec![f64::NEG_INFINITY; steps * states];
    for t in 0..steps {
        for s in 0..states {
            if !allowed(s, t) {
                continue;
            }
            let from = if t == 0 {
                if s < 2 { 0.0 } else { f64::NEG_INFINITY }
            } else {
                let before = &forward[(t - 1) * states..t * states];
                let mut from = before[s];
                if s > 0 {
                    from = log_add(from, before[s - 1]);
                }
                if skips(s) {
                    from = log_add(from, before[s - 2]);
                }
                from
            };
            forward[t * states + s] = from + said(s, t);
        }
    }
    let last = &forward[steps.checked_sub(1)? * states..];
    let total = if states > 1 { log_add(last[states - 1], last[states - 2]) } else { last[0] };
    if !total.is_finite() {
        return None;
    }
    // What follows after step t, without what is said at t.
    let mut backward: Vec<f64> =
        (0..states).map(|s| if s + 2 >= states { 0.0 } else { f64::NEG_INFINITY }).collect();
    for t in (0..steps).rev() {
        let row = &mut gradient[t * labels..][..labels];
        for (slot, log_prob) in row.iter_mut().zip(&log_probs[t * labels..]) {
            *slot += weight * log_prob.exp() as f32;
        }
        for s in 0..states {
            let share = (forward[t * states + s] + backward[s] - total).exp();
            row[label(s)] -= weight * share as f32;
        }
        if t == 0 {
            break;
        }
        let onward: Vec<f64> = (0..states)
            .map(|s| if allowed(s, t) { backward[s] + said(s, t) } else { f64::NEG_INFINITY })
            .collect();
        for (s, slot) in backward.iter_mut().enumerate() {
            let mut sum = onward[s];
            if s + 1 < states {
                sum = log_add(sum, onward[s + 1]);
            }
            if s + 2 < states && skips(s + 2) {
                sum = log_add(sum, onward[s + 2]);
            }
            *slot = sum;
        }
    }
    Some(-total)
}

/// Cross-entropy of one step with a known class, and its gradient.
///
/// # Shapes
/// - `logits`, `gradient`: `[C]`; the derivative is added to the gradient, times `weight`
pub fn cross_entropy(logits: &[f32], class: usize, weight: f32, gradient: &mut [f32]) -> f64 {
    smoothed(logits, class, 0.0, weight, gradient)
}

/// The same with label smoothing (Szegedy et al. 2016, section 7): the class is given all but the share
/// `smoothing`, which all classes have in equal parts.
pub fn smoothed(logits: &[f32], class: usize, smoothing: f32, weight: f32, gradient: &mut [f32]) -> f64 {
    let log_probs = log_softmax(logits, logits.len());
    let each = smoothing / logits.len() as f32;
    let mut loss = 0.0;
    for (i, (slot, log_prob)) in gradient.iter_mut().zip(&log_probs).enumerate() {
        let share = each + if i == class { 1.0 - smoothing } else { 0.0 };
        *slot += weight * (log_prob.exp() as f32 - share);
        // An impossible class that has no share costs nothing.
        if share > 0.0 {
            loss -= f64::from(share) * log_prob;
        }
    }
    loss
}

fn log_softmax(logits: &[f32], labels: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(labels) {
        let top = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = row.iter().map(|v| (f64::from(*v) - top).exp()).sum();
        out.extend(row.iter().map(|v| f64::from(*v) - top - sum.ln()));
    }
    out
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        case: String,
        labels: usize,
        logits: Vec<f32>,
        targets: Vec<usize>,
        within: Vec<[usize; 2]>,
        loss: f64,
        gradient: Vec<f32>,
    }

    #[test]
    fn losses_and_gradients_are_those_of_pytorch_and_of_counted_paths() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../../tests/parity/ctc/expected.json")).unwrap();
        assert_eq!(cases.len(), 7);
        for case in cases {
            let targets: Vec<Target> = case
                .targets
                .iter()
                .zip(&case.within)
                .map(|(&label, &[from, to])| Target { label, within: from..to })
                .collect();
            let mut gradient = vec![1.0; case.logits.len()];
            let found = loss(&case.logits, case.labels, &targets, 0.5, &mut gradient).unwrap();
            assert!((found - case.loss).abs() < 1e-5, "{}: {found}, not {}", case.case, case.loss);
            for (i, (a, b)) in gradient.iter().zip(&case.gradient).enumerate() {
                assert!((a - 1.0 - 0.5 * b).abs() < 1e-5, "{}: gradient {i} {a}, {b}", case.case);
            }
        }
    }

    #[test]
    fn too_few_steps_have_no_path() {
        let targets = [1, 1].map(|label| Target { label, within: 0..9 });
        assert_eq!(loss(&[0.0; 4], 2, &targets, 1.0, &mut [0.0; 4]), None);
        assert_eq!(loss(&[], 2, &targets[..1], 1.0, &mut []), None);
        let late = [Target { label: 1, within: 5..9 }];
        let mut untouched = [0.0; 4];
        assert_eq!(loss(&[0.0; 4], 2, &late, 1.0, &mut untouched), None);
        assert_eq!(untouched, [0.0; 4]);
    }

    #[test]
    fn cross_entropy_points_from_what_is_said_to_what_is_right() {
        let mut gradient = [0.0; 2];
        let found = cross_entropy(&[0.0, 0.0], 1, 2.0, &mut gradient);
        assert!((found - 2.0_f64.ln()).abs() < 1e-9);
        assert_eq!(gradient, [1.0, -1.0]);
    }

    #[test]
    fn smoothing_gives_every_class_a_share() {
        // Probabilities 3/4 and 1/4; the class 0 is to have 0.9 + 0.05.
        let (mut gradient, logits) = ([0.0; 2], [3.0_f32.ln(), 0.0]);
        let found = smoothed(&logits, 0, 0.1, 2.0, &mut gradient);
        let expect = -(0.95 * 0.75_f64.ln() + 0.05 * 0.25_f64.ln());
        assert!((found - expect).abs() < 1e-6, "{found}, not {expect}");
        assert!((gradient[0] + 0.4).abs() < 1e-6 && (gradient[1] - 0.4).abs() < 1e-6, "{gradient:?}");
    }
}
