//! The small translator: a transformer (Vaswani et al. 2017) with norms first (Xiong et al. 2020).
//!
//! Legend: B sentences, S pieces of the source, U pieces of the target, D width, H heads, V pieces that the
//! target knows.

use burn::module::{Module, Param};
use burn::nn::{Embedding, Initializer, LayerNorm, LayerNormConfig};
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::Drops;
use super::transformer::{DecoderLayer, EncoderLayer, absent, embed, embedding, later, says};

/// The sizes of a [`Translator`].
#[derive(Debug, Clone, PartialEq)]
pub struct TranslatorConfig {
    /// Pieces of the source and of the target.
    pub pieces: [usize; 2],
    /// Width, D.
    pub width: usize,
    /// Heads, H; D is a multiple.
    pub heads: usize,
    /// Width between the two halves of a feed-forward layer.
    pub inner: usize,
    /// Layers of the encoder and of the decoder.
    pub layers: [usize; 2],
}

/// Translates.
#[derive(Module, Debug)]
pub struct Translator<B: Backend> {
    /// `[V of the source, D]`.
    pub source: Embedding<B>,
    /// `[V, D]`; what is said is looked up in it too (Press and Wolf 2017).
    pub target: Embedding<B>,
    /// In order.
    pub encoder: Vec<EncoderLayer<B>>,
    /// Over D.
    pub encoder_norm: LayerNorm<B>,
    /// In order.
    pub decoder: Vec<DecoderLayer<B>>,
    /// Over D.
    pub decoder_norm: LayerNorm<B>,
    /// `[V]`.
    pub bias: Param<Tensor<B, 1>>,
}

impl TranslatorConfig {
    /// A network with random weights.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Translator<B> {
        let d = self.width;
        let norm = || LayerNormConfig::new(d).init(device);
        let sizes = [d, self.heads, self.inner];
        let [encoder, decoder] = self.layers;
        Translator {
            source: embedding(self.pieces[0], d, device),
            target: embedding(self.pieces[1], d, device),
            encoder: (0..encoder).map(|_| EncoderLayer::new(sizes, device)).collect(),
            encoder_norm: norm(),
            decoder: (0..decoder).map(|_| DecoderLayer::new(sizes, device)).collect(),
            decoder_norm: norm(),
            bias: Initializer::Zeros.init([self.pieces[1]], device),
        }
    }
}

impl<B: Backend> Translator<B> {
    /// What the source says, in rows.
    ///
    /// # Shapes
    /// - `source`: `[B, S]`
    /// - `lengths`: `[B]`, pieces of each that are there
    /// - returns: `[B * S, D]`
    pub fn encode(&self, source: Tensor<B, 2, Int>, lengths: &[usize], drops: &mut Drops) -> Tensor<B, 2> {
        let [b, s] = source.dims();
        let absent = absent(&self.there(lengths, s), self.heads(), s);
        let mut x = embed(&self.source, source, drops);
        for layer in &self.encoder {
            x = layer.forward(x, &absent, b, drops);
        }
        self.encoder_norm.forward(x)
    }

    /// What follows each piece of the target.
    ///
    /// # Shapes
    /// - `target`: `[B, U]`
    /// - `memory`: `[B * S, D]`, as [`Self::encode`] gives it
    /// - `lengths`: `[B]`, pieces of each source that are there
    /// - returns: `[B * U, V]`, logits
    pub fn decode(
        &self,
        target: Tensor<B, 2, Int>,
        memory: &Tensor<B, 2>,
        lengths: &[usize],
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let [b, u] = target.dims();
        let [rows, _] = memory.dims();
        let absent = absent(&self.there(lengths, rows / b), self.heads(), u);
        let later = later(b * self.heads(), u, &memory.device());
        let mut x = embed(&self.target, target, drops);
        for layer in &self.decoder {
            x = layer.forward(x, &later, (memory, &absent), b, drops);
        }
        says(self.decoder_norm.forward(x), &self.target, &self.bias)
    }

    fn heads(&self) -> usize {
        self.encoder.first().map_or(1, |layer| layer.attention.heads)
    }

    /// Which pieces are there of sources that are `s` long at most: `[B, S]`, 1 or 0.
    fn there(&self, lengths: &[usize], s: usize) -> Tensor<B, 2> {
        let row = |n: usize| (0..s).map(move |i| f32::from(u8::from(i < n)));
        let all: Vec<f32> = lengths.iter().flat_map(|n| row(*n)).collect();
        Tensor::from_data(TensorData::new(all, [lengths.len(), s]), &self.bias.device())
    }
}
