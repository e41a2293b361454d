//! What transformers are made of: attention, feed-forward layers and layers of both, with norms first (Vaswani et
//! al. 2017; Xiong et al. 2020).
//!
//! Legend: B sequences, T places that ask, S places that are looked at, D width, H heads, K values of a head.
//! Networks work on rows: all places of all sequences as one matrix, `[B * T, D]`.

use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{silu, softmax};
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};
use models::translator::NOT_THERE;

use super::{Drops, waves};

/// The longest wave that tells places is 2π times so many places long.
pub const LONGEST: f32 = 10_000.0;

/// Looks at its own sequence.
#[derive(Module, Debug)]
pub struct EncoderLayer<B: Backend> {
    /// At all of the sequence.
    pub attention: Attention<B>,
    /// Each place by itself.
    pub forward: Forward<B>,
}

/// Looks at what was said, and at the source.
#[derive(Module, Debug)]
pub struct DecoderLayer<B: Backend> {
    /// At what was said.
    pub past: Attention<B>,
    /// At the source.
    pub source: Attention<B>,
    /// Each place by itself.
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
    /// Heads, H; D is a multiple.
    pub heads: usize,
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

/// The keys and values of what is looked at, head by head: `[B * H, S, K]` each.
pub type Kept<B> = [Tensor<B, 3>; 2];

impl<B: Backend> EncoderLayer<B> {
    /// A layer with random weights.
    pub fn new([d, heads, inner]: [usize; 3], device: &B::Device) -> Self {
        Self { attention: Attention::new(d, heads, device), forward: Forward::new(d, inner, device) }
    }

    /// What the sequences say.
    ///
    /// # Shapes
    /// - `x`: `[B * T, D]`
    /// - `absent`: `[B * H, T, T]`, as [`absent`] gives it
    /// - returns: `[B * T, D]`
    pub fn forward(
        &self,
        x: Tensor<B, 2>,
        absent: &Tensor<B, 3>,
        batch: usize,
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let x = self.attention.forward(x, None, absent, batch, drops);
        self.forward.forward(x, drops)
    }
}

impl<B: Backend> DecoderLayer<B> {
    /// A layer with random weights.
    pub fn new([d, heads, inner]: [usize; 3], device: &B::Device) -> Self {
        let attention = || Attention::new(d, heads, device);
        Self { past: attention(), source: attention(), forward: Forward::new(d, inner, device) }
    }

    /// What was said so far, with what it sees in the source.
    ///
    /// # Shapes
    /// - `x`: `[B * T, D]`
    /// - `later`: `[B * H, T, T]`, as [`later`] gives it
    /// - `memory`: `[B * S, D]`, and `absent`: `[B * H, T, S]`
    /// - returns: `[B * T, D]`
    pub fn forward(
        &self,
        x: Tensor<B, 2>,
        later: &Tensor<B, 3>,
        (memory, absent): (&Tensor<B, 2>, &Tensor<B, 3>),
        batch: usize,
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let x = self.past.forward(x, None, later, batch, drops);
        let x = self.source.forward(x, Some(memory), absent, batch, drops);
        self.forward.forward(x, drops)
    }
}

impl<B: Backend> Attention<B> {
    /// Attention with random weights.
    pub fn new(d: usize, heads: usize, device: &B::Device) -> Self {
        let linear = || LinearConfig::new(d, d).init(device);
        Self {
            norm: LayerNormConfig::new(d).init(device),
            query: linear(),
            key: linear(),
            value: linear(),
            out: linear(),
            heads,
        }
    }

    /// `x` with what it sees in `at`, or in itself.
    ///
    /// # Shapes
    /// - `x`: `[B * T, D]`
    /// - `at`: `[B * S, D]`
    /// - `absent`: `[B * H, T, S]`, added to what each place sees of another
    /// - returns: `[B * T, D]`
    pub fn forward(
        &self,
        x: Tensor<B, 2>,
        at: Option<&Tensor<B, 2>>,
        absent: &Tensor<B, 3>,
        batch: usize,
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let asks = self.norm.forward(x.clone());
        let kept = self.keep(at.cloned().unwrap_or_else(|| asks.clone()), batch);
        self.look(x, asks, kept, absent, batch, drops)
    }

    /// What is kept of rows that are looked at.
    ///
    /// # Shapes
    /// - `at`: `[B * S, D]`
    pub fn keep(&self, at: Tensor<B, 2>, batch: usize) -> Kept<B> {
        let places = Places { batch, heads: self.heads };
        [places.part(self.key.forward(at.clone())), places.part(self.value.forward(at))]
    }

