//! A small network that names the sign of a whole window of features.
//!
//! Legend: B clips, T steps, F features, D width, G labels.
//!
//! Each step is embedded; residual blocks look to both sides over 3 steps with
//! growing distance between them; the window is pooled by attention and by its
//! maximum. The data sets are a thousand clips of a few people, so the network is
//! kept to some ten thousand weights a block and is never deeper than it must be.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, backend::Backend};

use super::block::{Block, Reach, each_step};

/// The sizes of a [`ClipNet`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClipNetConfig {
    /// Values of a step, F.
    pub features: usize,
    /// Width, D.
    pub width: usize,
    /// The distance between the steps that each block looks at.
    pub dilations: Vec<usize>,
    /// Labels, G.
    pub labels: usize,
    /// Share of values that training drops before each block's last layer and before the head.
    pub dropout: f64,
}

/// Names the sign of a window.
#[derive(Module, Debug)]
pub struct ClipNet<B: Backend> {
    /// `[F, D]`.
    pub embed: Linear<B>,
    /// The blocks, in order.
    pub blocks: Vec<Block<B>>,
    /// Over D, before pooling.
    pub norm: LayerNorm<B>,
    /// `[D, 1]`: how much a step counts.
    pub attention: Linear<B>,
    /// `[2D, G]`.
    pub head: Linear<B>,
    dropout: Dropout,
}

impl ClipNetConfig {
    /// A network with random weights.
    pub fn init<B: Backend>(&self, device: &B::Device) -> ClipNet<B> {
        let (d, dropout) = (self.width, DropoutConfig::new(self.dropout).init());
        ClipNet {
            embed: LinearConfig::new(self.features, d).init(device),
            blocks: self
                .dilations
                .iter()
                .map(|&dilation| Block::new(d, dilation, Reach::Both, &dropout, device))
                .collect(),
            norm: LayerNormConfig::new(d).init(device),
            attention: LinearConfig::new(d, 1).init(device),
            head: LinearConfig::new(2 * d, self.labels).init(device),
            dropout,
        }
    }
}

impl<B: Backend> ClipNet<B> {
    /// Logits of each label.
    ///
    /// # Shapes
    /// - `features`: `[B, T, F]`, standardised
    /// - returns: `[B, G]`, not normalised
    pub fn forward(&self, features: Tensor<B, 3>) -> Tensor<B, 2> {
        let mut x = each_step(&self.embed, features); // [B, T, D]
        for block in &self.blocks {
            x = block.forward(x);
        }
        let x = self.norm.forward(x);
        let weights = softmax(self.attention.forward(x.clone()), 1); // [B, T, 1]
        let mean = weights.swap_dims(1, 2).matmul(x.clone()); // [B, 1, D]
        let most = x.max_dim(1); // [B, 1, D]
        let pooled = Tensor::cat(vec![mean, most], 2).squeeze_dim::<2>(1); // [B, 2D]
        self.head.forward(self.dropout.forward(pooled)) // [B, G]
    }
}

impl<B: Backend> ClipNet<B> {
    /// The same network with some of its labels only, in the order given.
    pub fn answering(mut self, labels: &[i32]) -> Self {
        let keep = |device: &B::Device| Tensor::<B, 1, Int>::from_ints(labels, device);
        self.head.weight = self.head.weight.map(|w| {
            let keep = keep(&w.device());
            w.select(1, keep)
        });
        self.head.bias = self.head.bias.map(|bias| {
            bias.map(|b| {
                let keep = keep(&b.device());
                b.select(0, keep)
            })
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::Distribution;

    use super::*;

    #[test]
    fn labels_that_are_left_keep_their_logits() {
        let device = Default::default();
        let config = ClipNetConfig { features: 5, width: 8, dilations: vec![1], labels: 4, dropout: 0.5 };
        let net = config.init::<Flex>(&device);
        let batch = Tensor::<Flex, 3>::random([1, 6, 5], Distribution::Default, &device);
        let all: Vec<f32> = net.forward(batch.clone()).into_data().to_vec().unwrap();
        let some: Vec<f32> = net.answering(&[3, 0]).forward(batch).into_data().to_vec().unwrap();
        assert_eq!(some, [all[3], all[0]]);
    }

    #[test]
    fn a_clip_gets_the_same_logits_alone_and_in_a_batch() {
        let device = Default::default();
        let config = ClipNetConfig { features: 5, width: 8, dilations: vec![1, 2], labels: 3, dropout: 0.5 };
        let net = config.init::<Flex>(&device);
        let batch = Tensor::<Flex, 3>::random([4, 6, 5], Distribution::Default, &device);
        let together = net.forward(batch.clone()).narrow(0, 2, 1);
        let alone = net.forward(batch.narrow(0, 2, 1));
        let far = (together - alone).abs().max().into_scalar();
        assert!(far < 1e-5, "differs by {far}");
    }
}
