//! The losses of both stages (equations 8 to 13), and how they are weighed over a training.
//!
//! Every loss is a mean over sentences, words or frames, so that none of them depends on how many there are; the paper
//! writes sums, which differ by a factor only.

mod balance;
mod contrast;
mod ngram;
mod noise;
mod places;
mod text;
mod word;

use burn::tensor::{Int, Tensor, TensorData, backend::Backend};
use models::translator::END;

pub use balance::{Balance, Decay, Weights};
pub use contrast::{contrast, mean_of};
pub use ngram::ngram;
pub use noise::{Noised, lost, noise, reconstruction};
pub use places::places;
pub use text::text;
pub use word::word;

/// What is to be said of each clip.
#[derive(Debug, Clone)]
pub struct Targets<B: Backend> {
    /// `[B]`: tokens of each clip, the last an end.
    pub rows: Vec<Vec<u32>>,
    /// `[B, U]`, filled up with ends.
    pub tokens: Tensor<B, 2, Int>,
    /// `[B, U]`, 1 for each token that is there, else 0.
    pub there: Tensor<B, 2>,
}

impl<B: Backend> Targets<B> {
    /// Of tokens that end with an end each.
    pub fn new(rows: Vec<Vec<u32>>, device: &B::Device) -> Self {
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        let shape = [rows.len(), longest];
        let row = |row: &Vec<u32>| (0..longest).map(|i| row.get(i).copied()).collect::<Vec<_>>();
        let filled: Vec<Option<u32>> = rows.iter().flat_map(row).collect();
        let tokens: Vec<i64> = filled.iter().map(|t| i64::from(t.unwrap_or(END))).collect();
        let there: Vec<f32> = filled.iter().map(|t| f32::from(u8::from(t.is_some()))).collect();
        Self {
            rows,
            tokens: Tensor::from_data(TensorData::new(tokens, shape), device),
            there: Tensor::from_data(TensorData::new(there, shape), device),
        }
    }

    /// Clips and tokens of the longest: `[B, U]`.
    fn dims(&self) -> [usize; 2] {
        self.there.dims()
    }

    /// The tokens' rows of the codebook: `[V, D]` to `[B * U, D]`.
    fn codes(&self, codes: &Tensor<B, 2>) -> Tensor<B, 2> {
        let [b, u] = self.dims();
        codes.clone().select(0, self.tokens.clone().reshape([b * u]))
    }
}
