//! How sure the model may say it is: temperature and threshold, from held-out windows.

use crate::evaluate::Rule;

/// Of the signs that the unit shows, at most this share may be wrong on held-out windows.
const WRONG_SHARE: f64 = 0.02;
/// Of the enrolled signs that the unit shows, where half of what is signed is not enrolled.
pub(crate) const WRONG_ENROLLED: f64 = 0.05;
/// A threshold lower than this would show guesses.
const LEAST: f32 = 0.5;

/// The temperature at which held-out labels are likeliest (Guo et al. 2017), between 1 and 5.
///
/// Held-out clips show people whom training has seen, or a camera that it has seen: strangers are
/// harder. So a model that is too modest on them is left so: the temperature never falls below 1.
///
/// # Shapes
/// - `logits`: `[N]` of `[G]`
/// - `truth`: `[N]` of labels below G
pub fn temperature(logits: &[Vec<f32>], truth: &[usize]) -> f32 {
    let loss = |t: f32| -> f64 {
        logits.iter().zip(truth).map(|(l, &g)| -f64::from(confidences(l, t)[g].max(1e-12)).ln()).sum()
    };
    // The loss has one minimum over the logarithm of the temperature: golden section.
    let (mut low, mut high) = (0.0_f32, 5.0_f32.ln());
    let golden = 0.618_034;
    for _ in 0..40 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if loss(a.exp()) < loss(b.exp()) { high = b } else { low = a }
    }
    ((low + high) / 2.0).exp()
}

/// The lowest threshold above which at most [`WRONG_SHARE`] of the signs shown are wrong.
pub fn threshold(
    logits: &[Vec<f32>],
    truth: &[usize],
    temperature: f32,
    is_rest: impl Fn(usize) -> bool,
) -> f32 {
    threshold_for(WRONG_SHARE, logits, truth, temperature, is_rest)
}

/// The lowest threshold above which at most a share of the signs shown are wrong.
///
/// A window whose first answer is a rest class shows nothing and cannot be wrong here.
fn threshold_for(
    wrong_share: f64,
    logits: &[Vec<f32>],
    truth: &[usize],
    temperature: f32,
    is_rest: impl Fn(usize) -> bool,
) -> f32 {
    let mut shown: Vec<(f32, bool)> = logits
        .iter()
        .zip(truth)
        .filter_map(|(l, &g)| {
            let confidence = confidences(l, temperature);
            let (best, sure) = confidence.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
            (!is_rest(best)).then_some((*sure, best == g))
        })
        .collect();
    lowest(wrong_share, &mut shown)
}

/// The lowest confidence above which at most a share of what is shown is wrong; of each the confidence and whether it
/// is right.
pub(crate) fn lowest(wrong_share: f64, shown: &mut [(f32, bool)]) -> f32 {
    shown.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut wrong, mut lowest) = (0, 1.0_f32);
    for (n, (sure, right)) in shown.iter().enumerate() {
        wrong += usize::from(!right);
        // What is as sure is shown together or not at all.
        let last_of_its_kind = shown.get(n + 1).is_none_or(|next| next.0 < *sure);
        if last_of_its_kind && wrong as f64 <= wrong_share * (n + 1) as f64 {
            lowest = *sure;
        }
    }
    lowest.clamp(LEAST, 0.99)
}

/// The rule under which the truth about windows is likeliest, and which shows few signs wrongly.
///
/// Windows of enrolled signs and of others are judged; of what is shown at most [`WRONG_ENROLLED`] is wrong.
///
/// # Shapes
/// - `judged`: `[N]` of `[S]` cosines, and the sign below S, or S for none
pub fn rule(judged: &[(Vec<f32>, usize)]) -> Rule {
    let loss = |none: f32, temperature: f32| -> f64 {
        let lost = |(cosines, sign): &(Vec<f32>, usize)| {
            let logits: Vec<_> = cosines.iter().copied().chain([none]).collect();
            -f64::from(confidences(&logits, temperature)[*sign].max(1e-12)).ln()
        };
        judged.iter().map(lost).sum()
    };
    // Coarse steps do: the loss is flat around its minimum.
    let nones = (0..50).map(|i| f32::from(i as u8) * 0.02);
    let pairs = nones.flat_map(|none| (0..30).map(move |i| (none, 0.01 * 1.15_f32.powi(i))));
    let (none, temperature) = pairs
        .map(|(none, temperature)| (loss(none, temperature), none, temperature))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or((0.5, 1.0), |(_, none, temperature)| (none, temperature));
    let logits: Vec<Vec<f32>> =
        judged.iter().map(|(c, _)| c.iter().copied().chain([none]).collect()).collect();
    let truth: Vec<_> = judged.iter().map(|(_, sign)| *sign).collect();
    let last = logits.first().map_or(0, |l| l.len() - 1);
    Rule {
        none,
        temperature,
        threshold: threshold_for(WRONG_ENROLLED, &logits, &truth, temperature, |g| g == last),
    }
}

fn confidences(logits: &[f32], temperature: f32) -> Vec<f32> {
    let mut out = logits.to_vec();
    models::manifest::confidences(&mut out, temperature);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_that_are_too_sure_are_softened() {
        // Right three times of four, and always sure of it.
        let logits: Vec<_> = (0..400).map(|_| vec![5.0, 0.0]).collect();
        let truth: Vec<_> = (0..400).map(|i| usize::from(i % 4 == 0)).collect();
        let t = temperature(&logits, &truth);
        let sure = confidences(&logits[0], t)[0];
        assert!((sure - 0.8).abs() < 0.06, "temperature {t}, confidence {sure}");
    }

    #[test]
    fn logits_that_are_too_modest_are_left_so() {
        let logits: Vec<_> = (0..400).map(|_| vec![0.5, 0.0]).collect();
        assert!((temperature(&logits, &[0; 400]) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn enrolled_signs_and_others_are_told_apart_between_them() {
        // Two signs: their own windows at cosines around 0.9, others' around 0.6.
        let at = |i: u8, around: f32| around + 0.01 * f32::from(i % 9) - 0.04;
        let own = (0..90).map(|i| (vec![at(i, 0.9), 0.1], 0));
        let judged: Vec<_> = own.chain((0..90).map(|i| (vec![0.2, at(i, 0.6)], 2))).collect();
        let Rule { none, temperature, threshold } = rule(&judged);
        assert!((0.65..0.85).contains(&none), "{none}");
        let sure = |cosine: f32| confidences(&[cosine, 0.1, none], temperature)[0];
        assert!(sure(0.86) >= threshold && sure(0.64) < threshold, "{temperature} {threshold}");
    }

    #[test]
    fn the_threshold_leaves_few_wrong_answers() {
        // Sure answers are right, unsure ones are wrong; the rest class does not count.
        let mut logits: Vec<_> = (0..100).map(|_| vec![4.0, 0.0, 0.0]).collect();
        logits.extend((0..100).map(|_| vec![1.5, 0.5, 0.0]));
        logits.extend((0..100).map(|_| vec![0.0, 0.0, 9.0]));
        let truth: Vec<_> = (0..300).map(|i| usize::from(i >= 100)).collect();
        let least = threshold(&logits, &truth, 1.0, |g| g == 2);
        let (sure, unsure) = (confidences(&logits[0], 1.0)[0], confidences(&logits[100], 1.0)[0]);
        assert!(least <= sure && least > unsure, "{least} is not between {unsure} and {sure}");
    }
}
