//! The n-gram loss (section 4.3): one less the F1 of n-grams, by expected matches.
//!
//! A network gives probabilities and not a sentence, so matches are expected ones, as if each place were drawn by
//! itself (Shao et al. 2018, "Greedy search with probabilistic n-gram matching"). An n-gram is expected at a place as
//! often as nothing ended before it and all of its tokens are drawn there. A sum over the places is how often it is
//! expected in all; of that no more than it stands in the reference counts as a match. F1 is twice the matches by
//! what is expected and what the reference has together, for one gloss up to four, and the mean of these that the
//! reference has.

use std::collections::{HashMap, HashSet};

use burn::tensor::{Tensor, TensorData, backend::Backend};
use models::translator::END;

use super::Targets;

/// The longest n-gram.
const LONGEST: usize = 4;
/// The least probability of going on, whose logarithm must be a number, and the least number to divide by.
const LEAST: f32 = 1e-6;

/// One less the F1 of n-grams, the mean over clips: `[1]`.
///
/// # Shapes
/// - `probs`: `[B * U, V]`, probabilities of what follows
pub fn ngram<B: Backend>(probs: Tensor<B, 2>, targets: &Targets<B>) -> Tensor<B, 1> {
    let ([b, u], [_, v], device) = (targets.dims(), probs.dims(), probs.device());
    let probs = probs.reshape([b, u, v]);
    // Of each place the probability of each token of the reference: `[B, U, U]`.
    let wanted = targets.tokens.clone().reshape([b, 1, u]).expand([b, u, u]);
    let said = probs.clone().gather(2, wanted);
    let goes_on = probs.narrow(2, END as usize, 1).neg() + 1.0; // [B, U, 1]
    let goes_on = goes_on.clamp_min(LEAST).reshape([b, u]);
    // That nothing ended before a place is the product over the places before it.
    let before = (0..u * u).map(|i| f32::from(u8::from(i / u < i % u))).collect::<Vec<_>>();
    let before = Tensor::<B, 2>::from_data(TensorData::new(before, [u, u]), &device);
    let open = goes_on.clone().log().matmul(before).exp() * targets.there.clone(); // [B, U]

    let (mut sum, mut count) = (Tensor::<B, 2>::zeros([b, 1], &device), vec![0.0_f32; b]);
    for n in 1..=LONGEST.min(u) {
        let grams = u + 1 - n;
        let reference = Reference::new(&targets.rows, n, grams);
        // An n-gram must end where something is there still.
        let starts = open.clone().narrow(1, 0, grams) * targets.there.clone().narrow(1, n - 1, grams);
        let part = |i: usize| said.clone().narrow(1, i, grams).narrow(2, i, grams);
        let drawn = (1..n).fold(part(0), |product, i| product * part(i)); // [B, places, grams of the reference]
        let expected = (drawn * starts.clone().reshape([b, grams, 1])).sum_dim(1).reshape([b, grams]);
        let on = |i: usize| goes_on.clone().narrow(1, i, grams);
        let given = (starts * (1..n).fold(on(0), |product, i| product * on(i))).sum_dim(1); // [B, 1]
        let rows = |values: Vec<f32>, width: usize| {
            Tensor::<B, 2>::from_data(TensorData::new(values, [b, width]), &device)
        };
        let matches = expected.min_pair(rows(reference.counts, grams)) * rows(reference.first, grams);
        // A sentence that is too short for n-grams has none to divide by.
        let both = (given + rows(reference.all.clone(), 1)).clamp_min(LEAST);
        let f1 = matches.sum_dim(1) * 2.0 / both;
        let has: Vec<f32> = reference.all.iter().map(|n| f32::from(u8::from(*n > 0.0))).collect();
        count.iter_mut().zip(&has).for_each(|(count, has)| *count += has);
        sum = sum + f1 * rows(has, 1);
    }
    let count: Vec<f32> = count.into_iter().map(|n| n.max(1.0)).collect();
    let mean = sum / Tensor::<B, 2>::from_data(TensorData::new(count, [b, 1]), &device);
    (mean.neg() + 1.0).mean()
}

/// The n-grams of references.
struct Reference {
    /// `[B, grams]`: how often the n-gram that begins here stands in its reference.
    counts: Vec<f32>,
    /// `[B, grams]`: 1 where it stands for the first time, else 0.
    first: Vec<f32>,
    /// `[B]`: n-grams of each reference.
    all: Vec<f32>,
}

impl Reference {
    fn new(rows: &[Vec<u32>], n: usize, grams: usize) -> Self {
        let mut new = Self { counts: vec![], first: vec![], all: vec![] };
        for row in rows {
            let glosses = &row[..row.len().saturating_sub(1)];
            let mut counts: HashMap<&[u32], f32> = HashMap::new();
            glosses.windows(n).for_each(|gram| *counts.entry(gram).or_insert(0.0) += 1.0);
            let mut known = HashSet::new();
            for i in 0..grams {
                let gram = glosses.get(i..i + n);
                new.counts.push(gram.map_or(0.0, |gram| counts[gram]));
                new.first.push(gram.map_or(0.0, |gram| f32::from(u8::from(known.insert(gram)))));
            }
            new.all.push(glosses.windows(n).count() as f32);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;

    /// The loss where a network is sure of what it says: that of the sentence.
    #[track_caller]
    fn check(said: &[u32], reference: &[u32], expect: f32) {
        let device = Default::default();
        let (u, v) = (reference.len() + 1, 8);
        let mut probs = vec![0.0; u * v];
        let ends = said.iter().copied().chain(std::iter::repeat(END));
        probs.chunks_exact_mut(v).zip(ends).for_each(|(row, token)| row[token as usize] = 1.0);
        let probs = Tensor::<Flex, 2>::from_data(TensorData::new(probs, [u, v]), &device);
        let row = reference.iter().copied().chain([END]).collect();
        let found = ngram(probs, &Targets::new(vec![row], &device)).into_scalar();
        assert!((found - expect).abs() < 1e-4, "{said:?} of {reference:?}: {found}, not {expect}");
    }

    #[test]
    fn of_a_sentence_it_is_one_less_the_f1() {
        check(&[3, 4, 5, 3], &[3, 4, 5, 3], 0.0);
        check(&[6, 6], &[3, 4], 1.0);
        // Of one gloss 2 · 1 / (1 + 2); of two none was said.
        check(&[3], &[3, 4], 1.0 - (2.0 / 3.0 + 0.0) / 2.0);
        // One of two is clipped: the reference has 3 once. Of two glosses none matches.
        check(&[3, 3], &[3, 4], 1.0 - (0.5 + 0.0) / 2.0);
        check(&[], &[3], 1.0);
    }
}
