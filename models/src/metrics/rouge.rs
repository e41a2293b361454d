//! ROUGE-L (Lin 2004), with the β of 1.2 that captioning has used since and with it `metrics.py` of
//! neccam/slt, whose figures sign language translation reports: the mean of the sentences' F.

/// How much recall weighs: β² = 1.44.
const BETA: f64 = 1.2;

/// ROUGE-L of a corpus of pairs (hypothesis, reference), from 0 to 100; 0 of an empty corpus.
///
/// Words stand between single spaces, as there: two spaces hold an empty word between them, and an
/// empty line is one empty word.
pub fn rouge_l<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> f64 {
    let (mut sum, mut n) = (0.0, 0_usize);
    for (hypothesis, reference) in pairs {
        sum += sentence(hypothesis, reference);
        n += 1;
    }
    100.0 * sum / n.max(1) as f64
}

/// F of a sentence, from 0 to 1: Lin 2004, equations 2 to 4, with precision and recall by the longest
/// common subsequence of words.
fn sentence(hypothesis: &str, reference: &str) -> f64 {
    let (h, r): (Vec<_>, Vec<_>) = (hypothesis.split(' ').collect(), reference.split(' ').collect());
    let common = longest_common(&h, &r) as f64;
    let (precision, recall) = (common / h.len() as f64, common / r.len() as f64);
    if common == 0.0 {
        return 0.0;
    }
    (1.0 + BETA * BETA) * precision * recall / (recall + BETA * BETA * precision)
}

/// The length of the longest common subsequence.
fn longest_common(a: &[&str], b: &[&str]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for x in a {
        let mut corner = 0;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y { corner + 1 } else { above.max(row[j]) };
            corner = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hypothesis: &str, reference: &str, expect: f64) {
        let score = rouge_l([(hypothesis, reference)]);
        assert!((score - expect).abs() < 1e-9, "{hypothesis:?} for {reference:?}: {score}");
    }

    #[test]
    fn order_matters_and_gaps_do_not() {
        check("A B C", "A B C", 100.0);
        check("C B A", "A B C", 100.0 / 3.0);
        check("A X C", "A B C", 200.0 / 3.0);
        check("X", "A", 0.0);
        check("", "", 100.0);
        assert_eq!(rouge_l([]), 0.0);
    }
}
