//! The network that looks at a whole utterance again when it is over, and judges what may have been said.
//!
//! Legend: B utterances, T steps, D width, U glosses and their beginning, G glosses.
//!
//! It stands on what the live network made of each step. Residual blocks look to both sides; from there one
//! head gives CTC once more, and an attention decoder says of each prefix of glosses what follows it (hybrid
//! CTC/attention, Watanabe et al. 2017).

use burn::module::Module;
use burn::nn::{
    Dropout, DropoutConfig, Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig,
};
use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::block::{Block, Reach, each_step};

/// What is added to the attention's score of a step that is not there.
pub const NOT_THERE: f32 = -1e4;

/// The sizes of a [`RescoreNet`].
#[derive(Debug, Clone, PartialEq)]
pub struct RescoreNetConfig {
    /// Width, D.
    pub width: usize,
    /// The distance between the steps that each block looks at.
    pub dilations: Vec<usize>,
    /// Layers of the attention decoder.
    pub layers: usize,
    /// Glosses, G.
    pub glosses: usize,
    /// Glosses of a hypothesis and its beginning, U.
    pub length: usize,
    /// Share of values that training drops.
    pub dropout: f64,
}

/// Judges what may have been said in an utterance.
#[derive(Module, Debug)]
pub struct RescoreNet<B: Backend> {
    /// The blocks, in order.
    pub blocks: Vec<Block<B>>,
    /// Over D.
    pub norm: LayerNorm<B>,
    /// `[D, 1 + G]`.
    pub ctc: Linear<B>,
    /// `[1 + G, D]`: 0 begins.
    pub embed: Embedding<B>,
    /// `[U, D]`.
    pub place: Embedding<B>,
    /// The decoder's layers, in order.
    pub layers: Vec<Layer<B>>,
    /// Over D.
    pub last_norm: LayerNorm<B>,
    /// `[D, 1 + G]`: 0 ends.
    pub head: Linear<B>,
    dropout: Dropout,
}

/// A layer of the decoder: it looks at the glosses before, then at the utterance.
#[derive(Module, Debug)]
pub struct Layer<B: Backend> {
    /// Over the two glosses before and this one.
    pub before: Block<B>,
    /// Over D.
    pub norm: LayerNorm<B>,
    /// `[D, D]`: what is asked for.
    pub query: Linear<B>,
    /// `[D, D]`: what each step answers to.
    pub key: Linear<B>,
    /// `[D, D]`: what it answers.
    pub value: Linear<B>,
    /// `[D, D]`.
    pub out: Linear<B>,
}

impl RescoreNetConfig {
    /// A network with random weights.
    pub fn init<B: Backend>(&self, device: &B::Device) -> RescoreNet<B> {
        let (d, dropout) = (self.width, DropoutConfig::new(self.dropout).init());
        let linear = |out: usize| LinearConfig::new(d, out).init(device);
        let norm = || LayerNormConfig::new(d).init(device);
        let layer = |_| Layer {
            before: Block::new(d, 1, Reach::Past, &dropout, device),
            norm: norm(),
            query: linear(d),
            key: linear(d),
            value: linear(d),
            out: linear(d),
        };
        RescoreNet {
            blocks: self
                .dilations
                .iter()
                .map(|&dilation| Block::new(d, dilation, Reach::Both, &dropout, device))
                .collect(),
            norm: norm(),
            ctc: linear(1 + self.glosses),
            embed: EmbeddingConfig::new(1 + self.glosses, d).init(device),
            place: EmbeddingConfig::new(self.length, d).init(device),
            layers: (0..self.layers).map(layer).collect(),
            last_norm: norm(),
            head: linear(1 + self.glosses),
            dropout,
        }
    }
}

impl<B: Backend> RescoreNet<B> {
    /// The utterances as the decoder sees them, and CTC's logits.
    ///
    /// # Shapes
    /// - `hidden`: `[B, T, D]`, of the live network
    /// - `there`: `[B, T, 1]`, 1 for each step that is there, else 0
    /// - returns: `[B, T, D]` and `[B, T, 1 + G]`
    pub fn memory(&self, hidden: Tensor<B, 3>, there: &Tensor<B, 3>) -> (Tensor<B, 3>, Tensor<B, 3>) {
        let mut x = hidden * there.clone();
        for block in &self.blocks {
            x = block.forward(x) * there.clone();
        }
        let memory = self.dropout.forward(self.norm.forward(x));
        let ctc = each_step(&self.ctc, memory.clone());
        (memory, ctc)
    }

    /// What follows each prefix.
    ///
    /// # Shapes
    /// - `memory`, `there`: as above
    /// - `glosses`: `[B, U]`, 0 and then 1 + gloss
    /// - returns: `[B, U, 1 + G]`, logits
    pub fn next(
        &self,
        memory: Tensor<B, 3>,
        there: &Tensor<B, 3>,
        glosses: Tensor<B, 2, Int>,
    ) -> Tensor<B, 3> {
        let [_, t, d] = memory.dims();
        let [_, u] = glosses.dims();
        let device = memory.device();
        let places = Tensor::<B, 1, Int>::arange(0..u as i64, &device).unsqueeze::<2>();
        let mut x = self.embed.forward(glosses) + self.place.forward(places);
        let times = Tensor::<B, 2>::from_data(TensorData::new(times(t, d), [t, d]), &device).unsqueeze::<3>();
        let answers_to = memory.clone() + times;
        let hidden_steps = (there.clone().swap_dims(1, 2) - 1.0) * -NOT_THERE; // [B, 1, T]
        for layer in &self.layers {
            x = layer.before.forward(x);
            let query = each_step(&layer.query, layer.norm.forward(x.clone()));
            let key = each_step(&layer.key, answers_to.clone());
            let value = each_step(&layer.value, memory.clone());
            let scores = query.matmul(key.swap_dims(1, 2)) / (d as f32).sqrt() + hidden_steps.clone();
            let seen = softmax(scores, 2).matmul(value); // [B, U, D]
            x = x + each_step(&layer.out, self.dropout.forward(seen));
        }
        each_step(&self.head, self.last_norm.forward(x))
    }
}

/// Times as waves (Vaswani et al. 2017, section 3.5): `[T, D]`.
pub fn times(t: usize, d: usize) -> Vec<f32> {
    (0..t * d)
        .map(|i| {
            let (step, k) = (i / d, i % d);
            let wave = step as f32 / 1e4_f32.powf((k / 2 * 2) as f32 / d as f32);
            if k % 2 == 0 { wave.sin() } else { wave.cos() }
        })
        .collect()
}
