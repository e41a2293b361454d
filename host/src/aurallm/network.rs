//! The network: RMS norms, rotary embedding, grouped-query attention and a gated layer, as in Qwen2.5's technical
//! report (2024, section 2) and its published code.
//!
//! Legend: B texts, T tokens of this turn, S tokens so far, D width, H heads that ask, G of them ask one that is
//! asked, K values of a head, V tokens that the network knows.

use burn::module::{Module, Param};
use burn::nn::RmsNorm;
use burn::tensor::activation::{silu, softmax};
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::Config;
use super::lora::{self, Lora};
use super::matrix::{Bias, Matrix};
use super::weights::Weights;
use crate::nn::numbers;

/// A language model of the Qwen2.5 family.
#[derive(Module, Debug)]
pub struct Qwen<B: Backend> {
    /// `[V, D]`.
    pub embed: Matrix<B>,
    /// In order.
    pub layers: Vec<Layer<B>>,
    /// Over D.
    pub norm: RmsNorm<B>,
    /// `[V, D]`; where there is none, `embed` says what follows.
    pub head: Option<Matrix<B>>,
    heads: usize,
    key_value_heads: usize,
    theta: f64,
}

/// A layer.
#[derive(Module, Debug)]
pub struct Layer<B: Backend> {
    input_norm: RmsNorm<B>,
    after_norm: RmsNorm<B>,
    /// In the order of [`super::PROJECTIONS`].
    pub projections: Vec<Projection<B>>,
}

/// A linear layer, and perhaps an adapter beside it.
#[derive(Module, Debug)]
pub struct Projection<B: Backend> {
    /// `[out, in]`.
    pub matrix: Matrix<B>,
    /// `[out]`.
    pub bias: Option<Bias<B>>,
    /// What was learnt for a task.
    pub lora: Option<Lora<B>>,
}

/// What a network keeps of the tokens so far: of each layer the keys and values, `[B, H / G, S, K]`.
pub type Cache<B> = Vec<[Tensor<B, 4>; 2]>;

impl<B: Backend> Projection<B> {
    /// # Shapes
    /// - `x`: `[B, T, in]`
    /// - returns: `[B, T, out]`
    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let plain = self.matrix.times(x.clone());
        let plain = match &self.bias {
            Some(bias) => plain + bias.val().unsqueeze(),
            None => plain,
        };
        match &self.lora {
            Some(lora) => plain + lora.forward(x),
            None => plain,
        }
    }
}

impl<B: Backend> Qwen<B> {
    /// The network with published weights.
    ///
    /// # Errors
    /// What is wrong with the weights.
    pub fn load(config: &Config, weights: &mut Weights, device: &B::Device) -> Result<Self, String> {
        let (d, v, inner) = (config.hidden_size, config.vocab_size, config.intermediate_size);
        let small = config.key_value_heads() * config.head();
        let vector = |values: Vec<f32>| {
            let shape = [values.len()];
            Param::from_tensor(Tensor::<B, 1>::from_data(TensorData::new(values, shape), device))
        };
        let norm = |weights: &mut Weights, name: &str| {
            let gamma = vector(weights.take(name, &[d])?);
            Ok::<_, String>(RmsNorm { gamma, epsilon: config.rms_norm_eps })
        };
        let matrix = |weights: &mut Weights, name: &str, shape: [usize; 2]| {
            Matrix::take(weights, &format!("{name}.weight"), shape, device)
        };
        let embed = matrix(weights, "model.embed_tokens", [v, d])?;
        let mut layers = vec![];
        for l in 0..config.num_hidden_layers {
            let at = format!("model.layers.{l}");
            let sizes = [[d, d], [small, d], [small, d], [d, d], [inner, d], [inner, d], [d, inner]];
            let mut projections = vec![];
            for (i, shape) in sizes.into_iter().enumerate() {
                let name = lora::name(l, i);
                let bias = (i < 3).then(|| weights.take(&format!("{name}.bias"), &shape[..1]));
                let bias = bias.transpose()?.map(vector);
                projections.push(Projection { matrix: matrix(weights, &name, shape)?, bias, lora: None });
            }
            layers.push(Layer {
                input_norm: norm(weights, &format!("{at}.input_layernorm.weight"))?,
                after_norm: norm(weights, &format!("{at}.post_attention_layernorm.weight"))?,
                projections,
            });
        }
        let last = norm(weights, "model.norm.weight")?;
        let head = if config.tie_word_embeddings {
            // Some files keep the embedding a second time.
            weights.leave("lm_head.weight");
            None
        } else {
            Some(matrix(weights, "lm_head", [v, d])?)
        };
        if let Some(left) = weights.left() {
            return Err(format!("the tensor {left} is none of a Qwen2.5 model"));
        }
        Ok(Self {
            embed,
            layers,
            norm: last,
            head,
            heads: config.num_attention_heads,
            key_value_heads: config.key_value_heads(),
            theta: config.theta(),
        })
    }

