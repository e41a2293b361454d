//! Whether a confidence says how often an answer is right, and what abstaining buys.

use serde::Serialize;

use super::share;

/// Bins of [`expected_calibration_error`], as in Guo et al. 2017.
pub const BINS: usize = 15;

/// An answer: how sure the model was (0 to 1), and whether it was right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// From 0 to 1.
    pub confidence: f64,
    /// Whether it was right.
    pub right: bool,
}

/// Expected calibration error, from 0 (a confidence is how often it is right) to 1.
///
/// Guo et al. 2017, equation 3: answers fall into 15 bins of equal width, ((m−1)/15, m/15], those of
/// confidence 0 into the first; the sum over bins of |share right − mean confidence|, weighed by the
/// share of answers in the bin. 0 without answers.
pub fn expected_calibration_error(answers: &[Answer]) -> f64 {
    let (mut right, mut sure, mut n) = ([0.0_f64; BINS], [0.0_f64; BINS], 0_usize);
    for answer in answers {
        let bin = (1..BINS).take_while(|&m| answer.confidence > m as f64 / BINS as f64).count();
        right[bin] += f64::from(u8::from(answer.right));
        sure[bin] += answer.confidence;
        n += 1;
    }
    // |share right − mean confidence| × answers of the bin / all answers, with the answers of the bin cancelled.
    right.iter().zip(&sure).map(|(right, sure)| (right - sure).abs()).sum::<f64>() / n.max(1) as f64
}

/// Brier's score of the answers given: the mean of (confidence − 1 if right, else 0)², from 0 to 1.
///
/// Brier 1950 for the two outcomes "right" and "wrong"; it looks at the first answer alone, not at all
/// labels. 0 without answers.
pub fn brier(answers: &[Answer]) -> f64 {
    let squares = answers.iter().map(|a| (a.confidence - f64::from(u8::from(a.right))).powi(2));
    squares.sum::<f64>() / answers.len().max(1) as f64
}

/// What is answered, and how much of it is wrong, where answers below a threshold are held back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Operating {
    /// The least confidence that is answered.
    pub threshold: f64,
    /// The share of all that is answered.
    pub coverage: f64,
    /// The share of the answers that is wrong.
    pub risk: f64,
}

/// The risk–coverage curve (El-Yaniv and Wiener 2010): one point a confidence that occurs, from the surest
/// answers alone to all.
pub fn risk_coverage(answers: &[Answer]) -> Vec<Operating> {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut wrong = 0;
    let mut points = Vec::new();
    for (i, answer) in sorted.iter().enumerate() {
        wrong += usize::from(!answer.right);
        // Answers of one confidence are given together or not at all.
        if sorted.get(i + 1).is_none_or(|next| next.confidence < answer.confidence) {
            points.push(Operating {
                threshold: answer.confidence,
                coverage: share(i + 1, sorted.len()),
                risk: share(wrong, i + 1),
            });
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(given: &[(f64, bool)]) -> Vec<Answer> {
        given.iter().map(|&(confidence, right)| Answer { confidence, right }).collect()
    }

    #[track_caller]
    fn check(given: &[(f64, bool)], error: f64, squares: f64) {
        let answers = answers(given);
        let got = expected_calibration_error(&answers);
        assert!((got - error).abs() < 1e-12, "{given:?}: {got}, not {error}");
        let got = brier(&answers);
        assert!((got - squares).abs() < 1e-12, "{given:?}: {got}, not {squares}");
    }

    #[test]
    fn errors_of_confidences() {
        check(&[], 0.0, 0.0);
        check(&[(1.0, true), (0.0, false)], 0.0, 0.0);
        check(&[(0.0, true)], 1.0, 1.0);
        // One bin: half are right, the mean confidence is 0.5. Two bins: each is off by itself.
        check(&[(0.49, true), (0.51, false)], 0.0, (0.51_f64.powi(2) * 2.0) / 2.0);
        check(&[(0.8, true), (0.2, false)], 0.2, 0.04);
        // A confidence on the edge belongs to the bin below it: 0.2 is not with 0.21.
        check(&[(0.2, true), (0.21, false)], (0.8 + 0.21) / 2.0, (0.64 + 0.0441) / 2.0);
    }

    #[test]
    fn the_curve_has_a_point_for_each_confidence() {
        let point = |threshold, coverage, risk| Operating { threshold, coverage, risk };
        let curve = risk_coverage(&answers(&[(0.5, false), (0.9, true), (0.5, true), (0.1, false)]));
        assert_eq!(curve, [point(0.9, 0.25, 0.0), point(0.5, 0.75, 1.0 / 3.0), point(0.1, 1.0, 0.5)]);
        assert_eq!(risk_coverage(&[]), []);
    }
}
