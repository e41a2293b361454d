//! Batches of sentences and their translations.

use models::translator::{BEGIN, END, Pieces};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngCore, SeedableRng};

use super::recipe::BATCH;
use crate::train::plan::step_seed;

/// So many batches are drawn together and sorted by length, so that little of a batch is padding.
const POOL: usize = 16;
/// Longer sentences are not learnt: they are errors of a corpus, and would take its memory.
const MOST_PIECES: usize = 160;

/// What is learnt: pairs of a source and a target, each in its normal form.
pub struct Batches {
    pairs: Vec<[String; 2]>,
    /// Pieces of each pair's source and of its target, where no merge is left out.
    lengths: Vec<[usize; 2]>,
    source: Pieces,
    target: Pieces,
    skipped: f32,
    seed: u64,
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
    /// Of pairs, which are cut into pieces; a share of merges is left out at random.
    pub fn new(pairs: Vec<[String; 2]>, [source, target]: [Pieces; 2], skipped: f32, seed: u64) -> Self {
        let measured = |pair: [String; 2]| {
            let lengths = [source.encode(&pair[0]).len(), target.encode(&pair[1]).len()];
            lengths.iter().all(|n| (1..MOST_PIECES).contains(n)).then_some((pair, lengths))
        };
        let (pairs, lengths) = pairs.into_iter().filter_map(measured).unzip();
        Self { pairs, lengths, source, target, skipped, seed }
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
        let epoch = step / self.of_epoch();
        let mut rng = StdRng::seed_from_u64(step_seed(self.seed, epoch));
        let mut order: Vec<usize> = (0..self.pairs.len()).collect();
        order.shuffle(&mut rng);
        for pool in order.chunks_mut(BATCH * POOL) {
            pool.sort_by_key(|&i| self.lengths[i]);
        }
        let mut batches: Vec<&[usize]> = order.chunks(BATCH).collect();
        batches.shuffle(&mut rng);
        let chosen = batches[step % self.of_epoch()];

        let mut rng = StdRng::seed_from_u64(step_seed(!self.seed, step));
        let mut cut = |pieces: &Pieces, text: &str| {
            let mut cut = pieces.encode_with(text, || rng.random::<f32>() < self.skipped);
            cut.truncate(2 * MOST_PIECES);
            cut
        };
        let (mut source, mut said, mut follows) = (vec![], vec![], vec![]);
        for [from, to] in chosen.iter().map(|i| &self.pairs[*i]) {
            let (mut from, to) = (cut(&self.source, from), cut(&self.target, to));
            from.push(END);
            source.push(from);
            said.push([&[BEGIN], &to[..]].concat());
            follows.push([&to[..], &[END]].concat());
        }
        let lengths = source.iter().map(Vec::len).collect();
        pad(&mut source);
        pad(&mut said);
        Batch { source, lengths, said, follows, seed: rng.next_u64() }
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
        let batches = Batches::new(pairs, pieces.clone(), 0.2, 7);
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
}
