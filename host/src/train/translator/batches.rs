//! Batches of sentences and their translations.

use std::sync::{Mutex, PoisonError};

use models::translator::{BEGIN, END, Pieces};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngCore, SeedableRng};

use super::recipe::{BATCH, Varied};
use crate::train::plan::step_seed;

/// Longer sentences are not learnt: they are errors of a corpus, and would take its memory.
const MOST_PIECES: usize = 160;
/// Share of merges that is left out in a word that is cut smaller.
const LEFT_OUT: f32 = 0.3;

/// What is learnt: pairs of a source and a target, each in its normal form.
pub struct Batches {
    pairs: Vec<[String; 2]>,
    source: Pieces,
    target: Pieces,
    varied: Varied,
    seed: u64,
    /// The epoch of the last step, with its batches.
    epoch: Mutex<Option<(usize, Vec<Batch>)>>,
}

/// Sentences side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[B][S]`, all as long as the longest.
    pub source: Vec<Vec<u32>>,
    /// `[B]`: pieces of each source that are there.
    pub lengths: Vec<usize>,
    /// `[B][U]`, all as long as the longest; each begins with [`BEGIN`].
    pub said: Vec<Vec<u32>>,
    /// `[B]`: what follows each piece of `said`, with an end and without padding.
    pub follows: Vec<Vec<u32>>,
    /// What is random in the step follows from it.
    pub seed: u64,
}

impl Batches {
    /// Of pairs, which are cut into pieces and varied from epoch to epoch.
    pub fn new(pairs: Vec<[String; 2]>, [source, target]: [Pieces; 2], varied: Varied, seed: u64) -> Self {
        let fits = |pieces: &Pieces, text: &str| (1..MOST_PIECES).contains(&pieces.encode(text).len());
        let fit = |[from, to]: &[String; 2]| fits(&source, from) && fits(&target, to);
        let pairs = pairs.into_iter().filter(fit).collect();
        Self { pairs, source, target, varied, seed, epoch: Mutex::new(None) }
    }

    /// How many pairs there are.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// Batches in which every pair is seen once.
    pub fn of_epoch(&self) -> usize {
        self.pairs.len().div_ceil(BATCH)
    }

    /// The batch of a step, which follows from the step alone.
    pub fn batch(&self, step: usize) -> Batch {
        let (epoch, place) = (step / self.of_epoch(), step % self.of_epoch());
        let mut last = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(of, _)| *of != epoch) {
            *last = Some((epoch, self.draw(epoch)));
        }
        let (_, batches) = last.as_ref().expect("it was drawn just before");
        batches[place].clone()
    }

    /// The batches of an epoch. Pairs of a batch are as long as each other, so that hardly any of it is padding.
    fn draw(&self, epoch: usize) -> Vec<Batch> {
        let mut rng = StdRng::seed_from_u64(step_seed(self.seed, epoch));
        let mut cut = |pieces: &Pieces, text: &str| {
            let mut cut: Vec<u32> = vec![];
            for word in text.split_whitespace() {
                let smaller = rng.random::<f32>() < self.varied.cut_smaller;
                cut.extend(pieces.encode_with(word, || smaller && rng.random::<f32>() < LEFT_OUT));
            }
            cut.truncate(2 * MOST_PIECES);
            cut
        };
        let mut cuts: Vec<[Vec<u32>; 2]> =
            self.pairs.iter().map(|[from, to]| [cut(&self.source, from), cut(&self.target, to)]).collect();
        let single = cuts.clone();
        for cut in &mut cuts {
            let joined = rng.random::<f32>() < self.varied.joined;
            let Some(other) = single.choose(&mut rng).filter(|_| joined) else { continue };
            if cut.iter().zip(other).all(|(cut, other)| cut.len() + other.len() < MOST_PIECES) {
                cut.iter_mut().zip(other).for_each(|(cut, other)| cut.extend(other));
            }
        }
        cuts.shuffle(&mut rng);
        cuts.sort_by_key(|[from, to]| [from.len(), to.len()]);
        let mut batches: Vec<Batch> =
            cuts.chunks(BATCH).map(|cuts| Batch::new(cuts, rng.next_u64())).collect();
        batches.shuffle(&mut rng);
        batches
    }
}

