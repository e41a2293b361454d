//! Pose2Gloss speaks: the decoder, token by token, under the search of [`models::translator`].

use std::convert::Infallible;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, backend::Backend};
use models::translator::{Decoding, Shaping, Steps, decode};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{CodeBook, Past};

/// The decoder on its way through a clip.
pub struct Speaking<'a, B: Backend> {
    codebook: &'a CodeBook<B>,
    past: Past<B>,
    beam: usize,
    longest: usize,
}

/// The tokens of a clip, without their end.
///
/// # Shapes
/// - `memory`: `[T, D]`, as [`super::Pose2Gloss::read`] gives it of one clip
/// - `seen`: `[1, T]`, as [`super::Frames::seen`] gives it
pub fn tokens<B: Backend>(
    codebook: &CodeBook<B>,
    memory: &Tensor<B, 2>,
    seen: &Tensor<B, 2>,
    longest: usize,
    how: Decoding,
    shaping: Shaping,
) -> Vec<u32> {
    let past = codebook.begin(memory, seen);
    let mut speaking = Speaking { codebook, past, beam: how.beam(), longest };
    let mut rng = StdRng::seed_from_u64(how.seed());
    let Ok(tokens) = decode(&mut speaking, how, shaping, || rng.random());
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
        let log_probs = log_softmax(logits, 1).into_data().convert::<f32>();
        Ok(log_probs.to_vec().expect("converted to f32 just before"))
    }
}
