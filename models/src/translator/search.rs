//! The search for the likeliest translation: beam search with a length penalty (Wu et al. 2016, section 7,
//! with the power of the length alone), over any network that goes on piece by piece.

use super::pieces::{BEGIN, END, UNKNOWN};

/// A network that was given a sentence and goes on with a translation, piece by piece.
pub trait Steps {
    /// Why a step may fail.
    type Error;

    /// How many translations it goes on with at once, N.
    fn beam(&self) -> usize;

    /// The longest translation, in pieces.
    fn longest(&self) -> usize;

    /// Goes on.
    ///
    /// `follows[n]` is the translation of the step before that the nth continues, and `pieces[n]` its last
    /// piece. In the first step all begin.
    ///
    /// # Shapes
    /// - `follows`, `pieces`: `[N]`
    /// - returns: `[N, V]`, logarithms of probabilities
    ///
    /// # Errors
    /// Where the network fails.
    fn step(&mut self, follows: &[usize], pieces: &[u32]) -> Result<Vec<f32>, Self::Error>;
}

/// A translation that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its pieces, without the marks at its ends.
    pub pieces: Vec<u32>,
    /// The logarithm of its probability, with its end.
    pub log_prob: f32,
    /// What it was chosen by: `log_prob` through a power of the length.
    pub score: f32,
}

/// The likeliest translations, the best first; at least one.
///
/// `penalty` is the power of the length that the logarithm is divided by: 0 prefers short ones, 1 compares
/// the pieces' mean.
///
/// # Errors
/// Where a step of the network fails.
pub fn search<S: Steps>(network: &mut S, penalty: f32) -> Result<Vec<Found>, S::Error> {
    let (beam, longest) = (network.beam(), network.longest());
    let scored = |log_prob: f32, length: usize| log_prob / (length as f32).powf(penalty);
    let mut open = vec![Open { pieces: vec![], log_prob: 0.0, follows: 0 }];
    let mut done: Vec<Found> = vec![];
    for length in 1..=longest + 1 {
        let mut follows: Vec<usize> = open.iter().map(|o| o.follows).collect();
        let mut last: Vec<u32> = open.iter().map(|o| o.pieces.last().copied().unwrap_or(BEGIN)).collect();
        // Networks have a fixed size: what is not needed goes on with the first.
        follows.resize(beam, 0);
        last.resize(beam, BEGIN);
        let log_probs = network.step(&follows, &last)?;
        let pieces = log_probs.len() / beam;
        let mut next: Vec<Next> = vec![];
        for (n, (row, from)) in log_probs.chunks_exact(pieces).zip(&open).enumerate() {
            let allowed = |(piece, log_prob): (usize, &f32)| {
                let piece = piece as u32;
                let ends_only = length > longest && piece != END;
                let mark = piece == BEGIN || piece == UNKNOWN;
                (!mark && !ends_only && log_prob.is_finite()).then(|| Next {
                    from: n,
                    piece,
                    log_prob: from.log_prob + log_prob,
                })
            };
            next.extend(row.iter().enumerate().filter_map(allowed));
        }
        // An end takes no room in the beam, so twice as many are looked at.
        let looked = (2 * beam).min(next.len());
        if looked == 0 {
            break;
        }
        next.select_nth_unstable_by(looked - 1, Next::order);
        next.truncate(looked);
        next.sort_unstable_by(Next::order);
        let mut going = Vec::with_capacity(beam);
        for (rank, Next { from, piece, log_prob }) in next.into_iter().enumerate() {
            let pieces = &open[from].pieces;
            if piece != END {
                if going.len() < beam {
                    let pieces = pieces.iter().copied().chain([piece]).collect();
                    going.push(Open { pieces, log_prob, follows: from });
                }
            } else if rank < beam {
                done.push(Found { pieces: pieces.clone(), log_prob, score: scored(log_prob, length) });
            }
        }
        open = going;
        let best = done.iter().map(|d| d.score).fold(f32::NEG_INFINITY, f32::max);
        // What goes on only becomes less likely, but with a penalty its score may still rise until the end.
        let hope = open.first().map_or(f32::NEG_INFINITY, |o| scored(o.log_prob, length + 1));
        if open.is_empty() || (done.len() >= beam && best >= hope) {
            break;
        }
    }
    done.sort_by(|a, b| b.score.total_cmp(&a.score));
    if done.is_empty() {
        // A network whose numbers are broken ends nothing.
        done.push(Found { pieces: vec![], log_prob: f32::NEG_INFINITY, score: f32::NEG_INFINITY });
    }
    Ok(done)
}