    /// `x` with what its norm, `asks`, sees in what was kept.
    ///
    /// # Shapes
    /// - `x`, `asks`: `[B * T, D]`
    /// - `absent`: `[B * H, T, S]`
    /// - returns: `[B * T, D]`
    pub fn look(
        &self,
        x: Tensor<B, 2>,
        asks: Tensor<B, 2>,
        [key, value]: Kept<B>,
        absent: &Tensor<B, 3>,
        batch: usize,
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let ([_, d], places) = (x.dims(), Places { batch, heads: self.heads });
        let query = places.part(self.query.forward(asks) / ((d / self.heads) as f32).sqrt());
        let shares = softmax(query.matmul(key.swap_dims(1, 2)) + absent.clone(), 2); // [B * H, T, S]
        let seen = self.out.forward(places.join(shares.matmul(value)));
        x + drops.of(seen)
    }
}

impl<B: Backend> Forward<B> {
    /// Layers with random weights.
    pub fn new(d: usize, inner: usize, device: &B::Device) -> Self {
        Self {
            norm: LayerNormConfig::new(d).init(device),
            up: LinearConfig::new(d, inner).init(device),
            down: LinearConfig::new(inner, d).init(device),
        }
    }

    /// Each row with what is made of it: `[rows, D]`.
    pub fn forward(&self, x: Tensor<B, 2>, drops: &mut Drops) -> Tensor<B, 2> {
        let up = silu(self.up.forward(self.norm.forward(x.clone())));
        let down = self.down.forward(drops.of(up));
        x + drops.of(down)
    }
}

/// Pieces of so many kinds as vectors, with random weights: `[V, D]`.
pub fn embedding<B: Backend>(pieces: usize, d: usize, device: &B::Device) -> Embedding<B> {
    let initializer = Initializer::Normal { mean: 0.0, std: (d as f64).powf(-0.5) };
    EmbeddingConfig::new(pieces, d).with_initializer(initializer).init(device)
}

/// Pieces with their places, in rows.
///
/// # Shapes
/// - `pieces`: `[B, T]`
/// - returns: `[B * T, D]`
pub fn embed<B: Backend>(
    embedding: &Embedding<B>,
    pieces: Tensor<B, 2, Int>,
    drops: &mut Drops,
) -> Tensor<B, 2> {
    let [b, t] = pieces.dims();
    let [_, d] = embedding.weight.dims();
    let found = embedding.forward(pieces).reshape([b * t, d]);
    drops.of(placed(found * (d as f32).sqrt(), b))
}

/// Rows with waves that tell their places.
///
/// # Shapes
/// - `x`: `[B * T, D]`
/// - returns: `[B * T, D]`
pub fn placed<B: Backend>(x: Tensor<B, 2>, batch: usize) -> Tensor<B, 2> {
    let ([rows, d], device) = (x.dims(), x.device());
    let places = TensorData::new(waves(rows / batch, d, LONGEST).repeat(batch), [rows, d]);
    x + Tensor::<B, 2>::from_data(places, &device)
}

/// What follows: what was made of the pieces is looked up among the pieces (Press and Wolf 2017).
///
/// # Shapes
/// - `x`: `[B * T, D]`
/// - returns: `[B * T, V]`, logits
pub fn says<B: Backend>(
    x: Tensor<B, 2>,
    embedding: &Embedding<B>,
    bias: &Param<Tensor<B, 1>>,
) -> Tensor<B, 2> {
    x.matmul(embedding.weight.val().transpose()) + bias.val().unsqueeze()
}

/// What is added to what `t` places see of others, some of which are not there. It is written out, because adding
/// like to like is fastest.
///
/// # Shapes
/// - `there`: `[B, S]`, 1 for each place that is there, else 0
/// - returns: `[B * H, T, S]`
pub fn absent<B: Backend>(there: &Tensor<B, 2>, heads: usize, t: usize) -> Tensor<B, 3> {
    let [b, s] = there.dims();
    let row = (there.clone() - 1.0) * -NOT_THERE;
    row.reshape([b, 1, 1, s]).expand([b, heads, t, s]).reshape([b * heads, t, s])
}

/// What is added to what places see of places after them: `[sequences, T, T]`, a sequence for each head.
pub fn later<B: Backend>(sequences: usize, t: usize, device: &B::Device) -> Tensor<B, 3> {
    let value = |i: usize| if i % t > i / t % t { NOT_THERE } else { 0.0 };
    let values: Vec<f32> = (0..sequences * t * t).map(value).collect();
    Tensor::from_data(TensorData::new(values, [sequences, t, t]), device)
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
