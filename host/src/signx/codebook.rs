//! The decoder ("a custom CodeBook decoder" in the paper's figure 2): glosses are rows of a codebook, which a
//! transformer reads those before from, and in which it looks up what follows.
//!
//! The paper says no more of it. The codebook's first rows are the marks of [`models::translator`]; places in the
//! memory are told by waves, because a latent that was not denoised knows nothing of its neighbours.

use burn::module::{Module, Param};
use burn::nn::{Embedding, Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::Size;
use crate::nn::transformer::{DecoderLayer, Kept, absent, embed, embedding, later, placed, says};
use crate::nn::{Drops, LONGEST_PLACE, wave};

/// Says glosses.
#[derive(Module, Debug)]
pub struct CodeBook<B: Backend> {
    /// The codebook, `[V, D]`.
    pub codes: Embedding<B>,
    /// `[Z, D]`.
    pub memory: Linear<B>,
    /// In order.
    pub layers: Vec<DecoderLayer<B>>,
    /// Over D.
    pub norm: LayerNorm<B>,
    /// `[V]`.
    pub bias: Param<Tensor<B, 1>>,
}

/// What the decoder keeps of some sequences of tokens about one clip.
#[derive(Debug, Clone)]
pub struct Past<B: Backend> {
    /// Of each layer what it keeps of the clip: `[H, T, K]`.
    source: Vec<Kept<B>>,
    /// `[H, 1, T]`
    absent: Tensor<B, 3>,
    /// Of each layer what it keeps of the tokens so far: `[N * H, U, K]`.
    said: Vec<Kept<B>>,
    /// Tokens so far, U.
    length: usize,
}

impl<B: Backend> CodeBook<B> {
    /// A decoder with random weights over so many tokens.
    pub fn new(codes: usize, latent: usize, size: Size, device: &B::Device) -> Self {
        let d = size.width;
        Self {
            codes: embedding(codes, d, device),
            memory: LinearConfig::new(latent, d).init(device),
            layers: (0..size.layers).map(|_| DecoderLayer::new(size.layer(), device)).collect(),
            norm: LayerNormConfig::new(d).init(device),
            bias: Initializer::Zeros.init([codes], device),
        }
    }

    /// Clips as the decoder looks at them: `[B * T, Z]` to `[B * T, D]`.
    pub fn memory(&self, latent: Tensor<B, 2>, batch: usize) -> Tensor<B, 2> {
        placed(self.memory.forward(latent), batch)
    }

    /// What each frame says by itself: it looks up its own token in the codebook, and says nothing with the end's
    /// (CTC, Graves et al. 2006). A help that the paper does not have.
    ///
    /// # Shapes
    /// - `latent`: `[B * T, Z]`
    /// - returns: `[B * T, V]`, logits
    pub fn heard(&self, latent: Tensor<B, 2>) -> Tensor<B, 2> {
        self.memory.forward(latent).matmul(self.codes.weight.val().transpose())
    }

    /// What follows each token; it knows nothing of those after it.
    ///
    /// # Shapes
    /// - `tokens`: `[B, U]`
    /// - `memory`: `[B * T, D]`, as [`Self::memory`] gives it
    /// - `there`: `[B, T]`, 1 for each frame that is there, else 0
    /// - returns: `[B * U, V]`, logits
    pub fn forward(
        &self,
        tokens: Tensor<B, 2, Int>,
        memory: &Tensor<B, 2>,
        there: &Tensor<B, 2>,
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let [b, u] = tokens.dims();
        let (absent, later) = (absent(there, self.heads(), u), later(b * self.heads(), u, &memory.device()));
        let mut x = embed(&self.codes, tokens, drops);
        for layer in &self.layers {
            x = layer.forward(x, &later, (memory, &absent), b, drops);
        }
        says(self.norm.forward(x), &self.codes, &self.bias)
    }

    /// Begins to speak of one clip.
    ///
    /// # Shapes
    /// - `memory`: `[T, D]`, as [`Self::memory`] gives it
    /// - `there`: `[1, T]`
    pub fn begin(&self, memory: &Tensor<B, 2>, there: &Tensor<B, 2>) -> Past<B> {
        Past {
            source: self.layers.iter().map(|layer| layer.source.keep(memory.clone(), 1)).collect(),
            absent: absent(there, self.heads(), 1),
            said: vec![],
            length: 0,
        }
    }

    /// What follows the last tokens of N sequences, of which `past` knows the others.
    ///
    /// `follows[n]` is the sequence of the step before that the nth goes on with; in the first step it says nothing.
    ///
    /// # Shapes
    /// - `follows`, `tokens`: `[N]`
    /// - returns: `[N, V]`, logits
    pub fn step(&self, follows: &[usize], tokens: &[u32], past: &mut Past<B>) -> Tensor<B, 2> {
        let (n, h, device) = (tokens.len(), self.heads(), self.bias.device());
        let [_, d] = self.codes.weight.dims();
        let numbers = |values: Vec<i64>| {
            let shape = [values.len()];
            Tensor::<B, 1, Int>::from_data(TensorData::new(values, shape), &device)
        };
        let rows = numbers(follows.iter().flat_map(|f| (f * h..(f + 1) * h).map(|row| row as i64)).collect());
        let here: Vec<f32> = wave(past.length, d, LONGEST_PLACE).collect();
        let here = Tensor::<B, 2>::from_data(TensorData::new(here, [1, d]), &device);
        let tokens = numbers(tokens.iter().map(|t| i64::from(*t)).collect());
        let mut x = self.codes.weight.val().select(0, tokens) * (d as f32).sqrt() + here; // [N, D]
        let (drops, nothing) = (&mut Drops::none(), Tensor::zeros([n * h, 1, past.length + 1], &device));
        let absent = past.absent.clone().expand([h as i32, n as i32, -1]);
        for (l, layer) in self.layers.iter().enumerate() {
            let asks = layer.past.norm.forward(x.clone());
            let mut kept = layer.past.keep(asks.clone(), n); // [N * H, 1, K]
            if let Some(said) = past.said.get(l) {
                let mut said = said.iter();
                kept = kept.map(|now| {
                    let before = said.next().expect("keys and values both").clone().select(0, rows.clone());
                    Tensor::cat(vec![before, now], 1)
                });
            }
            match past.said.get_mut(l) {
                Some(slot) => *slot = kept.clone(),
                None => past.said.push(kept.clone()),
            }
            x = layer.past.look(x, asks, kept, &nothing, n, drops);
            let asks = layer.source.norm.forward(x.clone());
            x = layer.source.look(x, asks, past.source[l].clone(), &absent, 1, drops);
            x = layer.forward.forward(x, drops);
        }
        past.length += 1;
        says(self.norm.forward(x), &self.codes, &self.bias)
    }

    /// Heads, H.
    pub fn heads(&self) -> usize {
        self.layers.first().map_or(1, |layer| layer.past.heads)
    }
}
