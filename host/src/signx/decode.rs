//! Pose2Gloss speaks: the decoder, token by token, under the search of [`models::translator`].

use std::convert::Infallible;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, backend::Backend};
use models::translator::{Decoding, Heard, Joint, Shaping, Steps, decode};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{CodeBook, Past};
use crate::nn::numbers;

/// The decoder on its way through a clip.
pub struct Speaking<'a, B: Backend> {
    codebook: &'a CodeBook<B>,
    past: Past<B>,
    beam: usize,
    longest: usize,
}

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// The most tokens.
    pub longest: usize,
    /// How the next token is chosen.
    pub how: Decoding,
    /// What is made of probabilities before.
    pub shaping: Shaping,
}

/// The tokens of a clip, without their end.
///
/// # Shapes
/// - `memory`: `[T, D]`, as [`CodeBook::memory`] gives it of one clip
/// - `heard`: `[T, V]`, logits, as [`CodeBook::heard`] gives them of it, and their share ([`Joint`])
/// - `seen`: `[1, T]`, as [`super::Frames::seen`] gives it
pub fn tokens<B: Backend>(
    codebook: &CodeBook<B>,
    memory: &Tensor<B, 2>,
    heard: Option<(Tensor<B, 2>, f32)>,
    seen: &Tensor<B, 2>,
    search: Search,
) -> Vec<u32> {
    let Search { longest, how, shaping } = search;
    let past = codebook.begin(memory, seen);
    let mut speaking = Speaking { codebook, past, beam: how.beam(), longest };
    let mut rng = StdRng::seed_from_u64(how.seed());
    let chance = || rng.random();
    let Ok(tokens) = if let Some((heard, share)) = heard {
        let heard = Heard::of(&numbers(log_softmax(heard, 1)), &numbers(seen.clone()));
        decode(&mut Joint::new(&mut speaking, &heard, share), how, shaping, chance)
    } else {
        decode(&mut speaking, how, shaping, chance)
    };
    tokens
}

impl<B: Backend> Steps for Speaking<'_, B> {
    type Error = Infallible;

    fn beam(&self) -> usize {
        self.beam
    }

    fn longest(&self) -> usize {
        self.longest
    }

    fn step(&mut self, follows: &[usize], pieces: &[u32]) -> Result<Vec<f32>, Infallible> {
        let logits = self.codebook.step(follows, pieces, &mut self.past);
        Ok(numbers(log_softmax(logits, 1)))
    }
}
