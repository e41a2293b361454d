//! How sequences of pieces are chosen: greedily, by beam search, or by chance. Arithmetic over what any network says
//! ([`Steps`]), for the host and the unit alike.

use super::pieces::{BEGIN, END, UNKNOWN};
use super::search::{Found, Steps, search};

/// How the next piece is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decoding {
    /// The likeliest.
    Greedy,
    /// Of so many sequences that are followed at once the likeliest, by a power of the length.
    Beam {
        /// Sequences that are followed at once.
        beam: usize,
        /// The power of the length that the logarithm of the probability is divided by.
        penalty: f32,
    },
    /// By chance, as likely as it is.
    Sampled {
        /// Divides the logits: below 1 the likelier become likelier still.
        temperature: f32,
        /// Of so many of the likeliest only.
        top_k: usize,
        /// Of the likeliest that together have this probability only (Holtzman et al. 2020).
        top_p: f32,
        /// What is chosen follows from it.
        seed: u64,
    },
}

impl Decoding {
    /// Sequences that are followed at once.
    #[must_use]
    pub fn beam(&self) -> usize {
        match self {
            Self::Beam { beam, .. } => *beam,
            Self::Greedy | Self::Sampled { .. } => 1,
        }
    }

    /// What chance follows from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        match self {
            Self::Sampled { seed, .. } => *seed,
            Self::Greedy | Self::Beam { .. } => 0,
        }
    }
}

/// What is made of a network's probabilities before a piece is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shaping {
    /// Divides their logarithms: below 1 the likelier become likelier still. A [`Decoding::Sampled`] has its own
    /// beside it.
    pub temperature: f32,
    /// Multiplies the logarithms of pieces that were said already (Keskar et al. 2019, section 4.1): above 1 they
    /// become less likely.
    pub repetition: f32,
}

impl Shaping {
    /// Probabilities as they are.
    pub const NONE: Self = Self { temperature: 1.0, repetition: 1.0 };

    /// Logarithms of probabilities after some pieces were said; they are probabilities again.
    fn shape(&self, log_probs: &mut [f32], said: &[u32]) {
        if *self == Self::NONE {
            return;
        }
        let mut said = said.to_vec();
        said.sort_unstable();
        said.dedup();
        for piece in said {
            if let Some(log_prob) = log_probs.get_mut(piece as usize) {
                *log_prob *= self.repetition;
            }
        }
        log_probs.iter_mut().for_each(|v| *v /= self.temperature);
        let highest = log_probs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum = log_probs.iter().map(|v| (v - highest).exp()).sum::<f32>().ln();
        log_probs.iter_mut().for_each(|v| *v -= highest + sum);
    }
}

/// All that a search finds, the best first; at least one. Chance finds nothing: of [`Decoding::Sampled`] it is what is
/// likeliest.
///
/// # Errors
/// Where a step of the network fails.
pub fn found<S: Steps>(network: &mut S, how: Decoding, shaping: Shaping) -> Result<Vec<Found>, S::Error> {
    let penalty = if let Decoding::Beam { penalty, .. } = how { penalty } else { 0.0 };
    let said = vec![vec![]; network.beam()];
    search(&mut Shaped { network, shaping, said }, penalty)
}

/// The pieces that follow, without the end. `chance` gives numbers from 0 up to 1, which only
/// [`Decoding::Sampled`] asks for.
///
/// # Errors
/// Where a step of the network fails.
pub fn decode<S: Steps>(
    network: &mut S,
    how: Decoding,
    shaping: Shaping,
    mut chance: impl FnMut() -> f32,
) -> Result<Vec<u32>, S::Error> {
    let Decoding::Sampled { temperature, top_k, top_p, .. } = how else {
        return Ok(found(network, how, shaping)?.swap_remove(0).pieces);
    };
    let said = vec![vec![]; network.beam()];
    let mut shaped = Shaped { network, shaping, said };
    let (beam, longest) = (shaped.beam(), shaped.longest());
    let (mut pieces, mut last) = (vec![], BEGIN);
    while pieces.len() < longest {
        let mut row = shaped.step(&vec![0; beam], &vec![last; beam])?;
        row.truncate(row.len() / beam);
        for mark in [BEGIN, UNKNOWN] {
            row[mark as usize] = f32::NEG_INFINITY;
        }
        last = sampled(&row, temperature, top_k, top_p, chance());
        if last == END {
            break;
        }
        pieces.push(last);
    }
    Ok(pieces)
}