    /// What follows each token.
    ///
    /// # Shapes
    /// - `tokens`: `[B, T]`, which follow those that `cache` knows; it knows these as well then
    /// - returns: `[B, T, V]`, logits
    pub fn forward(&self, tokens: Tensor<B, 2, Int>, cache: &mut Cache<B>) -> Tensor<B, 3> {
        let x = self.read(tokens, cache);
        self.says(x)
    }

    /// What the network knows after each token, as [`Self::forward`] but without saying it.
    ///
    /// # Shapes
    /// - returns: `[B, T, D]`
    pub fn read(&self, tokens: Tensor<B, 2, Int>, cache: &mut Cache<B>) -> Tensor<B, 3> {
        let [_, t] = tokens.dims();
        let before = cache.first().map_or(0, |[keys, _]| keys.dims()[2]);
        let turns = self.turns(before, t, &tokens.device());
        let later = self.later(before, t, &tokens.device());
        let mut x = self.embed.rows(tokens);
        for (l, layer) in self.layers.iter().enumerate() {
            let kept = cache.get(l).cloned();
            let (seen, now) = self.look(layer, layer.input_norm.forward(x.clone()), kept, &turns, &later);
            match cache.get_mut(l) {
                Some(slot) => *slot = now,
                None => cache.push(now),
            }
            x = x + seen;
            let normed = layer.after_norm.forward(x.clone());
            let [gate, up, down] = [4, 5, 6].map(|i| &layer.projections[i]);
            x = x + down.forward(silu(gate.forward(normed.clone())) * up.forward(normed));
        }
        self.norm.forward(x)
    }

    /// Logits of what follows.
    ///
    /// # Shapes
    /// - `x`: `[B, T, D]`, as [`Self::read`] gives it
    /// - returns: `[B, T, V]`
    pub fn says(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        self.head.as_ref().unwrap_or(&self.embed).times(x)
    }

    /// As [`Self::forward`], of numbers: the logits of what follows each token of texts that are as long as each
    /// other.
    ///
    /// # Shapes
    /// - `texts`: `[B][T]`
    /// - returns: `[B * T][V]`
    pub fn logits(&self, texts: &[Vec<u32>], cache: &mut Cache<B>) -> Vec<Vec<f32>> {
        rows(self.forward(self.tokens(texts), cache))
    }

    /// Texts that are as long as each other, as a tensor: `[B, T]`.
    pub fn tokens(&self, texts: &[Vec<u32>]) -> Tensor<B, 2, Int> {
        let (b, t) = (texts.len(), texts.first().map_or(0, Vec::len));
        let tokens: Vec<i64> = texts.iter().flatten().map(|t| i64::from(*t)).collect();
        Tensor::from_data(TensorData::new(tokens, [b, t]), &self.device())
    }

    /// Where its weights are.
    pub fn device(&self) -> B::Device {
        self.norm.gamma.device()
    }

