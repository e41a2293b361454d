//! The network that looks at a whole utterance again when it is over, and judges what may have been said.
//!
//! Legend: B utterances, T steps, D width, U glosses and their beginning, G glosses.
//!
//! It stands on what the live network made of each step. Residual blocks look to both sides; from there one
//! head gives CTC once more, and an attention decoder says of each prefix of glosses what follows it (hybrid
//! CTC/attention, Watanabe et al. 2017). Hypotheses come from CTC, so that the time of each gloss is known:
//! the decoder is told it, and need not find out where it stands.
//!
//! Before it has learnt anything its CTC is the live network's own: blocks add nothing at first.

use burn::module::{Module, Param};
use burn::nn::{
    Dropout, DropoutConfig, Embedding, EmbeddingConfig, Initializer, LayerNorm, LayerNormConfig, Linear,
    LinearConfig,
};
use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use models::translator::NOT_THERE;

use super::LiveNet;
use super::block::{Block, Reach, each_step};
use super::waves;

/// The longest wave that tells times is 2π times so many steps long: longer than an utterance.
pub const LONGEST: f32 = 100.0;

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
    /// Share of values that training drops.
    pub dropout: f64,
}

/// Judges what may have been said in an utterance.
#[derive(Module, Debug)]
pub struct RescoreNet<B: Backend> {
    /// The blocks, in order.
    pub blocks: Vec<Block<B>>,
    /// `[D, 1 + G]`.
    pub ctc: Linear<B>,
    /// `[1 + G, D]`: 0 begins.
    pub embed: Embedding<B>,
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
    /// A network that stands on a live one, with random weights but for its CTC.
    pub fn init<B: Backend>(&self, live: &LiveNet<impl Backend>, device: &B::Device) -> RescoreNet<B> {
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
        let zeros = LinearConfig::new(d, d).with_initializer(Initializer::Zeros);
        let block = |&dilation: &usize| {
            let mut block = Block::new(d, dilation, Reach::Both, &dropout, device);
            block.out = zeros.init(device);
            block
        };
        let (mut ctc, labels) = (linear(1 + self.glosses), 1 + self.glosses);
        let head = Tensor::<B, 2>::from_data(live.head.weight.val().into_data(), device);
        ctc.weight = Param::from_tensor(head.narrow(1, 0, labels));
        ctc.bias = live.head.bias.as_ref().map(|bias| {
            let bias = Tensor::<B, 1>::from_data(bias.val().into_data(), device);
            Param::from_tensor(bias.narrow(0, 0, labels))
        });
        RescoreNet {
            blocks: self.dilations.iter().map(block).collect(),
            ctc,
            embed: EmbeddingConfig::new(1 + self.glosses, d).init(device),
            layers: (0..self.layers).map(layer).collect(),
            last_norm: norm(),
            head: linear(labels),
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
        let memory = self.dropout.forward(x);
        let ctc = each_step(&self.ctc, memory.clone());
        (memory, ctc)
    }

    /// What follows each prefix.
    ///
    /// # Shapes
    /// - `memory`, `there`: as above
    /// - `glosses`: `[B, U]`, 0 and then 1 + gloss
    /// - `at`: `[B, U]`, 0 and then the step of each gloss
    /// - returns: `[B, U, 1 + G]`, logits
    pub fn next(
        &self,
        memory: Tensor<B, 3>,
        there: &Tensor<B, 3>,
        glosses: Tensor<B, 2, Int>,
        at: Tensor<B, 2, Int>,
    ) -> Tensor<B, 3> {
        let [b, t, d] = memory.dims();
        let [_, u] = glosses.dims();
        let waves =
            Tensor::<B, 2>::from_data(TensorData::new(waves(t, d, LONGEST), [t, d]), &memory.device());
        let when = waves.clone().select(0, at.reshape([b * u])).reshape([b, u, d]);
        let mut x = self.embed.forward(glosses) + when; // [B, U, D]
        let steps = memory + waves.unsqueeze::<3>(); // [B, T, D]
        let absent = (there.clone().swap_dims(1, 2) - 1.0) * -NOT_THERE; // [B, 1, T]
        for layer in &self.layers {
            x = layer.before.forward(x);
            let query = each_step(&layer.query, layer.norm.forward(x.clone()));
            let key = each_step(&layer.key, steps.clone());
            let value = each_step(&layer.value, steps.clone());
            let scores = query.matmul(key.swap_dims(1, 2)) / (d as f32).sqrt() + absent.clone();
            let seen = softmax(scores, 2).matmul(value); // [B, U, D]
            x = x + each_step(&layer.out, self.dropout.forward(seen));
        }
        each_step(&self.head, self.last_norm.forward(x))
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use burn::module::ModuleVisitor;

    use super::super::LiveNetConfig;
    use super::*;

    /// Counts parameters, and those that are learnt.
    #[derive(Default)]
    struct Learnt([usize; 2]);

    impl<B: Backend> ModuleVisitor<B> for Learnt {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.0[0] += 1;
            self.0[1] += usize::from(param.val().is_require_grad());
        }
    }

    #[test]
    fn what_it_takes_over_from_the_live_network_is_learnt_on() {
        let device = Default::default();
        let live = LiveNetConfig { features: 3, width: 4, dilations: vec![1], glosses: 2, dropout: 0.0 };
        let live = live.init::<Flex>(&device);
        let config =
            RescoreNetConfig { width: 4, dilations: vec![1, 2], layers: 1, glosses: 2, dropout: 0.0 };
        let net = config.init::<Autodiff<Flex>>(&live, &device);
        let mut learnt = Learnt::default();
        net.visit(&mut learnt);
        assert_eq!(learnt.0, [2 * 6 + 2 + 1 + 16 + 2 + 2; 2]);
    }
}
