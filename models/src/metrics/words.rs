//! Word error rate: which words of a hypothesis are right, changed, missing or too many.
//!
//! Counts are those of jiwer 4.0 (`process_words`). Where several alignments cost the same they differ in
//! their counts ("a b" and "b a" are two changes, or one word missing and one too many), so the
//! alignment is chosen here by the rule of rapidfuzz 3, which jiwer calls.

use std::ops::AddAssign;

/// How many symbols must be put in, taken out or changed to make one sequence of the other (Levenshtein).
pub fn edit_distance<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        // The row above, one place to the left.
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

/// One step of an alignment, with the places in the reference and in the hypothesis, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// The same word on both sides.
    Hit(usize, usize),
    /// Another word.
    Substitution(usize, usize),
    /// A word of the reference that the hypothesis lacks.
    Deletion(usize),
    /// A word of the hypothesis that the reference lacks.
    Insertion(usize),
}

/// Aligns a hypothesis with its reference at the least cost; of several such alignments the one of rapidfuzz.
///
/// Time and memory grow with the product of both lengths (four bytes a pair). rapidfuzz itself aligns
/// otherwise from some 2,000 words on, so that beyond them counts may differ; their sum never does.
pub fn align<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> Vec<Edit> {
    let same = |(a, b): &(&T, &T)| a == b;
    let prefix = reference.iter().zip(hypothesis).take_while(same).count();
    let (r, h) = (&reference[prefix..], &hypothesis[prefix..]);
    let suffix = r.iter().rev().zip(h.iter().rev()).take_while(same).count();
    let (r, h) = (&r[..r.len() - suffix], &h[..h.len() - suffix]);

    // `cost[j][i]`: the distance of the first i words of the reference and the first j of the hypothesis.
    let width = r.len() + 1;
    let mut cost: Vec<u32> = (0..width as u32).collect();
    cost.reserve(width * h.len());
    for (j, word) in h.iter().enumerate() {
        let above = j * width;
        cost.push(j as u32 + 1);
        for (i, other) in r.iter().enumerate() {
            let change = cost[above + i] + u32::from(word != other);
            let least = change.min(cost[above + i + 1] + 1).min(cost[above + width + i] + 1);
            cost.push(least);
        }
    }

    // From the end: rather a deletion than an insertion, rather that than a substitution.
    let mut edits: Vec<Edit> =
        (0..suffix).map(|k| Edit::Hit(reference.len() - 1 - k, hypothesis.len() - 1 - k)).collect();
    let (mut i, mut j) = (r.len(), h.len());
    while i > 0 && j > 0 {
        let at = |i: usize, j: usize| cost[j * width + i];
        if at(i, j) == at(i - 1, j) + 1 {
            i -= 1;
            edits.push(Edit::Deletion(prefix + i));
            continue;
        }
        j -= 1;
        if j > 0 && at(i, j) + 1 == at(i - 1, j) {
            edits.push(Edit::Insertion(prefix + j));
        } else {
            i -= 1;
            let edit = if r[i] == h[j] { Edit::Hit } else { Edit::Substitution };
            edits.push(edit(prefix + i, prefix + j));
        }
    }
    edits.extend((0..i).rev().map(|i| Edit::Deletion(prefix + i)));
    edits.extend((0..j).rev().map(|j| Edit::Insertion(prefix + j)));
    edits.extend((0..prefix).rev().map(|k| Edit::Hit(k, k)));
    edits.reverse();
    edits
}

/// Counts over a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordErrors {
    /// Words that are right.
    pub hits: usize,
    /// Words that are others.
    pub substitutions: usize,
    /// Words that are missing.
    pub deletions: usize,
    /// Words too many.
    pub insertions: usize,
}

impl WordErrors {
    /// The counts of an alignment.
    pub fn of(edits: &[Edit]) -> Self {
        let mut counts = Self::default();
        for edit in edits {
            match edit {
                Edit::Hit(..) => counts.hits += 1,
                Edit::Substitution(..) => counts.substitutions += 1,
                Edit::Deletion(_) => counts.deletions += 1,
                Edit::Insertion(_) => counts.insertions += 1,
            }
        }
        counts
    }

    /// Words of the reference.
    pub fn reference_words(&self) -> usize {
        self.hits + self.substitutions + self.deletions
    }

    /// Word error rate, (S + D + I) / words of the reference: 0 where all is right, and it may pass 1.
    ///
    /// Without a word in the reference it is the number of insertions, as in jiwer.
    pub fn rate(&self) -> f64 {
        let wrong = self.substitutions + self.deletions + self.insertions;
        wrong as f64 / self.reference_words().max(1) as f64
    }
}

impl AddAssign for WordErrors {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance, then hits, substitutions, deletions, insertions.
    #[track_caller]
    fn check(a: &str, b: &str, expect: usize, counts: [usize; 4]) {
        assert_eq!(edit_distance(a.as_bytes(), b.as_bytes()), expect, "{a} and {b}");
        let edits = align(a.as_bytes(), b.as_bytes());
        let got = WordErrors::of(&edits);
        assert_eq!([got.hits, got.substitutions, got.deletions, got.insertions], counts, "{a} and {b}");
        assert_eq!(got.substitutions + got.deletions + got.insertions, expect, "{a} and {b}");
        // Every place of both sides stands in the alignment once, in order.
        let places = |of: fn(&Edit) -> Option<usize>| edits.iter().filter_map(of).collect::<Vec<_>>();
        let reference = places(|e| match e {
            Edit::Hit(i, _) | Edit::Substitution(i, _) | Edit::Deletion(i) => Some(*i),
            Edit::Insertion(_) => None,
        });
        let hypothesis = places(|e| match e {
            Edit::Hit(_, j) | Edit::Substitution(_, j) | Edit::Insertion(j) => Some(*j),
            Edit::Deletion(_) => None,
        });
        assert_eq!(reference, (0..a.len()).collect::<Vec<_>>(), "{a} and {b}");
        assert_eq!(hypothesis, (0..b.len()).collect::<Vec<_>>(), "{a} and {b}");
    }

    #[test]
    fn distance_and_alignment_agree() {
        check("kitten", "sitting", 3, [4, 2, 0, 1]);
        check("", "ab", 2, [0, 0, 0, 2]);
        check("ab", "", 2, [0, 0, 2, 0]);
        check("same", "same", 0, [4, 0, 0, 0]);
        check("abb", "ab", 1, [2, 0, 1, 0]);
    }

    #[test]
    fn the_rate_of_an_empty_reference_is_the_words_too_many() {
        assert_eq!(WordErrors { insertions: 3, ..WordErrors::default() }.rate(), 3.0);
        assert_eq!(WordErrors { hits: 3, deletions: 1, ..WordErrors::default() }.rate(), 0.25);
    }
}