    /// Whether any of its matrices was quantized.
    pub fn quantized(&self) -> bool {
        let projections = self.layers.iter().flat_map(|layer| &layer.projections).map(|p| &p.matrix);
        projections.chain([&self.embed]).chain(&self.head).any(Matrix::quantized)
    }

    /// What a layer's heads see: `[B, T, D]`, and the keys and values so far.
    fn look(
        &self,
        layer: &Layer<B>,
        x: Tensor<B, 3>,
        kept: Option<[Tensor<B, 4>; 2]>,
        turns: &[Tensor<B, 4>; 2],
        later: &Tensor<B, 4>,
    ) -> (Tensor<B, 3>, [Tensor<B, 4>; 2]) {
        let [b, t, d] = x.dims();
        let (h, kv, k) = (self.heads, self.key_value_heads, d / self.heads);
        let heads = |i: usize, n: usize| {
            layer.projections[i].forward(x.clone()).reshape([b, t, n, k]).swap_dims(1, 2)
        };
        let query = turned(heads(0, h), turns);
        let (mut key, mut value) = (turned(heads(1, kv), turns), heads(2, kv));
        if let Some([keys, values]) = kept {
            key = Tensor::cat(vec![keys, key], 2);
            value = Tensor::cat(vec![values, value], 2);
        }
        // All heads that ask the same one are rows of one product: `[B, H / G, G * T, K]`.
        let query = query.reshape([b, kv, h / kv * t, k]) / (k as f64).sqrt();
        let scores = query.matmul(key.clone().swap_dims(2, 3)) + later.clone();
        let seen = softmax(scores, 3).matmul(value.clone()).reshape([b, h, t, k]);
        let seen = seen.swap_dims(1, 2).reshape([b, t, d]);
        (layer.projections[3].forward(seen), [key, value])
    }

    /// The cosines and sines that keys and queries are turned by: `[1, 1, T, K]` each.
    fn turns(&self, before: usize, t: usize, device: &B::Device) -> [Tensor<B, 4>; 2] {
        let [_, d] = self.embed.shape();
        let k = d / self.heads;
        let angle = |i: usize| {
            let (place, pair) = (before + i / k, i % (k / 2));
            place as f64 / self.theta.powf(2.0 * pair as f64 / k as f64)
        };
        [f64::cos, f64::sin].map(|wave| {
            let values: Vec<f32> = (0..t * k).map(|i| wave(angle(i)) as f32).collect();
            Tensor::from_data(TensorData::new(values, [1, 1, t, k]), device)
        })
    }

    /// What is added to what stands later: `[1, 1, G * T, S]`.
    fn later(&self, before: usize, t: usize, device: &B::Device) -> Tensor<B, 4> {
        let (rows, s) = (self.heads / self.key_value_heads * t, before + t);
        let value = |i: usize| if i % s > before + i / s % t { f32::MIN / 2.0 } else { 0.0 };
        let values: Vec<f32> = (0..rows * s).map(value).collect();
        Tensor::from_data(TensorData::new(values, [1, 1, rows, s]), device)
    }
}

/// Logits `[B, T, V]` as numbers: `[B * T][V]`.
pub(super) fn rows<B: Backend>(logits: Tensor<B, 3>) -> Vec<Vec<f32>> {
    let [_, _, v] = logits.dims();
    numbers(logits).chunks_exact(v).map(<[f32]>::to_vec).collect()
}

/// Pairs of values turned by an angle, the first half of a head's with the second (Su et al. 2021, equation 34, in
/// the order of the published code).
fn turned<B: Backend>(x: Tensor<B, 4>, [cosine, sine]: &[Tensor<B, 4>; 2]) -> Tensor<B, 4> {
    let [_, _, _, k] = x.dims();
    let first = x.clone().narrow(3, 0, k / 2);
    let second = x.clone().narrow(3, k / 2, k / 2);
    x * cosine.clone() + Tensor::cat(vec![second.neg(), first], 3) * sine.clone()
}
