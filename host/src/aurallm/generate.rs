//! How a language model goes on with a text: greedily, by beam search, or by chance.

use std::convert::Infallible;

use burn::tensor::{Int, Tensor, TensorData, backend::Backend};
use models::translator::{Decoding, END, Steps, UNKNOWN, likeliest, sampled, search};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::network::rows;
use super::{Cache, Qwen};

/// What follows the tokens given, of which there is at least one: at most `longest` tokens, without the one that
/// ends it.
///
/// # Panics
/// Where no token is given.
pub fn generate<B: Backend>(
    net: &Qwen<B>,
    prompt: &[u32],
    ends: &[u32],
    longest: usize,
    how: Decoding,
) -> Vec<u32> {
    assert!(!prompt.is_empty(), "a language model goes on with something");
    let mut rng = match how {
        Decoding::Greedy => None,
        Decoding::Sampled { seed, .. } => Some(StdRng::seed_from_u64(seed)),
        Decoding::Beam { beam, penalty } => {
            let mut going = Going { net, ends, longest, beam, prompt, cache: vec![] };
            let Ok(mut found) = search(&mut going, penalty);
            return found.swap_remove(0).pieces.into_iter().map(|p| p - OFFSET).collect();
        }
    };
    let (mut cache, mut said, mut last) = (vec![], vec![], prompt.to_vec());
    while said.len() < longest {
        let logits = next(net, &[last], &mut cache).swap_remove(0);
        let token = match (&mut rng, how) {
            (Some(rng), Decoding::Sampled { temperature, top_k, top_p, .. }) => {
                sampled(&logits, temperature, top_k, top_p, rng.random())
            }
            _ => likeliest(&logits),
        };
        if ends.contains(&token) {
            break;
        }
        said.push(token);
        last = vec![token];
    }
    said
}

/// Logits of what follows some texts that are as long as each other: of their last tokens alone, for of a long prompt
/// those of all would be hundreds of megabytes.
fn next<B: Backend>(net: &Qwen<B>, texts: &[Vec<u32>], cache: &mut Cache<B>) -> Vec<Vec<f32>> {
    let known = net.read(net.tokens(texts), cache);
    let [b, t, d] = known.dims();
    rows(net.says(known.slice([0..b, t - 1..t, 0..d])))
}

/// The search's own marks stand before the tokens.
const OFFSET: u32 = UNKNOWN + 1;

/// Texts that are followed at once.
struct Going<'a, B: Backend> {
    net: &'a Qwen<B>,
    ends: &'a [u32],
    longest: usize,
    beam: usize,
    /// What all of them begin with, until it is read.
    prompt: &'a [u32],
    cache: Cache<B>,
}

impl<B: Backend> Steps for Going<'_, B> {
    type Error = Infallible;

    fn beam(&self) -> usize {
        self.beam
    }

    fn longest(&self) -> usize {
        self.longest
    }

    fn step(&mut self, follows: &[usize], pieces: &[u32]) -> Result<Vec<f32>, Infallible> {
        let texts: Vec<Vec<u32>> = if self.cache.is_empty() {
            vec![self.prompt.to_vec()]
        } else {
            pieces.iter().map(|p| vec![p.saturating_sub(OFFSET)]).collect()
        };
        // The beginning was read once for all.
        let known = self.cache.first().map_or(1, |[keys, _]| keys.dims()[0]);
        if !self.cache.is_empty() {
            let order: Vec<i64> = follows.iter().map(|f| if known == 1 { 0 } else { *f as i64 }).collect();
            let device = self.net.device();
            let order = Tensor::<B, 1, Int>::from_data(TensorData::new(order, [follows.len()]), &device);
            for [keys, values] in &mut self.cache {
                *keys = keys.clone().select(0, order.clone());
                *values = values.clone().select(0, order.clone());
            }
        }
        let rows = next(self.net, &texts, &mut self.cache);
        let rows = rows.iter().cycle().take(self.beam);
        Ok(rows.flat_map(|logits| self.with_end(logits)).collect())
    }
}

impl<B: Backend> Going<'_, B> {
    /// Logarithms of probabilities, as the search numbers its pieces: the likeliest end is the end.
    fn with_end(&self, logits: &[f32]) -> Vec<f32> {
        let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum = logits.iter().map(|v| (v - highest).exp()).sum::<f32>().ln();
        let mut out = vec![f32::NEG_INFINITY; OFFSET as usize];
        out.extend(logits.iter().map(|v| v - highest - sum));
        for end in self.ends {
            let end = (end + OFFSET) as usize;
            if let Some(value) = out.get(end).copied() {
                out[END as usize] = out[END as usize].max(value);
                out[end] = f32::NEG_INFINITY;
            }
        }
        out
    }
}
