//! The small translator: a transformer (Vaswani et al. 2017) with norms first (Xiong et al. 2020).
//!
//! Legend: B sentences, S pieces of the source, U pieces of the target, D width, H heads, V pieces that the
//! target knows.

use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{silu, softmax};
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};
use models::translator::NOT_THERE;

use super::waves;
use crate::random::split_mix;

/// The longest wave that tells places is 2π times so many pieces long.
pub const LONGEST: f32 = 10_000.0;

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

/// Looks at the source.
#[derive(Module, Debug)]
pub struct EncoderLayer<B: Backend> {
    /// At all of the source.
    pub attention: Attention<B>,
    /// Each piece by itself.
    pub forward: Forward<B>,
}

/// Looks at what was said, and at the source.
#[derive(Module, Debug)]
pub struct DecoderLayer<B: Backend> {
    /// At what was said.
    pub past: Attention<B>,
    /// At the source.
    pub source: Attention<B>,
    /// Each piece by itself.
    pub forward: Forward<B>,
}

/// Multi-head attention, with the norm before it.
#[derive(Module, Debug)]
pub struct Attention<B: Backend> {
    /// Over D, of what asks.
    pub norm: LayerNorm<B>,
    /// `[D, D]`.
    pub query: Linear<B>,
    /// `[D, D]`.
    pub key: Linear<B>,
    /// `[D, D]`.
    pub value: Linear<B>,
    /// `[D, D]`.
    pub out: Linear<B>,
    heads: usize,
}

/// Two layers with a bend between them, with the norm before them.
#[derive(Module, Debug)]
pub struct Forward<B: Backend> {
    /// Over D.
    pub norm: LayerNorm<B>,
    /// `[D, inner]`.
    pub up: Linear<B>,
    /// `[inner, D]`.
    pub down: Linear<B>,
}

impl TranslatorConfig {
    /// A network with random weights.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Translator<B> {
        let d = self.width;
        let norm = || LayerNormConfig::new(d).init(device);
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let attention = || Attention {
            norm: norm(),
            query: linear(d, d),
            key: linear(d, d),
            value: linear(d, d),
            out: linear(d, d),
            heads: self.heads,
        };
        let forward = || Forward { norm: norm(), up: linear(d, self.inner), down: linear(self.inner, d) };
        let deviation = (d as f64).powf(-0.5);
        let embedding = |pieces| {
            let initializer = Initializer::Normal { mean: 0.0, std: deviation };
            EmbeddingConfig::new(pieces, d).with_initializer(initializer).init(device)
        };
        let [encoder, decoder] = self.layers;
        Translator {
            source: embedding(self.pieces[0]),
            target: embedding(self.pieces[1]),
            encoder: (0..encoder)
                .map(|_| EncoderLayer { attention: attention(), forward: forward() })
                .collect(),
            encoder_norm: norm(),
            decoder: (0..decoder)
                .map(|_| DecoderLayer { past: attention(), source: attention(), forward: forward() })
                .collect(),
            decoder_norm: norm(),
            bias: Initializer::Zeros.init([self.pieces[1]], device),
        }
    }
}

/// What is dropped in a step of training, which follows from a seed; nothing where there is none.
///
/// burn's own dropout draws from a generator that all of a backend's networks share, and takes a tenth of the
/// time of a step.
#[derive(Debug)]
pub struct Drops(Option<(u64, f32)>);

impl Drops {
    /// Nothing is dropped.
    pub fn none() -> Self {
        Self(None)
    }

    /// A share of all values is dropped.
    pub fn new(seed: u64, share: f32) -> Self {
        Self(Some((seed, share)))
    }

    /// The tensor with some values dropped, and the others larger for it (Srivastava et al. 2014).
    fn of<B: Backend, const D: usize>(&mut self, x: Tensor<B, D>) -> Tensor<B, D> {
        let Some((state, share)) = &mut self.0 else { return x };
        let (shape, kept) = (x.dims(), 1.0 / (1.0 - *share));
        let least = (*share * 65_536.0) as u16;
        let mut values = vec![0.0; shape.iter().product()];
        // One number decides over four values.
        for values in values.chunks_mut(4) {
            let number = split_mix(state);
            for (i, value) in values.iter_mut().enumerate() {
                *value = if (number >> (16 * i)) as u16 >= least { kept } else { 0.0 };
            }
        }
        let device = x.device();
        x * Tensor::from_data(TensorData::new(values, shape), &device)
    }
}

/// Where heads lie in rows: the networks look at each head by itself.
struct Places {
    batch: usize,
    heads: usize,
}

impl Places {
    /// `[B * T, D]` to `[B * H, T, D / H]`. Rows are selected, which is faster than to swap dimensions.
    fn part<B: Backend>(&self, x: Tensor<B, 2>) -> Tensor<B, 3> {
        let [rows, d] = x.dims();
        let (b, h, t) = (self.batch, self.heads, rows / self.batch);
        let order = (0..b * h * t).map(|i| ((i / (h * t)) * t + i % t) * h + i / t % h);
        self.ordered(x.reshape([rows * h, d / h]), order).reshape([b * h, t, d / h])
    }