/// A translation that may go on.
struct Open {
    pieces: Vec<u32>,
    log_prob: f32,
    /// Which of the step before it continues.
    follows: usize,
}

/// A piece more.
struct Next {
    from: usize,
    piece: u32,
    log_prob: f32,
}

impl Next {
    /// The likeliest first; of the same those that were first before.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let by_place = (self.from, self.piece).cmp(&(other.from, other.piece));
        other.log_prob.total_cmp(&self.log_prob).then(by_place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces a (3) and b (4); what follows depends on the last piece alone.
    struct Chain {
        /// `[5][5]`: from BEGIN, a, b to END, BEGIN, UNKNOWN, a, b.
        probs: [[f32; 5]; 5],
        beam: usize,
        longest: usize,
        /// What each of the last step had read.
        read: Vec<Vec<u32>>,
    }

    impl Chain {
        fn new(beam: usize, longest: usize) -> Self {
            let mut probs = [[0.0; 5]; 5];
            probs[BEGIN as usize] = [0.05, 0.0, 0.0, 0.55, 0.40];
            probs[3] = [0.30, 0.0, 0.0, 0.40, 0.30];
            probs[4] = [0.90, 0.0, 0.05, 0.05, 0.0];
            Self { probs, beam, longest, read: vec![vec![]; beam] }
        }

        fn log_prob(&self, pieces: &[u32]) -> f32 {
            let (mut last, mut sum) = (BEGIN, 0.0);
            for &piece in pieces.iter().chain([&END]) {
                sum += self.probs[last as usize][piece as usize].ln();
                last = piece;
            }
            sum
        }
    }

    impl Steps for Chain {
        type Error = std::convert::Infallible;

        fn beam(&self) -> usize {
            self.beam
        }

        fn longest(&self) -> usize {
            self.longest
        }

        fn step(&mut self, follows: &[usize], pieces: &[u32]) -> Result<Vec<f32>, Self::Error> {
            self.read =
                follows.iter().zip(pieces).map(|(&f, &p)| [&self.read[f][..], &[p]].concat()).collect();
            Ok(self
                .read
                .iter()
                .flat_map(|read| self.probs[read[read.len() - 1] as usize].map(f32::ln))
                .collect())
        }
    }

    /// All translations of at most `longest` pieces, by score.
    fn all(chain: &Chain, penalty: f32) -> Vec<(Vec<u32>, f32)> {
        let mut found = vec![];
        let mut open = vec![vec![]];
        for _ in 0..=chain.longest {
            for pieces in &open {
                let length = (pieces.len() + 1) as f32;
                found.push((pieces.clone(), chain.log_prob(pieces) / length.powf(penalty)));
            }
            open = open.iter().flat_map(|p: &Vec<u32>| [3, 4].map(|q| [&p[..], &[q]].concat())).collect();
        }
        found.retain(|(_, score)| score.is_finite());
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        found
    }

    #[track_caller]
    fn check(beam: usize, longest: usize, penalty: f32) {
        let mut chain = Chain::new(beam, longest);
        let Ok(found) = search(&mut chain, penalty);
        let expect = all(&chain, penalty);
        assert_eq!(found[0].pieces, expect[0].0);
        assert!((found[0].score - expect[0].1).abs() < 1e-5, "{found:?} {expect:?}");
        let own = found.iter().all(|f| (chain.log_prob(&f.pieces) - f.log_prob).abs() < 1e-5);
        assert!(own, "each has its own pieces' probability");
    }

    #[test]
    fn a_wide_beam_finds_the_best_of_all() {
        for penalty in [0.0, 0.6, 1.0] {
            check(8, 3, penalty);
            check(16, 5, penalty);
        }
        // Greedy takes "a" first, which has the better beginning and the worse end.
        let Ok(greedy) = search(&mut Chain::new(1, 3), 0.0);
        assert_eq!(greedy[0].pieces.first(), Some(&3));
        let Ok(wide) = search(&mut Chain::new(4, 3), 0.0);
        assert_eq!(wide[0].pieces, [4]);
    }

    #[test]
    fn it_ends_where_the_network_never_does_or_is_broken() {
        let mut endless = Chain::new(3, 6);
        endless.probs.iter_mut().for_each(|row| row[END as usize] = 1e-30);
        let Ok(found) = search(&mut endless, 1.0);
        assert!(found[0].pieces.len() <= 6);
        let mut broken = Chain::new(3, 6);
        broken.probs = [[f32::NAN; 5]; 5];
        let Ok(found) = search(&mut broken, 1.0);
        assert_eq!(found.len(), 1);
        assert!(found[0].pieces.is_empty() && found[0].log_prob == f32::NEG_INFINITY);
    }
}