/// A network whose probabilities are shaped.
struct Shaped<'a, S> {
    network: &'a mut S,
    shaping: Shaping,
    /// What each sequence of the last step had said.
    said: Vec<Vec<u32>>,
}

impl<S: Steps> Steps for Shaped<'_, S> {
    type Error = S::Error;

    fn beam(&self) -> usize {
        self.network.beam()
    }

    fn longest(&self) -> usize {
        self.network.longest()
    }

    fn step(&mut self, follows: &[usize], pieces: &[u32]) -> Result<Vec<f32>, S::Error> {
        let mut log_probs = self.network.step(follows, pieces)?;
        let goes_on = |(&follows, &piece): (&usize, &u32)| {
            let piece = (piece != BEGIN).then_some(piece);
            self.said[follows].iter().copied().chain(piece).collect()
        };
        self.said = follows.iter().zip(pieces).map(goes_on).collect();
        let width = log_probs.len() / pieces.len();
        for (row, said) in log_probs.chunks_exact_mut(width).zip(&self.said) {
            self.shaping.shape(row, said);
        }
        Ok(log_probs)
    }
}

/// The number of the highest; of those as high the first.
pub fn likeliest(logits: &[f32]) -> u32 {
    let highest = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]).then(b.cmp(a)));
    highest.unwrap_or(0) as u32
}

/// A piece by chance; `chance` is from 0 up to 1.
pub fn sampled(logits: &[f32], temperature: f32, top_k: usize, top_p: f32, chance: f32) -> u32 {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    order.truncate(top_k.max(1));
    let highest = logits[order[0]];
    let weight = |i: &usize| ((logits[*i] - highest) / temperature.max(1e-6)).exp();
    let mut weights: Vec<f32> = order.iter().map(weight).collect();
    let whole: f32 = weights.iter().sum();
    let mut sum = 0.0;
    let kept = weights.iter().position(|w| {
        sum += w / whole;
        sum >= top_p
    });
    weights.truncate(kept.map_or(weights.len(), |last| last + 1));
    let mut left = chance * weights.iter().sum::<f32>();
    let chosen = weights.iter().position(|w| {
        left -= w;
        left < 0.0
    });
    order[chosen.unwrap_or(weights.len() - 1)] as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_chooses_among_the_likeliest() {
        let logits = [0.0, 3.0, 1.0, 2.0];
        assert_eq!(likeliest(&logits), 1);
        let chosen = |temperature, top_k, top_p| {
            let chances = (0..100).map(|i| i as f32 / 100.0);
            let mut all: Vec<u32> = chances.map(|c| sampled(&logits, temperature, top_k, top_p, c)).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        assert_eq!(chosen(1.0, 4, 1.0), [0, 1, 2, 3]);
        assert_eq!(chosen(1.0, 2, 1.0), [1, 3]);
        assert_eq!(chosen(1.0, 4, 0.7), [1, 3], "0.64 and 0.24");
        assert_eq!(chosen(0.01, 4, 1.0), [1], "the colder, the surer");
        assert_eq!(chosen(1.0, 4, 0.0), [1]);
    }

    #[test]
    fn what_was_said_becomes_less_likely_and_cold_makes_sure() {
        let shaped = |temperature, repetition, said: &[u32]| {
            let mut row = [0.5_f32, 0.25, 0.25].map(f32::ln);
            Shaping { temperature, repetition }.shape(&mut row, said);
            row.map(f32::exp)
        };
        let near = |found: [f32; 3], expect: [f32; 3]| {
            assert!(found.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {expect:?}");
        };
        near(shaped(1.0, 1.0, &[0]), [0.5, 0.25, 0.25]);
        // 1/2, 1/16 and 1/4 of 13/16; once, however often it was said.
        near(shaped(1.0, 2.0, &[1, 1]), [8.0 / 13.0, 1.0 / 13.0, 4.0 / 13.0]);
        near(shaped(0.5, 1.0, &[]), [2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]);
    }
}