    /// `[B * H, T, D / H]` to `[B * T, D]`.
    fn join<B: Backend>(&self, x: Tensor<B, 3>) -> Tensor<B, 2> {
        let [_, t, k] = x.dims();
        let (b, h) = (self.batch, self.heads);
        let order = (0..b * t * h).map(|i| (i / (t * h) * h + i % h) * t + i / h % t);
        self.ordered(x.reshape([b * h * t, k]), order).reshape([b * t, h * k])
    }

    fn ordered<B: Backend>(&self, x: Tensor<B, 2>, order: impl Iterator<Item = usize>) -> Tensor<B, 2> {
        let order: Vec<i64> = order.map(|i| i as i64).collect();
        let shape = [order.len()];
        let device = x.device();
        x.select(0, Tensor::<B, 1, Int>::from_data(TensorData::new(order, shape), &device))
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
        let (places, absent) = (Places { batch: b, heads: self.heads() }, self.absent(s, s, lengths));
        let mut x = self.embed(&self.source, source, drops);
        for layer in &self.encoder {
            x = layer.attention.forward(x, None, &absent, &places, drops);
            x = layer.forward.forward(x, drops);
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
        let (places, absent) = (Places { batch: b, heads: self.heads() }, self.absent(u, rows / b, lengths));
        let later = |i: usize| if i % u > i / u % u { NOT_THERE } else { 0.0 };
        let later: Vec<f32> = (0..b * self.heads() * u * u).map(later).collect();
        let later = Tensor::from_data(TensorData::new(later, [b * self.heads(), u, u]), &memory.device());
        let mut x = self.embed(&self.target, target, drops);
        for layer in &self.decoder {
            x = layer.past.forward(x, None, &later, &places, drops);
            x = layer.source.forward(x, Some(memory), &absent, &places, drops);
            x = layer.forward.forward(x, drops);
        }
        let logits = self.decoder_norm.forward(x).matmul(self.target.weight.val().transpose());
        logits + self.bias.val().unsqueeze()
    }

    fn heads(&self) -> usize {
        self.encoder.first().map_or(1, |layer| layer.attention.heads)
    }

    /// What is added to what `t` pieces see of sources of which `s` are there at most: `[B * H, T, S]`, written
    /// out, because adding like to like is fastest.
    fn absent(&self, t: usize, s: usize, lengths: &[usize]) -> Tensor<B, 3> {
        let many = self.heads() * t;
        let row = |n: usize| (0..s).map(move |i| if i < n { 0.0 } else { NOT_THERE });
        let all: Vec<f32> = lengths.iter().flat_map(|n| (0..many).flat_map(move |_| row(*n))).collect();
        let shape = [lengths.len() * self.heads(), t, s];
        Tensor::from_data(TensorData::new(all, shape), &self.bias.device())
    }

    /// Pieces with their places, in rows: `[B * T, D]`.
    fn embed(&self, embedding: &Embedding<B>, pieces: Tensor<B, 2, Int>, drops: &mut Drops) -> Tensor<B, 2> {
        let [b, t] = pieces.dims();
        let [_, d] = embedding.weight.dims();
        let places = TensorData::new(waves(t, d, LONGEST).repeat(b), [b * t, d]);
        let places = Tensor::<B, 2>::from_data(places, &pieces.device());
        let found = embedding.forward(pieces).reshape([b * t, d]);
        drops.of(found * (d as f32).sqrt() + places)
    }
}

impl<B: Backend> Attention<B> {
    /// `x` with what it sees in `at`, or in itself; all of them rows, `[B * T, D]`.
    fn forward(
        &self,
        x: Tensor<B, 2>,
        at: Option<&Tensor<B, 2>>,
        absent: &Tensor<B, 3>,
        places: &Places,
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let [_, d] = x.dims();
        let asks = self.norm.forward(x.clone());
        let at = at.cloned().unwrap_or_else(|| asks.clone());
        let query = places.part(self.query.forward(asks) / ((d / self.heads) as f32).sqrt());
        let (key, value) = (places.part(self.key.forward(at.clone())), places.part(self.value.forward(at)));
        let shares = softmax(query.matmul(key.swap_dims(1, 2)) + absent.clone(), 2); // [B * H, T, S]
        let seen = self.out.forward(places.join(shares.matmul(value)));
        x + drops.of(seen)
    }
}

impl<B: Backend> Forward<B> {
    fn forward(&self, x: Tensor<B, 2>, drops: &mut Drops) -> Tensor<B, 2> {
        let up = silu(self.up.forward(self.norm.forward(x.clone())));
        let down = self.down.forward(drops.of(up));
        x + drops.of(down)
    }
}