impl Batch {
    /// Of sources and targets without marks.
    fn new(cuts: &[[Vec<u32>; 2]], seed: u64) -> Self {
        let (mut source, mut said, mut follows) = (vec![], vec![], vec![]);
        for [from, to] in cuts {
            source.push([from, &[END][..]].concat());
            said.push([&[BEGIN], &to[..]].concat());
            follows.push([&to[..], &[END]].concat());
        }
        let lengths = source.iter().map(Vec::len).collect();
        pad(&mut source);
        pad(&mut said);
        Self { source, lengths, said, follows, seed }
    }
}

/// Makes all rows as long as the longest.
fn pad(rows: &mut [Vec<u32>]) {
    let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
    rows.iter_mut().for_each(|row| row.resize(longest, END));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_seen_once_an_epoch_and_a_step_is_always_the_same() {
        let pairs: Vec<_> = (0..100).map(|i| [format!("wort{i} und"), format!("WORT{i}")]).collect();
        let pieces = [
            Pieces::learn(pairs.iter().map(|p| p[0].as_str()), 40),
            Pieces::of_words(pairs.iter().map(|p| p[1].as_str())),
        ];
        let mut pairs = pairs;
        pairs.push(["wort".repeat(300), "WORT1".into()]);
        pairs.push(["".into(), "LEER".into()]);
        let varied = Varied { cut_smaller: 0.2, joined: 0.0 };
        let batches = Batches::new(pairs, pieces.clone(), varied, 7);
        assert_eq!((batches.pairs(), batches.of_epoch()), (100, 3));
        for epoch in 0..2 {
            let steps = epoch * 3..epoch * 3 + 3;
            let mut seen: Vec<String> = vec![];
            for batch in steps.map(|step| batches.batch(step)) {
                for i in 0..batch.source.len() {
                    let [from, to] = [&batch.source[i][..batch.lengths[i]], &batch.follows[i][..]];
                    assert_eq!((from.last(), to.last()), (Some(&END), Some(&END)));
                    assert_eq!(batch.said[i][0], BEGIN);
                    assert_eq!(batch.said[i][1..to.len()], to[..to.len() - 1]);
                    let (from, to) = (pieces[0].decode(from), pieces[1].decode(to));
                    assert_eq!(from.replace("wort", "WORT"), format!("{to} und"));
                    seen.push(to);
                }
            }
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 100);
        }
        assert_eq!(batches.batch(4), batches.batch(4));
        assert_ne!(batches.batch(0), batches.batch(3), "another epoch, another order");
    }

    #[test]
    fn some_pairs_are_followed_by_another_on_both_sides() {
        let pairs: Vec<_> = (0..400).map(|i| [format!("wort{i} und"), format!("WORT{i}")]).collect();
        let pieces = [
            Pieces::of_words(pairs.iter().map(|p| p[0].as_str())),
            Pieces::of_words(pairs.iter().map(|p| p[1].as_str())),
        ];
        let varied = Varied { cut_smaller: 0.0, joined: 0.25 };
        let batches = Batches::new(pairs, pieces.clone(), varied, 7);
        let mut joined = 0;
        for batch in (0..batches.of_epoch()).map(|step| batches.batch(step)) {
            for i in 0..batch.source.len() {
                let from = pieces[0].decode(&batch.source[i][..batch.lengths[i]]);
                let to = pieces[1].decode(&batch.follows[i]);
                assert_eq!(from.replace(" und", "").to_uppercase(), to, "in the same order");
                joined += usize::from(to.contains(' '));
            }
        }
        assert!((70..=130).contains(&joined), "{joined} of 400");
    }
}
